/**
 * What most cases of Ceph's test_msgr stand on: a server osd.0 and a client, and dispatchers that count the
 * messages of each session. The server's dispatcher answers every message with a ping, when it is told to.
 */
import type { Connection } from '../../../src/messenger/connection.ts';
import { Message } from '../../../src/messenger/message.ts';
import type { Messenger } from '../../../src/messenger/messenger.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import type { Options } from '../../../src/options.ts';
import { EntityName, EntityType } from '../../../src/wire/entity-name.ts';
import { MPing } from '../../../src/wire/messages/m-ping.ts';
import { Breakpoints } from '../../support/breakpoints.ts';
import { Messengers, Recorder, type TestTransport } from '../../support/messengers.ts';
import { waitUntil, withTimeout } from '../../support/timeout.ts';

export function ping(data?: Uint8Array): Message {
  return new Message({ type: MPing.type, ...(data === undefined ? {} : { data }) });
}

/** Counts messages by session: a reset, of this side or of the other, begins a new count. */
export class SessionRecorder extends Recorder {
  readonly #counts = new Map<Connection, number>();
  readonly #isServer: boolean;

  constructor(isServer: boolean) {
    super();
    this.#isServer = isServer;
  }

  sessionCount(connection: Connection): number {
    return this.#counts.get(connection) ?? 0;
  }

  override dispatch(message: Parameters<Recorder['dispatch']>[0]): boolean {
    const { connection } = message;
    this.#counts.set(connection, this.sessionCount(connection) + 1);
    if (this.#isServer && !connection.isLoopback) connection.send(ping());
    return super.dispatch(message);
  }

  override handleReset(connection: Connection): boolean {
    this.#counts.delete(connection);
    return super.handleReset(connection);
  }

  override handleRemoteReset(connection: Connection): void {
    this.#counts.delete(connection);
    super.handleRemoteReset(connection);
  }
}

/** Ceph's test process runs with this backoff. */
const testOptions = { ms_max_backoff: 1 };
/** One for both, as in Ceph's test: addresses are ordered by nonce first, and here the port shall decide. */
const nonce = process.pid;

export interface PingPairInit {
  /** For clients, at the server. */
  readonly serverPolicy?: Policy;
  /** For the server, at the client. */
  readonly clientPolicy?: Policy;
  /** Whether the server answers. */
  readonly replies?: boolean;
  /** The client listens too, so that the server can come back to it; the server's address is the smaller one. */
  readonly clientIsBound?: boolean;
  readonly options?: Partial<Options>;
}

export class PingPair implements AsyncDisposable {
  readonly server: Messenger;
  readonly client: Messenger;
  readonly serverRecorder: SessionRecorder;
  readonly clientRecorder = new SessionRecorder(false);
  readonly serverPoints = new Breakpoints();
  readonly clientPoints = new Breakpoints();
  readonly #all: Messengers;

  private constructor(all: Messengers, init: PingPairInit) {
    this.#all = all;
    const options = { ...testOptions, ...init.options };
    this.serverRecorder = new SessionRecorder(init.replies ?? true);
    this.server = all.create({ name: 'osd.0', label: 'server', nonce, options });
    this.server.interceptor = this.serverPoints.interceptor;
    this.server.setDefaultPolicy(init.serverPolicy ?? Policy.statelessServer());
    this.server.addDispatcherHead(this.serverRecorder);
    this.client = all.create({
      name: new EntityName(EntityType.Client, -1n),
      label: 'client',
      nonce,
      options,
    });
    this.client.interceptor = this.clientPoints.interceptor;
    this.client.setDefaultPolicy(init.clientPolicy ?? Policy.lossyClient());
    this.client.addDispatcherHead(this.clientRecorder);
  }

  static async start(transport: TestTransport, init: PingPairInit = {}): Promise<PingPair> {
    const pair = new PingPair(new Messengers(transport), init);
    // One after the other from the same range of ports: the server's is the smaller one, and so wins races.
    await pair.server.bind('v2:127.0.0.1:0');
    if (init.clientIsBound) {
      const { port } = pair.server.myAddrs.front!;
      await pair.client.bind('v2:127.0.0.1:0', new Set(Array.from({ length: port }, (_, below) => below)));
    }
    pair.server.start();
    pair.client.start();
    return pair;
  }

  /** The client's connection to the server. */
  connect(): Connection {
    return this.client.getConnection(this.server.myAddrs, { peerType: EntityType.Osd });
  }

  /** The server's connection to the client: the accepted one, or a new one that connects. */
  connectBack(): Connection {
    return this.server.getConnection(this.client.myAddrs, { peerType: EntityType.Client });
  }

  /** Sends a ping and waits for the server's answer to it. */
  async roundTrip(connection: Connection, message = ping()): Promise<void> {
    const { clientRecorder } = this;
    const before = clientRecorder.messages.length;
    connection.send(message);
    await clientRecorder.untilMessages(before + 1);
  }

  /** Nothing may stay in a dispatch queue when a test ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    const queues = [this.server.dispatchQueue, this.client.dispatchQueue];
    const areEmpty = (): boolean => queues.every(({ length }) => length === 0);
    const isStopped = this.server.isShutDown || this.client.isShutDown;
    if (!isStopped) await waitUntil(areEmpty, 10_000, 'empty dispatch queues', 1);
    await this.#all[Symbol.asyncDispose]();
  }
}

/** Resolves when the connection is in the state. */
export function untilState(connection: Connection, state: Connection['state']): Promise<void> {
  if (connection.state === state) return Promise.resolve();
  const reached = new Promise<void>((resolve) => {
    connection.on('state', (now) => {
      if (now === state) resolve();
    });
  });
  return withTimeout(reached, 10_000, `state ${state}`);
}
