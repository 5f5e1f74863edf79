/**
 * Time as the messenger sees it: monotonic milliseconds and timers. The real one is the host's; the
 * simulation puts a virtual one in its place, so nothing above the transport may ask the host directly.
 */
export interface Clock {
  /** Milliseconds since an arbitrary start; never goes back. */
  nowMs(): number;
  setTimeout(callback: () => void, delayMs: number): unknown;
  clearTimeout(handle: unknown): void;
  /** Runs `callback` soon, after what arrived in this turn was handled. */
  setImmediate(callback: () => void): void;
}

/** The host's clock. Its timers do not hold the process open; sockets do. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs).unref(),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  setImmediate: (callback) => void setImmediate(callback),
};
