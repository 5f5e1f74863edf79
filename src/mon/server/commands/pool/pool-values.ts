/** What commands on pools have in common: which pool is meant, and what its numbers may be. */
import type { CrushMap } from '../../../../maps/crush/map.ts';
import { isIn } from '../../../../maps/osdmap.ts';
import { osdIds } from '../../../../maps/osdmap-json.ts';
import { type PgPool, PoolType } from '../../../../maps/pool.ts';
import type { MonitorState } from '../../monitor-state.ts';
import { OsdErrno, refusal } from '../osd/shared.ts';

export interface NamedPool {
  readonly id: number;
  readonly name: string;
  readonly pool: PgPool;
}

/** As it will be once what is pending is committed. */
export function pendingPool({ pendingOsdMap }: MonitorState, name: string): NamedPool | undefined {
  for (const [id, own] of pendingOsdMap.poolNames()) {
    const pool = own === name ? pendingOsdMap.pool(id) : undefined;
    if (pool !== undefined) return { id, name, pool };
  }
  return undefined;
}

/** @throws MsgrError ENOENT */
export function requiredPool(monitor: MonitorState, name: string): NamedPool {
  const found = pendingPool(monitor, name);
  if (found === undefined) throw refusal(OsdErrno.ENOENT, `unrecognized pool '${name}'`);
  return found;
}

export function changePool(monitor: MonitorState, id: number, pool: PgPool, fields: Partial<PgPool>): void {
  const { pendingOsdMap } = monitor;
  pendingOsdMap.changePool(id, { ...pool, ...fields, lastChange: pendingOsdMap.epoch });
}

const pgsMax = (monitor: MonitorState): number => monitor.options.mon_max_pool_pg_num;

/** @throws MsgrError ERANGE */
export function checkPgCount(monitor: MonitorState, count: number): void {
  if (count > 0 && count <= pgsMax(monitor)) return;
  throw refusal(
    OsdErrno.ERANGE,
    `'pg_num' must be greater than 0 and less than or equal to ${pgsMax(monitor)}` +
      " (you may adjust 'mon max pool pg num' for higher values)",
  );
}

/** Clusters of fewer OSDs are counted as this many: they will grow. */
const osdsMin = 3;

/** All pools together must not have too many groups for the OSDs that are in. @throws MsgrError ERANGE */
export function checkPgsPerOsd(
  monitor: MonitorState,
  id: number | undefined,
  pgNum: number,
  size: number,
): void {
  const { options, osdMap, pendingOsdMap } = monitor;
  const osds = Math.max(osdIds(osdMap).filter((osd) => isIn(osdMap, osd)).length, osdsMin);
  const max = options.mon_max_pg_per_osd * osds;
  let projected = pgNum * size;
  for (const other of pendingOsdMap.poolNames().keys()) {
    const pool = other === id ? undefined : pendingOsdMap.pool(other);
    if (pool !== undefined) projected += pool.pgNumTarget * pool.size;
  }
  if (projected <= max) return;
  throw refusal(
    OsdErrno.ERANGE,
    `${id === undefined ? '' : `pool id ${id}`} pg_num ${pgNum} size ${size} would mean ${projected} total pgs, ` +
      `which exceeds max ${max} (mon_max_pg_per_osd ${options.mon_max_pg_per_osd} * num_in_osds ${osds})`,
  );
}

/** @throws MsgrError EINVAL */
export function checkRule(crush: CrushMap, id: number, type: number, size: number): void {
  const rule = crush.rules[id];
  if (rule === undefined || rule.type !== type) throw refusal(OsdErrno.EINVAL, '(22) Invalid argument');
  if (size < rule.minSize)
    throw refusal(OsdErrno.EINVAL, 'pool size is smaller than the crush rule min size');
  if (size > rule.maxSize) throw refusal(OsdErrno.EINVAL, 'pool size is bigger than the crush rule max size');
}

/** The rule of a pool that asks for none: the first of its type. */
export function firstRule({ rules }: CrushMap, poolType: number): number | undefined {
  const index = rules.findIndex((rule) => rule?.type === poolType);
  return index < 0 ? undefined : index;
}

/** More than half of the copies, so that two halves cannot both go on. */
export function minSizeOf({ options }: MonitorState, size: number): number {
  const least = options.osd_pool_default_min_size;
  return least > 0 ? Math.min(least, size) : size - (size >> 1);
}

export function isReplicated({ type }: PgPool): boolean {
  return type === PoolType.replicated;
}

const multipliers: Readonly<Record<string, number>> = { '': 0, K: 10, M: 20, G: 30, T: 40, P: 50, E: 60 };

/** `10`, `64K`, `1Gi`; undefined for anything else. */
export function parseIecBytes(text: string): bigint | undefined {
  const match = /^([+-]?\d{1,19})([KMGTPE]?)(?:i|iB|B)?$/.exec(text.trim());
  if (match === null) return undefined;
  return BigInt(match[1]!) << BigInt(multipliers[match[2]!]!);
}

/** What is wrong with a text that {@link parseIecBytes} does not take, in Ceph's words. */
export function iecMistake(text: string): string {
  const unit = text.replace(/^[\d+-]*/, '');
  const isLong = unit.length > 2;
  return `strict_iecstrtoll: ${isLong ? 'illegal prefix (length > 2)' : 'unit prefix not recognized'}`;
}
