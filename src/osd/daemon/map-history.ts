/**
 * The OSDMaps of a running OSD: the newest one, applied, and the changes that led to it in the encoding in
 * which they came, for peers that are behind. Maps come from monitors and from other OSDs; every epoch is
 * applied once and in order, and its CRC compared.
 *
 * Kept are `osd_map_cache_size` epochs. What a peer sends is believed no more than its CRC allows: when maps
 * of a peer do not fit, the monitor is asked.
 */
import type { MsgrError } from '../../errors.ts';
import type { OSDMap } from '../../maps/osdmap.ts';
import { encodeOsdMap } from '../../maps/osdmap-codec.ts';
import { OsdMapReader, type OsdMapUpdate } from '../../mon/client/osd-map-reader.ts';
import type { Clock } from '../../transport/clock.ts';
import type { MOSDMap } from '../../wire/messages/m-osd-map.ts';
import type { Uuid } from '../../wire/uuid.ts';

export interface MapHistoryInit {
  readonly clock: Clock;
  readonly fsid: Uuid;
  /** The newest epoch of the monitors when the OSD started. */
  readonly first: number;
  readonly cachedEpochsMax: number;
  /** Asks the monitor for the full map of one epoch, or for everything from an epoch on. */
  askFull(epoch: number): void;
  askFrom(epoch: number): void;
  /** A full map that the monitor sent is none. */
  blameMonitor(error: MsgrError): void;
  onMaps(updates: readonly OsdMapUpdate[]): void;
}

/** What is announced and does not come is missed again after this time. */
const missAgainMs = 1000;

export class MapHistory {
  readonly #init: MapHistoryInit;
  readonly #reader: OsdMapReader;
  /** By epoch, up to the newest applied. */
  readonly #incrementals = new Map<number, Uint8Array>();
  #map: OSDMap | undefined;
  /** The encoding of #map, made when a peer wants it. */
  #encoded: Uint8Array | undefined;
  #clusterOldest = 0;
  #timer: unknown;
  #isStopped = false;

  constructor(init: MapHistoryInit) {
    this.#init = init;
    const source = {
      fsid: init.fsid,
      askFull: init.askFull,
      askFrom: init.askFrom,
      blame: init.blameMonitor,
    };
    this.#reader = new OsdMapReader(source, init.first);
  }

  /** The newest; undefined until the first came. */
  get map(): OSDMap | undefined {
    return this.#map;
  }

  get epoch(): number {
    return this.#map?.epoch ?? 0;
  }

  /** The first epoch that can still be given to a peer as a change; the newest when there is none. */
  get oldest(): number {
    let oldest = this.epoch;
    while (this.#incrementals.has(oldest)) oldest--;
    return oldest;
  }

  /** The oldest that the monitors have, by their last word. */
  get clusterOldest(): number {
    return this.#clusterOldest;
  }

  /**
   * Takes what a message brings. A peer's whole maps are left aside: it cannot be told from its CRC that a
   * whole map is the cluster's.
   */
  handle(message: MOSDMap, isFromMonitor: boolean): void {
    if (this.#isStopped || !message.fsid.equals(this.#init.fsid)) return;
    if (isFromMonitor) {
      this.#clusterOldest = message.oldestMap;
      this.#reader.add(message);
    } else {
      this.#reader.add({ ...message, maps: new Map(), oldestMap: this.#clusterOldest, newestMap: 0 });
    }
    this.#take();
  }

  /** Another monitor answers from now on. */
  sessionChanged(): void {
    this.#reader.sessionChanged();
    this.#take();
  }

  stop(): void {
    this.#isStopped = true;
    this.#init.clock.clearTimeout(this.#timer);
  }

  /** The encoding of the newest map. */
  encodedMap(): Uint8Array | undefined {
    if (this.#map !== undefined) this.#encoded ??= encodeOsdMap(this.#map);
    return this.#encoded;
  }

  /** The change that leads to `epoch`, if it is kept. */
  incremental(epoch: number): Uint8Array | undefined {
    return this.#incrementals.get(epoch);
  }

  #take(): void {
    const updates: OsdMapUpdate[] = [];
    for (let update = this.#reader.take(); update !== undefined; update = this.#reader.take()) {
      updates.push(update);
      this.#keep(update);
    }
    this.#init.clock.clearTimeout(this.#timer);
    if (this.#reader.isMissing && !this.#isStopped) {
      this.#timer = this.#init.clock.setTimeout(() => this.#take(), missAgainMs);
    }
    if (updates.length > 0) this.#init.onMaps(updates);
  }

  #keep({ epoch, incrementalBytes, map }: OsdMapUpdate): void {
    this.#map = map;
    this.#encoded = undefined;
    // A map that came whole has no way to it from the one before.
    if (incrementalBytes === undefined) this.#incrementals.clear();
    else this.#incrementals.set(epoch, incrementalBytes);
    this.#incrementals.delete(epoch - this.#init.cachedEpochsMax);
  }
}
