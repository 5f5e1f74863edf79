/**
 * How long a peer's answers took over one network, as Ceph counts it: average, least and most of each
 * minute, kept for sixteen minutes, and summed up over the last one, five and fifteen (facts 5.5).
 */

/** Ceph's hb_vector_size. */
const slots = 16;
const minuteMs = 60_000;
export const pingTimeSpans = [1, 5, 15] as const;

/** Microseconds, each for the last 1, 5 and 15 minutes. */
export interface PingTimes {
  /** When the last minute ended, in monotonic ms. */
  readonly updatedMs: number;
  readonly average: readonly [number, number, number];
  readonly min: readonly [number, number, number];
  readonly max: readonly [number, number, number];
  readonly last: number;
}

export class PingTimeRecorder {
  #startMs = 0;
  #sum = 0;
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;
  /** Slots filled so far: a ring, the newest at `#index - 1`. */
  #index = 0;
  readonly #average = new Float64Array(slots);
  readonly #least = new Float64Array(slots);
  readonly #most = new Float64Array(slots);

  /** A round trip in microseconds. Gives the summary when it ended a minute (or `spanMs`). */
  record(nowMs: number, microseconds: number, spanMs = minuteMs): PingTimes | undefined {
    if (this.#startMs === 0) this.#startMs = nowMs;
    this.#sum += microseconds;
    this.#count++;
    this.#min = Math.min(this.#min, microseconds);
    this.#max = Math.max(this.#max, microseconds);
    if (nowMs - this.#startMs < spanMs) return undefined;
    this.#push(Math.floor(this.#sum / this.#count), this.#min, this.#max);
    this.#startMs = nowMs;
    this.#sum = 0;
    this.#count = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
    return this.#summary(nowMs, microseconds);
  }

  #push(average: number, least: number, most: number): void {
    if (this.#index === 0) {
      // The first value stands for all the minutes before it.
      this.#average.fill(average);
      this.#least.fill(least);
      this.#most.fill(most);
    }
    const at = this.#index++ % slots;
    this.#average[at] = average;
    this.#least[at] = least;
    this.#most[at] = most;
  }

  #summary(updatedMs: number, last: number): PingTimes {
    return {
      updatedMs,
      average: this.#over(this.#average, (values) =>
        Math.floor(values.reduce((a, b) => a + b) / values.length),
      ),
      min: this.#over(this.#least, (values) => Math.min(...values)),
      max: this.#over(this.#most, (values) => Math.max(...values)),
      last,
    };
  }

  #over(ring: Float64Array, sumUp: (values: number[]) => number): [number, number, number] {
    const newest = (count: number): number[] =>
      Array.from({ length: count }, (_, back) => ring[(this.#index - 1 - back + 2 * slots) % slots]!);
    return [sumUp(newest(1)), sumUp(newest(5)), sumUp(newest(15))];
  }
}
