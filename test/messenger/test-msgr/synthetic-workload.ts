/**
 * The random workload of Ceph's Synthetic… tests: servers, clients, connections that come and go, and pings
 * whose answers must come back. Stricter than Ceph's, whose test passes over an answer that it does not know:
 * here every answer must belong to a ping, carry its bytes, come once, and come in the order of the pings.
 *
 * A ping may stay unanswered only when its connection was dropped or reset; its answer may still come if it
 * was sent around a remote reset, for the event follows the reset.
 */
import * as assert from 'uvu/assert';
import type { Connection } from '../../../src/messenger/connection.ts';
import type { Dispatcher } from '../../../src/messenger/dispatcher.ts';
import { Message, type ReceivedMessage } from '../../../src/messenger/message.ts';
import type { Messenger } from '../../../src/messenger/messenger.ts';
import type { Policy } from '../../../src/messenger/policy.ts';
import type { Options } from '../../../src/options.ts';
import { EntityName, EntityType } from '../../../src/wire/entity-name.ts';
import { SeededRandom } from '../../maps/support/random.ts';
import { Messengers, type TestTransport } from '../../support/messengers.ts';
import { waitUntil } from '../../support/timeout.ts';

const inFlightMax = 64;
const connectionsMax = 128;
const payloadCount = 100;
const pingType = 2;
/** Only there to get between the pings. */
const commandType = 97;
const commandPriority = 200;

const ping = 0;
const pong = 1;
/** u8 ping or pong, u32 number of the ping, u32 index of the payload; the payload follows. */
const headBytes = 9;

interface Ping {
  readonly payload: number;
  /** Around a reset nobody can say whether the answer comes. */
  isOptional: boolean;
}

export interface SyntheticOptions {
  readonly servers: number;
  readonly clients: number;
  readonly serverPolicy: Policy;
  readonly clientPolicy: Policy;
  readonly options?: Partial<Options>;
  readonly messageBytesMax: number;
  readonly seed: number;
}

export interface SyntheticOps {
  readonly seededConnections: number;
  readonly ops: number;
  /** Of 100: above which number a connection is made, one is dropped, a message is sent; the rest rests. */
  readonly connectAbove: number;
  readonly dropAbove: number;
  readonly sendAbove: number;
  readonly restMs: readonly [number, number];
  readonly drops?: boolean;
}

export class SyntheticWorkload implements AsyncDisposable {
  readonly violations: string[] = [];
  sent = 0;
  answered = 0;
  dropped = 0;
  resets = 0;
  remoteResets = 0;
  readonly #all: Messengers;
  readonly #random: SeededRandom;
  readonly #init: SyntheticOptions;
  readonly #servers: Messenger[] = [];
  readonly #clients: Messenger[] = [];
  readonly #payloads: Buffer[];
  /** Pings that wait for their answer, oldest first, by connection. */
  readonly #pending = new Map<Connection, Map<number, Ping>>();
  readonly #connections = new Map<Connection, { readonly client: Messenger; readonly server: Messenger }>();
  readonly #isLossy: boolean;
  #lastPing = 0;

  private constructor(transport: TestTransport, init: SyntheticOptions) {
    this.#all = new Messengers(transport);
    this.#init = init;
    this.#random = new SeededRandom(init.seed);
    this.#isLossy = init.clientPolicy.lossy;
    this.#payloads = Array.from({ length: payloadCount }, (_, index) =>
      Buffer.alloc(this.#random.between(32, init.messageBytesMax), index + 1),
    );
  }

  static async start(transport: TestTransport, init: SyntheticOptions): Promise<SyntheticWorkload> {
    const workload = new SyntheticWorkload(transport, init);
    for (let index = 0; index < init.servers; index++) {
      const name = new EntityName(EntityType.Osd, 0n);
      workload.#servers.push(await workload.#create(name, init.serverPolicy, true));
    }
    for (let index = 0; index < init.clients; index++) {
      const name = new EntityName(EntityType.Client, -1n);
      workload.#clients.push(await workload.#create(name, init.clientPolicy, init.clientPolicy.standby));
    }
    return workload;
  }

  async run(ops: SyntheticOps): Promise<void> {
    const random = this.#random;
    for (let index = 0; index < ops.seededConnections; index++) this.#connect();
    for (let op = 0; op < ops.ops; op++) {
      const value = random.between(0, 99);
      if (value > ops.connectAbove) this.#connect();
      else if (value > ops.dropAbove) {
        if (ops.drops !== false) this.#drop();
      } else if (value > ops.sendAbove) await this.#send();
      else await new Promise((resolve) => setTimeout(resolve, random.between(...ops.restMs)));
    }
  }

