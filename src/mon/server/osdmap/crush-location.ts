/**
 * Where an item hangs in the CRUSH tree, from the bucket around it up to its root. A failure domain is one
 * bucket of that way: OSDs of one host fail, and err, together.
 */
import type { CrushMap } from '../../../maps/crush/map.ts';

/** A bucket on the way up: `['host', 'a']`. */
export type CrushCoordinate = readonly [type: string, name: string];

/** Parents of every item; a CRUSH map never changes, and is asked for each report and tick. */
const parentsOfMap = new WeakMap<CrushMap, ReadonlyMap<number, number>>();

/** Buckets by what they contain. Shadow trees of device classes are left out; of several parents the first counts. */
export function crushParents(crush: CrushMap): ReadonlyMap<number, number> {
  const known = parentsOfMap.get(crush);
  if (known !== undefined) return known;
  const parents = new Map<number, number>();
  for (const bucket of crush.buckets) {
    if (bucket === undefined || isShadow(crush, bucket.id)) continue;
    for (const item of bucket.items) if (!parents.has(item)) parents.set(item, bucket.id);
  }
  parentsOfMap.set(crush, parents);
  return parents;
}

/** A copy of a bucket that holds only the devices of one class: `default~ssd`. */
export function isShadow(crush: CrushMap, id: number): boolean {
  return crush.names.get(id)?.includes('~') ?? false;
}

/** Ids of the buckets around an item, innermost first; none when it hangs nowhere. */
export function ancestorsOf(crush: CrushMap, item: number): number[] {
  const parents = crushParents(crush);
  const ancestors: number[] = [];
  for (let id = parents.get(item); id !== undefined; id = parents.get(id)) {
    // A map with a cycle cannot be made by Ceph's tools, but it can be injected.
    if (ancestors.includes(id)) break;
    ancestors.push(id);
  }
  return ancestors;
}

/** Innermost first. */
export function crushLocation(crush: CrushMap, item: number): CrushCoordinate[] {
  return ancestorsOf(crush, item).map((id) => [
    crush.typeNames.get(crush.buckets[-1 - id]?.type ?? 0) ?? '',
    crush.names.get(id) ?? '',
  ]);
}

/** `root=default,host=a`, as the cluster log names a place. */
export function crushLocationText(crush: CrushMap, item: number): string {
  return crushLocation(crush, item)
    .reverse()
    .map(([type, name]) => `${type}=${name}`)
    .join(',');
}

/** The failure domain of an OSD at a level: the name of its bucket, or the OSD itself outside of any. */
export function failureDomainOf(crush: CrushMap, osd: number, level: string): string {
  return crushLocation(crush, osd).find(([type]) => type === level)?.[1] ?? `osd.${osd}`;
}
