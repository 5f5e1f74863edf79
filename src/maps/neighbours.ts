/**
 * The OSDs around one: what heartbeat peers are chosen from. Next and previous up OSD close a ring over
 * all ids, the sharers of a PG are who suffers when it is silent, and OSDs of other subtrees (hosts)
 * report a failure that a whole subtree shares.
 */
import type { CrushBucket, CrushMap } from './crush/map.ts';
import { crushItemNone } from './crush/map.ts';
import { isUp, type OSDMap } from './osdmap.ts';
import { Placement } from './placement.ts';

/** No such OSD. */
export const noOsd = -1;

/** The up OSD with the next higher id, round to the lowest; {@link noOsd} when there is no other. */
export function nextUpOsdAfter(map: OSDMap, osd: number): number {
  return walkRing(map, osd, 1);
}

/** The up OSD with the next lower id, round to the highest. */
export function previousUpOsdBefore(map: OSDMap, osd: number): number {
  return walkRing(map, osd, -1);
}

function walkRing(map: OSDMap, osd: number, step: 1 | -1): number {
  const count = map.maxOsd;
  // An id beyond the map stands just outside of its ends.
  const from = osd >= count ? (step === 1 ? -1 : count) : osd;
  for (let distance = 1; distance <= count; distance++) {
    const candidate = (((from + step * distance) % count) + count) % count;
    if (candidate !== osd && isUp(map, candidate)) return candidate;
  }
  return noOsd;
}

/**
 * Every OSD that is up or acting in a PG with `osd`, itself left out. Walks all PGs of the map: an OSD
 * that knows its own PGs asks them instead.
 */
export function pgPeers(map: OSDMap, osd: number, placement = new Placement(map)): Set<number> {
  const peers = new Set<number>();
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < pgNum; seed++) {
      const { up, acting } = placement.pgToUpActing({ pool, seed });
      if (!up.includes(osd) && !acting.includes(osd)) continue;
      for (const peer of up) peers.add(peer);
      for (const peer of acting) peers.add(peer);
    }
  }
  peers.delete(osd);
  peers.delete(crushItemNone);
  return peers;
}

/**
 * Up to `limit` up OSDs, each of another subtree of type `subtreeType` ("host"), none of them in the
 * subtree of `osd` or in `skip`. The subtrees are taken in random order, the OSD inside each is the same
 * for the same `osd`, as Ceph chooses it.
 *
 * @param random gives numbers from 0 to below 1; injected, so that a simulation repeats itself.
 */
export function randomUpOsdsBySubtree(
  map: OSDMap,
  osd: number,
  subtreeType: string,
  limit: number,
  skip: ReadonlySet<number>,
  random: () => number,
): number[] {
  const type = [...map.crush.typeNames].find(([, name]) => name === subtreeType)?.[0];
  if (type === undefined || type < 1) return [];
  const subtrees = subtreesOfType(map.crush, type);
  shuffle(subtrees, random);
  const chosen: number[] = [];
  for (const subtree of subtrees) {
    if (chosen.length >= limit) break;
    const osds = devicesOf(map.crush, subtree);
    if (osds.includes(osd)) continue;
    const candidates = osds.filter((device) => isUp(map, device) && !skip.has(device));
    const choice = candidates[osd % candidates.length];
    if (choice !== undefined && !chosen.includes(choice)) chosen.push(choice);
  }
  return chosen;
}

/** Buckets of a type that hang below a root, the shadow trees of device classes left out. */
export function subtreesOfType(crush: CrushMap, type: number): number[] {
  const contained = new Set<number>();
  for (const bucket of crush.buckets) for (const item of bucket?.items ?? []) contained.add(item);
  const found: number[] = [];
  const seen = new Set<number>();
  const visit = (id: number): void => {
    const bucket = bucketOf(crush, id);
    if (bucket === undefined || bucket.type < type || seen.has(id)) return;
    if (bucket.type > type) {
      // Marked only here: a host may hang below two roots and is then found twice, as in Ceph.
      seen.add(id);
      for (const item of bucket.items) visit(item);
      return;
    }
    if (!crush.names.get(id)?.includes('~')) found.push(id);
  };
  // Roots in the order of a set of ids: the highest negative number is the last.
  const roots = crush.buckets.filter((bucket) => bucket !== undefined && !contained.has(bucket.id));
  for (const root of roots.map((bucket) => bucket!.id).sort((left, right) => left - right)) visit(root);
  return found;
}

/** The devices below a bucket, in the order of its tree. */
export function devicesOf(crush: CrushMap, id: number): number[] {
  const devices: number[] = [];
  const seen = new Set<number>();
  const visit = (item: number): void => {
    if (item >= 0) {
      devices.push(item);
      return;
    }
    if (seen.has(item)) return;
    seen.add(item);
    for (const child of bucketOf(crush, item)?.items ?? []) visit(child);
  };
  visit(id);
  return devices;
}

function bucketOf(crush: CrushMap, id: number): CrushBucket | undefined {
  return id < 0 ? crush.buckets[-1 - id] : undefined;
}

/** Fisher and Yates. */
function shuffle(values: number[], random: () => number): void {
  for (let index = values.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    const value = values[index]!;
    values[index] = values[other]!;
    values[other] = value;
  }
}
