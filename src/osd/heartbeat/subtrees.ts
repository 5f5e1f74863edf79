/** Which subtree (host) each OSD is in; computed once for each CRUSH map. */
import type { CrushMap } from '../../maps/crush/map.ts';
import { devicesOf, subtreesOfType } from '../../maps/neighbours.ts';

const known = new WeakMap<CrushMap, Map<string, ReadonlyMap<number, number>>>();

/** By OSD the id of its subtree of that type; empty when there is no such type. */
export function subtreeOfOsds(crush: CrushMap, typeName: string): ReadonlyMap<number, number> {
  let ofMap = known.get(crush);
  if (ofMap === undefined) {
    ofMap = new Map();
    known.set(crush, ofMap);
  }
  let found = ofMap.get(typeName);
  if (found === undefined) {
    found = compute(crush, typeName);
    ofMap.set(typeName, found);
  }
  return found;
}

function compute(crush: CrushMap, typeName: string): Map<number, number> {
  const subtreeOf = new Map<number, number>();
  const type = [...crush.typeNames].find(([, name]) => name === typeName)?.[0];
  if (type === undefined || type < 1) return subtreeOf;
  for (const subtree of subtreesOfType(crush, type)) {
    for (const osd of devicesOf(crush, subtree)) subtreeOf.set(osd, subtree);
  }
  return subtreeOf;
}
