/**
 * From one epoch to the next: a change applied to the map before it, as Ceph's OSDMap::apply_incremental
 * does it, to the byte: the CRC of the new map's encoding must be the one that the change states.
 *
 * The map given stays as it was; the new one shares with it whatever did not change.
 */
import { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../errors.ts';
import { maxOsdMax } from '../limits.ts';
import { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { Feature, hasFeature } from '../wire/features.ts';
import { utimeEquals, utimeZero } from '../wire/utime.ts';
import { Uuid } from '../wire/uuid.ts';
import { encodeCrushMap } from './crush/codec.ts';
import { finalizeCrush } from './crush/finalize.ts';
import { type PoolSnaps, type Written, writtenAs } from './fields.ts';
import type { OSDMapIncremental } from './incremental.ts';
import {
  defaultPrimaryAffinity,
  noOsdInfo,
  noOsdXinfo,
  type OSDMap,
  type OsdInfo,
  type OsdXinfo,
} from './osdmap.ts';
import { decodeOsdMap, encodeOsdMap, osdMapCrc } from './osdmap-codec.ts';
import { type PgId, PgMap } from './pg.ts';
import { isStretchPool, type PgPool, poolFlag } from './pool.ts';
import { subtractIntervals, uniteIntervals } from './snap-intervals.ts';
import { flagsOfRelease, OsdMapFlag, OsdState, Release, releaseAtLeast } from './states.ts';

const wrapperVersion = 8;
const clientVersion = 9;
const osdVersion = 9;
const osdVersionStretch = 10;
const poolVersion = 29;
const poolVersionStretch = 30;

/** The per-OSD arrays of a map in the making. */
interface Arrays {
  state: Uint32Array;
  weight: Uint32Array;
  affinity: Uint32Array;
  client: EntityAddrVec[];
  cluster: EntityAddrVec[];
  hbBack: EntityAddrVec[];
  hbFront: EntityAddrVec[];
  info: OsdInfo[];
  xinfo: OsdXinfo[];
  uuid: Uuid[];
}

function unusable(message: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message);
}

/**
 * The map of the next epoch.
 *
 * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` when the change is of another cluster or does not follow,
 *   `ERR_MSGR_MALFORMED` when it names OSDs that are not there or room for too many, `ERR_MSGR_UNSUPPORTED` when its map is
 *   encoded for releases before Nautilus.
 */
export function applyIncremental(map: OSDMap, change: OSDMapIncremental): OSDMap {
  if (change.epoch !== map.epoch + 1) {
    throw unusable(`incremental ${change.epoch} does not follow osdmap ${map.epoch}`);
  }
  if (change.epoch !== 1 && !change.fsid.equals(map.fsid)) {
    throw unusable(`incremental of cluster ${change.fsid}, the osdmap is of ${map.fsid}`);
  }
  if (change.fullMap.byteLength > 0) return decodeOsdMap(change.fullMap);
  if (!hasFeature(change.encodeFeatures, Feature.SERVER_NAUTILUS)) {
    throw new MsgrError(ErrorCode.Unsupported, `incremental ${change.epoch}: encoded for an old release`);
  }

  const { epoch, modified } = change;
  const maxOsd = change.newMaxOsd >= 0 ? change.newMaxOsd : map.maxOsd;
  if (maxOsd > maxOsdMax) {
    const reason = `incremental.new_max_osd: ${maxOsd} is above ${maxOsdMax}`;
    throw new MsgrError(ErrorCode.Malformed, reason, { field: 'incremental.new_max_osd' });
  }
  const arrays = resized(map, maxOsd);
  checkOsds(change, maxOsd);

  let requireOsdRelease = map.requireOsdRelease;
  let flags = flagsOfRelease(map.flags, requireOsdRelease);
  if (change.newFlags >= 0) {
    flags = change.newFlags;
    if ((flags & OsdMapFlag.requireKraken) !== 0)
      requireOsdRelease = Math.max(requireOsdRelease, Release.kraken);
    else if ((flags & OsdMapFlag.requireJewel) !== 0)
      requireOsdRelease = Math.max(requireOsdRelease, Release.jewel);
  }
  if (releaseAtLeast(change.newRequireOsdRelease, Release.unknown)) {
    requireOsdRelease = change.newRequireOsdRelease;
    flags = flagsOfRelease(flags, requireOsdRelease);
  }

  applyWeights(arrays, change);
  applyStates(arrays, change, maxOsd);
  applyLives(arrays, change);

  const hasCrush = change.crush !== undefined;
  const crush = change.crush === undefined ? map.crush : finalizeCrush(change.crush);
  const stretchMode = change.changeStretchMode ? change.newStretchMode : map.stretchMode;
  const nodeFlags = patched(map.crushNodeFlags, change.newCrushNodeFlags, 0);
  let classFlags = patched(map.deviceClassFlags, change.newDeviceClassFlags, 0);
  if (hasCrush) {
    classFlags = new Map([...classFlags].filter(([id]) => crush.classNames.has(id)));
  }
  const luminous = releaseAtLeast(requireOsdRelease, Release.luminous);
  const snapshot = change.clusterSnapshot;
  const osdWritten = stretchMode.enabled ? osdVersionStretch : osdVersion;
  const xinfoVersion = hasFeature(change.encodeFeatures, Feature.SERVER_OCTOPUS) ? 4 : 3;

  return {
    fsid: epoch === 1 ? change.fsid : map.fsid,
    epoch,
    created: map.created,
    modified,
    pools: applyPools(map, change),
    poolNames: without(merged(map.poolNames, change.newPoolNames), change.oldPools),
    poolMax: change.newPoolMax === -1 ? map.poolMax : change.newPoolMax,
    flags: flags >>> 0,
    maxOsd,
    osdState: arrays.state,
    osdWeight: arrays.weight,
    clientAddrs: arrays.client,
    pgTemp: patchedPgs(map.pgTemp, change.newPgTemp, (osds) => osds.length === 0, []),
    primaryTemp: patchedPgs(map.primaryTemp, change.newPrimaryTemp, (osd) => osd === -1, []),
    primaryAffinity: arrays.affinity,
    crush,
    crushBytes: hasCrush ? encodeCrushMap(crush) : map.crushBytes,
    erasureCodeProfiles: merged(
      without(map.erasureCodeProfiles, change.oldErasureCodeProfiles),
      change.newErasureCodeProfiles,
    ),
    pgUpmap: patchedPgs(map.pgUpmap, change.newPgUpmap, () => false, change.oldPgUpmap),
    pgUpmapItems: patchedPgs(map.pgUpmapItems, change.newPgUpmapItems, () => false, change.oldPgUpmapItems),
    crushVersion: hasCrush && luminous ? map.crushVersion + 1 : map.crushVersion,
    newRemovedSnaps: change.newRemovedSnaps,
    newPurgedSnaps: change.newPurgedSnaps,
    lastUpChange: utimeEquals(change.newLastUpChange, utimeZero) ? map.lastUpChange : change.newLastUpChange,
    lastInChange: utimeEquals(change.newLastInChange, utimeZero) ? map.lastInChange : change.newLastInChange,
    hbBackAddrs: arrays.hbBack,
    osdInfo: arrays.info,
    blocklist: applyBlocklist(map, change),
    clusterAddrs: arrays.cluster,
    clusterSnapshotEpoch: snapshot === '' ? 0 : epoch,
    clusterSnapshot: snapshot,
    osdUuid: arrays.uuid,
    osdXinfo: arrays.xinfo.map((xinfo) => ({ ...xinfo, written: rewritten(xinfo.written, xinfoVersion) })),
    hbFrontAddrs: arrays.hbFront,
    nearfullRatio: change.newNearfullRatio >= 0 ? change.newNearfullRatio : map.nearfullRatio,
    fullRatio: change.newFullRatio >= 0 ? change.newFullRatio : map.fullRatio,
    backfillfullRatio: change.newBackfillfullRatio >= 0 ? change.newBackfillfullRatio : map.backfillfullRatio,
    requireMinCompatClient: releaseAtLeast(change.newRequireMinCompatClient, Release.unknown + 1)
      ? change.newRequireMinCompatClient
      : map.requireMinCompatClient,
    requireOsdRelease,
    removedSnapsQueue: applySnaps(map.removedSnapsQueue, change),
    crushNodeFlags: nodeFlags,
    deviceClassFlags: classFlags,
    stretchMode,
    written: rewritten(map.written, wrapperVersion),
    clientWritten: rewritten(map.clientWritten, clientVersion),
    osdWritten: rewritten(map.osdWritten, osdWritten),
  };
}

/**
 * Applies a change and makes sure that the result is the map that the monitor has.
 *
 * @returns the map and its encoding.
 * @throws what {@link applyIncremental} throws, and `ERR_MSGR_MALFORMED` when the CRC differs: then only
 *   the full map helps.
 */
export function applyIncrementalChecked(
  map: OSDMap,
  change: OSDMapIncremental,
): { map: OSDMap; encoded: Uint8Array } {
  const next = applyIncremental(map, change);
  const encoded = encodeOsdMap(next);
  const crc = osdMapCrc(encoded, next);
  if (crc !== change.fullCrc) {
    throw new MsgrError(
      ErrorCode.Malformed,
      `osdmap ${next.epoch}: its CRC is ${crc}, the incremental states ${change.fullCrc}`,
      { field: 'incremental.full_crc' },
    );
  }
  return { map: next, encoded };
}

/** Structs are written in the version of the encoding's features; a newer one than ours stays as it is. */
function rewritten(written: Written, version: number): Written {
  return written.version === version || written.rest.byteLength > 0
    ? written
    : writtenAs(version, written.compat);
}

/** Copies of the map's arrays, cut or grown to `maxOsd` with OSDs that do not exist. */
function resized(map: OSDMap, maxOsd: number): Arrays {
  const numbers = (values: Uint32Array, fill: number): Uint32Array => {
    const result = new Uint32Array(maxOsd).fill(fill);
    result.set(values.subarray(0, maxOsd));
    return result;
  };
  const list = <T>(values: readonly T[], fill: T): T[] => {
    const result = values.slice(0, maxOsd);
    while (result.length < maxOsd) result.push(fill);
    return result;
  };
  return {
    state: numbers(map.osdState, 0),
    weight: numbers(map.osdWeight, 0),
    affinity:
      map.primaryAffinity.length === 0
        ? map.primaryAffinity
        : numbers(map.primaryAffinity, defaultPrimaryAffinity),
    client: list(map.clientAddrs, EntityAddrVec.empty),
    cluster: list(map.clusterAddrs, EntityAddrVec.empty),
    hbBack: list(map.hbBackAddrs, EntityAddrVec.empty),
    hbFront: list(map.hbFrontAddrs, EntityAddrVec.empty),
    info: list(map.osdInfo, noOsdInfo),
    xinfo: list(map.osdXinfo, noOsdXinfo),
    uuid: list(map.osdUuid, Uuid.zero),
  };
}

/** A change that names an OSD beyond max_osd would write outside of the arrays. */
function checkOsds(change: OSDMapIncremental, maxOsd: number): void {
  const maps = {
    new_weight: change.newWeight,
    new_primary_affinity: change.newPrimaryAffinity,
    new_state: change.newState,
    new_up_client: change.newUpClient,
    new_up_cluster: change.newUpCluster,
    new_up_thru: change.newUpThru,
    new_last_clean_interval: change.newLastCleanInterval,
    new_lost: change.newLost,
    new_xinfo: change.newXinfo,
    new_uuid: change.newUuid,
  };
  for (const [name, entries] of Object.entries(maps)) {
    for (const osd of entries.keys()) {
      if (osd >= 0 && osd < maxOsd) continue;
      const field = `incremental.${name}`;
      throw new MsgrError(ErrorCode.Malformed, `${field}: osd.${osd}, max_osd is ${maxOsd}`, { field });
    }
  }
}

function setAffinity(arrays: Arrays, osd: number, affinity: number, maxOsd: number): void {
  if (arrays.affinity.length === 0) arrays.affinity = new Uint32Array(maxOsd).fill(defaultPrimaryAffinity);
  arrays.affinity[osd] = affinity;
}

/** A reweight makes an OSD exist; it is no longer new or out by itself, and has its old reweight behind it. */
function applyWeights(arrays: Arrays, change: OSDMapIncremental): void {
  for (const [osd, weight] of change.newWeight) {
    arrays.weight[osd] = weight;
    if (weight === 0) continue;
    arrays.state[osd] = (arrays.state[osd]! | OsdState.exists) & ~(OsdState.autoout | OsdState.new);
    arrays.xinfo[osd] = { ...arrays.xinfo[osd]!, oldWeight: 0 };
  }
}

/** Bits that flip: up to down is noted with epoch and time, and an OSD that ceases to exist is wiped. */
function applyStates(arrays: Arrays, change: OSDMapIncremental, maxOsd: number): void {
  for (const [osd, affinity] of change.newPrimaryAffinity) setAffinity(arrays, osd, affinity, maxOsd);
  for (const [osd, bits] of change.newState) {
    const flipped = bits === 0 ? OsdState.up : bits;
    const state = arrays.state[osd]!;
    if ((state & flipped & OsdState.up) !== 0) {
      arrays.info[osd] = { ...arrays.info[osd]!, downAt: change.epoch };
      arrays.xinfo[osd] = { ...arrays.xinfo[osd]!, downStamp: change.modified };
    }
    if ((state & flipped & OsdState.exists) === 0) {
      arrays.state[osd] = state ^ flipped;
      continue;
    }
    arrays.uuid[osd] = Uuid.zero;
    arrays.info[osd] = noOsdInfo;
    arrays.xinfo[osd] = noOsdXinfo;
    setAffinity(arrays, osd, defaultPrimaryAffinity, maxOsd);
    for (const addrs of [arrays.client, arrays.cluster, arrays.hbBack, arrays.hbFront]) {
      addrs[osd] = EntityAddrVec.empty;
    }
    arrays.state[osd] = 0;
  }
}

/** OSDs that came up, and what is known of their lives. */
function applyLives(arrays: Arrays, change: OSDMapIncremental): void {
  for (const [osd, addrs] of change.newUpClient) {
    arrays.state[osd] = (arrays.state[osd]! | OsdState.exists | OsdState.up) & ~OsdState.stop;
    arrays.client[osd] = addrs;
    arrays.hbBack[osd] = change.newHbBackUp.get(osd) ?? EntityAddrVec.empty;
    arrays.hbFront[osd] = change.newHbFrontUp.get(osd) ?? EntityAddrVec.empty;
    arrays.info[osd] = { ...arrays.info[osd]!, upFrom: change.epoch };
  }
  for (const [osd, addrs] of change.newUpCluster) arrays.cluster[osd] = addrs;
  for (const [osd, upThru] of change.newUpThru) arrays.info[osd] = { ...arrays.info[osd]!, upThru };
  for (const [osd, { begin, end }] of change.newLastCleanInterval) {
    arrays.info[osd] = { ...arrays.info[osd]!, lastCleanBegin: begin, lastCleanEnd: end };
  }
  for (const [osd, lostAt] of change.newLost) arrays.info[osd] = { ...arrays.info[osd]!, lostAt };
  for (const [osd, xinfo] of change.newXinfo) arrays.xinfo[osd] = xinfo;
  for (const [osd, uuid] of change.newUuid) arrays.uuid[osd] = uuid;
}

function applyPools(map: OSDMap, change: OSDMapIncremental): ReadonlyMap<number, PgPool> {
  const changed = new Map(
    [...change.newPools].map(([id, pool]) => [id, { ...pool, lastChange: change.epoch }] as const),
  );
  const pools = without(merged(map.pools, changed), change.oldPools);
  return new Map([...pools].map(([id, pool]) => [id, asWrittenNow(pool)]));
}

/** Every pool is written anew with its map; a pool with snapshots of unknown kind is given one. */
function asWrittenNow(pool: PgPool): PgPool {
  const version = isStretchPool(pool) ? poolVersionStretch : poolVersion;
  const kinds = poolFlag('selfmanaged_snaps') | poolFlag('pool_snaps');
  const kindless = pool.snapSeq > 0n && (pool.flags & kinds) === 0n;
  if (pool.written.version === version && !kindless) return pool;
  const kind = poolFlag(pool.removedSnaps.length > 0 ? 'selfmanaged_snaps' : 'pool_snaps');
  const written = rewritten(pool.written, version);
  return { ...pool, flags: kindless ? pool.flags | kind : pool.flags, written };
}

function applySnaps(queue: PoolSnaps, change: OSDMapIncremental): PoolSnaps {
  if (change.newRemovedSnaps.size === 0 && change.newPurgedSnaps.size === 0) return queue;
  const result = new Map(queue);
  for (const [pool, removed] of change.newRemovedSnaps) {
    result.set(pool, uniteIntervals(result.get(pool) ?? [], removed));
  }
  for (const [pool, purged] of change.newPurgedSnaps) {
    const left = subtractIntervals(result.get(pool) ?? [], purged);
    if (left.length === 0) result.delete(pool);
    else result.set(pool, left);
  }
  return sortedByKey(result);
}

/** An address that is listed already keeps its time. */
function applyBlocklist(map: OSDMap, change: OSDMapIncremental): OSDMap['blocklist'] {
  if (change.newBlocklist.size === 0 && change.oldBlocklist.length === 0) return map.blocklist;
  const result = new Map([...change.newBlocklist, ...map.blocklist]);
  for (const addr of change.oldBlocklist) result.delete(addr.key);
  return new Map([...result].sort(([, left], [, right]) => left.addr.compare(right.addr)));
}

/** Ceph's maps are ordered: numbers by value, texts by their bytes. */
function sortedByKey<K extends number | string, V>(entries: ReadonlyMap<K, V>): Map<K, V> {
  return new Map(
    [...entries].sort(([left], [right]) =>
      typeof left === 'number' && typeof right === 'number'
        ? left - right
        : Buffer.compare(Buffer.from(String(left)), Buffer.from(String(right))),
    ),
  );
}

function merged<K extends number | string, V>(
  old: ReadonlyMap<K, V>,
  added: ReadonlyMap<K, V>,
): ReadonlyMap<K, V> {
  return added.size === 0 ? old : sortedByKey(new Map([...old, ...added]));
}

function without<K, V>(old: ReadonlyMap<K, V>, removed: readonly K[]): ReadonlyMap<K, V> {
  if (removed.length === 0) return old;
  const result = new Map(old);
  for (const key of removed) result.delete(key);
  return result;
}

/** Values that are set, or removed when they are `removal`. */
function patched(
  old: ReadonlyMap<number, number>,
  change: ReadonlyMap<number, number>,
  removal: number,
): ReadonlyMap<number, number> {
  if (change.size === 0) return old;
  const result = new Map([...old, ...change]);
  for (const [key, value] of change) if (value === removal) result.delete(key);
  return sortedByKey(result);
}

function patchedPgs<V>(
  old: PgMap<V>,
  change: PgMap<V>,
  removes: (value: V) => boolean,
  removed: readonly PgId[],
): PgMap<V> {
  if (change.size === 0 && removed.length === 0) return old;
  const result = new PgMap(old);
  for (const [pg, value] of change) {
    if (removes(value)) result.delete(pg);
    else result.set(pg, value);
  }
  for (const pg of removed) result.delete(pg);
  return result.sorted();
}
