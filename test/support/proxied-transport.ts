/**
 * A transport whose listeners stand behind a {@link HandshakeProxy}: the address that is bound is the
 * proxy's, so that whoever dials a messenger on this transport is recorded, and can be cut off.
 */
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { leaseTransport, type TransportLease } from '../../src/messenger/transports.ts';
import { resolveOptions } from '../../src/options.ts';
import type { Channel, ChannelHandler, Listener, Transport } from '../../src/transport/channel.ts';
import type { SocketAddress, SocketOptions } from '../../src/transport/socket.ts';
import { HandshakeProxy } from './handshake-proxy.ts';
import type { TestTransport } from './messengers.ts';

export class ProxiedTransport implements Transport {
  /** One for each listener, in the order in which they were bound. */
  readonly proxies: HandshakeProxy[] = [];
  readonly #lease: TransportLease;

  /** To be closed after the messengers that use it. */
  constructor(name: TestTransport) {
    this.#lease = leaseTransport(name, resolveOptions());
  }

  get name(): Transport['name'] {
    return this.#lease.transport.name;
  }

  createChannel(handler: ChannelHandler): Channel {
    return this.#lease.transport.createChannel(handler);
  }

  async listen(
    address: SocketAddress,
    options: SocketOptions,
    onAccept: (channel: Channel) => void,
  ): Promise<Listener> {
    const behind = await this.#lease.transport.listen({ ...address, port: 0 }, options, onAccept);
    try {
      const proxy = await HandshakeProxy.start(behind.address, address);
      this.proxies.push(proxy);
      return {
        address: proxy.address,
        close: async () => {
          await proxy[Symbol.asyncDispose]();
          await behind.close();
        },
      };
    } catch (cause) {
      await behind.close();
      throw new MsgrError(ErrorCode.Bind, `cannot listen at ${address.host}:${address.port}`, { cause });
    }
  }

  flush(): void {
    this.#lease.transport.flush();
  }

  ref(): void {
    this.#lease.transport.ref();
  }

  unref(): void {
    this.#lease.transport.unref();
  }

  close(): Promise<void> {
    return this.#lease.release();
  }
}
