/**
 * What an OSD says of its own end: MOSDMarkMeDown before it stops, MOSDMarkMeDead about a life of which
 * it learns that the map thinks it over.
 */
import { osdExists } from '../../../maps/osdmap.ts';
import { OsdState } from '../../../maps/states.ts';
import type { MOSDMarkMeDead } from '../../../wire/messages/m-osd-mark-me-dead.ts';
import type { MOSDMarkMeDown } from '../../../wire/messages/m-osd-mark-me-down.ts';
import type { BootContext } from './boot.ts';
import { mayMarkDown } from './may-mark.ts';
import { done, type OsdSender, type Outcome, pendingMaps } from './outcome.ts';

/** The answer, where one was asked for, follows in any case: an OSD that may not go down stops all the same. */
export function markMeDown(
  context: BootContext,
  sender: OsdSender,
  message: MOSDMarkMeDown,
  tell: (text: string) => void,
): Outcome {
  const { pending } = context;
  const map = pending.base;
  const { targetOsd: osd } = message;
  if (!message.fsid.equals(context.fsid)) return done('it belongs to another cluster');
  if (sender.osd !== osd) return done('an OSD speaks for itself only');
  const isUp = osdExists(map, osd) && (map.osdState[osd]! & OsdState.up) !== 0;
  if (!isUp || !map.clientAddrs[osd]!.equals(message.targetAddrs)) {
    return done('that life of it is over', message.epoch + 1);
  }
  if (!mayMarkDown(context, osd)) return done('it may not be marked down');
  tell(`osd.${osd} marked itself ${message.downAndDead ? 'down and dead' : 'down'}`);
  pending.markDown(osd);
  if (message.downAndDead) pending.changeXinfo(osd, { deadEpoch: message.epoch });
  return pendingMaps();
}

export function markMeDead(
  { pending, fsid }: BootContext,
  sender: OsdSender,
  message: MOSDMarkMeDead,
  tell: (text: string) => void,
): Outcome {
  const map = pending.base;
  const { targetOsd: osd, epoch } = message;
  if (!message.fsid.equals(fsid)) return done('it belongs to another cluster');
  if (sender.osd !== osd) return done('an OSD speaks for itself only');
  if (!osdExists(map, osd) || (map.osdState[osd]! & OsdState.up) !== 0) {
    return done('it is up, or not there', epoch + 1);
  }
  tell(`osd.${osd} marked itself dead as of e${epoch}`);
  pending.changeXinfo(osd, { deadEpoch: epoch });
  return pendingMaps();
}
