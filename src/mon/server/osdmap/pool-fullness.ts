/**
 * A pool is as full as the fullest OSD that its CRUSH rule can choose: full pools take no more writes. Of
 * the three flags a pool has one; a pool that is full because of its quota keeps that.
 */
import { RuleOp } from '../../../maps/crush/map.ts';
import { devicesOf } from '../../../maps/neighbours.ts';
import { isIn, isUp, type OSDMap } from '../../../maps/osdmap.ts';
import { poolFlag } from '../../../maps/pool.ts';
import { OsdState } from '../../../maps/states.ts';
import { fullnessStates } from './full.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

const flags = {
  none: 0n,
  nearfull: poolFlag('nearfull'),
  backfillfull: poolFlag('backfillfull'),
  full: poolFlag('full'),
} as const;
const allFlags = flags.nearfull | flags.backfillfull | flags.full;
/** From empty to full. */
const levels = ['none', 'nearfull', 'backfillfull', 'full'] as const;

export function updatePoolFullness(pending: PendingOsdMap, next: OSDMap): void {
  const flagged = [...next.pools].some(([, pool]) => (pool.flags & allFlags) !== 0n);
  const full = new Map<number, number>();
  for (let osd = 0; osd < next.maxOsd; osd++) {
    const level = levelOf(next.osdState[osd]!);
    if (level > 0 && isUp(next, osd) && isIn(next, osd)) full.set(osd, level);
  }
  if (full.size === 0 && !flagged) return;

  const levelOfRule = new Map<number, number>();
  for (const id of next.pools.keys()) {
    const pool = pending.pool(id);
    if (pool === undefined || (pool.flags & poolFlag('full_quota')) !== 0n) continue;
    let level = levelOfRule.get(pool.crushRule);
    if (level === undefined) {
      level = Math.max(0, ...devicesOfRule(next, pool.crushRule).map((osd) => full.get(osd) ?? 0));
      levelOfRule.set(pool.crushRule, level);
    }
    const wanted = (pool.flags & ~allFlags) | flags[levels[level]!];
    if (wanted !== pool.flags) pending.changePool(id, { ...pool, flags: wanted });
  }
}

function levelOf(state: number): number {
  if ((state & fullnessStates) === 0) return 0;
  if ((state & OsdState.full) !== 0) return 3;
  return (state & OsdState.backfillfull) !== 0 ? 2 : 1;
}

function devicesOfRule({ crush }: OSDMap, rule: number): number[] {
  const takes = crush.rules[rule]?.steps.filter(({ op }) => op === RuleOp.take) ?? [];
  return takes.flatMap(({ arg1 }) => devicesOf(crush, arg1));
}
