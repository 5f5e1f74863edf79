/**
 * What happened to the OSDs between two maps, for logs, for heartbeats and for who waits for an OSD.
 */
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { isIn, isUp, noOsdInfo, type OSDMap, osdExists } from './osdmap.ts';
import { type InOut, OsdState, type UpDown } from './states.ts';

export type OsdChange =
  /** The id is in use from now on. */
  | 'created'
  /** The id is free again. */
  | 'removed'
  | 'up'
  | 'down'
  /** Down and up again between the two maps: another life, with new addresses or not. */
  | 'restarted'
  | 'in'
  | 'out'
  /** Out because it was down for long, not by an operator. */
  | 'autoout'
  | 'reweighted'
  | 'addresses'
  /** Its data is gone for good. */
  | 'destroyed'
  | 'lost';

export interface OsdTransition {
  readonly osd: number;
  readonly from: `${UpDown} ${InOut}`;
  readonly to: `${UpDown} ${InOut}`;
  /** In the order of {@link OsdChange}; never empty. */
  readonly changes: readonly OsdChange[];
}

/** Up or down and in or out of an OSD; an OSD that does not exist is down and out. */
export function osdUpIn(map: OSDMap, osd: number): `${UpDown} ${InOut}` {
  return `${isUp(map, osd) ? 'up' : 'down'} ${isIn(map, osd) ? 'in' : 'out'}`;
}

/** One entry per OSD that changed, by id. The maps may be any number of epochs apart. */
export function osdTransitions(before: OSDMap, after: OSDMap): OsdTransition[] {
  const transitions: OsdTransition[] = [];
  for (let osd = 0; osd < Math.max(before.maxOsd, after.maxOsd); osd++) {
    const changes = changesOf(before, after, osd);
    if (changes.length === 0) continue;
    transitions.push({ osd, from: osdUpIn(before, osd), to: osdUpIn(after, osd), changes });
  }
  return transitions;
}

function changesOf(before: OSDMap, after: OSDMap, osd: number): OsdChange[] {
  const changes: OsdChange[] = [];
  const note = (change: OsdChange, happened: boolean): void => {
    if (happened) changes.push(change);
  };
  const wasUp = isUp(before, osd);
  const up = isUp(after, osd);
  const wasIn = isIn(before, osd);
  const nowIn = isIn(after, osd);
  const info = after.osdInfo[osd] ?? noOsdInfo;
  const oldInfo = before.osdInfo[osd] ?? noOsdInfo;
  const gained = (bit: number): boolean =>
    ((after.osdState[osd] ?? 0) & ~(before.osdState[osd] ?? 0) & bit) !== 0;

  note('created', !osdExists(before, osd) && osdExists(after, osd));
  note('removed', osdExists(before, osd) && !osdExists(after, osd));
  note('up', !wasUp && up);
  note('down', wasUp && !up);
  note('restarted', wasUp && up && info.upFrom !== oldInfo.upFrom);
  note('in', !wasIn && nowIn);
  note('out', wasIn && !nowIn);
  note('autoout', gained(OsdState.autoout));
  note('reweighted', wasIn && nowIn && before.osdWeight[osd] !== after.osdWeight[osd]);
  note('addresses', wasUp && up && !sameAddrs(before, after, osd));
  note('destroyed', gained(OsdState.destroyed));
  note('lost', info.lostAt > oldInfo.lostAt);
  return changes;
}

function sameAddrs(before: OSDMap, after: OSDMap, osd: number): boolean {
  const vectors = (map: OSDMap): (EntityAddrVec | undefined)[] => [
    map.clientAddrs[osd],
    map.clusterAddrs[osd],
    map.hbBackAddrs[osd],
    map.hbFrontAddrs[osd],
  ];
  const old = vectors(before);
  return vectors(after).every((addrs, index) => addrs?.key === old[index]?.key);
}
