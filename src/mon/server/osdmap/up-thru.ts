/**
 * MOSDAlive: a placement group may take writes only once the map says that its primary lived through the
 * epoch in which it became so (up_thru).
 */
import type { MOSDAlive } from '../../../wire/messages/m-osd-alive.ts';
import { isActive } from './active.ts';
import { done, type OsdSender, type Outcome, pendingMaps } from './outcome.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

export function alive(pending: PendingOsdMap, sender: OsdSender, message: MOSDAlive): Outcome {
  const epoch = Number(message.paxosVersion ?? 0n);
  if (!isActive(pending.base, sender)) return done('that life of it is over');
  if (pending.base.osdInfo[sender.osd]!.upThru >= message.want) return done('up_thru is there', epoch);
  // What the OSD has, not only what it wants: so it need not ask again soon.
  raiseUpThru(pending, sender.osd, epoch);
  return pendingMaps(epoch);
}

/** An OSD cannot have lived through epochs that are yet to come. */
export function raiseUpThru(pending: PendingOsdMap, osd: number, epoch: number): void {
  const upThru = Math.min(epoch, pending.base.epoch);
  const before = pending.change.newUpThru.get(osd) ?? pending.base.osdInfo[osd]!.upThru;
  if (upThru <= before) return;
  pending.change.newUpThru.set(osd, upThru);
  pending.touch();
}
