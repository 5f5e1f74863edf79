/** OSDMaps of a made-up cluster, epoch after epoch, whole and as increments with true CRCs. */
import { applyIncremental } from '../../../src/maps/apply.ts';
import { makeIncremental, type OSDMapIncremental } from '../../../src/maps/incremental.ts';
import { encodeIncremental } from '../../../src/maps/incremental-codec.ts';
import type { OSDMap } from '../../../src/maps/osdmap.ts';
import { encodeOsdMap, osdMapCrc } from '../../../src/maps/osdmap-codec.ts';
import type { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import type { Uuid } from '../../../src/wire/uuid.ts';
import { smallMap } from '../../maps/support/small-map.ts';

/** Ceph's osd_map_message_max. */
const mapsPerMessage = 40;

export class OsdMapHistory {
  readonly fsid: Uuid;
  oldest: number;
  readonly #maps = new Map<number, OSDMap>();
  readonly #fulls = new Map<number, Uint8Array>();
  readonly #incrementals = new Map<number, Uint8Array>();
  #newest: number;

  constructor(fsid: Uuid) {
    const map = { ...smallMap(3, 2), fsid };
    this.fsid = fsid;
    this.#newest = map.epoch;
    this.oldest = map.epoch;
    this.#maps.set(map.epoch, map);
    this.#fulls.set(map.epoch, encodeOsdMap(map));
  }

  get newest(): number {
    return this.#newest;
  }

  map(epoch: number): OSDMap {
    return this.#maps.get(epoch)!;
  }

  full(epoch: number): Uint8Array {
    return this.#fulls.get(epoch)!;
  }

  incremental(epoch: number): Uint8Array {
    return this.#incrementals.get(epoch)!;
  }

  /** One epoch more. */
  commit(fields: Partial<OSDMapIncremental> = {}): number {
    const before = this.map(this.#newest);
    const epoch = before.epoch + 1;
    const modified = { sec: 2_000_000_000 + epoch, nsec: 0 };
    const change = makeIncremental({ fsid: this.fsid, epoch, modified, ...fields });
    const map = applyIncremental(before, change);
    const full = encodeOsdMap(map);
    this.#maps.set(epoch, map);
    this.#fulls.set(epoch, full);
    this.#incrementals.set(epoch, encodeIncremental({ ...change, fullCrc: osdMapCrc(full, map) }));
    this.#newest = epoch;
    return epoch;
  }

  /** What a monitor sends to whom wants everything from `start` on: increments, behind the oldest map if needed. */
  from(start: number): MOSDMap[] {
    const messages: MOSDMap[] = [];
    let next = start;
    if (start <= this.oldest) {
      const whole = start === 0 ? this.#newest : this.oldest;
      messages.push(this.message([whole], []));
      next = whole + 1;
    }
    for (; next <= this.#newest; next += mapsPerMessage) {
      const end = Math.min(next + mapsPerMessage - 1, this.#newest);
      messages.push(
        this.message(
          [],
          Array.from({ length: end - next + 1 }, (_, index) => next + index),
        ),
      );
    }
    return messages;
  }

  message(fulls: readonly number[], incrementals: readonly number[]): MOSDMap {
    return {
      fsid: this.fsid,
      incrementalMaps: new Map(incrementals.map((epoch) => [epoch, this.incremental(epoch)])),
      maps: new Map(fulls.map((epoch) => [epoch, this.full(epoch)])),
      oldestMap: this.oldest,
      newestMap: this.#newest,
      gapRemovedSnaps: new Map(),
    };
  }
}
