/**
 * The clock of the heartbeats: CLOCK_MONOTONIC, whose zero is the same in all threads of a process, unlike
 * that of `performance.now()`. The wall clock only makes stamps; no decision reads it.
 */
// Imported: the global `process` is looked up through a getter at every use.
import { hrtime } from 'node:process';
import { type Clock, systemClock } from '../../transport/clock.ts';

export const monotonicClock: Clock = {
  ...systemClock,
  nowMs() {
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1000 + nanoseconds / 1e6;
  },
};

const turnEnded = Promise.resolve();
let turnMs = 0;
let isRead = false;
const forget = (): void => {
  isRead = false;
};

/**
 * The same, read once for what one turn of this thread's event loop brings: it has arrived at one time, and a look
 * at the clock takes a tenth of answering a ping. Not for whoever measures within a turn.
 */
export const turnClock: Clock = {
  ...monotonicClock,
  nowMs() {
    if (isRead) return turnMs;
    isRead = true;
    void turnEnded.then(forget);
    turnMs = monotonicClock.nowMs();
    return turnMs;
  },
};

/** When the process began, on that clock: stamps count from there. */
export function processStartMs(): number {
  return monotonicClock.nowMs() - process.uptime() * 1000;
}

/**
 * The delay to the next whole period of a clock. Timers that are set by it fire together, those of the threads
 * of a process too, where each at a time of its own would wake a core that had gone to sleep.
 */
export function untilNextPeriod(nowMs: number, periodMs: number): number {
  const leftMs = periodMs - (nowMs % periodMs);
  // A timer may fire a little early: the period that is about to begin is not counted twice.
  return Math.ceil(leftMs < periodMs / 10 ? leftMs + periodMs : leftMs);
}
