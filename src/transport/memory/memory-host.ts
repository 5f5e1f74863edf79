/**
 * A process of the simulation: it has a clock of its own, behind which everything that happens to it
 * waits while it is paused, as a stopped process waits for SIGCONT. Time goes on meanwhile.
 */
import type { Clock } from '../clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

export class MemoryHost implements Clock {
  readonly #clock: VirtualClock;
  #paused = false;
  #held: (() => void)[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer: HostTimer = { isCancelled: false, event: undefined };
    const run = (): void => {
      if (!timer.isCancelled) callback();
    };
    timer.event = this.#clock.setTimeout(() => this.run(run), delayMs);
    return timer;
  }

  clearTimeout(handle: unknown): void {
    if (handle === undefined) return;
    const timer = handle as HostTimer;
    timer.isCancelled = true;
    this.#clock.clearTimeout(timer.event);
  }

  setImmediate(callback: () => void): void {
    this.#clock.setImmediate(() => this.run(callback));
  }

  /** Runs `task` at once, or after `resume()`. */
  run(task: () => void): void {
    // What is held goes first, also while it is being caught up on.
    if (this.#paused || this.#held.length > 0) this.#held.push(task);
    else task();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#catchUp();
  }

  /** One held task per event, so that a pause in the middle of them holds the rest again. */
  #catchUp(): void {
    if (this.#held.length === 0) return;
    this.#clock.setImmediate(() => {
      if (this.#paused) return;
      try {
        this.#held.shift()?.();
      } finally {
        this.#catchUp();
      }
    });
  }
}

interface HostTimer {
  isCancelled: boolean;
  event: unknown;
}
