/**
 * Which pings are under way, found by the stamp they carry, and what became of the recent ones.
 *
 *      open ──answer()──► answered ──answer()──► a duplicate
 *        └──expire()────► lost ──────answer()──► late
 *
 * Everything but the open ones lives in a ring of fixed size: a reply that comes when its ping has left the
 * ring counts as unknown.
 */
import type { Signedspan, Utime } from '../../wire/utime.ts';

/** What {@link PingLedger.answer} gives in place of a sequence number. */
export const Unmatched = { Unknown: -1, Late: -2, Duplicate: -3 } as const;

const PingState = { None: 0, Open: 1, Answered: 2, Lost: 3 } as const;
const ringSizeMin = 4096;
const nsPerSecond = 1e9;

/**
 * Stamps as Ceph's: the wall clock, in nanoseconds, never twice the same. As a key a stamp is the number of
 * nanoseconds since the second in which this process began, exact for a hundred days.
 */
export class StampClock {
  readonly #baseSeconds = Math.floor(performance.timeOrigin / 1000);
  readonly #originMs = performance.timeOrigin - this.#baseSeconds * 1000;
  #last = 0;

  /** `nowMs` is a reading of `performance.now()`. */
  nextKey(nowMs: number): number {
    this.#last = Math.max(this.#last + 1, Math.floor((this.#originMs + nowMs) * 1e6));
    return this.#last;
  }

  stampOf(key: number): Utime {
    return { sec: this.#baseSeconds + Math.floor(key / nsPerSecond), nsec: key % nsPerSecond };
  }

  keyOf(stamp: Utime): number {
    return (stamp.sec - this.#baseSeconds) * nsPerSecond + stamp.nsec;
  }
}

/** The monotonic clock as it travels: time since the process began. */
export function monotonicSpan(nowMs: number): Signedspan {
  const sec = Math.floor(nowMs / 1000);
  return { sec, nsec: Math.floor((nowMs - sec * 1000) * 1e6) };
}

export class PingLedger {
  readonly #mask: number;
  readonly #keys: Float64Array;
  readonly #sentAt: Float64Array;
  readonly #states: Uint8Array;
  /** Sequence numbers by key, oldest first. */
  readonly #open = new Map<number, number>();

  /** @param window how many may be open at once */
  constructor(window: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(ringSizeMin, 2 * window)));
    this.#mask = size - 1;
    this.#keys = new Float64Array(size);
    this.#sentAt = new Float64Array(size);
    this.#states = new Uint8Array(size);
  }

  get openCount(): number {
    return this.#open.size;
  }

  /** When the oldest open ping left; undefined when none is open. */
  get oldestSentAt(): number | undefined {
    for (const seq of this.#open.values()) return this.sentAt(seq);
    return undefined;
  }

  open(seq: number, key: number, sentAt: number): void {
    const slot = seq & this.#mask;
    this.#keys[slot] = key;
    this.#sentAt[slot] = sentAt;
    this.#states[slot] = PingState.Open;
    this.#open.set(key, seq);
  }

  /** The sequence number of the ping that this stamp answers, or why there is none: {@link Unmatched}. */
  answer(key: number): number {
    const seq = this.#open.get(key);
    if (seq === undefined) return this.#explain(key);
    this.#open.delete(key);
    this.#states[seq & this.#mask] = PingState.Answered;
    return seq;
  }

  sentAt(seq: number): number {
    return this.#sentAt[seq & this.#mask]!;
  }

  /** Gives up on those that left at or before `sentAtMax`; `onLost` hears of each, oldest first. */
  expire(sentAtMax: number, onLost: (seq: number) => void): void {
    for (const [key, seq] of this.#open) {
      if (this.sentAt(seq) > sentAtMax) return;
      this.#open.delete(key);
      this.#states[seq & this.#mask] = PingState.Lost;
      onLost(seq);
    }
  }

  #explain(key: number): number {
    const slot = this.#keys.indexOf(key);
    if (slot < 0) return Unmatched.Unknown;
    return this.#states[slot] === PingState.Lost ? Unmatched.Late : Unmatched.Duplicate;
  }
}
