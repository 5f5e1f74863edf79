/** What changed of pools between two OSDMaps. */
import type { OSDMap } from '../../maps/osdmap.ts';
import { type PgPool, type PoolOption, PoolType, poolFlag, poolFlagNames } from '../../maps/pool.ts';
import { autoscaleModes, cacheModes, formatDecimal, hitSetTypes, poolOptionNames } from '../../maps/print.ts';
import type { MapChange } from './map-changes.ts';

/** What is told as `name before → after`, in the order of `ceph osd pool ls detail`. */
const fields: readonly (readonly [name: string, value: (pool: PgPool) => string | number])[] = [
  ['size', (pool) => pool.size],
  ['min_size', (pool) => pool.minSize],
  ['crush_rule', (pool) => pool.crushRule],
  ['pg_num', (pool) => pool.pgNum],
  ['pgp_num', (pool) => pool.pgpNum],
  ['pg_num_target', (pool) => pool.pgNumTarget],
  ['pgp_num_target', (pool) => pool.pgpNumTarget],
  ['pg_autoscale_mode', (pool) => autoscaleModes[pool.pgAutoscaleMode] ?? 'unknown'],
  ['max_bytes', (pool) => Number(pool.quotaMaxBytes)],
  ['max_objects', (pool) => Number(pool.quotaMaxObjects)],
  ['tiers', (pool) => pool.tiers.join(',')],
  ['tier_of', (pool) => poolId(pool.tierOf)],
  ['read_tier', (pool) => poolId(pool.readTier)],
  ['write_tier', (pool) => poolId(pool.writeTier)],
  ['cache_mode', (pool) => cacheModes[pool.cacheMode] ?? 'unknown'],
  ['target_max_bytes', (pool) => Number(pool.targetMaxBytes)],
  ['target_max_objects', (pool) => Number(pool.targetMaxObjects)],
  ['hit_set_type', (pool) => hitSetTypes[pool.hitSetParams.type] ?? 'unknown'],
  ['hit_set_period', (pool) => pool.hitSetPeriod],
  ['hit_set_count', (pool) => pool.hitSetCount],
  ['fast_read', (pool) => (pool.fastRead ? 'on' : 'off')],
  ['erasure_code_profile', (pool) => pool.erasureCodeProfile],
];

/** -1 is no pool. */
function poolId(id: number): string | number {
  return id < 0 ? '' : id;
}

export function poolChanges(before: OSDMap, after: OSDMap): MapChange[] {
  const ids = [...new Set([...before.pools.keys(), ...after.pools.keys()])].sort((one, other) => one - other);
  return ids.flatMap((id) => changesOf(before, after, id));
}

function changesOf(before: OSDMap, after: OSDMap, id: number): MapChange[] {
  const old = before.pools.get(id);
  const now = after.pools.get(id);
  const oldName = before.poolNames.get(id) ?? String(id);
  const pool = after.poolNames.get(id) ?? oldName;
  if (now === undefined) return [{ pool: oldName, change: 'removed' }];
  if (old === undefined) return [{ pool, change: `created (${kindOf(now)})` }];
  const changes: MapChange[] = [];
  if (oldName !== pool) changes.push({ pool: oldName, change: `renamed '${pool}'` });
  if (old === now) return changes;
  for (const [change, value] of fields) {
    const from = value(old);
    const to = value(now);
    if (from !== to && !isFollowed(change, now)) changes.push({ pool, change, from, to });
  }
  changes.push(...words(poolFlags(old), poolFlags(now), pool, 'set', 'cleared'));
  changes.push(...optionChanges(old, now, pool));
  const applications = (of: PgPool): string[] =>
    [...of.applicationMetadata.keys()].map((name) => `application ${name}`);
  changes.push(...words(applications(old), applications(now), pool, 'enabled', 'disabled'));
  const snaps = (of: PgPool): string[] => [...of.snaps.values()].map(({ name }) => `snap '${name}'`);
  changes.push(...words(snaps(old), snaps(now), pool, 'taken', 'removed'));
  return changes;
}

/** A target that is reached at once is told as the number itself. */
function isFollowed(change: string, pool: PgPool): boolean {
  if (change === 'pg_num_target') return pool.pgNumTarget === pool.pgNum;
  return change === 'pgp_num_target' && pool.pgpNumTarget === pool.pgpNum;
}

function kindOf(pool: PgPool): string {
  const kind = pool.type === PoolType.erasure ? `erasure ${pool.erasureCodeProfile}` : 'replicated';
  return `${kind}, size ${pool.size}, ${pool.pgNum} pgs`;
}

function poolFlags({ flags }: PgPool): string[] {
  return poolFlagNames.filter((name) => (flags & poolFlag(name)) !== 0n);
}

function words(before: string[], after: string[], pool: string, come: string, gone: string): MapChange[] {
  return [
    ...after.filter((name) => !before.includes(name)).map((name) => ({ pool, change: `${name} ${come}` })),
    ...before.filter((name) => !after.includes(name)).map((name) => ({ pool, change: `${name} ${gone}` })),
  ];
}

function optionChanges(old: PgPool, now: PgPool, pool: string): MapChange[] {
  const changes: MapChange[] = [];
  for (const key of new Set([...old.options.keys(), ...now.options.keys()])) {
    const from = optionText(old.options.get(key));
    const to = optionText(now.options.get(key));
    if (from === to) continue;
    const change = poolOptionNames[key] ?? `option ${key}`;
    changes.push({
      pool,
      change,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
  }
  return changes;
}

function optionText(option: PoolOption | undefined): string | undefined {
  if (option === undefined) return undefined;
  return option.type === 'double' ? formatDecimal(option.value) : String(option.value);
}
