/**
 * The `simple` transport: node:net and TypeScript, no addon (design D4). It runs where the native core
 * cannot be built, is what that is compared with, and does everything the seam asks for but the socket
 * options that Node does not offer.
 *
 * It owns its listeners and channels; `close()` destroys them all.
 */
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { messageBytesMaxDefault } from '../../limits.ts';
import type { Channel, ChannelHandler, Listener, Transport } from '../channel.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';
import { FaultyStream } from './faulty-stream.ts';
import { connectNetStream, NetStream } from './net-stream.ts';
import { addressOf, socketAddressText, unsupportedOption } from './socket-text.ts';
import { StreamHost } from './stream-host.ts';

/** `ms_tcp_listen_backlog`. */
const backlogDefault = 512;

export interface SimpleTransportOptions {
  /** Front, middle and data bytes together of one message; larger ones are refused in both directions. */
  readonly messageBytesMax?: number;
  /** One read or write in so many breaks its connection (`ms_inject_socket_failures`); default 0: none. */
  readonly injectSocketFailures?: number;
}

export function createSimpleTransport(options: SimpleTransportOptions = {}): Transport {
  return new SimpleTransport(options);
}

class SimpleTransport implements Transport {
  readonly name = 'simple';
  readonly #host: StreamHost;
  readonly #failureOneIn: number;
  readonly #streams = new Set<NetStream>();
  readonly #servers = new Set<Server>();
  #referenced = true;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(options: SimpleTransportOptions) {
    this.#failureOneIn = options.injectSocketFailures ?? 0;
    this.#host = new StreamHost({
      defer: setImmediate,
      messageBytesMax: options.messageBytesMax ?? messageBytesMaxDefault,
      connect: (address, socketOptions, handler) =>
        this.#injecting(handler, (inner) => {
          const stream = connectNetStream(address, socketOptions, inner, this.#onGone);
          if (stream instanceof NetStream) this.#track(stream);
          return stream;
        }),
    });
  }

  createChannel(handler: ChannelHandler): Channel {
    this.#mustBeOpen();
    return this.#host.createChannel(handler);
  }

  async listen(
    address: SocketAddress,
    options: SocketOptions,
    onAccept: (channel: Channel) => void,
  ): Promise<Listener> {
    this.#mustBeOpen();
    const unsupported = unsupportedOption(options);
    if (unsupported !== undefined) throw unsupported;
    if (isIP(address.host) !== address.family) {
      throw new MsgrError(ErrorCode.InvalidArgument, `${address.host} is no IPv${address.family} address`);
    }
    const server = createServer({ noDelay: options.noDelay ?? true }, (socket) =>
      this.#accept(socket, onAccept),
    );
    this.#servers.add(server);
    if (!this.#referenced) server.unref();
    await new Promise<void>((resolve, reject) => {
      const onError = (error: Error): void => {
        this.#servers.delete(server);
        const text = `cannot listen on ${socketAddressText(address)}: ${error.message}`;
        reject(new MsgrError(ErrorCode.Bind, text, { cause: error }));
      };
      server.once('error', onError);
      server.listen(
        {
          host: address.host,
          port: address.port,
          backlog: options.backlog ?? backlogDefault,
          ipv6Only: address.family === 6,
          // In a cluster worker the primary must not hand one socket to all.
          exclusive: true,
        },
        () => {
          server.off('error', onError);
          // Later errors are failed accepts (descriptors used up): the listener goes on.
          server.on('error', () => {});
          resolve();
        },
      );
    });
    const bound = server.address() as { address: string; port: number };
    return {
      address: addressOf(bound.address, bound.port)!,
      close: () => this.#closeServer(server),
    };
  }

  flush(): void {
    this.#host.turn.flush();
  }

  ref(): void {
    this.#referenced = true;
    for (const server of this.#servers) server.ref();
    for (const stream of this.#streams) stream.ref();
  }

  unref(): void {
    this.#referenced = false;
    for (const server of this.#servers) server.unref();
    for (const stream of this.#streams) stream.unref();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const servers = [...this.#servers].map((server) => this.#closeServer(server));
    this.#host.destroyChannels();
    for (const stream of this.#streams) stream.destroy();
    if (this.#streams.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        // The caller waits for this, so the loop must live until it has happened.
        for (const stream of this.#streams) stream.ref();
      });
    }
    await Promise.all(servers);
  }

  #closeServer(server: Server): Promise<void> {
    if (!this.#servers.delete(server)) return Promise.resolve();
    // Only the listening descriptor is waited for: `close` calls back when the connections are gone too.
    server.close();
    return new Promise((resolve) => setImmediate(resolve));
  }

  #accept(socket: Socket, onAccept: (channel: Channel) => void): void {
    const remote = addressOf(socket.remoteAddress, socket.remotePort);
    // The peer may be gone again before it was accepted.
    if (remote === undefined || this.#closing !== undefined) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    this.#host.accept(
      (handler) =>
        this.#injecting(handler, (inner) => {
          const stream = new NetStream(socket, inner, socketAddressText(remote), this.#onGone);
          stream.readAddresses();
          this.#track(stream);
          return stream;
        }),
      onAccept,
    );
  }

  #injecting(handler: ByteStreamHandler, open: (handler: ByteStreamHandler) => ByteStream): ByteStream {
    return this.#failureOneIn === 0 ? open(handler) : new FaultyStream(open, handler, this.#failureOneIn);
  }

  #track(stream: NetStream): void {
    this.#streams.add(stream);
    if (!this.#referenced) stream.unref();
  }

  readonly #onGone = (stream: NetStream): void => {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#onEmpty?.();
  };

  #mustBeOpen(): void {
    if (this.#closing !== undefined) throw new MsgrError(ErrorCode.Closed, 'the transport is closed');
  }
}
