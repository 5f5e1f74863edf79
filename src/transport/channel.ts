/**
 * The seam between the messenger and what moves bytes. A `Transport` makes channels; a `Channel` is one
 * peer's byte stream in service: frame reader, frame writer, sequence numbers and the outbox of messages
 * that the peer has not acknowledged. Three transports stand behind it: `async` (the native event loop),
 * `simple` (node:net and TypeScript) and `memory` (simulation).
 *
 * A channel outlives its socket, so that a session survives a reconnect:
 *
 *      createChannel ──► idle ──connect()──► opening ──onOpen──► handshake ──startSession()──► in session
 *                         ▲                     │                    │                            │
 *                         └──── onClosed ◄──────┴────────────────────┴────────────────────────────┘
 *      any state ──destroy()──► gone          accepted channels begin in `handshake`
 *
 * In the handshake the owner *pulls*: one `expectBytes` or `expectFrame` brings one `onBytes` or
 * `onFrame`, and nothing behind it is read from the stream until the next call, because each answer may
 * change how the following bytes are to be read. In session the channel *pushes* batches of messages.
 *
 * All calls and all events happen on the JavaScript thread that made the transport. Events never fire
 * from inside a call on the channel. After `destroy()` no event fires.
 */
import type { MsgrError } from '../errors.ts';
import type { StreamSecrets } from '../protocol/stream-secrets.ts';
import type { MessageBatch } from './message-batch.ts';
import type { SocketAddress, SocketOptions } from './socket.ts';

/** What a message needs to go on the wire: the sender's fields of ceph_msg_header2 and three segments. */
export interface OutgoingMessage {
  /** Message type number, u16. */
  readonly type: number;
  /** u16; 255 highest. Already resolved: the channel sends in call order. */
  readonly priority: number;
  /** HEAD_VERSION of the encoding, u16. */
  readonly version: number;
  /** Oldest version whose reader can read it, u16. */
  readonly compatVersion: number;
  /** Transaction id, low and high u32. */
  readonly tidLow: number;
  readonly tidHigh: number;
  /** Not to be changed by the caller after `send`; `data` and `front` of 16 KiB and more may be lent, not copied. */
  readonly front: Uint8Array;
  readonly middle: Uint8Array;
  readonly data: Uint8Array;
}

/** What happens on a channel. Handlers must not throw: what they throw reaches `uncaughtException`. */
export interface ChannelHandler {
  /** `connect()` reached the peer; no byte has been read or written yet. */
  onOpen(): void;
  /** Answers `expectBytes`: exactly the bytes asked for. Valid during the call only. */
  onBytes(bytes: Buffer): void;
  /**
   * Answers `expectFrame`; in session, any control frame but ACK and KEEPALIVE2, which the channel
   * handles itself. `raw` is the whole frame as it was on the wire (for the signature's transcript; empty
   * once the stream has secrets, and in session). Both valid during the call only. A MESSAGE frame during
   * the handshake comes here too (tag 17, payload is its header segment), as it breaks the protocol
   * whatever it holds.
   */
  onFrame(tag: number, payload: Buffer, raw: Buffer): void;
  /**
   * Messages `first` to `end - 1` of the batch, in order, duplicates already dropped.
   * Answers whether anything keeps a view into the batch's slabs after the call: `false` lets the
   * transport reuse the memory at once.
   */
  onMessages(batch: MessageBatch, first: number, end: number): boolean;
  /** Once for each socket, in session, between two ends of one host: so much goes over it that memory is worth it. */
  onBusy?(): void;
  /** The backlog fell below half of `channelQueueBytesMax` after it or `queuedBytes` was read at or above that. */
  onDrain(): void;
  /**
   * The peer acknowledged messages up to and including `seq` (once per turn at most). A number, as no session
   * gets beyond 2^53 and a bigint is an object for each turn.
   */
  onAcknowledged?(seq: number): void;
  /**
   * The socket is gone: closed by the peer, failed, refused, or closed by the channel because of a bad
   * frame. The channel is idle again; outbox and sequence numbers are kept.
   */
  onClosed(error: MsgrError): void;
}

/** How a session runs on the channel. */
export interface SessionOptions {
  /**
   * True: sent messages stay in the outbox until acknowledged, and received ones are acknowledged
   * (in the header of messages that leave anyway, else by ACK frames).
   */
  readonly lossless: boolean;
}

/**
 * Memory that two channels of one host share, for what else would go over their socket: the steps to it, in session
 * and not in secure mode. `false`: the system does not allow it, and nothing has changed.
 */
