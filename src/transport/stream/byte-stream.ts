/**
 * What a socket is to a channel: ordered bytes both ways, with backpressure. node:net stands behind it in
 * the `simple` transport, in-memory pipes in the simulation.
 *
 *      made by connect ──► opening ──onOpen──► open ──► closed     made by accept: open
 *                             └────── onClose / destroy() ────┘
 *
 * One owner, which may change (a session takes over another's socket): `handler` is replaced then. No
 * event fires from inside a call. After `onClose` or `destroy()` none fires at all.
 */
import type { Buffer } from 'node:buffer';
import type { MsgrError } from '../../errors.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';

export interface ByteStreamHandler {
  /** A connecting stream reached its peer. */
  onOpen(): void;
  /** Bytes from the peer. The chunk belongs to the receiver and does not change any more. */
  onData(chunk: Buffer): void;
  /** Everything that `write` answered false for is with the system now; its memory is free. */
  onDrain(): void;
  /** Closed by the peer, refused or failed. */
  onClose(error: MsgrError): void;
}

export interface ByteStream {
  handler: ByteStreamHandler;
  /** While open. */
  readonly remoteAddress: SocketAddress | undefined;
  readonly localAddress: SocketAddress | undefined;
  /**
   * Takes the pieces in order. True: they are with the system and their memory may be used again. False:
   * the stream holds them until `onDrain`, and nothing may be written before that.
   */
  write(pieces: readonly Uint8Array[]): boolean;
  /** Stops and restarts `onData`; a chunk that is on its way may still come. Open at first. */
  pause(): void;
  resume(): void;
  /** Closes without an event; what was written and is still here is dropped. Idempotent. */
  destroy(): void;
}

/** Makes a connecting stream. It never throws: what cannot be done ends in `onClose`. */
export type ConnectStream = (
  address: SocketAddress,
  options: SocketOptions,
  handler: ByteStreamHandler,
) => ByteStream;
