/**
 * The pings of one peer on one network that were not answered, oldest first. An answer to one settles all
 * that were sent before it too.
 *
 * Invariant: stamps and times rise from the oldest to the newest, so an answer is found from the front. The
 * length is bounded: a peer silent for long keeps its oldest entries and the newest, which is all that
 * deadlines and answers need.
 */
import type { Utime } from '../../wire/utime.ts';

interface Entry {
  readonly stamp: Utime;
  readonly sentMs: number;
  deadlineMs: number;
}

/** Beyond, the second oldest is forgotten: an hour of a dead peer must not be kept ping by ping. */
const entriesMax = 64;

export class PingHistory {
  readonly #entries: Entry[] = [];

  get length(): number {
    return this.#entries.length;
  }

  /** 0 when every ping was answered. */
  get oldestSentMs(): number {
    return this.#entries[0]?.sentMs ?? 0;
  }

  get oldestDeadlineMs(): number {
    return this.#entries[0]?.deadlineMs ?? 0;
  }

  push(stamp: Utime, sentMs: number, deadlineMs: number): void {
    this.#entries.push({ stamp, sentMs, deadlineMs });
    if (this.#entries.length > entriesMax) this.#entries.splice(1, 1);
  }

  /** When the ping with this stamp was sent; it and all older ones are settled. Undefined: not (any more) known. */
  acknowledge({ sec, nsec }: Utime): number | undefined {
    const entries = this.#entries;
    for (let index = 0; index < entries.length; index++) {
      const { stamp, sentMs } = entries[index]!;
      if (stamp.sec !== sec || stamp.nsec !== nsec) continue;
      entries.splice(0, index + 1);
      return sentMs;
    }
    return undefined;
  }

  /** As `acknowledge`, without settling anything. */
  sentMsOf({ sec, nsec }: Utime): number | undefined {
    return this.#entries.find(({ stamp }) => stamp.sec === sec && stamp.nsec === nsec)?.sentMs;
  }

  isUnhealthy(nowMs: number): boolean {
    return this.#entries.length > 0 && nowMs > this.oldestDeadlineMs;
  }

  /** Time in which nothing could be heard does not count; whatever is left, `leastMs` is. */
  shift(byMs: number, leastMs: number): void {
    for (const entry of this.#entries) entry.deadlineMs = Math.max(entry.deadlineMs + byMs, leastMs);
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
