/**
 * A byte stream over node:net. Writes of one call are corked into one `writev`; what the system does not
 * take at once stays in the socket, and `onDrain` follows when it is gone.
 */

import type { Buffer } from 'node:buffer';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';
import { addressOf, socketAddressText, unsupportedOption } from './socket-text.ts';

export class NetStream implements ByteStream {
  handler: ByteStreamHandler;
  readonly #socket: Socket;
  readonly #peer: string;
  #closed = false;
  /** The last write is not with the system yet. */
  #blocked = false;
  #remoteAddress: SocketAddress | undefined;
  #localAddress: SocketAddress | undefined;

  /** `onGone` is called once, when the descriptor is closed. */
  constructor(socket: Socket, handler: ByteStreamHandler, peer: string, onGone: (stream: NetStream) => void) {
    this.#socket = socket;
    this.handler = handler;
    this.#peer = peer;
    socket.on('data', (chunk: Buffer) => {
      if (!this.#closed) this.handler.onData(chunk);
    });
    socket.on('end', () =>
      this.#close(new MsgrError(ErrorCode.PeerClosed, `${peer} closed the connection`, { peer })),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => this.#close(this.#mapped(error)));
    socket.on('close', () => {
      this.#close(new MsgrError(ErrorCode.PeerClosed, `${peer} closed the connection`, { peer }));
      onGone(this);
    });
  }

  get remoteAddress(): SocketAddress | undefined {
    return this.#remoteAddress;
  }

  get localAddress(): SocketAddress | undefined {
    return this.#localAddress;
  }

  /** For a connecting socket: `onOpen` when it is connected. */
  awaitOpen(): void {
    this.#socket.once('connect', () => {
      if (this.#closed) return;
      this.readAddresses();
      this.handler.onOpen();
    });
  }

  /** Asked once, when the socket is open: the system forgets a peer that has gone. */
  readAddresses(): void {
    this.#remoteAddress = addressOf(this.#socket.remoteAddress, this.#socket.remotePort);
    this.#localAddress = addressOf(this.#socket.localAddress, this.#socket.localPort);
  }

  write(pieces: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    const last = pieces.length - 1;
    if (last > 0) {
      socket.cork();
      for (let index = 0; index < last; index++) socket.write(pieces[index]!);
    }
    socket.write(pieces[last]!, this.#onWritten);
    if (last > 0) socket.uncork();
    this.#blocked = socket.writableLength > 0;
    return !this.#blocked;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  /** Also called for writes that the system took at once, whose answer was true; those are passed over. */
  readonly #onWritten = (): void => {
    if (!this.#blocked || this.#closed || this.#socket.writableLength > 0) return;
    this.#blocked = false;
    this.handler.onDrain();
  };

  #close(error: MsgrError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.handler.onClose(error);
  }

  #mapped(error: NodeJS.ErrnoException): MsgrError {
    const code =
      error.syscall === 'bind'
        ? ErrorCode.Bind
        : error.code === 'ECONNREFUSED'
          ? ErrorCode.Refused
          : ErrorCode.Socket;
    return new MsgrError(code, `${this.#peer}: ${error.message}`, { cause: error, peer: this.#peer });
  }
}

/** Starts to connect. What cannot even be started ends in `onClose` in the next turn. */
export function connectNetStream(
  address: SocketAddress,
  options: SocketOptions,
  handler: ByteStreamHandler,
  onGone: (stream: NetStream) => void,
): ByteStream {
  const peer = socketAddressText(address);
  try {
    const unsupported = unsupportedOption(options);
    if (unsupported !== undefined) throw unsupported;
    if (isIP(address.host) !== address.family) {
      throw new MsgrError(ErrorCode.InvalidArgument, `${address.host} is no IPv${address.family} address`);
    }
    const { localAddress } = options;
    const socket = connectSocket({
      host: address.host,
      port: address.port,
      noDelay: options.noDelay ?? true,
      ...(localAddress === undefined
        ? {}
        : {
            localAddress: localAddress.host,
            ...(localAddress.port === 0 ? {} : { localPort: localAddress.port }),
          }),
    });
    const stream = new NetStream(socket, handler, peer, onGone);
    stream.awaitOpen();
    return stream;
  } catch (error) {
    const mapped =
      error instanceof MsgrError
        ? error
        : new MsgrError(ErrorCode.InvalidArgument, `${peer}: ${(error as Error).message}`, { cause: error });
    return new FailedStream(handler, mapped);
  }
}

/** A stream that could not be made: closes as soon as its owner is ready to hear of it. */
class FailedStream implements ByteStream {
  handler: ByteStreamHandler;
  readonly remoteAddress = undefined;
  readonly localAddress = undefined;
  readonly #timer: NodeJS.Immediate;

  constructor(handler: ByteStreamHandler, error: MsgrError) {
    this.handler = handler;
    this.#timer = setImmediate(() => this.handler.onClose(error));
  }

  write(): boolean {
    return true;
  }

  pause(): void {}

  resume(): void {}

  destroy(): void {
    clearImmediate(this.#timer);
  }
}
