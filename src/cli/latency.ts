/**
 * Round-trip times in constant memory: Node's own histogram, in nanoseconds with three digits of precision.
 * A ping that runs for a year keeps as much as one that runs for a second.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Milliseconds. */
export interface LatencySummary {
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/** What is longer is recorded as this; the ones who measure give up long before. */
const hourInNs = 3_600e9;

export class LatencyRecorder {
  readonly #histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: hourInNs, figures: 3 });
  #count = 0;
  /** The ends are kept exactly; the histogram rounds them. */
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  record(milliseconds: number): void {
    this.#count++;
    if (milliseconds < this.#min) this.#min = milliseconds;
    if (milliseconds > this.#max) this.#max = milliseconds;
    this.#histogram.record(Math.min(hourInNs, Math.max(1, Math.round(milliseconds * 1e6))));
  }

  reset(): void {
    this.#histogram.reset();
    this.#count = 0;
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = 0;
  }

  /** Undefined while nothing was recorded. */
  summary(): LatencySummary | undefined {
    if (this.#count === 0) return undefined;
    const clamp = (ms: number): number => Math.min(this.#max, Math.max(this.#min, ms));
    return {
      min: this.#min,
      p50: clamp(this.#histogram.percentile(50) / 1e6),
      p99: clamp(this.#histogram.percentile(99) / 1e6),
      max: this.#max,
      mean: clamp(this.#histogram.mean / 1e6),
    };
  }
}
