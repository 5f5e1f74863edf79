/**
 * The history of the OSDMap in the store, prefix `osdmap`, with Ceph's keys: `full_17` is the map of epoch
 * 17, `17` the incremental that leads to it, `first_committed` and `last_committed` say what there is.
 *
 *      first_committed                                last_committed
 *            │    each full_N = full_(N-1) + incremental N    │
 *            ▼                                                ▼
 *      ──────●────────●────────●── … ──●────────●────────●────●      pending
 *
 * Three maps matter: `committed` (durable, what clients see), the base of `pending` (committed, or on its way
 * to the disk), and `pending` itself. On start the last step of the history is checked by both its CRCs.
 */

import { ErrorCode, MsgrError } from '../../../errors.ts';
import { applyIncrementalChecked } from '../../../maps/apply.ts';
import { decodeIncremental } from '../../../maps/incremental-codec.ts';
import type { OSDMap } from '../../../maps/osdmap.ts';
import { decodeOsdMap } from '../../../maps/osdmap-codec.ts';
import { utimeFromMs } from '../../../wire/utime.ts';
import { PendingOsdMap } from '../osdmap/pending-osd-map.ts';
import type { MonStore, StoreTransaction } from './mon-store.ts';
import { encodeVersion, readVersion } from './values.ts';

const prefix = 'osdmap';
const firstKey = 'first_committed';
const lastKey = 'last_committed';
const fullKey = (epoch: number): string => `full_${epoch}`;

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
    const last = readVersion(store, prefix, lastKey);
    if (last === 0) return undefined;
    const first = readVersion(store, prefix, firstKey);
    if (first === 0 || first > last) throw damaged(`first_committed ${first} and last_committed ${last}`);
    return new OsdMapStore(store, checkLastStep(store, first, last), first);
  }

  /** Puts the first map into the transaction; what is given back reads the store once that is durable. */
  static create(store: MonStore, transaction: StoreTransaction, fullBytes: Uint8Array): () => OsdMapStore {
    const map = decodeOsdMap(fullBytes);
    transaction.put(prefix, fullKey(map.epoch), fullBytes);
    transaction
      .put(prefix, firstKey, encodeVersion(map.epoch))
      .put(prefix, lastKey, encodeVersion(map.epoch));
    return () => new OsdMapStore(store, map, map.epoch);
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
    return this.#has(epoch) ? this.#store.get(prefix, fullKey(epoch)) : undefined;
  }

  /** The encoded change that leads to the epoch; none leads to the first map of all. */
  incrementalBytes(epoch: number): Uint8Array | undefined {
    return this.#has(epoch) ? this.#store.get(prefix, String(epoch)) : undefined;
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
    transaction.put(prefix, fullKey(map.epoch), fullBytes);
    transaction.put(prefix, String(map.epoch), incrementalBytes);
    transaction.put(prefix, lastKey, encodeVersion(map.epoch));
    return () => {
      this.#committed = map;
    };
  }

  /** Erases what lies before `first`, which becomes the oldest epoch. */
  trim(transaction: StoreTransaction, first: number): () => void {
    for (let epoch = this.#firstCommitted; epoch < first; epoch++) {
      transaction.erase(prefix, fullKey(epoch)).erase(prefix, String(epoch));
    }
    transaction.put(prefix, firstKey, encodeVersion(first));
    // What is erased must not be read while the transaction is on its way.
    this.#firstCommitted = first;
    return () => {};
  }

  #has(epoch: number): boolean {
    return epoch >= this.#firstCommitted && epoch <= this.lastCommitted;
  }
}

/** The last map, after its CRC, the incremental's, and their agreement were checked. */
function checkLastStep(store: MonStore, first: number, last: number): OSDMap {
  const map = read(store, fullKey(last), decodeOsdMap);
  if (map.epoch !== last) throw damaged(`full_${last} is the map of epoch ${map.epoch}`);
  if (last === first) return map;
  const before = read(store, fullKey(last - 1), decodeOsdMap);
  const step = read(store, String(last), decodeIncremental);
  let encoded: Uint8Array;
  try {
    ({ encoded } = applyIncrementalChecked(before, step));
  } catch (cause) {
    throw damaged(`incremental ${last} does not lead from full_${last - 1} to full_${last}: ${cause}`, cause);
  }
  if (Buffer.compare(encoded, store.get(prefix, fullKey(last))!) !== 0) {
    throw damaged(`incremental ${last} leads to another map than full_${last}`);
  }
  return map;
}

function read<T>(store: MonStore, key: string, decode: (bytes: Uint8Array) => T): T {
  const bytes = store.get(prefix, key);
  if (bytes === undefined) throw damaged(`${key} is missing`);
  try {
    return decode(bytes);
  } catch (cause) {
    throw damaged(`${key}: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
}

function damaged(what: string, cause?: unknown): MsgrError {
  return new MsgrError(ErrorCode.Store, `the store's osdmap is damaged: ${what}`, { cause });
}
