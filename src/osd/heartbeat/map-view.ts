/**
 * What a network's half knows of the OSDMap: enough to answer a PING as Ceph does, in two small arrays per
 * epoch. The map itself stays with the main side.
 */
import type { OSDMap } from '../../maps/osdmap.ts';
import { OsdState } from '../../maps/states.ts';

export interface MapView {
  /** Text form of the cluster's uuid. */
  readonly fsid: string;
  readonly epoch: number;
  /** Indexed by OSD. */
  readonly osdState: Uint32Array;
  readonly downAt: Uint32Array;
  /** Whether this OSD is in service: only then are maps shared with peers. */
  readonly isActive: boolean;
  /** The epoch at which this OSD came up; 0 before it is. */
  readonly upFrom: number;
}

const downAtOf = new WeakMap<OSDMap, Uint32Array>();

export function mapViewOf(map: OSDMap, own: { isActive: boolean; upFrom: number }): MapView {
  let downAt = downAtOf.get(map);
  if (downAt === undefined) {
    downAt = Uint32Array.from({ length: map.maxOsd }, (_, osd) => map.osdInfo[osd]?.downAt ?? 0);
    downAtOf.set(map, downAt);
  }
  return { fsid: String(map.fsid), epoch: map.epoch, osdState: map.osdState, downAt, ...own };
}

export function viewExists(view: MapView, osd: number): boolean {
  return ((view.osdState[osd] ?? 0) & OsdState.exists) !== 0;
}

export function viewIsUp(view: MapView, osd: number): boolean {
  const both = OsdState.exists | OsdState.up;
  return ((view.osdState[osd] ?? 0) & both) === both;
}
