/** One end of an in-memory connection, as the channels see it. */
import type { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { SocketAddress } from '../socket.ts';
import type { ByteStream, ByteStreamHandler } from '../stream/byte-stream.ts';
import { socketAddressText } from '../stream/socket-text.ts';
import type { MemoryHost } from './memory-host.ts';
import type { MemoryNetwork } from './memory-network.ts';
import type { MemoryPipe } from './memory-pipe.ts';

const State = { opening: 0, open: 1, closed: 2 } as const;
type State = (typeof State)[keyof typeof State];

export class MemoryStream implements ByteStream {
  handler: ByteStreamHandler;
  readonly host: MemoryHost;
  readonly localAddress: SocketAddress;
  readonly #network: MemoryNetwork;
  readonly #peerAddress: SocketAddress;
  #state: State = State.opening;
  #paused = false;
  /** Set when the connection is made. */
  #incoming: MemoryPipe | undefined;
  #outgoing: MemoryPipe | undefined;
  /** The other end. */
  peer: MemoryStream | undefined;

  constructor(
    network: MemoryNetwork,
    host: MemoryHost,
    localAddress: SocketAddress,
    peerAddress: SocketAddress,
    handler: ByteStreamHandler,
  ) {
    this.#network = network;
    this.host = host;
    this.localAddress = localAddress;
    this.#peerAddress = peerAddress;
    this.handler = handler;
  }

  get remoteAddress(): SocketAddress | undefined {
    return this.#state === State.opening ? undefined : this.#peerAddress;
  }

  /** Whether a delivery may come: not before the owner knows the stream, nor while it is paused. */
  get takesData(): boolean {
    return this.#state === State.open && !this.#paused;
  }

  get isClosed(): boolean {
    return this.#state === State.closed;
  }

  // The network's side

  /** The connection is made; `opened` follows when the owner is to know. */
  attach(peer: MemoryStream, incoming: MemoryPipe, outgoing: MemoryPipe): void {
    this.peer = peer;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  /** An accepted stream is open as soon as it has an owner. */
  accepted(handler: ByteStreamHandler): void {
    this.handler = handler;
    this.#state = State.open;
    this.#incoming?.pump();
  }

  opened(): void {
    if (this.#state !== State.opening) return;
    this.#state = State.open;
    this.handler.onOpen();
    this.#incoming?.pump();
  }

  receive(bytes: Buffer): void {
    if (this.#state === State.open) this.handler.onData(bytes);
  }

  drained(): void {
    if (this.#state === State.open) this.handler.onDrain();
  }

  peerClosed(): void {
    const peer = socketAddressText(this.#peerAddress);
    this.fail(new MsgrError(ErrorCode.PeerClosed, `${peer} closed the connection`, { peer }));
  }

  fail(error: MsgrError): void {
    if (this.#state === State.closed) return;
    this.#state = State.closed;
    this.#outgoing?.finish();
    this.#network.forget(this);
    this.handler.onClose(error);
  }

  /** A path opened again. */
  pump(): void {
    this.#outgoing?.pump();
    this.#incoming?.pump();
  }

  discard(): void {
    this.#outgoing?.discard();
  }

  // The owner's side

  write(pieces: readonly Uint8Array[]): boolean {
    if (this.#state === State.closed) return true;
    return this.#outgoing!.write(pieces);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#incoming?.pump();
  }

  destroy(): void {
    if (this.#state === State.closed) return;
    this.#state = State.closed;
    this.#outgoing?.finish();
    this.#network.forget(this);
  }
}
