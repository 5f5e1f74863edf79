/**
 * The one timer of a connection, and what it waits for in each state: a session while connecting
 * (ms_connection_ready_timeout), the next attempt in backoff (ms_initial_backoff doubling to
 * ms_max_backoff), and traffic while open (ms_connection_idle_timeout). Starting one wait ends the other.
 */
import type { Options } from '../options.ts';
import type { Clock } from '../transport/clock.ts';

const noBytesCounted = -1;

export class ConnectionTimer {
  readonly #clock: Clock;
  readonly #options: Options;
  #handle: unknown;
  #backoffSeconds = 0;

  constructor(clock: Clock, options: Options) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Seconds from the last failed attempt to the next one; 0 after a session. */
  get backoffSeconds(): number {
    return this.#backoffSeconds;
  }

  /** Calls when there is no session within the ready timeout, with that time in seconds. */
  expectSession(onTimeout: (seconds: number) => void): void {
    const seconds = this.#options.ms_connection_ready_timeout;
    this.#start(seconds, () => onTimeout(seconds));
  }

  /** Calls after the next backoff, twice the last one; after the peer's attempt was waited for, the longest. */
  backOff(afterWait: boolean, attempt: () => void): void {
    const { ms_initial_backoff, ms_max_backoff } = this.#options;
    if (afterWait) this.#backoffSeconds = ms_max_backoff;
    else if (this.#backoffSeconds === 0) this.#backoffSeconds = Math.min(ms_initial_backoff, ms_max_backoff);
    else this.#backoffSeconds = Math.min(this.#backoffSeconds * 2, ms_max_backoff);
    this.#start(this.#backoffSeconds, attempt);
  }

  /** The next failed attempt begins at ms_initial_backoff again. */
  resetBackoff(): void {
    this.#backoffSeconds = 0;
  }

  /** Calls when `bytesMoved` has stood still for the idle timeout, with that time in seconds; 0 never. */
  watchIdle(bytesMoved: () => number, onIdle: (seconds: number) => void): void {
    this.clear();
    const seconds = this.#options.ms_connection_idle_timeout;
    if (seconds === 0) return;
    let bytesBefore = noBytesCounted;
    const check = (): void => {
      const bytes = bytesMoved();
      if (bytes === bytesBefore) return onIdle(seconds);
      bytesBefore = bytes;
      this.#start(seconds, check);
    };
    this.#start(seconds, check);
  }

  clear(): void {
    if (this.#handle === undefined) return;
    this.#clock.clearTimeout(this.#handle);
    this.#handle = undefined;
  }

  #start(seconds: number, run: () => void): void {
    this.clear();
    this.#handle = this.#clock.setTimeout(run, seconds * 1000);
  }
}
