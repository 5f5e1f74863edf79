/**
 * Tells how late a loop is. Whoever is called by the loop says so (`seen`); a timer sees to it that
 * somebody is every `tickMs`. A gap beyond that is a time in which this thread did not run: it was blocked,
 * or its process stopped, or the machine was frozen.
 *
 *      seen ── ≤ tickMs ── seen ──────────── 7 s ──────────── seen: late by 7 s − tickMs
 *
 * It must be asked before anything that arrived is believed: after a pause sockets are read before timers run.
 */
import type { Clock } from '../../transport/clock.ts';
import { untilNextPeriod } from './monotonic-clock.ts';

/** Every tick is a wake-up of its thread, so no more of them than a report a second needs. */
export const loopTickMs = 1000;

/** The longest gap between two ticks that are on time: one that was a little early, and the next. */
const gapMs = loopTickMs * 1.1;

export class LoopWatch {
  readonly #clock: Clock;
  readonly #onLate: (lagMs: number, nowMs: number) => void;
  readonly #onTick: ((nowMs: number) => void) | undefined;
  #lastSeenMs: number;
  #timer: unknown;
  #lagMsMax = 0;

  /** `onLate` is called for every gap, however small; `onTick` each `loopTickMs`. */
  constructor(
    clock: Clock,
    onLate: (lagMs: number, nowMs: number) => void,
    onTick?: (nowMs: number) => void,
  ) {
    this.#clock = clock;
    this.#onLate = onLate;
    this.#onTick = onTick;
    this.#lastSeenMs = clock.nowMs();
  }

  start(): void {
    this.#lastSeenMs = this.#clock.nowMs();
    this.#arm();
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  /** The loop runs; gives the time. */
  seen(): number {
    const nowMs = this.#clock.nowMs();
    const lagMs = nowMs - this.#lastSeenMs - gapMs;
    this.#lastSeenMs = nowMs;
    if (lagMs > 0) {
      if (lagMs > this.#lagMsMax) this.#lagMsMax = lagMs;
      this.#onLate(lagMs, nowMs);
    }
    return nowMs;
  }

  /** The longest lag since this was asked last, in ms. */
  takeLagMsMax(): number {
    const lag = this.#lagMsMax;
    this.#lagMsMax = 0;
    return lag;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimeout(
      () => {
        const nowMs = this.seen();
        this.#arm();
        this.#onTick?.(nowMs);
      },
      untilNextPeriod(this.#clock.nowMs(), loopTickMs),
    );
  }
}
