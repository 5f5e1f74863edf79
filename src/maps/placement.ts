/**
 * Where an object lives: object -> PG -> OSDs, by one OSDMap.
 *
 * ```
 * name, namespace, key -> hash -> PG                          (stable_mod over pg_num)
 * PG -> seed -> CRUSH -> raw                                  (pgp_num, hashpspool, rule, reweights)
 * raw -> pg_upmap, pg_upmap_items -> without the down -> up   (primary affinity picks the first)
 * pg_temp, primary_temp, else up -> acting
 * ```
 * A placement belongs to one map and keeps what it prepared for it. Replicated pools close the gaps that
 * down OSDs leave; erasure-coded ones keep positions and have holes ({@link crushItemNone}).
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { CompiledChooseArgs } from './crush/compiled.ts';
import { crushItemNone } from './crush/map.ts';
import { CrushMapper } from './crush/mapper.ts';
import { crushHash2 } from './hash.ts';
import { defaultPrimaryAffinity, type OSDMap, osdOut, type UpmapItem } from './osdmap.ts';
import { type PgId, pgMask, stableMod } from './pg.ts';
import { canShiftOsds, hashObject, hashToSeed, type PgPool, poolFlag } from './pool.ts';
import { OsdState } from './states.ts';

/** No OSD is primary. */
export const noPrimary = -1;

/** OSDs of one PG; the arrays belong to the caller. */
export interface PgOsds {
  readonly up: number[];
  readonly upPrimary: number;
  readonly acting: number[];
  readonly actingPrimary: number;
}

const existsAndUp = OsdState.exists | OsdState.up;

/** What placement needs of a pool again and again. */
interface PoolPlan {
  readonly id: number;
  readonly pool: PgPool;
  readonly rule: number;
  readonly shifts: boolean;
  readonly hashes: boolean;
  readonly pgpMask: number;
  readonly chooseArgs: CompiledChooseArgs | undefined;
  readonly upmap: ReadonlyMap<number, Int32Array> | undefined;
  readonly upmapItems: ReadonlyMap<number, readonly UpmapItem[]> | undefined;
  readonly temp: ReadonlyMap<number, Int32Array> | undefined;
  readonly primaryTemp: ReadonlyMap<number, number> | undefined;
}

export class Placement {
  readonly map: OSDMap;
  readonly #mapper: CrushMapper;
  readonly #plans = new Map<number, PoolPlan>();
  readonly #hasAffinity: boolean;

  constructor(map: OSDMap) {
    this.map = map;
    this.#mapper = new CrushMapper(map.crush);
    this.#hasAffinity = map.primaryAffinity.some((affinity) => affinity !== defaultPrimaryAffinity);
  }

  /**
   * The PG of an object, and the whole hash, which Ceph prints as the raw PG.
   *
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` when there is no such pool.
   */
  objectToPg(
    pool: number,
    name: string,
    options: { key?: string; namespace?: string } = {},
  ): {
    pg: PgId;
    rawPg: PgId;
  } {
    const plan = this.#plan(pool);
    const hash = hashObject(plan.pool, name, options.key, options.namespace);
    return { pg: { pool, seed: hashToSeed(plan.pool, hash) }, rawPg: { pool, seed: hash } };
  }

  /**
   * What CRUSH answers, OSDs that do not exist left out: before upmaps and states.
   * A seed beyond pg_num stands for the PG that it is cut to.
   */
  pgToRaw({ pool, seed }: PgId): { raw: number[]; primary: number } {
    const raw = this.#raw(this.#plan(pool), seed);
    return { raw, primary: firstOf(raw) };
  }

