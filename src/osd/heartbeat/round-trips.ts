/** Histogram of round trips, for an operator's graphs: fixed bounds, cumulative only when it is shown. */

/** Upper bounds in ms. */
export const roundTripBucketsMs = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
] as const;

export class RoundTrips {
  readonly #counts = new Float64Array(roundTripBucketsMs.length + 1);
  #sumMs = 0;
  #count = 0;

  record(rttMs: number): void {
    let bucket = 0;
    while (bucket < roundTripBucketsMs.length && rttMs > roundTripBucketsMs[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sumMs += rttMs;
    this.#count++;
  }

  /** Cumulative, +Inf last. */
  snapshot(): { buckets: number[]; sumMs: number; count: number } {
    let sum = 0;
    const buckets = Array.from(this.#counts, (count) => {
      sum += count;
      return sum;
    });
    return { buckets, sumMs: this.#sumMs, count: this.#count };
  }
}
