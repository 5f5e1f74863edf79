/**
 * What follows from a change as a whole, added just before it is written: stamps of the last change of up and
 * in, laggy histories that have become too old, temporary mappings that are no longer needed, and flags of
 * pools.
 */
import { osdOut } from '../../../maps/osdmap.ts';
import { OsdState } from '../../../maps/states.ts';
import type { Options } from '../../../options.ts';
import type { Utime } from '../../../wire/utime.ts';
import { cleanPgMappings } from './clean-pg-mappings.ts';
import type { CreatingPgs } from './creating-pgs.ts';
import { laggyWhenMarkedDown } from './laggy.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';
import { updatePoolFullness } from './pool-fullness.ts';

export interface SealContext {
  readonly modified: Utime;
  readonly options: Options;
  readonly creating: CreatingPgs;
}

/** Returns the placement groups that are to be created once the change is committed. */
export function seal(pending: PendingOsdMap, { modified, options, creating }: SealContext): CreatingPgs {
  const { change, base } = pending;
  pending.dropBeyondMaxOsd();
  for (const [osd, flips] of change.newState) {
    if ((flips & OsdState.up) === 0) continue;
    change.newLastUpChange = modified;
    const wasUp = ((base.osdState[osd] ?? 0) & OsdState.up) !== 0;
    if (!wasUp || !pending.exists(osd)) continue;
    const laggy = laggyWhenMarkedDown(base.osdXinfo[osd]!, modified, options);
    if (laggy !== undefined) {
      const { laggyProbability, laggyInterval } = laggy;
      pending.changeXinfo(osd, { downStamp: modified, laggyProbability, laggyInterval });
    } else if (change.newXinfo.has(osd)) {
      // A new xinfo replaces the stamp that going down sets; Ceph leaves the one of the time before there.
      pending.changeXinfo(osd, { downStamp: modified });
    }
  }
  if (change.newUpClient.size > 0) change.newLastUpChange = modified;
  for (const [osd, weight] of change.newWeight) {
    if ((weight !== osdOut) === ((base.osdWeight[osd] ?? osdOut) !== osdOut)) continue;
    change.newLastInChange = modified;
  }

  // The map is the same before and after what follows, as far as that is concerned.
  const next = pending.preview();
  cleanPgMappings(pending, next);
  const created = creating.next(pending, next, modified, options);
  created.clearCreatingFlags(pending, next);
  updatePoolFullness(pending, next);
  return created;
}
