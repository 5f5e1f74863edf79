/** Random OSDMaps over a random CRUSH map, for osdmaptool to read what our encoder wrote. */

import { decodeCrushMap } from '../../../src/maps/crush/codec.ts';
import { crushItemNone } from '../../../src/maps/crush/map.ts';
import {
  emptyOsdMap,
  noOsdInfo,
  noOsdXinfo,
  type OSDMap,
  osdIn,
  type UpmapItem,
} from '../../../src/maps/osdmap.ts';
import { type PgId, PgMap } from '../../../src/maps/pg.ts';
import { makePool, type PgPool, PoolType, poolFlag } from '../../../src/maps/pool.ts';
import { OsdState, Release } from '../../../src/maps/states.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import type { GeneratedCrush } from './generate-crush.ts';
import type { SeededRandom } from './random.ts';

/** `pgCount` is shared among the pools; a pool with one PG is made too. */
export function generateOsdMap(
  random: SeededRandom,
  crush: GeneratedCrush,
  crushBytes: Uint8Array,
  pgCount: number,
): { map: OSDMap; features: string[] } {
  const features: string[] = [];
  const maxOsd = crush.osdCount + (random.chance(0.2) ? random.between(0, 5) : 0);
  const osdState = new Uint32Array(maxOsd);
  const osdWeight = new Uint32Array(maxOsd);
  const down = random.pick([0, 0.02, 0.2]);
  const out = random.pick([0, 0.02, 0.2]);
  const reweighted = random.pick([0, 0.1, 0.5]);
  for (let osd = 0; osd < maxOsd; osd++) {
    if (random.chance(0.02)) continue;
    osdState[osd] = OsdState.exists | (random.chance(down) ? 0 : OsdState.up);
    osdWeight[osd] = random.chance(out) ? 0 : random.chance(reweighted) ? random.between(1, 0xffff) : osdIn;
  }
  if (down > 0) features.push('down OSDs');
  if (out > 0) features.push('out OSDs');
  if (reweighted > 0) features.push('reweights');
  let primaryAffinity = new Uint32Array(0);
  if (random.chance(0.4)) {
    features.push('primary affinity');
    primaryAffinity = Uint32Array.from({ length: maxOsd }, () =>
      random.chance(0.5) ? 0x10000 : random.chance(0.3) ? 0 : random.between(1, 0xffff),
    );
  }

  const pools = new Map<number, PgPool>();
  const poolNames = new Map<number, string>();
  const poolCount = Math.min(random.between(1, 4), crush.rules.length);
  // Pool 1 first, because weight sets are for it; then any others.
  for (let index = 0; index < poolCount; index++) {
    const id = index === 0 ? 1 : index * 1000 + random.between(2, 999);
    const rule = random.pick(crush.rules);
    const pgNum = Math.max(1, Math.floor((pgCount / poolCount) * (0.5 + random.next() / 2)));
    const pgpNum = random.chance(0.3) ? random.between(1, pgNum) : pgNum;
    const size = rule.erasure ? random.between(2, 11) : random.between(1, 5);
    const hashpspool = random.chance(0.85);
    if ((pgNum & (pgNum - 1)) !== 0) features.push('pg_num no power of two');
    if (pgpNum !== pgNum) features.push('pgp_num below pg_num');
    features.push(rule.erasure ? 'indep' : 'firstn', hashpspool ? 'hashpspool' : 'legacy seeds');
    pools.set(
      id,
      makePool({
        type: rule.erasure ? PoolType.erasure : PoolType.replicated,
        size,
        pgNum,
        pgpNum,
        crushRule: rule.id,
        flags: hashpspool ? poolFlag('hashpspool') : 0n,
      }),
    );
    poolNames.set(id, `pool${id}`);
  }

  const anyPg = (): PgId => {
    const [pool, { pgNum }] = random.pick([...pools]);
    return { pool, seed: random.between(0, pgNum - 1) };
  };
  const anyOsd = (): number => random.between(0, maxOsd - 1);
  const osdsFor = (pg: PgId, holes: boolean): Int32Array => {
    const osds = new Set<number>();
    const size = Math.min(pools.get(pg.pool)!.size, maxOsd);
    while (osds.size < size) osds.add(anyOsd());
    return Int32Array.from(osds, (osd) => (holes && random.chance(0.1) ? crushItemNone : osd));
  };
  const pgUpmap = new PgMap<Int32Array>();
  const pgUpmapItems = new PgMap<readonly UpmapItem[]>();
  const pgTemp = new PgMap<Int32Array>();
  const primaryTemp = new PgMap<number>();
  const exceptions = Math.ceil(pgCount / 20);
  const some = (name: string, probability: number, make: () => void): void => {
    if (!random.chance(probability)) return;
    features.push(name);
    for (let index = 0; index < exceptions; index++) make();
  };
  some('pg_upmap', 0.3, () => {
    const pg = anyPg();
    pgUpmap.set(pg, osdsFor(pg, false));
  });
  some('pg_upmap_items', 0.4, () => {
    const items = Array.from({ length: random.between(1, 3) }, () => ({ from: anyOsd(), to: anyOsd() }));
    pgUpmapItems.set(anyPg(), items);
  });
  some('pg_temp', 0.3, () => {
    const pg = anyPg();
    pgTemp.set(pg, osdsFor(pg, pools.get(pg.pool)!.type === PoolType.erasure));
  });
  some('primary_temp', 0.2, () => primaryTemp.set(anyPg(), anyOsd()));

  const perOsd = <T>(value: T): T[] => new Array<T>(maxOsd).fill(value);
  const sortedPools = new Map([...pools].sort(([left], [right]) => left - right));
  return {
    features: [...new Set(features)],
    map: {
      ...emptyOsdMap(decodeCrushMap(crushBytes), crushBytes),
      maxOsd,
      osdState,
      osdWeight,
      primaryAffinity,
      pools: sortedPools,
      poolNames: new Map([...poolNames].sort(([left], [right]) => left - right)),
      poolMax: Math.max(...pools.keys()),
      clientAddrs: perOsd(EntityAddrVec.empty),
      clusterAddrs: perOsd(EntityAddrVec.empty),
      hbBackAddrs: perOsd(EntityAddrVec.empty),
      hbFrontAddrs: perOsd(EntityAddrVec.empty),
      osdInfo: perOsd(noOsdInfo),
      osdXinfo: perOsd(noOsdXinfo),
      osdUuid: perOsd(Uuid.zero),
      pgUpmap: pgUpmap.sorted(),
      pgUpmapItems: pgUpmapItems.sorted(),
      pgTemp: pgTemp.sorted(),
      primaryTemp: primaryTemp.sorted(),
      requireOsdRelease: Release.pacific,
      requireMinCompatClient: Release.luminous,
    },
  };
}
