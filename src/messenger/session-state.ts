/**
 * What makes a session more than its socket: cookies, the counters of attempts, and who the peer is.
 * Message sequence numbers live in the channel, beside the frames they number.
 */
import type { RandomSource } from './random.ts';

export class SessionState {
  /** Chosen by the connector, kept over its reconnects; 0 for a lossy session. */
  clientCookie = 0n;
  /** Chosen by the acceptor; 0 until it answered. */
  serverCookie = 0n;
  /** Number of this side's present attempt, unique and rising within its messenger. */
  globalSeq = 0n;
  /** Reconnect attempts of this session. */
  connectSeq = 0n;
  /** global_seq of the peer's last attempt that this side accepted, or of its answer. */
  peerGlobalSeq = 0n;

  /** The peer forgot the session, or this side is told to. */
  reset(): void {
    this.clientCookie = 0n;
    this.serverCookie = 0n;
    this.connectSeq = 0n;
    this.peerGlobalSeq = 0n;
  }
}

/** A random u64 that is not 0. */
export function makeCookie(random: RandomSource): bigint {
  for (;;) {
    const cookie = random.u64();
    if (cookie !== 0n) return cookie;
  }
}
