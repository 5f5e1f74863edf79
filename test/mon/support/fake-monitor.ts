/**
 * A monitor that is scripted: a real messenger on the in-memory network, and of Ceph's monitor what a client
 * sees of it.
 */

import type { Connection } from '../../../src/messenger/connection.ts';
import type { Dispatcher } from '../../../src/messenger/dispatcher.ts';
import { Message, type ReceivedMessage } from '../../../src/messenger/message.ts';
import { Messenger } from '../../../src/messenger/messenger.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import type { MemoryTransport } from '../../../src/transport/memory/memory-transport.ts';
import { MCommand } from '../../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../../src/wire/messages/m-command-reply.ts';
import { MConfig } from '../../../src/wire/messages/m-config.ts';
import { MLog } from '../../../src/wire/messages/m-log.ts';
import { MLogAck } from '../../../src/wire/messages/m-log-ack.ts';
import { MMonCommand } from '../../../src/wire/messages/m-mon-command.ts';
import { MMonCommandAck } from '../../../src/wire/messages/m-mon-command-ack.ts';
import { MMonGetMap } from '../../../src/wire/messages/m-mon-get-map.ts';
import { MMonGetOSDMap } from '../../../src/wire/messages/m-mon-get-osd-map.ts';
import { MMonGetVersion } from '../../../src/wire/messages/m-mon-get-version.ts';
import { MMonGetVersionReply } from '../../../src/wire/messages/m-mon-get-version-reply.ts';
import { MMonMap } from '../../../src/wire/messages/m-mon-map.ts';
import { MMonSubscribe, SubscribeFlag } from '../../../src/wire/messages/m-mon-subscribe.ts';
import { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import type { FakeCluster } from './fake-cluster.ts';

export class FakeMonitor implements Dispatcher {
  readonly name: string;
  readonly address: string;
  readonly #cluster: FakeCluster;
  #transport: MemoryTransport;
  messenger: Messenger;
  /** Answers to what it is asked; a monitor without a quorum is silent about commands. */
  isInQuorum = true;
  /** Called before anything else; true: the message is dealt with. */
  onMessage: ((message: ReceivedMessage) => boolean) | undefined;
  /** Types that came, in order. */
  readonly received: number[] = [];
  /** By session: the next epoch that an `osdmap` subscriber gets. */
  readonly #osdMapSubscribers = new Map<Connection, { next: number; isOneTime: boolean }>();
  readonly subscriptions: MMonSubscribe[] = [];
  readonly connections = new Set<Connection>();
  #held: ReceivedMessage[] = [];

  constructor(cluster: FakeCluster, name: string, address: string) {
    this.#cluster = cluster;
    this.name = name;
    this.address = address;
    [this.#transport, this.messenger] = this.#make();
  }

  #make(): [MemoryTransport, Messenger] {
    const transport = this.#cluster.network.createTransport({ address: this.#host });
    const messenger = Messenger.create({
      name: `mon.${this.name.charCodeAt(0) - 97}`,
      transport,
      nonce: 0,
      clock: transport.clock,
      random: this.#cluster.random,
      ...(this.#cluster.auth === undefined ? {} : { auth: this.#cluster.auth }),
    });
    messenger.setDefaultPolicy(Policy.statelessServer());
    messenger.addDispatcherTail(this);
    return [transport, messenger];
  }

  get #host(): string {
    return this.address.split(':')[1]!;
  }

  async start(): Promise<void> {
    await this.messenger.bind(this.address);
    this.messenger.start();
  }

  /** As kill -9 does. */
  async kill(): Promise<void> {
    await this.messenger.shutdown();
    await this.#transport.close();
    this.#osdMapSubscribers.clear();
    this.connections.clear();
  }

  async restart(): Promise<void> {
    [this.#transport, this.messenger] = this.#make();
    await this.start();
  }

  pause(): void {
    this.#transport.pause();
  }

  resume(): void {
    this.#transport.resume();
  }

  /** Ends the sessions with its clients. */
  hangUp(): void {
    this.messenger.markDownAll();
  }

  /** The quorum is back: what waited is answered. */
  joinQuorum(): void {
    this.isInQuorum = true;
    for (const message of this.#held.splice(0)) this.dispatch(message);
  }

  /** There are new OSDMaps. */
  publish(): void {
    for (const [connection, subscriber] of this.#osdMapSubscribers) this.#sendOsdMaps(connection, subscriber);
  }

  send(message: Message): void {
    for (const connection of this.connections) connection.send(message);
  }

  handleAccept(connection: Connection): void {
    this.connections.add(connection);
  }

  handleReset(connection: Connection): void {
    this.connections.delete(connection);
    this.#osdMapSubscribers.delete(connection);
  }

  dispatch(message: ReceivedMessage): boolean {
    this.received.push(message.type);
    if (this.onMessage?.(message) === true) return true;
    const { connection } = message;
    const cluster = this.#cluster;
    switch (message.type) {
      case MMonGetMap.type:
        connection.send(Message.of(MMonMap, { monmap: cluster.monMapBytes() }));
        return true;
      case MMonSubscribe.type:
        this.#subscribe(connection, message.as(MMonSubscribe)!);
        return true;
      case MMonGetOSDMap.type: {
        const { fullFirst, fullLast } = message.as(MMonGetOSDMap)!;
        const first = Math.max(fullFirst, cluster.osdMaps.oldest);
        const last = Math.min(fullLast, cluster.osdMaps.newest);
        const fulls =
          first > last ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index);
        connection.send(Message.of(MOSDMap, cluster.osdMaps.message(fulls, [])));
        return true;
      }
      case MLog.type: {
        const { entries, fsid } = message.as(MLog)!;
        for (const entry of entries) cluster.log.set(`${entry.rank} ${entry.seq}`, entry.message);
        connection.send(Message.of(MLogAck, { fsid, last: entries.at(-1)!.seq, channel: '' }));
        return true;
      }
      case MCommand.type: {
        const [text] = message.as(MCommand)!.command;
        message.reply(
          Message.of(MCommandReply, { result: 0, status: '', output: Buffer.from(`${this.name} ${text}`) }),
        );
        return true;
      }
    }
    if (!this.isInQuorum) {
      this.#held.push(message);
      return true;
    }
    if (message.type === MMonCommand.type) this.#command(message);
    if (message.type === MMonGetVersion.type) {
      const { handle } = message.as(MMonGetVersion)!;
      const { newest, oldest } = cluster.osdMaps;
      const reply = { handle, version: BigInt(newest), oldestVersion: BigInt(oldest) };
      connection.send(Message.of(MMonGetVersionReply, reply));
    }
    return true;
  }

  #command(message: ReceivedMessage): void {
    const { command, input } = message.as(MMonCommand)!;
    const parsed = JSON.parse(command[0]!) as { prefix: string };
    this.#cluster.commands.push({ monitor: this.name, tid: message.tid, prefix: parsed.prefix });
    const refused = parsed.prefix === 'refuse me';
    message.reply(
      Message.of(MMonCommandAck, {
        result: refused ? -22 : 0,
        status: refused ? 'no such thing' : '',
        command,
        output: Buffer.concat([Buffer.from(`${this.name}: ${parsed.prefix}`), input]),
      }),
    );
  }

  #subscribe(connection: Connection, body: MMonSubscribe): void {
    this.subscriptions.push(body);
    for (const [what, { flags, start }] of body.what) {
      const next = Number(start);
      if (what === 'config') {
        connection.send(Message.of(MConfig, { config: this.#cluster.config }));
      } else if (what === 'monmap' && next <= this.#cluster.monMap.epoch) {
        connection.send(Message.of(MMonMap, { monmap: this.#cluster.monMapBytes() }));
      } else if (what === 'osdmap') {
        const subscriber = { next, isOneTime: (flags & SubscribeFlag.OneTime) !== 0 };
        this.#osdMapSubscribers.set(connection, subscriber);
        this.#sendOsdMaps(connection, subscriber);
      }
    }
  }

  #sendOsdMaps(connection: Connection, subscriber: { next: number; isOneTime: boolean }): void {
    const { osdMaps } = this.#cluster;
    if (subscriber.next > osdMaps.newest) return;
    for (const maps of osdMaps.from(subscriber.next)) connection.send(Message.of(MOSDMap, maps));
    subscriber.next = osdMaps.newest + 1;
    if (subscriber.isOneTime) this.#osdMapSubscribers.delete(connection);
  }
}
