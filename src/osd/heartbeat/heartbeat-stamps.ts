/**
 * Bounds of how far a peer's monotonic clock is ahead of ours (facts 5.3). Each side learns one bound from
 * when the other's message was sent and when it arrived, and tells it with the next ping: deltaUb.
 */
import { type Signedspan, signedspanToMs } from '../../wire/utime.ts';

/** A monotonic time for the wire. Milliseconds as a double are exact to 2 ns for a hundred days. */
export function signedspanFromMs(ms: number): Signedspan {
  const sec = Math.trunc(ms / 1000);
  // Not `ms % 1000`: the remainder of doubles is a call, and the difference is as exact.
  const ns = Math.round((ms - sec * 1000) * 1e6) | 0;
  if (ns === 1e9 || ns === -1e9) return { sec: sec + Math.sign(ns), nsec: 0 };
  return { sec, nsec: ns };
}

export class HeartbeatStamps {
  /** Milliseconds; NaN until learnt, as a field that is always a double is written in place. */
  #lowerBound = Number.NaN;
  #upperBound = Number.NaN;
  #upFrom = 0;

  get lowerBound(): number | undefined {
    return known(this.#lowerBound);
  }

  get upperBound(): number | undefined {
    return known(this.#upperBound);
  }

  /** For a PING, and for the reply to one: the upper bound as the peer sees it. */
  get deltaUb(): Signedspan | undefined {
    return Number.isNaN(this.#lowerBound) ? undefined : signedspanFromMs(-this.#lowerBound);
  }

  /** `now` is our clock, `sent` the peer's when it sent. Of an older incarnation: ignored. */
  gotPing(upFrom: number, now: number, sent: Signedspan, deltaUb: Signedspan | undefined): void {
    if (upFrom < this.#upFrom) return;
    if (upFrom > this.#upFrom) {
      this.#upFrom = upFrom;
      this.#upperBound = Number.NaN;
    }
    this.#learn(now, sent, deltaUb);
  }

  gotPingReply(now: number, sent: Signedspan, deltaUb: Signedspan | undefined): void {
    this.#learn(now, sent, deltaUb);
  }

  #learn(now: number, sent: Signedspan, deltaUb: Signedspan | undefined): void {
    this.#lowerBound = signedspanToMs(sent) - now;
    this.#upperBound = deltaUb === undefined ? Number.NaN : signedspanToMs(deltaUb);
  }
}

function known(ms: number): number | undefined {
  return Number.isNaN(ms) ? undefined : ms;
}
