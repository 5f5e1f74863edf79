/**
 * Bounds of how far a peer's monotonic clock is ahead of ours (facts 5.3). Each side learns one bound from
 * when the other's message was sent and when it arrived, and tells it with the next ping: deltaUb.
 */
import { type Signedspan, signedspanFromNs, signedspanToNs } from '../../wire/utime.ts';

export class HeartbeatStamps {
  /** Nanoseconds; undefined until learnt. */
  #lowerBound: bigint | undefined;
  #upperBound: bigint | undefined;
  #upFrom = 0;

  get lowerBound(): bigint | undefined {
    return this.#lowerBound;
  }

  get upperBound(): bigint | undefined {
    return this.#upperBound;
  }

  /** For a PING, and for the reply to one: the upper bound as the peer sees it. */
  get deltaUb(): Signedspan | undefined {
    return this.#lowerBound === undefined ? undefined : signedspanFromNs(-this.#lowerBound);
  }

  /** `now` is our clock, `sent` the peer's when it sent. Of an older incarnation: ignored. */
  gotPing(upFrom: number, now: bigint, sent: Signedspan, deltaUb: Signedspan | undefined): void {
    if (upFrom < this.#upFrom) return;
    if (upFrom > this.#upFrom) {
      this.#upFrom = upFrom;
      this.#upperBound = undefined;
    }
    this.#learn(now, sent, deltaUb);
  }

  gotPingReply(now: bigint, sent: Signedspan, deltaUb: Signedspan | undefined): void {
    this.#learn(now, sent, deltaUb);
  }

  #learn(now: bigint, sent: Signedspan, deltaUb: Signedspan | undefined): void {
    this.#lowerBound = signedspanToNs(sent) - now;
    this.#upperBound = deltaUb === undefined ? undefined : signedspanToNs(deltaUb);
  }
}
