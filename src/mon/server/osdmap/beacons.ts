/**
 * MOSDBeacon: that an OSD lives, said to the monitor itself. An OSD without peers is missed by nobody else;
 * one that says nothing for mon_osd_report_timeout, or for two of its own intervals, is marked down.
 */
import { isUp, type OSDMap, osdExists } from '../../../maps/osdmap.ts';
import type { MOSDBeacon } from '../../../wire/messages/m-osd-beacon.ts';
import { utimeCompare } from '../../../wire/utime.ts';
import { isActive } from './active.ts';
import { type MarkContext, mayMarkDown } from './may-mark.ts';
import { done, type OsdSender, type Outcome, pendingMaps } from './outcome.ts';
import type { PendingOsdMap } from './pending-osd-map.ts';

interface LastReport {
  /** Monotonic; of an OSD that was not heard since this monitor started, when that was first noticed. */
  readonly atMs: number;
  /** 0 while no beacon has said. */
  readonly intervalSeconds: number;
}

export class Beacons {
  readonly #last = new Map<number, LastReport>();

  handle(pending: PendingOsdMap, sender: OsdSender, message: MOSDBeacon, nowMs: number): Outcome {
    const map = pending.base;
    if (!isActive(map, sender)) {
      // It may not know that it is taken for dead.
      const mapsFrom = isUp(map, sender.osd) ? undefined : Number(message.paxosVersion ?? 0n) + 1;
      return done('that life of it is over', mapsFrom);
    }
    this.#last.set(sender.osd, { atMs: nowMs, intervalSeconds: message.reportIntervalSeconds });
    const { lastPurgedSnapsScrub } = message;
    if (utimeCompare(pending.xinfo(sender.osd).lastPurgedSnapsScrub, lastPurgedSnapsScrub) >= 0) {
      return done('noted');
    }
    pending.changeXinfo(sender.osd, { lastPurgedSnapsScrub });
    return pendingMaps();
  }

  /** After a commit: whoever went down or came up begins anew. */
  forgetChanged(before: OSDMap, after: OSDMap): void {
    for (const osd of this.#last.keys()) {
      if (isUp(before, osd) !== isUp(after, osd) || !isUp(after, osd)) this.#last.delete(osd);
    }
  }

  /** On tick: marks down what has been silent for too long. */
  check(context: MarkContext, nowMs: number, tell: (text: string) => void): void {
    const { pending, options } = context;
    const timeoutMs = options.mon_osd_report_timeout * 1000;
    const map = pending.base;
    for (let osd = 0; osd < map.maxOsd; osd++) {
      if (!osdExists(map, osd) || !isUp(map, osd) || !pending.isUp(osd)) continue;
      const last = this.#last.get(osd);
      if (last === undefined) {
        this.#last.set(osd, { atMs: nowMs, intervalSeconds: 0 });
        continue;
      }
      const silentMs = nowMs - last.atMs;
      if (silentMs <= Math.max(timeoutMs, 2000 * last.intervalSeconds)) continue;
      if (!mayMarkDown(context, osd)) continue;
      tell(`osd.${osd} marked down after no beacon for ${(silentMs / 1000).toFixed(6)} seconds`);
      pending.markDown(osd);
    }
  }
}