  /** Every answer that must come has come; all dispatch queues are empty. */
  async done(timeoutMs: number): Promise<void> {
    await waitUntil(() => this.#owed() === 0, timeoutMs, 'all answers').catch((error) => {
      const states = [...this.#pending]
        .filter(([, pings]) => pings.size > 0)
        .map(
          ([connection, pings]) =>
            `${connection.peerAddrs} ${connection.state}: ${pings.size} of ${[...pings.keys()].join(' ')}`,
        );
      throw new Error(`seed ${this.#init.seed}: ${error}\n${states.join('\n')}`);
    });
    await this.#all[Symbol.asyncDispose]();
    for (const messenger of [...this.#servers, ...this.#clients])
      assert.is(messenger.dispatchQueue.length, 0);
    assert.equal(this.violations, [], `seed ${this.#init.seed}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all[Symbol.asyncDispose]();
  }

  /** Sockets that failed, over all connections of this moment. */
  get faults(): number {
    let faults = 0;
    for (const messenger of [...this.#servers, ...this.#clients]) {
      for (const connection of messenger.connections()) faults += connection.counters().faults;
    }
    return faults;
  }

  async #create(name: EntityName, policy: Policy, isBound: boolean): Promise<Messenger> {
    const messenger = this.#all.create({ name, options: { ms_max_backoff: 1, ...this.#init.options } });
    messenger.setDefaultPolicy(policy);
    messenger.addDispatcherHead(this.#dispatcher);
    if (isBound) await messenger.bind('v2:127.0.0.1:0');
    messenger.start();
    return messenger;
  }

  readonly #dispatcher: Dispatcher = {
    canFastDispatch: () => true,
    fastDispatch: (message) => {
      if (message.type === commandType) return;
      const { connection, data } = message;
      if (data[0] === ping) {
        const answer = Buffer.from(data);
        answer[0] = pong;
        connection.send(new Message({ type: pingType, data: answer }));
      } else {
        this.#answer(message);
      }
    },
    handleReset: (connection) => {
      this.resets++;
      this.#connections.delete(connection);
      this.#pending.delete(connection);
      return true;
    },
    handleRemoteReset: (connection) => {
      this.remoteResets++;
      for (const pending of this.#pending.get(connection)?.values() ?? []) pending.isOptional = true;
    },
  };

  #answer({ connection, data }: ReceivedMessage): void {
    if (this.#isLossy) return;
    const number = data.readUInt32LE(1);
    const payload = this.#payloads[data.readUInt32LE(5)]!;
    const pending = this.#pending.get(connection);
    const found = pending?.get(number);
    if (found === undefined) {
      this.violations.push(`answer ${number} to nobody, or twice, over ${connection.peerAddrs}`);
      return;
    }
    for (const [other, { isOptional }] of pending!) {
      if (other === number) break;
      if (!isOptional)
        this.violations.push(`answer ${number} overtook ${other} over ${connection.peerAddrs}`);
      // What was passed over will not come any more.
      pending!.delete(other);
    }
    pending!.delete(number);
    if (!data.subarray(headBytes).equals(payload)) this.violations.push(`answer ${number} was altered`);
    this.answered++;
  }

  #owed(): number {
    let owed = 0;
    for (const pings of this.#pending.values()) {
      for (const { isOptional } of pings.values()) if (!isOptional) owed++;
    }
    return owed;
  }

  #connect(): void {
    if (this.#connections.size >= connectionsMax) return;
    const server = this.#random.pick(this.#servers);
    const client = this.#random.pick(this.#clients);
    const connection = client.getConnection(server.myAddrs, { peerType: EntityType.Osd });
    this.#connections.set(connection, { client, server });
  }

  async #send(): Promise<void> {
    await waitUntil(() => this.#owed() <= inFlightMax, 60_000, 'room for another message', 1);
    if (this.#connections.size === 0) return;
    const connection = this.#random.pick([...this.#connections.keys()]);
    if (this.#random.between(0, 99) >= 95) {
      connection.send(new Message({ type: commandType, priority: commandPriority, front: Buffer.alloc(30) }));
      return;
    }
    const payload = this.#random.between(0, payloadCount - 1);
    const number = ++this.#lastPing;
    const head = Buffer.alloc(headBytes);
    head.writeUInt32LE(number, 1);
    head.writeUInt32LE(payload, 5);
    if (!this.#isLossy) {
      const pending = this.#pending.get(connection) ?? new Map<number, Ping>();
      this.#pending.set(connection, pending);
      pending.set(number, { payload, isOptional: false });
    }
    this.sent++;
    connection.send(new Message({ type: pingType, data: Buffer.concat([head, this.#payloads[payload]!]) }));
  }

  #drop(): void {
    if (this.#connections.size < 10) return;
    const connection = this.#random.pick([...this.#connections.keys()]);
    const { client, server } = this.#connections.get(connection)!;
    this.dropped++;
    this.#pending.delete(connection);
    connection.markDown();
    this.#connections.delete(connection);
    const { server: isServed, lossy, standby } = this.#init.serverPolicy;
    if (isServed || lossy || !standby) return;
    // A lossless session of equals has two ends; each is marked down.
    server.markDown(client.myAddrs);
  }
}
