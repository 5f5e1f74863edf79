/** What the in-memory network may do to a stream, and what it has done. Probabilities are from 0 to 1. */

export interface MemoryFaults {
  /** Milliseconds from a write to its arrival, evenly between the two; order is always kept. */
  latencyMs: readonly [min: number, max: number];
  /** A delivery is cut short at a random byte: the rest comes as a delivery of its own. */
  partialRead: number;
  /** A write is taken only in part: the stream is blocked, and drains a latency later. */
  partialWrite: number;
  /** A delivery ends at a random byte with a reset of the connection, for both ends. */
  reset: number;
  /** One bit of a delivery is flipped. */
  corrupt: number;
  /** A connection attempt is refused though somebody listens. */
  refuse: number;
  /** What is written waits for up to `clogMsMax`, and everything behind it. */
  clog: number;
  clogMsMax: number;
}

/** A network that only takes its time. */
export const noFaults: Readonly<MemoryFaults> = {
  latencyMs: [0.05, 0.05],
  partialRead: 0,
  partialWrite: 0,
  reset: 0,
  corrupt: 0,
  refuse: 0,
  clog: 0,
  clogMsMax: 0,
};

/** How often each was done; a test compares it with 0 to know that it tested something. */
export interface FaultCounts {
  partialReads: number;
  partialWrites: number;
  resets: number;
  corruptions: number;
  refusals: number;
  clogs: number;
}
