/**
 * A byte stream that breaks by itself (`ms_inject_socket_failures`), around one that would not: one call in
 * N, of those that read or write, ends the connection. A write is broken before or after its bytes left,
 * because a sender must be able to live with not knowing.
 */
import type { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { SocketAddress } from '../socket.ts';
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';

export class FaultyStream implements ByteStream, ByteStreamHandler {
  handler: ByteStreamHandler;
  readonly #inner: ByteStream;
  readonly #failureOneIn: number;
  #isClosed = false;
  /** False once the owner has destroyed the stream: it hears nothing more. */
  #mustTell = true;

  /** `open` makes the stream that is to be broken; its events come here first. */
  constructor(
    open: (handler: ByteStreamHandler) => ByteStream,
    handler: ByteStreamHandler,
    failureOneIn: number,
  ) {
    this.handler = handler;
    this.#failureOneIn = failureOneIn;
    this.#inner = open(this);
  }

  get remoteAddress(): SocketAddress | undefined {
    return this.#inner.remoteAddress;
  }

  get localAddress(): SocketAddress | undefined {
    return this.#inner.localAddress;
  }

  write(pieces: readonly Uint8Array[]): boolean {
    if (this.#isClosed) return true;
    if (!this.#fails()) return this.#inner.write(pieces);
    // The stream holds what it was given until it is destroyed, and then nobody waits for it any more.
    const isTaken = Math.random() < 0.5 || this.#inner.write(pieces);
    this.#isClosed = true;
    this.#inner.destroy();
    setImmediate(() => {
      if (this.#mustTell) this.handler.onClose(this.#error('write'));
    });
    return isTaken;
  }

  pause(): void {
    this.#inner.pause();
  }

  resume(): void {
    this.#inner.resume();
  }

  destroy(): void {
    this.#isClosed = true;
    this.#mustTell = false;
    this.#inner.destroy();
  }

  onOpen(): void {
    this.handler.onOpen();
  }

  onData(chunk: Buffer): void {
    if (this.#isClosed) return;
    if (!this.#fails()) return this.handler.onData(chunk);
    this.#isClosed = true;
    this.#inner.destroy();
    this.handler.onClose(this.#error('read'));
  }

  onDrain(): void {
    this.handler.onDrain();
  }

  onClose(error: MsgrError): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.handler.onClose(error);
  }

  #fails(): boolean {
    return Math.random() * this.#failureOneIn < 1;
  }

  #error(call: 'read' | 'write'): MsgrError {
    return new MsgrError(ErrorCode.Socket, `injected failure of a ${call} (ms_inject_socket_failures)`);
  }
}
