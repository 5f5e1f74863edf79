/**
 * One user's way through the OSDMaps: every epoch from its first on, once and in order. What the monitor
 * sends is kept in its encoding and read when the user asks for the next map, so a slow user costs a
 * bounded buffer and no time; what did not fit is asked for again.
 *
 *      add(MOSDMap) ──► buffer by epoch ──take()──► incremental applied, CRC compared ──► map
 *                                          │            └── does not fit: the full map is asked for
 *                                          └── missing, though the monitor has it: asked for
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { osdMapBufferBytesMax } from '../../limits.ts';
import { applyIncrementalChecked } from '../../maps/apply.ts';
import type { OSDMapIncremental } from '../../maps/incremental.ts';
import { decodeIncremental } from '../../maps/incremental-codec.ts';
import type { OSDMap } from '../../maps/osdmap.ts';
import { decodeOsdMap } from '../../maps/osdmap-codec.ts';
import type { MOSDMap } from '../../wire/messages/m-osd-map.ts';
import type { Uuid } from '../../wire/uuid.ts';

export interface OsdMapUpdate {
  readonly epoch: number;
  readonly map: OSDMap;
  /** The change that led here from the epoch before; absent when the map came whole. */
  readonly incremental?: OSDMapIncremental;
  /** The same as it was sent, for whoever passes it on. */
  readonly incrementalBytes?: Uint8Array;
}

/** What a reader asks of the monitor, and says of it. */
export interface OsdMapSource {
  readonly fsid: Uuid;
  /** Asks for the full map of one epoch. */
  askFull(epoch: number): void;
  /** Asks for all increments from an epoch on. */
  askFrom(epoch: number): void;
  /** What the monitor sent is no map of its cluster: the session with it ends. */
  blame(error: MsgrError): void;
}

interface Entry {
  full?: Uint8Array;
  incremental?: Uint8Array;
}

/**
 * Times that one epoch is missed before the monitor is given up. The first time nothing is asked, unless
 * nothing can be on its way: monitors send a long history in several messages.
 */
const missesMax = 5;

export class OsdMapReader {
  readonly #source: OsdMapSource;
  readonly #entries = new Map<number, Entry>();
  #bytes = 0;
  #map: OSDMap | undefined;
  /** The epoch that is yielded next. */
  #next: number;
  /** Everything from #next to here is in the buffer. */
  #contiguousTo: number;
  /** The increment to #next was tried and is of no use. */
  #mustBeFull = false;
  /** Epochs that the monitor of the present session has; 0 before it said so. */
  #oldest = 0;
  #newest = 0;
  #misses = 0;
  /** The buffer was full: what came next was let go. */
  #hasDropped = false;

  constructor(source: OsdMapSource, first: number) {
    this.#source = source;
    this.#next = first;
    this.#contiguousTo = first - 1;
  }

  /** The first epoch that a new monitor has to send. */
  get wantedFrom(): number {
    return this.#contiguousTo + 1;
  }

  get bufferedBytes(): number {
    return this.#bytes;
  }

