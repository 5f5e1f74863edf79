/**
 * What an operator forbade: noup, nodown, noin, noout. A flag holds for the whole cluster, for one OSD, for
 * everything below a CRUSH bucket, or for a device class.
 */
import type { OSDMap } from '../../../maps/osdmap.ts';
import { OsdState, osdMapFlagNames } from '../../../maps/states.ts';
import { ancestorsOf } from './crush-location.ts';

export type OsdFlagName = 'noup' | 'nodown' | 'noin' | 'noout';

/** Bits of the whole map's flags by their names. */
const mapFlags: ReadonlyMap<string, number> = new Map(
  osdMapFlagNames.map(([bit, name]) => [name, (1 << bit) >>> 0]),
);

export function hasMapFlag(map: OSDMap, name: string): boolean {
  return (map.flags & (mapFlags.get(name) ?? 0)) !== 0;
}

/** Whether the flag holds for an OSD, in any of the four ways. */
export function hasOsdFlag(map: OSDMap, osd: number, name: OsdFlagName): boolean {
  const bit = OsdState[name];
  if (hasMapFlag(map, name)) return true;
  const state = map.osdState[osd] ?? 0;
  if ((state & OsdState.exists) !== 0 && (state & bit) !== 0) return true;
  if (map.crushNodeFlags.size > 0) {
    if (ancestorsOf(map.crush, osd).some((id) => ((map.crushNodeFlags.get(id) ?? 0) & bit) !== 0))
      return true;
  }
  const deviceClass = map.crush.classes.get(osd);
  return deviceClass !== undefined && ((map.deviceClassFlags.get(deviceClass) ?? 0) & bit) !== 0;
}
