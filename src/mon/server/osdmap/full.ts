/** MOSDFull: which of nearfull, backfillfull and full an OSD is. Pools follow from it (pool-fullness.ts). */
import { isUp, osdExists } from '../../../maps/osdmap.ts';
import { OsdState } from '../../../maps/states.ts';
import type { MOSDFull } from '../../../wire/messages/m-osd-full.ts';
import { done, type OsdSender, type Outcome, pendingMaps, sameIncarnation } from './outcome.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

export const fullnessStates = OsdState.nearfull | OsdState.backfillfull | OsdState.full;

export function full(pending: PendingOsdMap, { osd, addrs }: OsdSender, message: MOSDFull): Outcome {
  const map = pending.base;
  if (!osdExists(map, osd)) return done('there is no such OSD');
  // A life that went down already, or another one than the map's.
  if (isUp(map, osd) !== sameIncarnation(map.clientAddrs[osd]!, addrs))
    return done('that life of it is over');
  const epoch = Number(message.paxosVersion ?? 0n);
  const wanted = message.state & fullnessStates;
  if ((map.osdState[osd]! & fullnessStates) === message.state) return done('it is known', epoch);
  if ((pending.state(osd) & fullnessStates) !== wanted) {
    pending.changeState(osd, wanted, fullnessStates & ~wanted);
  }
  return pendingMaps(epoch);
}
