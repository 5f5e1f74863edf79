/** What is kept of every OSD that pings this one, peer of ours or not: clocks, its last PING, the map it has. */
import type { HeartbeatOptions } from './heartbeat-options.ts';
import { HeartbeatStamps } from './heartbeat-stamps.ts';

export interface PingSender {
  readonly stamps: HeartbeatStamps;
  lastPingInMs: number;
  /** PINGs still to be dropped (osd_debug_drop_ping_duration). */
  dropsLeft: number;
  /** The epoch that main was told this sender has, and what ours was then. */
  toldEpoch: number;
  toldOwnEpoch: number;
}

export class PingSenders {
  readonly #senders = new Map<number, PingSender>();

  get(osd: number): PingSender | undefined {
    return this.#senders.get(osd);
  }

  /** Only for OSDs of the map: that bounds how many there are. */
  of(osd: number): PingSender {
    let sender = this.#senders.get(osd);
    if (sender === undefined) {
      sender = {
        stamps: new HeartbeatStamps(),
        lastPingInMs: 0,
        dropsLeft: 0,
        toldEpoch: 0,
        toldOwnEpoch: 0,
      };
      this.#senders.set(osd, sender);
    }
    return sender;
  }

  /** Forgets whoever `isKept` does not want. */
  prune(isKept: (osd: number) => boolean): void {
    for (const osd of this.#senders.keys()) if (!isKept(osd)) this.#senders.delete(osd);
  }
}

/** osd_debug_drop_ping_probability: as if a run of PINGs had not arrived. */
export function dropsPing(sender: PingSender, options: HeartbeatOptions, random: () => number): boolean {
  const { osd_debug_drop_ping_probability, osd_debug_drop_ping_duration } = options;
  if (osd_debug_drop_ping_probability === 0) return false;
  if (sender.dropsLeft > 0) {
    sender.dropsLeft--;
    return true;
  }
  if (random() >= osd_debug_drop_ping_probability) return false;
  sender.dropsLeft = Math.max(0, osd_debug_drop_ping_duration - 1);
  return true;
}
