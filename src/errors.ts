/**
 * Every error a user of the library can meet, with its stable code.
 *
 * A programmer's mistake is a `TypeError` or an assertion; a peer's mistake closes that one connection and
 * is reported as a `MsgrError`; a user's mistake (options, addresses, files) throws a `MsgrError`.
 * The page docs/errors.md lists the same codes; a test compares the two.
 */

/** Stable error codes: the value is the code, the comment says what it means. */
export const ErrorCode = {
  /** Bytes from a peer, a file or a user do not decode; `offset` and `field` say where. */
  Malformed: 'ERR_MSGR_MALFORMED',
  /** A frame broke the msgr2.1 framing rules: CRC, tag, segment count, a length above its limit, late status. */
  BadFrame: 'ERR_MSGR_BAD_FRAME',
  /** Secure mode has used up the nonces of its keys: the connection ends, the next one has new keys. */
  NoncesUsedUp: 'ERR_MSGR_NONCES_USED_UP',
  /** The peer's banner is not msgr2, or its required features cannot be met. */
  BadBanner: 'ERR_MSGR_BAD_BANNER',
  /** A frame that the protocol does not allow in the present state. */
  UnexpectedFrame: 'ERR_MSGR_UNEXPECTED_FRAME',
  /** The peer is not the one that was dialled: entity type, address or nonce differ. */
  PeerMismatch: 'ERR_MSGR_PEER_MISMATCH',
  /** The peer lacks feature bits that this side's policy requires, or the other way round. */
  MissingFeatures: 'ERR_MSGR_MISSING_FEATURES',
  /** Authentication was refused, or its proof does not verify. */
  Auth: 'ERR_MSGR_AUTH',
  /** A keyring cannot be read, is no keyring, or has no key for the entity; the message names file and line. */
  Keyring: 'ERR_MSGR_KEYRING',
  /** Nothing listens at the address (ECONNREFUSED). */
  Refused: 'ERR_MSGR_REFUSED',
  /** A socket operation failed; `cause` holds the system's errno. */
  Socket: 'ERR_MSGR_SOCKET',
  /** The peer closed the byte stream. */
  PeerClosed: 'ERR_MSGR_PEER_CLOSED',
  /** An address, device or port cannot be bound. */
  Bind: 'ERR_MSGR_BIND',
  /** No answer within the time allowed. */
  Timeout: 'ERR_MSGR_TIMEOUT',
  /** The caller's AbortSignal fired. */
  Aborted: 'ERR_MSGR_ABORTED',
  /** The connection or the messenger is closed; nothing more can be sent on it. */
  Closed: 'ERR_MSGR_CLOSED',
  /** The session was reset: messages that were not acknowledged may be lost. */
  SessionReset: 'ERR_MSGR_SESSION_RESET',
  /** An argument or option has a value that cannot be used; the message names it. */
  InvalidArgument: 'ERR_MSGR_INVALID_ARGUMENT',
  /** A message is larger than a frame may be. */
  MessageTooLarge: 'ERR_MSGR_MESSAGE_TOO_LARGE',
  /** The native core cannot be loaded; every path that was tried is listed. */
  NativeLoad: 'ERR_MSGR_NATIVE_LOAD',
  /** The transport in use does not offer this (for example a device binding without the native core). */
  Unsupported: 'ERR_MSGR_UNSUPPORTED',
  /** A worker's handler cannot be loaded, or it failed on one message; `cause` is what it threw. */
  Handler: 'ERR_MSGR_HANDLER',
  /** A worker ended, or none can be started, before the message was done; `cause` says why. */
  WorkerLost: 'ERR_MSGR_WORKER_LOST',
  /** A monitor answered a command with an error; `errno` and `status` are its own. */
  MonCommand: 'ERR_MSGR_MON_COMMAND',
  /** A monitor's store or an OSD's data folder cannot be used, or what it holds does not agree; the daemon ends. */
  Store: 'ERR_MSGR_STORE',
  /** More requests or bytes wait for an answer than may wait. */
  Overloaded: 'ERR_MSGR_OVERLOADED',
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** Where and why: the optional parts of a {@link MsgrError}. */
export interface MsgrErrorDetails {
  cause?: unknown;
  /** The peer's address in Ceph's text form, when a peer is involved. */
  peer?: string;
  /** Byte offset of the offending field, counted from the start of what was being decoded. */
  offset?: number;
  /** Name of the offending field, dotted from the outermost struct: `hello.peerAddr.nonce`. */
  field?: string;
  /** The peer's error number (Linux's, positive), when the peer refused with one: 13 for EACCES. */
  errno?: number;
}

const brand = Symbol.for('msgr2.MsgrError');

/** The one error class of the library; `code` is stable, `message` is for people. */
export class MsgrError extends Error {
  readonly code: ErrorCode;
  readonly peer?: string;
  readonly offset?: number;
  readonly field?: string;
  readonly errno?: number;

  constructor(code: ErrorCode, message: string, details: MsgrErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'MsgrError';
    this.code = code;
    if (details.peer !== undefined) this.peer = details.peer;
    if (details.offset !== undefined) this.offset = details.offset;
    if (details.field !== undefined) this.field = details.field;
    if (details.errno !== undefined) this.errno = details.errno;
  }

  get [brand](): true {
    return true;
  }

  /** True for errors of every copy of the library that is loaded, those in worker threads included. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }
}
