/** How many OSDs there are, are up, are in: what the ratios below which nothing more is marked are made of. */
import { type OSDMap, osdOut } from '../../../maps/osdmap.ts';
import { OsdState } from '../../../maps/states.ts';

export interface OsdCounts {
  readonly existing: number;
  readonly up: number;
  readonly in: number;
}

/** A map never changes, and a tick asks once for each OSD. */
const countsOfMap = new WeakMap<OSDMap, OsdCounts>();

export function osdCounts(map: OSDMap): OsdCounts {
  const known = countsOfMap.get(map);
  if (known !== undefined) return known;
  const counts = { existing: 0, up: 0, in: 0 };
  for (let osd = 0; osd < map.maxOsd; osd++) {
    const state = map.osdState[osd]!;
    if ((state & OsdState.exists) === 0) continue;
    counts.existing++;
    if ((state & OsdState.up) !== 0) counts.up++;
    if (map.osdWeight[osd] !== osdOut) counts.in++;
  }
  countsOfMap.set(map, counts);
  return counts;
}
