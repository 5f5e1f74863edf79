/**
 * The epochs of the OSDMap: those that are committed, the latest of them decoded, and the one in the making.
 * Three maps matter: `committed` (durable, what clients see), the base of `pending` (committed, or on its way
 * to the disk), and `pending` itself.
 */
import { ErrorCode, MsgrError } from '../../../errors.ts';
import type { OSDMap } from '../../../maps/osdmap.ts';
import { decodeOsdMap } from '../../../maps/osdmap-codec.ts';
import { utimeFromMs } from '../../../wire/utime.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';
import { firstKey, fullKey, lastKey, osdMapPrefix, trimOsdMaps } from '../store/osd-map-history.ts';
import { encodeVersion, readVersion } from '../store/values.ts';
import { PendingOsdMap } from './pending-osd-map.ts';

export class OsdMapEpochs {
  readonly #store: MonStore;
  #committed: OSDMap;
  #pending: PendingOsdMap;
  #firstCommitted: number;

  /** @throws MsgrError ERR_MSGR_STORE when the store lacks the map that it says is the last one. */
  constructor(store: MonStore) {
    const last = readVersion(store, osdMapPrefix, lastKey);
    const bytes = store.get(osdMapPrefix, fullKey(last));
    if (bytes === undefined) throw new MsgrError(ErrorCode.Store, `the store has no osdmap ${last}`);
    this.#store = store;
    this.#committed = decodeOsdMap(bytes);
    this.#pending = new PendingOsdMap(this.#committed);
    this.#firstCommitted = readVersion(store, osdMapPrefix, firstKey);
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

  /** Undefined when the epoch was trimmed or is yet to come. */
  fullBytes(epoch: number): Uint8Array | undefined {
    return this.#has(epoch) ? this.#store.get(osdMapPrefix, fullKey(epoch)) : undefined;
  }

  incrementalBytes(epoch: number): Uint8Array | undefined {
    return this.#has(epoch) ? this.#store.get(osdMapPrefix, String(epoch)) : undefined;
  }

  /** The pending change becomes an epoch, and another one begins on top of it. */
  propose(transaction: StoreTransaction, wallMs: number): () => void {
    const { map, fullBytes, incrementalBytes } = this.#pending.finish(utimeFromMs(wallMs));
    this.#pending = new PendingOsdMap(map);
    transaction
      .put(osdMapPrefix, fullKey(map.epoch), fullBytes)
      .put(osdMapPrefix, String(map.epoch), incrementalBytes)
      .put(osdMapPrefix, lastKey, encodeVersion(map.epoch));
    return () => {
      this.#committed = map;
    };
  }

  /** Erases what lies before `first`, which becomes the oldest epoch. */
  trim(transaction: StoreTransaction, first: number): void {
    trimOsdMaps(transaction, this.#firstCommitted, first);
    // What is erased must not be read while the transaction is on its way.
    this.#firstCommitted = first;
  }

  #has(epoch: number): boolean {
    return epoch >= this.#firstCommitted && epoch <= this.lastCommitted;
  }
}
