/** How evenly the PGs of some pools lie on the OSDs: the figures of `osdmaptool --test-map-pgs`. */
import { crushItemNone } from './crush/map.ts';
import { isIn, type OSDMap } from './osdmap.ts';
import { Placement } from './placement.ts';

export interface OsdShare {
  readonly osd: number;
  /** PGs that it acts in, those where it stands first, and those where it is primary. */
  readonly count: number;
  readonly first: number;
  readonly primary: number;
  /** 16.16 fixed point, of the bucket that holds it. */
  readonly crushWeight: number;
}

export interface PgDistribution {
  /** OSDs that are in and weigh something, by id. */
  readonly osds: readonly OsdShare[];
  /** Cut to a whole number, as Ceph does. */
  readonly average: number;
  readonly standardDeviation: number;
  /** What chance alone would give. */
  readonly expectedDeviation: number;
  /** Of the OSDs that have any PG. */
  readonly min: OsdShare | undefined;
  readonly max: OsdShare | undefined;
  /** Number of PGs by the number of OSDs that act in them, holes included. */
  readonly sizes: readonly (readonly [size: number, pgs: number])[];
}

/** Places every PG of the pools. Throws what {@link Placement} throws for a pool that is not there. */
export function pgDistribution(map: OSDMap, pools: Iterable<number>): PgDistribution {
  const placement = new Placement(map);
  const count = new Uint32Array(map.maxOsd);
  const first = new Uint32Array(map.maxOsd);
  const primary = new Uint32Array(map.maxOsd);
  const sizes = new Map<number, number>();
  for (const pool of pools) {
    const pgNum = map.pools.get(pool)?.pgNum ?? 1;
    for (let seed = 0; seed < pgNum; seed++) {
      const { acting, actingPrimary } = placement.pgToUpActing({ pool, seed });
      sizes.set(acting.length, (sizes.get(acting.length) ?? 0) + 1);
      for (const osd of acting) if (osd !== crushItemNone) count[osd]!++;
      if (acting[0] !== undefined && acting[0] !== crushItemNone) first[acting[0]]!++;
      if (actingPrimary >= 0 && actingPrimary < map.maxOsd) primary[actingPrimary]!++;
    }
  }
  const weights = deviceWeights(map);
  const osds: OsdShare[] = [];
  for (let osd = 0; osd < map.maxOsd; osd++) {
    const crushWeight = weights.get(osd) ?? 0;
    if (!isIn(map, osd) || crushWeight <= 0) continue;
    osds.push({ osd, count: count[osd]!, first: first[osd]!, primary: primary[osd]!, crushWeight });
  }
  const total = osds.reduce((sum, share) => sum + share.count, 0);
  const average = osds.length === 0 ? 0 : Math.floor(total / osds.length);
  const squares = osds.reduce((sum, share) => sum + (average - share.count) ** 2, 0);
  const used = osds.filter((share) => share.count > 0);
  const least = (better: (one: OsdShare, other: OsdShare) => boolean): OsdShare | undefined =>
    used.reduce<OsdShare | undefined>(
      (best, share) => (best === undefined || better(share, best) ? share : best),
      undefined,
    );
  return {
    osds,
    average,
    standardDeviation: Math.sqrt(squares / osds.length),
    expectedDeviation: Math.sqrt((total / osds.length) * (1 - 1 / osds.length)),
    min: least((one, other) => one.count < other.count),
    max: least((one, other) => one.count > other.count),
    sizes: [...sizes].sort(([left], [right]) => left - right),
  };
}

/** Each device's weight in the first bucket that holds it, in the order of bucket indexes. */
function deviceWeights(map: OSDMap): Map<number, number> {
  const weights = new Map<number, number>();
  for (const bucket of map.crush.buckets) {
    if (bucket === undefined) continue;
    for (let index = 0; index < bucket.items.length; index++) {
      const item = bucket.items[index]!;
      if (item < 0 || weights.has(item)) continue;
      if ('itemWeights' in bucket) weights.set(item, bucket.itemWeights[index]!);
      else if ('nodeWeights' in bucket) weights.set(item, bucket.nodeWeights[2 * index + 1] ?? 0);
      else weights.set(item, bucket.itemWeight);
    }
  }
  return weights;
}
