/** An OSDMap as `ceph osd dump --format json` shows it, field for field. */
import type { EntityAddr } from '../wire/entity-addr.ts';
import { AddrType } from '../wire/entity-addr.ts';
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { utimeToString } from '../wire/utime.ts';
import type { PoolSnaps } from './fields.ts';
import {
  defaultPrimaryAffinity,
  isIn,
  isUp,
  type OSDMap,
  osdExists,
  osdIn,
  primaryAffinityOf,
} from './osdmap.ts';
import { formatPgId } from './pg.ts';
import { poolJson } from './pool-json.ts';
import { minCompatClient } from './print.ts';
import { flagsOfRelease, osdMapFlagString, osdStateNames, releaseName } from './states.ts';

export function osdMapJson(map: OSDMap): Record<string, unknown> {
  const flags = flagsOfRelease(map.flags, map.requireOsdRelease);
  const flagNames = osdMapFlagString(flags);
  const osds = osdIds(map);
  return {
    epoch: map.epoch,
    fsid: String(map.fsid),
    created: utimeToString(map.created),
    modified: utimeToString(map.modified),
    last_up_change: utimeToString(map.lastUpChange),
    last_in_change: utimeToString(map.lastInChange),
    flags: flagNames,
    flags_num: flags,
    flags_set: flagNames === '' ? [] : flagNames.split(',').sort(),
    crush_version: map.crushVersion,
    full_ratio: map.fullRatio,
    backfillfull_ratio: map.backfillfullRatio,
    nearfull_ratio: map.nearfullRatio,
    cluster_snapshot: map.clusterSnapshot,
    pool_max: map.poolMax,
    max_osd: map.maxOsd,
    require_min_compat_client: releaseName(map.requireMinCompatClient),
    min_compat_client: releaseName(minCompatClient(map)),
    require_osd_release: releaseName(map.requireOsdRelease),
    pools: [...map.pools].map(([id, pool]) => ({
      pool: id,
      pool_name: map.poolNames.get(id) ?? '<unknown>',
      ...poolJson(pool),
    })),
    osds: osds.map((osd) => osdJson(map, osd)),
    osd_xinfo: osds.map((osd) => xinfoJson(map, osd)),
    pg_upmap: [...map.pgUpmap].map(([pg, ids]) => ({ pgid: formatPgId(pg), osds: [...ids] })),
    pg_upmap_items: [...map.pgUpmapItems].map(([pg, mappings]) => ({ pgid: formatPgId(pg), mappings })),
    pg_temp: [...map.pgTemp].map(([pg, ids]) => ({ pgid: formatPgId(pg), osds: [...ids] })),
    // Pairs in one flat list: Ceph forgets to open an object for each.
    primary_temp: [...map.primaryTemp].flatMap(([pg, osd]) => [formatPgId(pg), osd]),
    blocklist: Object.fromEntries(
      [...map.blocklist.values()].map(({ addr, until }) => [legacyAddr(addr), utimeToString(until)]),
    ),
    // Ranges of addresses are of later releases, whose field Pacific shows.
    range_blocklist: {},
    erasure_code_profiles: Object.fromEntries(
      [...map.erasureCodeProfiles].map(([name, profile]) => [name, Object.fromEntries(profile)]),
    ),
    removed_snaps_queue: snapsJson(map.removedSnapsQueue),
    new_removed_snaps: snapsJson(map.newRemovedSnaps),
    new_purged_snaps: snapsJson(map.newPurgedSnaps),
    crush_node_flags: flagsJson(map.crushNodeFlags, map.crush.names),
    device_class_flags: flagsJson(map.deviceClassFlags, map.crush.classNames),
    stretch_mode: {
      stretch_mode_enabled: map.stretchMode.enabled,
      stretch_bucket_count: map.stretchMode.bucketCount,
      degraded_stretch_mode: map.stretchMode.degraded,
      recovering_stretch_mode: map.stretchMode.recovering,
      stretch_mode_bucket: map.stretchMode.bucket,
    },
  };
}

