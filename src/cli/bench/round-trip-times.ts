/**
 * Every round trip of a measurement, to the last digit: no histogram's rounding, and a clock reading is stored in
 * a few nanoseconds. What it is stored in is kept for the next measurement, so that the memory of a process that
 * measures for minutes is that of what it measures.
 */
import type { LatencySummary } from '../latency.ts';

/** Milliseconds. */
export interface RoundTripTimes extends LatencySummary {
  readonly p90: number;
  readonly p999: number;
  readonly p9999: number;
}

/** As a chart shows them, with the key of each. */
export const chartPercentiles = [
  ['50', 'p50'],
  ['90', 'p90'],
  ['99', 'p99'],
  ['99.9', 'p999'],
  ['99.99', 'p9999'],
] as const;

const countAtFirst = 64 * 1024;

export class RoundTripRecorder {
  #times = new Float64Array(countAtFirst);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  record(milliseconds: number): void {
    if (this.#count === this.#times.length) this.#grow();
    this.#times[this.#count++] = milliseconds;
  }

  /** Of what was recorded since the last one, which it forgets; undefined if that is nothing. */
  takeSummary(): RoundTripTimes | undefined {
    const count = this.#count;
    if (count === 0) return undefined;
    this.#count = 0;
    const sorted = this.#times.subarray(0, count).sort();
    // The nearest rank: a percentile is a time that was measured. In hundredths of a per cent, so that no
    // rounding error makes it the rank above.
    const at = (percent: number): number => {
      const rank = Math.ceil((Math.round(percent * 100) * count) / 10_000);
      return sorted[Math.max(0, rank - 1)]!;
    };
    return {
      min: sorted[0]!,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      p9999: at(99.99),
      max: sorted[count - 1]!,
      mean: sorted.reduce((sum, time) => sum + time, 0) / count,
    };
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#times.length);
    times.set(this.#times);
    this.#times = times;
  }
}