export interface SharedMemoryPort {
  /** The acceptor listens at a UNIX socket of this name. */
  shareInvite(name: Uint8Array): boolean;
  /** The connector makes the memory and hands it over there. */
  shareGive(name: Uint8Array, token: Uint8Array): boolean;
  /** The acceptor takes it from who shows the token. */
  shareTake(token: Uint8Array): boolean;
  /** Gives up what the steps before made. */
  shareNothing(): void;
  /** What was sent so far is the last that goes over the socket. */
  shareOutput(): void;
  /** What was received so far is the last that came over the socket. */
  shareInput(): void;
}

export interface Channel {
  /** Receives the events; may be replaced at any time, as when a session takes over another's socket. */
  handler: ChannelHandler;
  /** The socket's ends, while there is one. */
  readonly remoteAddress: SocketAddress | undefined;
  readonly localAddress: SocketAddress | undefined;

  /** While there is a socket whose ends are on one host, of a transport that can. */
  readonly sharedMemory?: SharedMemoryPort | undefined;

  // The stream
  /** Idle only. Ends in `onOpen` or `onClosed`. */
  connect(address: SocketAddress, options: SocketOptions): void;
  /** Closes the socket without an event; unsent control bytes are dropped, the outbox is kept. */
  disconnect(): void;
  /**
   * Takes over the socket of `other`, with what was read but not handed out, its stream secrets and its
   * pending control bytes; its own socket, if any, is closed without an event. `other` is destroyed. Both must be of one
   * transport and `other` must be in the handshake.
   */
  adopt(other: Channel): void;
  /** Closes the socket and frees everything, without an event. Idempotent. */
  destroy(): void;

  // The handshake
  expectBytes(count: number): void;
  expectFrame(): void;
  /** Raw bytes: the banner, and frames before stream secrets exist. Copied. */
  sendBytes(bytes: Uint8Array): void;
  /** A single-segment control frame under the present stream secrets, before any message that waits. Copied. */
  sendControl(tag: number, payload: Uint8Array): void;
  /** Frames in both directions are encrypted from the next byte on. */
  secure(secrets: StreamSecrets): void;

  // The session
  /** Ends the handshake: replays the outbox in order with its old sequence numbers, then streams. */
  startSession(options: SessionOptions): void;
  /**
   * Appends to the outbox with the next sequence number; leaves with the next flush when in session.
   * Answers the bytes by which the queue grew: the message's frame.
   */
  send(message: OutgoingMessage): number;
  /** Drops outbox entries up to and including `seq`, as the peer has them. */
  acknowledge(seq: bigint): void;
  /** Sequence number of the last message received; what SESSION_RECONNECT and its answer carry. */
  readonly inSeq: bigint;
  /** Forgets what was received: a new session counts from 1 again. */
  resetInSeq(): void;
  /** Forgets the session whole: outbox dropped, both counters 0. */
  resetSession(): void;
  /** Stops and restarts taking bytes from the socket; what was read already is still delivered. */
  pauseReading(): void;
  resumeReading(): void;

  /** Framed bytes that wait for the socket, retained acknowledged-pending bytes not counted. */
  readonly queuedBytes: number;
  /**
   * What a sender heeds: `queuedBytes`, and, where the socket would take as much as it is given because its peer
   * is on the same host, what waits there unread beyond `unreadWithinHostBytesMax`.
   */
  readonly backlogBytes: number;
  /** Framed bytes of messages that are not acknowledged, sent or not (lossless sessions). */
  readonly unackedBytes: number;
  /** Messages in the outbox: not yet sent, or (lossless) not yet acknowledged. */
  readonly outboxCount: number;
  counters(): ChannelCounters;
}

/** Totals since the channel was made; they survive its sockets. */
export interface ChannelCounters {
  framesReceived: number;
  framesSent: number;
  messagesReceived: number;
  /** For the first time; a frame that is sent again counts as frame and as replay. */
  messagesSent: number;
  bytesReceived: number;
  bytesSent: number;
  /** Messages sent again after a reconnect. */
  messagesReplayed: number;
  /** Received again and dropped: seq at or below the last one. */
  duplicatesDropped: number;
}

export interface Listener {
  /** The bound address; the port is the one the system gave when 0 was asked for. */
  readonly address: SocketAddress;
  close(): Promise<void>;
}

export interface Transport {
  readonly name: 'async' | 'simple' | 'memory';
  /** An idle channel, to connect. */
  createChannel(handler: ChannelHandler): Channel;
  /**
   * Binds and listens. `onAccept` gets each new channel, in the handshake; it must set `handler` before
   * it returns, or `destroy()` it. Rejects with ERR_MSGR_BIND.
   */
  listen(
    address: SocketAddress,
    options: SocketOptions,
    onAccept: (channel: Channel) => void,
  ): Promise<Listener>;
  /** Sends what waits now instead of at the end of the turn. */
  flush(): void;
  /** Holds the host's event loop open or lets it end while only this transport waits. */
  ref(): void;
  unref(): void;
  /** Destroys every channel and listener; resolves when their descriptors are closed. Idempotent. */
  close(): Promise<void>;
}
