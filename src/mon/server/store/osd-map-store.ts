/**
 * The OSDMaps of now and before, on the history in the store (drawn in osd-map-history.ts).
 *
 * Three of them matter: `committed` (durable, what clients see), the base of `pending` (committed, or on its
 * way to the disk), and `pending` itself.
 */

import type { OSDMap } from '../../../maps/osdmap.ts';
import { decodeOsdMap } from '../../../maps/osdmap-codec.ts';
import { utimeFromMs } from '../../../wire/utime.ts';
import { PendingOsdMap } from '../osdmap/pending-osd-map.ts';
import type { MonStore, StoreTransaction } from './mon-store.ts';
import { checkOsdMaps, firstKey, fullKey, lastKey, osdMapPrefix, trimOsdMaps } from './osd-map-history.ts';
import { encodeVersion, readVersion } from './values.ts';

export class OsdMapStore {
  readonly #store: MonStore;
  #committed: OSDMap;
  #pending: PendingOsdMap;
  #firstCommitted: number;

  private constructor(store: MonStore, committed: OSDMap, firstCommitted: number) {
    this.#store = store;
    this.#committed = committed;
    this.#pending = new PendingOsdMap(committed);
    this.#firstCommitted = firstCommitted;
  }

  /** Undefined in a new store. @throws MsgrError ERR_MSGR_STORE that names what does not agree. */
  static load(store: MonStore): OsdMapStore | undefined {
    const map = checkOsdMaps(store);
    return map && new OsdMapStore(store, map, readVersion(store, osdMapPrefix, firstKey));
  }

  get committed(): OSDMap {
    return this.#committed;
  }

  get pending(): PendingOsdMap {
    return this.#pending;
  }

  get firstCommitted(): number {
    return this.#firstCommitted;
  }

  get lastCommitted(): number {
    return this.#committed.epoch;
  }

  /** The encoded map; undefined when it was trimmed, or is not committed. */
  fullBytes(epoch: number): Uint8Array | undefined {
    return this.#has(epoch) ? this.#store.get(osdMapPrefix, fullKey(epoch)) : undefined;
  }

  /** The encoded change that leads to the epoch; none leads to the first map of all. */
  incrementalBytes(epoch: number): Uint8Array | undefined {
    return this.#has(epoch) ? this.#store.get(osdMapPrefix, String(epoch)) : undefined;
  }

  /** A map of the past, decoded. */
  mapOf(epoch: number): OSDMap | undefined {
    if (epoch === this.lastCommitted) return this.#committed;
    const bytes = this.fullBytes(epoch);
    return bytes && decodeOsdMap(bytes);
  }

  /** For `OsdMonitor.propose`: the pending change becomes an epoch, and another one begins. `now`: wall clock in ms. */
  propose(transaction: StoreTransaction, now: number): () => void {
    const { map, fullBytes, incrementalBytes } = this.#pending.finish(utimeFromMs(now));
    this.#pending = new PendingOsdMap(map);
    transaction.put(osdMapPrefix, fullKey(map.epoch), fullBytes);
    transaction.put(osdMapPrefix, String(map.epoch), incrementalBytes);
    transaction.put(osdMapPrefix, lastKey, encodeVersion(map.epoch));
    return () => {
      this.#committed = map;
    };
  }

  /** Erases what lies before `first`, which becomes the oldest epoch. */
  trim(transaction: StoreTransaction, first: number): () => void {
    trimOsdMaps(transaction, this.#firstCommitted, first);
    // What is erased must not be read while the transaction is on its way.
    this.#firstCommitted = first;
    return () => {};
  }

  #has(epoch: number): boolean {
    return epoch >= this.#firstCommitted && epoch <= this.lastCommitted;
  }
}
