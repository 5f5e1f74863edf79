/**
 * Keeps the process from ending while a client looks for monitors: between two attempts there is no socket
 * open, and the clock's timers hold nothing. With a clock that is not the host's there is nothing to hold.
 */
import { type Clock, systemClock } from '../../transport/clock.ts';

const longestMs = 0x7fff_ffff;

export class ProcessHold {
  readonly #isReal: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock) {
    this.#isReal = clock === systemClock;
  }

  take(): void {
    if (this.#isReal) this.#timer ??= setInterval(() => {}, longestMs);
  }

  release(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
