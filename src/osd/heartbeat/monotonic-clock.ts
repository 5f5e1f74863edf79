/**
 * The clock of the heartbeats: CLOCK_MONOTONIC, whose zero is the same in all threads of a process, unlike
 * that of `performance.now()`. The wall clock only makes stamps; no decision reads it.
 */
import { type Clock, systemClock } from '../../transport/clock.ts';

export const monotonicClock: Clock = {
  ...systemClock,
  nowMs: () => Number(process.hrtime.bigint()) / 1e6,
};

/** When the process began, on that clock: stamps count from there. */
export function processStartMs(): number {
  return monotonicClock.nowMs() - process.uptime() * 1000;
}
