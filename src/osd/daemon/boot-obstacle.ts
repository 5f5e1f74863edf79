/** What in the map keeps an OSD from being marked up, in Ceph's words where Ceph has some. */
import { type OSDMap, osdExists } from '../../maps/osdmap.ts';
import { OsdState, osdMapFlagNames, Release, releaseAtLeast, releaseName } from '../../maps/states.ts';

/** Undefined: nothing that the map shows. */
export function bootObstacle(map: OSDMap, osd: number): string | undefined {
  const state = map.osdState[osd] ?? 0;
  if ((state & OsdState.destroyed) !== 0) return 'osdmap says I am destroyed';
  if (hasFlag(map, 'noup') || (state & OsdState.noup) !== 0) {
    return 'osdmap NOUP flag is set, waiting for it to clear';
  }
  if (!hasFlag(map, 'sortbitwise')) return 'osdmap SORTBITWISE OSDMap flag is NOT set; please set it';
  if (releaseAtLeast(map.requireOsdRelease, Release.pacific + 1)) {
    return `the cluster requires ${releaseName(map.requireOsdRelease)}, and this OSD speaks pacific`;
  }
  return undefined;
}

/** Of an OSD that the cluster does not know, or knows as another: it must be registered first. */
export function identityObstacle(map: OSDMap, osd: number, osdFsid: string): string | undefined {
  if (!osdExists(map, osd)) return `osd.${osd} is not in the osdmap: register it with 'ceph osd new'`;
  const uuid = map.osdUuid[osd];
  if (uuid === undefined || uuid.isZero || String(uuid) === osdFsid) return undefined;
  return `osdmap fsid ${uuid} of osd.${osd} differs from ours ${osdFsid}`;
}

function hasFlag(map: OSDMap, name: string): boolean {
  const bit = osdMapFlagNames.find(([, each]) => each === name)![0];
  return (map.flags & (1 << bit)) !== 0;
}
