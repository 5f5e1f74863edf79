/** A transport of the in-memory network: the same channels as `simple`, over pipes instead of sockets. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Channel, ChannelHandler, Listener, Transport } from '../channel.ts';
import type { Clock } from '../clock.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';
import type { ByteStream, ByteStreamHandler } from '../stream/byte-stream.ts';
import { unsupportedOption } from '../stream/socket-text.ts';
import { StreamHost } from '../stream/stream-host.ts';
import type { MemoryHost } from './memory-host.ts';
import type { MemoryListener, MemoryNetwork } from './memory-network.ts';
import { MemoryStream } from './memory-stream.ts';

export class MemoryTransport implements Transport {
  readonly name = 'memory';
  readonly #network: MemoryNetwork;
  readonly #host: MemoryHost;
  readonly #address: string | undefined;
  readonly #streams: StreamHost;
  readonly #listeners = new Set<MemoryListener>();
  #closed = false;

  constructor(
    network: MemoryNetwork,
    host: MemoryHost,
    address: string | undefined,
    messageBytesMax: number,
  ) {
    this.#network = network;
    this.#host = host;
    this.#address = address;
    this.#streams = new StreamHost({
      connect: (peer, options, handler) => this.#connect(peer, options, handler),
      defer: (run) => host.setImmediate(run),
      messageBytesMax,
    });
  }

  /** Time as this process sees it; its timers wait while the process is paused. */
  get clock(): Clock {
    return this.#host;
  }

  /** Stops the process: nothing happens to it until `resume()`; what its sockets get is kept. */
  pause(): void {
    this.#host.pause();
  }

  resume(): void {
    this.#host.resume();
  }

  createChannel(handler: ChannelHandler): Channel {
    this.#mustBeOpen();
    return this.#streams.createChannel(handler);
  }

  async listen(
    address: SocketAddress,
    options: SocketOptions,
    onAccept: (channel: Channel) => void,
  ): Promise<Listener> {
    this.#mustBeOpen();
    const unsupported = unsupportedOption(options);
    if (unsupported !== undefined) throw unsupported;
    const port = address.port === 0 ? this.#network.ephemeralPort() : address.port;
    const listener: MemoryListener = {
      address: { ...address, port },
      host: this.#host,
      accept: (open) => this.#streams.accept(open, onAccept),
    };
    this.#network.bind(listener);
    this.#listeners.add(listener);
    return {
      address: listener.address,
      close: async () => this.#closeListener(listener),
    };
  }

  flush(): void {
    this.#streams.turn.flush();
  }

  ref(): void {}

  unref(): void {}

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const listener of this.#listeners) this.#closeListener(listener);
    this.#streams.destroyChannels();
  }

  #closeListener(listener: MemoryListener): void {
    if (this.#listeners.delete(listener)) this.#network.unbind(listener);
  }

  #connect(address: SocketAddress, options: SocketOptions, handler: ByteStreamHandler): ByteStream {
    const localHost =
      options.localAddress?.host ?? this.#address ?? (address.family === 6 ? '::1' : '127.0.0.1');
    const localPort = options.localAddress?.port || this.#network.ephemeralPort();
    const local: SocketAddress = { family: address.family, host: localHost, port: localPort };
    const stream = new MemoryStream(this.#network, this.#host, local, address, handler);
    const unsupported = unsupportedOption(options);
    if (unsupported === undefined) this.#network.dial(stream, address);
    else this.#host.setImmediate(() => stream.fail(unsupported));
    return stream;
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new MsgrError(ErrorCode.Closed, 'the transport is closed');
  }
}
