/**
 * The history of the OSDMap in the store, prefix `osdmap`, with Ceph's keys: `full_17` is the map of epoch
 * 17, `17` the incremental that leads to it, `first_committed` and `last_committed` say what there is.
 *
 *      first_committed                                last_committed
 *            │    each full_N = full_(N-1) + incremental N    │
 *            ▼                                                ▼
 *      ──────●────────●────────●── … ──●────────●────────●────●      pending
 *
 * Written by `OsdMapStore`; here is how it begins, how it is checked on start, and how it is trimmed.
 */
import { ErrorCode, MsgrError } from '../../../errors.ts';
import { applyIncrementalChecked } from '../../../maps/apply.ts';
import { makeIncremental } from '../../../maps/incremental.ts';
import { decodeIncremental, encodeIncremental } from '../../../maps/incremental-codec.ts';
import type { OSDMap } from '../../../maps/osdmap.ts';
import { decodeOsdMap, encodeOsdMap, osdMapCrc } from '../../../maps/osdmap-codec.ts';
import type { MonStore, StoreTransaction } from './mon-store.ts';
import { encodeVersion, readVersion } from './values.ts';

export const osdMapPrefix = 'osdmap';
export const firstKey = 'first_committed';
export const lastKey = 'last_committed';
export const fullKey = (epoch: number): string => `full_${epoch}`;

/** The first map of all; its incremental holds it whole, as in Ceph. */
export function putFirstOsdMap(transaction: StoreTransaction, map: OSDMap): void {
  const { epoch, fsid, modified } = map;
  const fullBytes = encodeOsdMap(map);
  const fullCrc = osdMapCrc(fullBytes, map);
  const step = encodeIncremental(makeIncremental({ fsid, epoch, modified, fullMap: fullBytes, fullCrc }));
  transaction
    .put(osdMapPrefix, fullKey(epoch), fullBytes)
    .put(osdMapPrefix, String(epoch), step)
    .put(osdMapPrefix, firstKey, encodeVersion(epoch))
    .put(osdMapPrefix, lastKey, encodeVersion(epoch));
}

/** Erases what lies before `first`, which becomes the oldest epoch; `from` was it so far. */
export function trimOsdMaps(transaction: StoreTransaction, from: number, first: number): void {
  for (let epoch = from; epoch < first; epoch++) {
    transaction.erase(osdMapPrefix, fullKey(epoch)).erase(osdMapPrefix, String(epoch));
  }
  transaction.put(osdMapPrefix, firstKey, encodeVersion(first));
}

/**
 * Checks the last map and the last step by all three CRCs (the map's, the incremental's, and the one that
 * the incremental states for the map). Answers the last map; undefined in a new store.
 * @throws MsgrError ERR_MSGR_STORE that names what does not agree.
 */
export function checkOsdMaps(store: MonStore): OSDMap | undefined {
  const last = readVersion(store, osdMapPrefix, lastKey);
  if (last === 0) return undefined;
  const first = readVersion(store, osdMapPrefix, firstKey);
  if (first === 0 || first > last) throw damaged(`first_committed ${first}, last_committed ${last}`);
  const map = read(store, fullKey(last), decodeOsdMap);
  if (map.epoch !== last) throw damaged(`full_${last} is the map of epoch ${map.epoch}`);
  if (last > first) checkStep(store, last);
  return map;
}

/** That incremental `epoch` leads from the full map before it to its own. @throws MsgrError ERR_MSGR_STORE */
export function checkStep(store: MonStore, epoch: number): void {
  const before = read(store, fullKey(epoch - 1), decodeOsdMap);
  const step = read(store, String(epoch), decodeIncremental);
  let encoded: Uint8Array;
  try {
    ({ encoded } = applyIncrementalChecked(before, step));
  } catch (cause) {
    throw damaged(`incremental ${epoch} does not lead from full_${epoch - 1} on: ${reason(cause)}`, cause);
  }
  if (Buffer.compare(encoded, store.get(osdMapPrefix, fullKey(epoch)) ?? Buffer.alloc(0)) !== 0) {
    throw damaged(`incremental ${epoch} leads to another map than full_${epoch}`);
  }
}

function read<T>(store: MonStore, key: string, decode: (bytes: Uint8Array) => T): T {
  const bytes = store.get(osdMapPrefix, key);
  if (bytes === undefined) throw damaged(`${key} is missing`);
  try {
    return decode(bytes);
  } catch (cause) {
    throw damaged(`${key}: ${reason(cause)}`, cause);
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function damaged(what: string, cause?: unknown): MsgrError {
  return new MsgrError(ErrorCode.Store, `the store's osdmap is damaged: ${what}`, { cause });
}
