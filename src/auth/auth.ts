/**
 * What the handshake asks of an authentication method. One `AuthClient` or `AuthServer` lives for one
 * connection attempt; secrets are made anew each time and nothing carries over a reconnect.
 */
import type { MsgrError } from '../errors.ts';
import type { EntityAddr } from '../wire/entity-addr.ts';
import type { AuthBadMethod } from '../wire/frames/auth-bad-method.ts';
import type { AuthRequest } from '../wire/frames/auth-request.ts';

/** `CEPH_AUTH_*`: method numbers on the wire. */
export const AuthMethod = { None: 1, Cephx: 2 } as const;
export type AuthMethod = (typeof AuthMethod)[keyof typeof AuthMethod];

/** `CEPH_CON_MODE_*`: how frames are protected after authentication. */
export const ConnectionMode = { Crc: 1, Secure: 2 } as const;
export type ConnectionMode = (typeof ConnectionMode)[keyof typeof ConnectionMode];

/** What authentication established of a connection, without its keys: for whoever uses the connection. */
export interface AuthFacts {
  /** The client's id in its cluster; 0 when there is none. */
  readonly globalId: bigint;
  /** `ConnectionMode`: whether what is sent can be read and altered on the way. */
  readonly connectionMode: number;
  /** Acceptor only: who the client proved to be (`client.admin`, `osd.3`); with AUTH_NONE, who it says it is. */
  readonly entity?: string;
  /** Acceptor only: what the client may do here, in Ceph's words (`allow *`); absent when nothing is said. */
  readonly caps?: string;
  /** A monitor's acceptor only: answers the client's later requests for tickets. */
  readonly requests?: AuthRequestHandler;
}

/** What both ends know once authentication is done. */
export interface AuthOutcome extends AuthFacts {
  /** Key of AUTH_SIGNATURE; absent with AUTH_NONE, whose signatures are zeros. */
  readonly sessionKey?: Uint8Array;
  /** 64 bytes in secure mode. */
  readonly connectionSecret?: Uint8Array;
}

/** An outcome whose keys do not show when it is printed. An empty connection secret is none. */
export function outcomeWithKeys(
  facts: AuthFacts,
  sessionKey: Uint8Array,
  connectionSecret: Uint8Array,
): AuthOutcome {
  const keys = connectionSecret.byteLength === 0 ? { sessionKey } : { sessionKey, connectionSecret };
  const hidden = Object.entries(keys).map(([name, value]) => [name, { value, enumerable: false }]);
  return Object.defineProperties({ ...facts }, Object.fromEntries(hidden));
}

/** Without the keys. */
export function authFacts(outcome: AuthOutcome): AuthFacts {
  const { sessionKey: _, connectionSecret: __, ...facts } = outcome;
  return Object.freeze(facts);
}

/** A monitor's side of one client's MAuth messages. */
export interface AuthRequestHandler {
  /** Answers MAuthReply's `result` (0, or a negative errno) and payload; does not throw for what is received. */
  handleRequest(payload: Uint8Array): { readonly result: number; readonly payload: Uint8Array };
}

/** The connector's side. Every method may throw MsgrError ERR_MSGR_AUTH, which ends the attempt. */
export interface AuthClient {
  start(): AuthRequest;
  /** AUTH_BAD_METHOD came: another request, or throw. */
  handleBadMethod(refusal: AuthBadMethod): AuthRequest;
  /** AUTH_REPLY_MORE came; answers AUTH_REQUEST_MORE's payload. */
  handleReplyMore(payload: Uint8Array): Uint8Array;
  handleDone(globalId: bigint, connectionMode: number, payload: Uint8Array): AuthOutcome;
}

/** The acceptor's next frame. */
export type AuthReply =
  | { readonly kind: 'more'; readonly payload: Uint8Array }
  | { readonly kind: 'done'; readonly payload: Uint8Array; readonly outcome: AuthOutcome }
  | ({ readonly kind: 'refused' } & AuthBadMethod);

/** The acceptor's side. Throwing MsgrError closes the connection without an answer. */
export interface AuthServer {
  handleRequest(request: AuthRequest): AuthReply;
  handleRequestMore(payload: Uint8Array): AuthReply;
  /** Why it refused last, for logs; the peer is told an error number only. */
  readonly refusal?: MsgrError | undefined;
}

/** Makes both, per connection attempt; entity types as in `EntityType`. */
export interface AuthProvider {
  /** `peerAddr`: whom the connector dials. */
  client(peerType: number, peerAddr?: EntityAddr): AuthClient;
  server(peerType: number): AuthServer;
}

/**
 * An authentication that lives longer than one connection: what a monitor's client keeps. Several
 * monitors may be asked at once; what a handshake brought counts once that monitor is chosen. Times are
 * wall-clock milliseconds, as tickets carry wall-clock times.
 */
export interface AuthSession extends AuthProvider {
  /** `AuthMethod`, as MAuth names it. */
  readonly protocol: number;
  /** 0 until a monitor was chosen; kept over reconnects. */
  readonly globalId: bigint;
  /** Everything wanted is held: tickets of the wanted services, and rotating keys where they are wanted. */
  readonly isComplete: boolean;
  /** When `nextRequest` has something to say again; Infinity when never. */
  readonly nextDue: number;
  /** The monitor at this address won the hunt. */
  choose(peerAddr: EntityAddr): void;
  /** Payload of the next MAuth on the monitor's session; undefined when nothing is due or one is under way. */
  nextRequest(now: number): Uint8Array | undefined;
  /** MAuthReply came. Throws MsgrError ERR_MSGR_AUTH when the monitor refuses. */
  handleReply(reply: {
    readonly result: number;
    readonly globalId: bigint;
    readonly payload: Uint8Array;
  }): void;
  /** The request under way died with its session; it is asked again. */
  abandonRequest(): void;
}