  /**
   * The OSDs that should serve a PG (up), and those that do for now (acting).
   * A seed beyond pg_num stands for the PG that it is cut to.
   *
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` when there is no such pool.
   */
  pgToUpActing({ pool, seed }: PgId): PgOsds {
    const plan = this.#plan(pool);
    const raw = this.#raw(plan, seed);
    const pg = seed < plan.pool.pgNum ? seed : hashToSeed(plan.pool, seed);
    if (plan.upmap !== undefined || plan.upmapItems !== undefined) this.#applyUpmap(plan, pg, raw);
    const up = this.#withoutDown(plan, raw);
    let upPrimary = firstOf(up);
    if (this.#hasAffinity) upPrimary = this.#applyAffinity(plan, seed, up, upPrimary);
    if (plan.temp === undefined && plan.primaryTemp === undefined) {
      return { up, upPrimary, acting: up.slice(), actingPrimary: upPrimary };
    }
    const temp = plan.temp?.get(pg);
    let acting = temp === undefined ? [] : this.#withoutDown(plan, temp);
    let actingPrimary = plan.primaryTemp?.get(pg) ?? firstOf(acting);
    if (acting.length === 0) {
      acting = up.slice();
      if (actingPrimary === noPrimary) actingPrimary = upPrimary;
    }
    return { up, upPrimary, acting, actingPrimary };
  }

  #plan(id: number): PoolPlan {
    const known = this.#plans.get(id);
    if (known !== undefined) return known;
    const { map } = this;
    const pool = map.pools.get(id);
    if (pool === undefined) throw new MsgrError(ErrorCode.InvalidArgument, `there is no pool ${id}`);
    const plan: PoolPlan = {
      id,
      pool,
      rule: this.#mapper.findRule(pool.crushRule, pool.type, pool.size),
      shifts: canShiftOsds(pool),
      hashes: (pool.flags & poolFlag('hashpspool')) !== 0n,
      pgpMask: pgMask(pool.pgpNum),
      chooseArgs: this.#mapper.crush.chooseArgsOf(id),
      upmap: map.pgUpmap.ofPool(id),
      upmapItems: map.pgUpmapItems.ofPool(id),
      temp: map.pgTemp.ofPool(id),
      primaryTemp: map.primaryTemp.ofPool(id),
    };
    this.#plans.set(id, plan);
    return plan;
  }

  #seed(plan: PoolPlan, seed: number): number {
    const cut = stableMod(seed, plan.pool.pgpNum, plan.pgpMask);
    return plan.hashes ? crushHash2(cut, plan.id) : cut + plan.id;
  }

  #raw(plan: PoolPlan, seed: number): number[] {
    if (plan.rule < 0) return [];
    const mapper = this.#mapper;
    const { osdState, osdWeight } = this.map;
    const size = plan.pool.size;
    const count = mapper.doRule(plan.rule, this.#seed(plan, seed), size, osdWeight, plan.chooseArgs);
    const raw: number[] = [];
    for (let index = 0; index < count; index++) {
      const osd = mapper.result[index]!;
      if (osd >= 0 && osd < osdState.length && (osdState[osd]! & OsdState.exists) !== 0) raw.push(osd);
      else if (!plan.shifts) raw.push(crushItemNone);
    }
    return raw;
  }

  /** A target that is out does not count: then the whole of pg_upmap, or that item, is passed over. */
  #applyUpmap(plan: PoolPlan, pg: number, raw: number[]): void {
    const osds = plan.upmap?.get(pg);
    if (osds !== undefined) {
      if (osds.some((osd) => this.#isKnownOut(osd))) return;
      raw.splice(0, raw.length, ...osds);
    }
    for (const { from, to } of plan.upmapItems?.get(pg) ?? []) {
      if (raw.includes(to) || this.#isKnownOut(to)) continue;
      const position = raw.indexOf(from);
      if (position >= 0) raw[position] = to;
    }
  }

  #isKnownOut(osd: number): boolean {
    return osd >= 0 && osd < this.map.maxOsd && this.map.osdWeight[osd] === osdOut;
  }

  #withoutDown(plan: PoolPlan, osds: ArrayLike<number>): number[] {
    const { osdState } = this.map;
    const up: number[] = [];
    for (let index = 0; index < osds.length; index++) {
      const osd = osds[index]!;
      if (osd >= 0 && osd < osdState.length && (osdState[osd]! & existsAndUp) === existsAndUp) up.push(osd);
      else if (!plan.shifts) up.push(crushItemNone);
    }
    return up;
  }

  /** An OSD of affinity a is passed over as primary for 1 - a of all PGs, always the same ones. */
  #applyAffinity(plan: PoolPlan, seed: number, up: number[], primary: number): number {
    const affinities = this.map.primaryAffinity;
    if (!up.some((osd) => osd !== crushItemNone && affinities[osd] !== defaultPrimaryAffinity))
      return primary;
    const placementSeed = this.#seed(plan, seed);
    let position = -1;
    for (let index = 0; index < up.length; index++) {
      const osd = up[index]!;
      if (osd === crushItemNone) continue;
      const affinity = affinities[osd]!;
      const refuses = affinity < defaultPrimaryAffinity && crushHash2(placementSeed, osd) >>> 16 >= affinity;
      if (!refuses) {
        position = index;
        break;
      }
      // The first that refuses serves when all do.
      if (position < 0) position = index;
    }
    if (position < 0) return primary;
    const chosen = up[position]!;
    if (plan.shifts && position > 0) {
      up.splice(position, 1);
      up.unshift(chosen);
    }
    return chosen;
  }
}

function firstOf(osds: readonly number[]): number {
  for (const osd of osds) if (osd !== crushItemNone) return osd;
  return noPrimary;
}
