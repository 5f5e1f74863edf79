/**
 * An OSDMap as text, line for line what `osdmaptool --print` and `ceph osd dump` show, so that operators
 * can compare with tools they know.
 */
import { Decoder } from '../wire/decoder.ts';
import { utimeToString } from '../wire/utime.ts';
import { BucketAlgorithm, type CrushMap, defaultChooseArgs, RuleOp } from './crush/map.ts';
import { crushProfiles } from './crush/tunables.ts';
import type { SnapIntervals } from './fields.ts';
import { ObjectHash } from './hash.ts';
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
import { type PgPool, PoolType, poolFlag, poolFlagNames } from './pool.ts';
import { flagsOfRelease, osdMapFlagString, osdStateNames, Release, releaseName } from './states.ts';

/** A number as C++ streams print it: six significant digits, no trailing zeros. */
export function formatDecimal(value: number): string {
  if (Number.isNaN(value)) return '-nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (value === 0) return '0';
  const exponent = Number(value.toExponential(5).split('e')[1]);
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const mantissa = Number((value / 10 ** exponent).toPrecision(6));
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
}

/** The whole map, each line ended. */
export function formatOsdMap(map: OSDMap): string {
  const lines = [
    `epoch ${map.epoch}`,
    `fsid ${map.fsid}`,
    `created ${utimeToString(map.created)}`,
    `modified ${utimeToString(map.modified)}`,
    `flags ${osdMapFlagString(flagsOfRelease(map.flags, map.requireOsdRelease))}`,
    `crush_version ${map.crushVersion}`,
    `full_ratio ${formatDecimal(map.fullRatio)}`,
    `backfillfull_ratio ${formatDecimal(map.backfillfullRatio)}`,
    `nearfull_ratio ${formatDecimal(map.nearfullRatio)}`,
  ];
  if (map.requireMinCompatClient !== Release.unknown) {
    lines.push(`require_min_compat_client ${releaseName(map.requireMinCompatClient)}`);
  }
  lines.push(`min_compat_client ${releaseName(minCompatClient(map))}`);
  if (map.requireOsdRelease !== Release.unknown) {
    lines.push(`require_osd_release ${releaseName(map.requireOsdRelease)}`);
  }
  lines.push(`stretch_mode_enabled ${map.stretchMode.enabled}`);
  if (map.stretchMode.enabled) {
    lines.push(
      `stretch_bucket_count ${map.stretchMode.bucketCount}`,
      `degraded_stretch_mode ${map.stretchMode.degraded}`,
      `recovering_stretch_mode ${map.stretchMode.recovering}`,
      `stretch_mode_bucket ${map.stretchMode.bucket}`,
    );
  }
  if (map.clusterSnapshot !== '') lines.push(`cluster_snapshot ${map.clusterSnapshot}`);
  lines.push('');
  for (const id of map.pools.keys()) lines.push(...formatPool(map, id));
  lines.push('', `max_osd ${map.maxOsd}`);
  for (let osd = 0; osd < map.maxOsd; osd++) if (osdExists(map, osd)) lines.push(formatOsd(map, osd));
  lines.push('');
  for (const [pg, osds] of map.pgUpmap) lines.push(`pg_upmap ${formatPgId(pg)} [${osds}]`);
  for (const [pg, items] of map.pgUpmapItems) {
    lines.push(`pg_upmap_items ${formatPgId(pg)} [${items.map(({ from, to }) => `${from},${to}`)}]`);
  }
  for (const [pg, osds] of map.pgTemp) lines.push(`pg_temp ${formatPgId(pg)} [${osds}]`);
  for (const [pg, osd] of map.primaryTemp) lines.push(`primary_temp ${formatPgId(pg)} ${osd}`);
  for (const { addr, until } of map.blocklist.values()) {
    lines.push(`blocklist ${addr} expires ${utimeToString(until)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** `osd.0 up   in  weight 1 up_from 5 …`. */
export function formatOsd(map: OSDMap, osd: number): string {
  const info = map.osdInfo[osd]!;
  const affinity = primaryAffinityOf(map, osd);
  const parts = [
    `osd.${osd}`,
    isUp(map, osd) ? 'up  ' : 'down',
    isIn(map, osd) ? 'in ' : 'out',
    `weight ${formatDecimal(map.osdWeight[osd]! / osdIn)}`,
    ...(affinity === defaultPrimaryAffinity
      ? []
      : [`primary_affinity ${formatDecimal(affinity / defaultPrimaryAffinity)}`]),
    `up_from ${info.upFrom} up_thru ${info.upThru} down_at ${info.downAt}`,
    `last_clean_interval [${info.lastCleanBegin},${info.lastCleanEnd})`,
    ...(info.lostAt === 0 ? [] : [`lost_at ${info.lostAt}`]),
    String(map.clientAddrs[osd]),
    String(map.clusterAddrs[osd]),
    osdStateNames(map.osdState[osd]!).join(','),
    ...(map.osdUuid[osd]!.isZero ? [] : [String(map.osdUuid[osd])]),
  ];
  return parts.join(' ');
}

export const autoscaleModes = ['off', 'warn', 'on'];
export const cacheModes = ['none', 'writeback', 'forward', 'readonly', 'readforward', 'readproxy', 'proxy'];
/** Names of pool_opts_t by their numbers. */
export const poolOptionNames = [
  'scrub_min_interval',
  'scrub_max_interval',
  'deep_scrub_interval',
  'recovery_priority',
  'recovery_op_priority',
  'scrub_priority',
  'compression_mode',
  'compression_algorithm',
  'compression_required_ratio',
  'compression_max_blob_size',
  'compression_min_blob_size',
  'csum_type',
  'csum_max_block',
  'csum_min_block',
  'fingerprint_algorithm',
  'pg_num_min',
  'target_size_bytes',
  'target_size_ratio',
  'pg_autoscale_bias',
  'read_lease_interval',
  'dedup_tier',
  'dedup_chunk_algorithm',
  'dedup_cdc_chunk_size',
  'pg_num_max',
];

export function formatPool(map: OSDMap, id: number): string[] {
  const pool = map.pools.get(id)!;
  const lines = [`pool ${id} '${map.poolNames.get(id) ?? '<unknown>'}' ${poolText(pool)}`];
  for (const snap of pool.snaps.values()) {
    lines.push(`\tsnap ${snap.snapId.toString(16)} '${snap.name}' ${utimeToString(snap.stamp)}`);
  }
  if (pool.removedSnaps.length > 0) lines.push(`\tremoved_snaps ${intervalsText(pool.removedSnaps)}`);
  const queue = map.removedSnapsQueue.get(id);
  if (queue !== undefined) lines.push(`\tremoved_snaps_queue ${intervalsText(queue)}`);
  return lines;
}

export function intervalsText(intervals: SnapIntervals): string {
  return `[${intervals.map(({ start, length }) => `${start.toString(16)}~${length.toString(16)}`)}]`;
}

function poolText(pool: PgPool): string {
  const parts: string[] = [];
  const put = (name: string, value: unknown, shown = true): void => {
    if (shown) parts.push(`${name} ${value}`);
  };
  const erasure = pool.type === PoolType.erasure;
  parts.push(erasure ? 'erasure' : pool.type === PoolType.replicated ? 'replicated' : '???');
  put('profile', pool.erasureCodeProfile, erasure);
  put('size', pool.size);
  put('min_size', pool.minSize);
  put('crush_rule', pool.crushRule);
  put('object_hash', objectHashName(pool.objectHash));
  put('pg_num', pool.pgNum);
  put('pgp_num', pool.pgpNum);
  put('pg_num_target', pool.pgNumTarget, pool.pgNumTarget !== pool.pgNum);
  put('pgp_num_target', pool.pgpNumTarget, pool.pgpNumTarget !== pool.pgpNum);
  put('pg_num_pending', pool.pgNumPending, pool.pgNumPending !== pool.pgNum);
  put('autoscale_mode', autoscaleModes[pool.pgAutoscaleMode] ?? '???', pool.pgAutoscaleMode !== 255);
  put('last_change', pool.lastChange);
  const resends = [
    pool.lastForceOpResend,
    pool.lastForceOpResendPrenautilus,
    pool.lastForceOpResendPreluminous,
  ];
  put(
    'lfor',
    resends.join('/'),
    resends.some((epoch) => epoch !== 0),
  );
  put('owner', pool.auid, pool.auid !== 0n);
  put('flags', poolFlagsText(pool.flags), pool.flags !== 0n);
  put('max_bytes', pool.quotaMaxBytes, pool.quotaMaxBytes !== 0n);
  put('max_objects', pool.quotaMaxObjects, pool.quotaMaxObjects !== 0n);
  put('tiers', pool.tiers.join(','), pool.tiers.length > 0);
  put('tier_of', pool.tierOf, pool.tierOf >= 0);
  put('read_tier', pool.readTier, pool.readTier >= 0);
  put('write_tier', pool.writeTier, pool.writeTier >= 0);
  put('cache_mode', cacheModes[pool.cacheMode] ?? 'unknown', pool.cacheMode !== 0);
  put('target_bytes', pool.targetMaxBytes, pool.targetMaxBytes !== 0n);
  put('target_objects', pool.targetMaxObjects, pool.targetMaxObjects !== 0n);
  if (pool.hitSetParams.type !== 0) parts.push(hitSetText(pool));
  put('min_read_recency_for_promote', pool.minReadRecencyForPromote, pool.minReadRecencyForPromote !== 0);
  put('min_write_recency_for_promote', pool.minWriteRecencyForPromote, pool.minWriteRecencyForPromote !== 0);
  put('stripe_width', pool.stripeWidth);
  put('expected_num_objects', pool.expectedNumObjects, pool.expectedNumObjects !== 0n);
  put('fast_read', 1, pool.fastRead);
  const options = [...pool.options].map(
    ([key, option]) => [poolOptionNames[key] ?? String(key), option] as const,
  );
  for (const [name, option] of options.sort(([left], [right]) => (left < right ? -1 : 1))) {
    put(name, option.type === 'double' ? formatDecimal(option.value) : option.value);
  }
  put('application', [...pool.applicationMetadata.keys()].join(','), pool.applicationMetadata.size > 0);
  return parts.join(' ');
}

function objectHashName(hash: number): string {
  return hash === ObjectHash.rjenkins ? 'rjenkins' : hash === ObjectHash.linux ? 'linux' : 'unknown';
}

export function poolFlagsText(flags: bigint): string {
  return poolFlagNames.filter((name) => (flags & poolFlag(name)) !== 0n).join(',');
}

export const hitSetTypes = ['none', 'explicit_hash', 'explicit_object', 'bloom'];
const hitSetBloom = 3;

function hitSetText(pool: PgPool): string {
  const { type, written } = pool.hitSetParams;
  let params = hitSetTypes[type] ?? '???';
  if (type === hitSetBloom) {
    const decoder = new Decoder(written.rest, 'hit_set_params');
    params += decoder.versioned('bloom', 1, () => {
      const probability = decoder.u32('fpp_micro') / 1_000_000;
      const size = decoder.u64('target_size');
      return `{false_positive_probability: ${formatDecimal(probability)}, target_size: ${size}, seed: ${decoder.u64('seed')}}`;
    });
  }
  return (
    `hit_set ${params} ${pool.hitSetPeriod}s x${pool.hitSetCount} ` +
    `decay_rate ${pool.hitSetGradeDecayRate} search_last_n ${pool.hitSetSearchLastN}`
  );
}

/** The oldest release whose clients can follow this map. */
export function minCompatClient(map: OSDMap): number {
  const { crush } = map;
  const { tunables } = crush;
  const legacy = crushProfiles.argonaut;
  const pools = [...map.pools.values()];
  const rules = pools.map((pool) =>
    crush.rules.find(
      (rule) =>
        rule?.ruleset === pool.crushRule &&
        rule.type === pool.type &&
        rule.minSize <= pool.size &&
        rule.maxSize >= pool.size,
    ),
  );
  const uses = (op: number): boolean => rules.some((rule) => rule?.steps.some((step) => step.op === op));
  if (map.pgUpmap.size > 0 || map.pgUpmapItems.size > 0 || needsChooseArgs(crush)) return Release.luminous;
  if (tunables.chooseleafStable !== 0 || uses(RuleOp.setChooseleafStable)) return Release.jewel;
  if (crush.buckets.some((bucket) => bucket?.algorithm === BucketAlgorithm.straw2)) return Release.hammer;
  const affinity = map.primaryAffinity.some((value) => value !== defaultPrimaryAffinity);
  const tiered = pools.some((pool) => pool.tiers.length > 0 || pool.tierOf >= 0);
  if (affinity || tiered || tunables.chooseleafVaryR !== 0 || uses(RuleOp.setChooseleafVaryR)) {
    return Release.firefly;
  }
  const hashed = pools.some((pool) => (pool.flags & poolFlag('hashpspool')) !== 0n);
  if (hashed || tunables.chooseleafDescendOnce !== legacy.chooseleafDescendOnce) return Release.dumpling;
  return Release.argonaut;
}

/** One set of weights for all pools could be written as plain weights for old clients; more cannot. */
function needsChooseArgs(crush: CrushMap): boolean {
  if (crush.chooseArgs.size === 0) return false;
  const only = crush.chooseArgs.get(defaultChooseArgs);
  if (crush.chooseArgs.size > 1 || only === undefined) return true;
  return only.some((arg) => arg.weightSets.length !== 1 || arg.ids.length > 0);
}
