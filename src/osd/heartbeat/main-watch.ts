/**
 * The main thread as a worker sees it: main counts its ticks in shared memory, the worker looks at when the
 * count moved last. Nothing has to be sent for it, and so a main thread that is stuck is seen at once.
 */
import type { Clock } from '../../transport/clock.ts';
import { untilNextPeriod } from './monotonic-clock.ts';

export interface MainWatch {
  /** For how long main has stood still beyond two of its ticks, in ms; 0 when it runs. */
  stillMs(nowMs: number): number;
  /** The length of a standstill that has ended since this was asked last; else 0. */
  ended(nowMs: number): number;
  takeLagMsMax(): number;
  /** This loop stood still itself and could not see main move. */
  excuse(nowMs: number): void;
}

/** Where main is the same loop: it stands still when this loop does. */
export class StillMain implements MainWatch {
  stillMs(): number {
    return 0;
  }

  ended(): number {
    return 0;
  }

  takeLagMsMax(): number {
    return 0;
  }

  excuse(): void {}
}

export const mainTickMs = 1000;

/** Main's half. */
export class MainTicks {
  readonly shared: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(4));
  readonly #clock: Clock;
  #timer: unknown;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  start(): void {
    Atomics.add(this.shared, 0, 1);
    const delayMs = untilNextPeriod(this.#clock.nowMs(), mainTickMs);
    this.#timer = this.#clock.setTimeout(() => this.start(), delayMs);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }
}

/** The worker's half. */
export class SharedMainWatch implements MainWatch {
  readonly #shared: Int32Array<SharedArrayBuffer>;
  #count: number;
  #movedMs: number;
  /** When it was looked last, and what was seen then. */
  #lookedMs = Number.NaN;
  #stillMs = 0;
  #longestMs = 0;
  #lagMsMax = 0;

  constructor(shared: Int32Array<SharedArrayBuffer>, nowMs: number) {
    this.#shared = shared;
    this.#count = Atomics.load(shared, 0);
    this.#movedMs = nowMs;
  }

  stillMs(nowMs: number): number {
    if (nowMs === this.#lookedMs) return this.#stillMs;
    this.#lookedMs = nowMs;
    const count = Atomics.load(this.#shared, 0);
    if (count !== this.#count) {
      this.#count = count;
      this.#movedMs = nowMs;
    }
    const still = Math.max(0, nowMs - this.#movedMs - 2 * mainTickMs);
    this.#longestMs = Math.max(this.#longestMs, still);
    this.#lagMsMax = Math.max(this.#lagMsMax, still);
    this.#stillMs = still;
    return still;
  }

  ended(nowMs: number): number {
    if (this.stillMs(nowMs) > 0) return 0;
    const longest = this.#longestMs;
    this.#longestMs = 0;
    return longest;
  }

  takeLagMsMax(): number {
    const lag = this.#lagMsMax;
    this.#lagMsMax = 0;
    return lag;
  }

  excuse(nowMs: number): void {
    this.#movedMs = nowMs;
    this.#lookedMs = Number.NaN;
  }
}