  /** Maps came. Answers whether something is new for {@link take}. */
  add({ incrementalMaps, maps, newestMap, oldestMap }: MOSDMap): boolean {
    this.#oldest = oldestMap;
    this.#newest = Math.max(this.#newest, newestMap);
    let isNew = oldestMap > this.#next;
    for (const [epoch, bytes] of maps) isNew = this.#keep(epoch, 'full', bytes) || isNew;
    for (const [epoch, bytes] of incrementalMaps) isNew = this.#keep(epoch, 'incremental', bytes) || isNew;
    while (this.#entries.has(this.#contiguousTo + 1)) this.#contiguousTo++;
    return isNew || this.#newest >= this.#next;
  }

  /** Another monitor: what the one before had says nothing, and what was asked of it is asked again. */
  sessionChanged(): void {
    this.#oldest = 0;
    this.#newest = 0;
    this.#misses = 0;
    this.#hasDropped = false;
  }

  /** The next map if it is there; else undefined, and what is missing has been asked for. */
  take(): OsdMapUpdate | undefined {
    this.#skipTrimmed();
    const entry = this.#entries.get(this.#next);
    const update = entry && (this.#takeIncremental(entry) ?? this.#takeFull(entry));
    if (update === undefined) return this.#ask();
    this.#forget(this.#next);
    this.#map = update.map;
    this.#next++;
    this.#contiguousTo = Math.max(this.#contiguousTo, this.#next - 1);
    while (this.#entries.has(this.#contiguousTo + 1)) this.#contiguousTo++;
    this.#mustBeFull = false;
    this.#misses = 0;
    return update;
  }

  /** Whether {@link take} missed something, and is to be called again when nothing has come for a while. */
  get isMissing(): boolean {
    return this.#misses > 0;
  }

  #takeIncremental({ incremental: bytes }: Entry): OsdMapUpdate | undefined {
    if (bytes === undefined || this.#mustBeFull) return undefined;
    try {
      const incremental = decodeIncremental(bytes);
      this.#check(incremental.fsid, incremental.epoch, 'incremental');
      if (incremental.fullMap.byteLength > 0) {
        return { ...this.#readFull(incremental.fullMap), incremental, incrementalBytes: bytes };
      }
      if (this.#map === undefined) return undefined;
      const { map } = applyIncrementalChecked(this.#map, incremental);
      return { epoch: this.#next, map, incremental, incrementalBytes: bytes };
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      // Newer than this code, or damaged: the whole map may still be read.
      this.#mustBeFull = true;
      return undefined;
    }
  }

  #takeFull({ full }: Entry): OsdMapUpdate | undefined {
    if (full === undefined) return undefined;
    try {
      return this.#readFull(full);
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.#forget(this.#next);
      this.#contiguousTo = this.#next - 1;
      this.#source.blame(error);
      return undefined;
    }
  }

  #readFull(bytes: Uint8Array): OsdMapUpdate {
    const map = decodeOsdMap(bytes);
    this.#check(map.fsid, map.epoch, 'osdmap');
    return { epoch: map.epoch, map };
  }

  #check(fsid: Uuid, epoch: number, what: string): void {
    if (epoch === this.#next && fsid.equals(this.#source.fsid)) return;
    const reason = `${what} ${epoch} of cluster ${fsid} was sent as ${this.#next} of ${this.#source.fsid}`;
    throw new MsgrError(ErrorCode.Malformed, reason, { field: `${what}.epoch` });
  }

  /** The monitors no longer have the next epoch: the oldest that they do have follows, once it is here. */
  #skipTrimmed(): void {
    if (this.#oldest <= this.#next) return;
    const whole = [...this.#entries]
      .filter(([epoch, { full }]) => epoch >= this.#oldest && full)
      .map(([e]) => e);
    if (whole.length === 0) return;
    const first = Math.min(...whole);
    for (const epoch of [...this.#entries.keys()]) if (epoch < first) this.#forget(epoch);
    this.#next = first;
    this.#contiguousTo = first;
    while (this.#entries.has(this.#contiguousTo + 1)) this.#contiguousTo++;
    this.#mustBeFull = true;
  }

  /** The increments first; where they do not help, the whole map. */
  #ask(): undefined {
    const hasNoBase = this.#map === undefined;
    const isThere = this.#newest === 0 ? hasNoBase : this.#newest >= this.#next;
    if (!isThere) return;
    if (++this.#misses > missesMax) {
      this.#misses = 0;
      const range = `${this.#oldest} to ${this.#newest}`;
      const reason = `the monitor does not send osdmap ${this.#next}, and says that it has ${range}`;
      this.#source.blame(new MsgrError(ErrorCode.Timeout, reason));
      return;
    }
    const isTrimmed = this.#oldest > this.#next;
    if (hasNoBase || this.#mustBeFull || this.#misses > 2) {
      this.#source.askFull(isTrimmed ? this.#oldest : this.#next);
    } else if (this.#misses > 1 || this.#hasDropped) {
      this.#hasDropped = false;
      this.#source.askFrom(this.#next);
    }
  }

  /** Copies what is wanted: the message's own memory goes back to its pool. */
  #keep(epoch: number, kind: keyof Entry, bytes: Uint8Array): boolean {
    if (epoch < this.#next || this.#entries.get(epoch)?.[kind] !== undefined) return false;
    const isNext = epoch === this.#next;
    if (!isNext && this.#bytes + bytes.byteLength > osdMapBufferBytesMax) {
      this.#hasDropped = true;
      return false;
    }
    const entry = this.#entries.get(epoch) ?? {};
    entry[kind] = new Uint8Array(bytes);
    this.#entries.set(epoch, entry);
    this.#bytes += bytes.byteLength;
    return isNext;
  }

  #forget(epoch: number): void {
    const entry = this.#entries.get(epoch);
    this.#bytes -= (entry?.full?.byteLength ?? 0) + (entry?.incremental?.byteLength ?? 0);
    this.#entries.delete(epoch);
  }
}
