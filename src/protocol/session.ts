/**
 * Which session a new byte stream belongs to. Both decisions of an acceptor are pure functions: what is
 * known of the connection that already exists with the same peer, and what the peer says, in; one
 * verdict out. The order of the questions is Ceph's and matters.
 *
 *      CLIENT_IDENT       a session begins, or its interrupted beginning is taken up again
 *      SESSION_RECONNECT  a session goes on where its last socket broke
 *
 * Ceph knows one more state, "being replaced right now", between handing a socket from thread to thread;
 * here a socket changes hands in one synchronous call, so the question never arises.
 * Spec: facts of ProtocolV2, msgr2.rst "session reset".
 */
import type { SessionReconnect } from '../wire/frames/session-reconnect.ts';

/** What is known of an established or half-established connection with the same peer address. */
export interface ExistingSession {
  /** A lossy session has nothing to resume. */
  readonly lossy: boolean;
  /** This side only accepts in that session, so it can never be the one that connects. */
  readonly server: boolean;
  /** 0 until the connector has chosen one. */
  readonly clientCookie: bigint;
  /** 0 until the acceptor has answered. */
  readonly serverCookie: bigint;
  /** global_seq of the peer's last attempt that was accepted. */
  readonly peerGlobalSeq: bigint;
  readonly connectSeq: bigint;
  /** Of the last message received in it. */
  readonly inSeq: bigint;
  /** In session, or resting in standby: not in the middle of a connect of its own. */
  readonly settled: boolean;
}

export type ClientIdentVerdict =
  /** A new connection. */
  | { readonly kind: 'accept' }
  /** An older attempt arrived late; drop this stream. */
  | { readonly kind: 'stale' }
  /** The existing lossy connection ends with a reset; this one is new. */
  | { readonly kind: 'replaceLossy' }
  /** The existing connection takes this stream over; `peerRestarted` when its session is gone. */
  | { readonly kind: 'takeOver'; readonly peerRestarted: boolean }
  /** Both sides connect at once and the existing attempt wins: answer WAIT and see it through. */
  | { readonly kind: 'wait' };

/**
 * Decides on CLIENT_IDENT.
 *
 * @param peerOrder the peer's msgr2 address compared with this side's: negative when the peer's is smaller.
 */
export function decideClientIdent(
  existing: ExistingSession | undefined,
  ident: { readonly clientCookie: bigint; readonly globalSeq: bigint },
  peerOrder: number,
): ClientIdentVerdict {
  if (existing === undefined) return { kind: 'accept' };
  if (existing.peerGlobalSeq > ident.globalSeq) return { kind: 'stale' };
  if (existing.lossy) return { kind: 'replaceLossy' };
  const hadSession = existing.serverCookie !== 0n && existing.clientCookie !== 0n;
  if (hadSession && existing.clientCookie !== ident.clientCookie) {
    return { kind: 'takeOver', peerRestarted: true };
  }
  if (existing.clientCookie === ident.clientCookie) return { kind: 'takeOver', peerRestarted: false };
  if (existing.settled) return { kind: 'takeOver', peerRestarted: false };
  if (peerOrder < 0 || existing.server) return { kind: 'takeOver', peerRestarted: false };
  return { kind: 'wait' };
}

export type ReconnectVerdict =
  /** The session is unknown here. `full`: the peer must forget it whole, not only its counters. */
  | { readonly kind: 'reset'; readonly full: boolean }
  /** The peer must try again with a global_seq above this one. */
  | { readonly kind: 'retryGlobal'; readonly globalSeq: bigint }
  /** The peer must try again with a connect_seq above this one. */
  | { readonly kind: 'retry'; readonly connectSeq: bigint }
  | { readonly kind: 'wait' }
  | { readonly kind: 'resume' };

/**
 * Decides on SESSION_RECONNECT.
 *
 * @param resetCheck the acceptor's policy: whether a lost session is reported to its users.
 */
export function decideReconnect(
  existing: ExistingSession | undefined,
  reconnect: Pick<
    SessionReconnect,
    'clientCookie' | 'serverCookie' | 'globalSeq' | 'connectSeq' | 'messageSeq'
  >,
  peerOrder: number,
  resetCheck: boolean,
): ReconnectVerdict {
  if (existing === undefined) return { kind: 'reset', full: true };
  if (existing.clientCookie !== reconnect.clientCookie) return { kind: 'reset', full: resetCheck };
  // This side connected, and never saw the answer that made the cookie the peer now shows.
  if (existing.serverCookie === 0n) return { kind: 'reset', full: false };
  if (!isOneSession(existing, reconnect)) return { kind: 'reset', full: resetCheck };
  if (existing.peerGlobalSeq > reconnect.globalSeq) {
    return { kind: 'retryGlobal', globalSeq: existing.peerGlobalSeq };
  }
  if (existing.connectSeq > reconnect.connectSeq) {
    return { kind: 'retry', connectSeq: existing.connectSeq };
  }
  const bothReconnect = existing.connectSeq === reconnect.connectSeq;
  if (bothReconnect && peerOrder > 0 && !existing.server) return { kind: 'wait' };
  return { kind: 'resume' };
}

/**
 * Two cookies make a session. Ceph compares the connector's only, and so takes a session that a late
 * CLIENT_IDENT began for the one that the same connector had before: sequence numbers of the one then
 * acknowledge messages of the other, which are lost. The acceptors' cookies may differ without harm when
 * both ends answered an establishment that the other never heard of, and nothing was received since.
 */
function isOneSession(
  existing: ExistingSession,
  { messageSeq, serverCookie }: Pick<SessionReconnect, 'messageSeq' | 'serverCookie'>,
): boolean {
  return existing.serverCookie === serverCookie || (existing.inSeq === 0n && messageSeq === 0n);
}
