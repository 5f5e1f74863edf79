/**
 * nats.js over a nats-server of the bench's own: every message goes through the broker, which is what a broker
 * is. The type is the last word of the subject. Nothing paces a publisher but `flush`, a round trip to the server.
 */
import { connect, type NatsConnection } from 'nats';
import type { LinkEnds, LinkHandler } from '../../src/cli/bench/link.ts';
import { ProcessPair } from '../../src/cli/bench/process-pair.ts';
import { missingNatsServer, NatsServer } from '../nats-server.ts';
import type { Peer } from '../peer.ts';

export const peers: readonly Peer[] = [
  {
    name: 'nats',
    title: 'nats.js, over nats-server',
    order: 34,
    scenarios: ['stream', 'requests', 'gc'],
    does: 'through a broker, whose own CPU is not counted; no CRC, no acks, at most once',
    missing: missingNatsServer,
    async start() {
      const server = await NatsServer.start();
      try {
        const pair = await ProcessPair.start(import.meta.url, { address: server.address });
        return {
          throughput: (task, onProgress) => pair.throughput(task, onProgress),
          roundTrips: (task, onProgress) => pair.roundTrips(task, onProgress),
          collections: (task) => pair.collections(task),
          async close() {
            await pair.close();
            await server.close();
          },
        };
      } catch (error) {
        await server.close();
        throw error;
      }
    },
  },
];

/** Published before the next flush must have come back. */
const unflushedBytesMax = 1024 * 1024;

class NatsLink {
  readonly #connection: NatsConnection;
  /** By type; a subject is not made anew for each message. */
  readonly #subjects = new Map<number, string>();
  readonly #prefix: string;
  #unflushedBytes = 0;
  #isPaused = false;
  onDrain: () => void = () => {};

  constructor(connection: NatsConnection, to: string, from: string, handler: LinkHandler<NatsLink>) {
    this.#connection = connection;
    this.#prefix = to;
    connection.subscribe(`${from}.*`, {
      callback: (error, message) => {
        if (error !== null) throw error;
        handler(Number(message.subject.slice(from.length + 1)), message.data, this);
      },
    });
  }

  send(type: number, payload: Uint8Array): boolean {
    let subject = this.#subjects.get(type);
    if (subject === undefined) {
      subject = `${this.#prefix}.${type}`;
      this.#subjects.set(type, subject);
    }
    this.#connection.publish(subject, payload);
    this.#unflushedBytes += payload.length + subject.length;
    if (this.#unflushedBytes < unflushedBytesMax && !this.#isPaused) return true;
    if (!this.#isPaused) {
      this.#isPaused = true;
      void this.#connection.flush().then(() => {
        this.#unflushedBytes = 0;
        this.#isPaused = false;
        this.onDrain();
      });
    }
    return false;
  }
}

class NatsEnds implements LinkEnds<NatsLink> {
  readonly #server: string;
  #connection: NatsConnection | undefined;

  constructor(server: string) {
    this.#server = server;
  }

  async listen(handler: LinkHandler<NatsLink>): Promise<string> {
    await this.#link('client', 'server', handler);
    return this.#server;
  }

  connect(_address: string, handler: LinkHandler<NatsLink>): Promise<NatsLink> {
    return this.#link('server', 'client', handler);
  }

  send(link: NatsLink, type: number, payload: Uint8Array): boolean {
    return link.send(type, payload);
  }

  onDrain(link: NatsLink, listener: () => void): void {
    link.onDrain = listener;
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  async #link(to: string, from: string, handler: LinkHandler<NatsLink>): Promise<NatsLink> {
    this.#connection = await connect({ servers: this.#server });
    const link = new NatsLink(this.#connection, to, from, handler);
    // The server knows of the subscription when this is back.
    await this.#connection.flush();
    return link;
  }
}

export function makeEnds(options: { readonly address: string }): LinkEnds<NatsLink> {
  return new NatsEnds(options.address);
}