/** Those that exist. */
export function osdIds(map: OSDMap): number[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
}

export function osdJson(map: OSDMap, osd: number): Record<string, unknown> {
  const info = map.osdInfo[osd]!;
  const addrs = {
    public: map.clientAddrs[osd]!,
    cluster: map.clusterAddrs[osd]!,
    heartbeat_back: map.hbBackAddrs[osd]!,
    heartbeat_front: map.hbFrontAddrs[osd]!,
  };
  return {
    osd,
    uuid: String(map.osdUuid[osd]),
    up: isUp(map, osd) ? 1 : 0,
    in: isIn(map, osd) ? 1 : 0,
    weight: map.osdWeight[osd]! / osdIn,
    primary_affinity: primaryAffinityOf(map, osd) / defaultPrimaryAffinity,
    last_clean_begin: info.lastCleanBegin,
    last_clean_end: info.lastCleanEnd,
    up_from: info.upFrom,
    up_thru: info.upThru,
    down_at: info.downAt,
    lost_at: info.lostAt,
    ...Object.fromEntries(Object.entries(addrs).map(([name, vec]) => [`${name}_addrs`, addrVecJson(vec)])),
    ...Object.fromEntries(Object.entries(addrs).map(([name, vec]) => [`${name}_addr`, frontText(vec)])),
    state: osdStateNames(map.osdState[osd]!),
  };
}

function xinfoJson(map: OSDMap, osd: number): Record<string, unknown> {
  const xinfo = map.osdXinfo[osd]!;
  return {
    osd,
    down_stamp: utimeToString(xinfo.downStamp),
    laggy_probability: Math.fround(Math.fround(xinfo.laggyProbability) / Math.fround(0xffffffff)),
    laggy_interval: xinfo.laggyInterval,
    features: xinfo.features,
    old_weight: xinfo.oldWeight,
    last_purged_snaps_scrub: utimeToString(xinfo.lastPurgedSnapsScrub),
    dead_epoch: xinfo.deadEpoch,
  };
}

const addrTypeNames = new Map<number, string>([
  [AddrType.None, 'none'],
  [AddrType.Legacy, 'v1'],
  [AddrType.Msgr2, 'v2'],
  [AddrType.Any, 'any'],
]);

export function addrVecJson(addrs: EntityAddrVec): Record<string, unknown> {
  return {
    addrvec: [...addrs].map((addr) => ({
      type: addrTypeNames.get(addr.type) ?? '???',
      addr: legacyAddr(addr).replace(/\/\d+$/, ''),
      nonce: addr.nonce,
    })),
  };
}

/** As before msgr2: `127.0.0.1:6800/4711`, without a type. */
export function legacyAddr(addr: EntityAddr): string {
  if (addr.type !== AddrType.None) return String(addr).replace(/^(v1|v2|\?\?\?):/, '');
  return addr.host === '' ? `${blankAddr}${addr.nonce}` : `${addr.host}:${addr.port}/${addr.nonce}`;
}

const blankAddr = '(unrecognized address family 0)/';

function frontText(addrs: EntityAddrVec): string {
  const addr = addrs.v1() ?? addrs.front;
  return addr === undefined ? `${blankAddr}0` : legacyAddr(addr);
}

function snapsJson(pools: PoolSnaps): Record<string, unknown>[] {
  return [...pools].map(([pool, intervals]) => ({
    pool,
    snaps: intervals.map(({ start, length }) => ({ begin: start, length })),
  }));
}

function flagsJson(
  flags: ReadonlyMap<number, number>,
  names: ReadonlyMap<number, string>,
): Record<string, string[]> {
  return Object.fromEntries([...flags].map(([id, bits]) => [names.get(id) ?? '?', osdStateNames(bits)]));
}
