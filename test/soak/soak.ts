/**
 * Lossless sessions over real sockets that break all the time: every socket call has a chance of one in
 * `failuresOneIn` to break its connection. Both directions of every link keep a ledger at both ends: what
 * was sent, in its order, as a count and a running CRC; what arrived must be the next message, whole.
 */
import { Buffer } from 'node:buffer';
import { Message, Messenger, Policy } from '../../src/index.ts';
import type { Connection } from '../../src/messenger/connection.ts';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import { crc32c } from '../../src/wire/crc32c.ts';

export type SoakPolicy = 'lossless_peer' | 'lossless_client';

export interface SoakOptions {
  readonly transport: 'async' | 'simple';
  /** Both ends the same, or a lossless_client before a stateful_server. */
  readonly policy: SoakPolicy;
  /** Messages in all, both directions of all links; more are sent until `kills` are reached too. */
  readonly messages: number;
  readonly kills: number;
  readonly links: number;
  /** `ms_inject_socket_failures`; Ceph's harshest test takes 30. */
  readonly failuresOneIn: number;
  readonly onProgress?: (progress: SoakProgress) => void;
}

export interface SoakProgress {
  sent: number;
  received: number;
  kills: number;
}

export interface SoakResult extends SoakProgress {
  replayed: number;
  duplicatesDropped: number;
  /** What must not be: empty when all is well. */
  violations: string[];
}

const type = 0x50a;
const burstMax = 32;
const payloadMax = 256;
const violationsKept = 20;

/** One direction of one link, as both ends wrote it down. */
class Ledger {
  sent = 0;
  sentCrc = 0;
  received = 0;
  receivedCrc = 0;
  readonly name: string;
  readonly #violate: (text: string) => void;

  constructor(name: string, violate: (text: string) => void) {
    this.name = name;
    this.#violate = violate;
  }

  /** The next message, whose length and content follow from its number. */
  next(): Message {
    const length = 4 + (((this.sent * 2_654_435_761) >>> 24) % payloadMax);
    const data = Buffer.alloc(length, this.sent & 0xff);
    data.writeUInt32LE(this.sent, 0);
    this.sent++;
    this.sentCrc = crc32c(this.sentCrc, data);
    return new Message({ type, data });
  }

  receive(message: ReceivedMessage): void {
    const number = message.data.length >= 4 ? message.data.readUInt32LE(0) : -1;
    if (number !== this.received) {
      const what = number < this.received ? 'came again or late' : 'came early: messages are lost';
      this.#violate(`${this.name}: message ${number} ${what}, ${this.received} was due`);
    }
    this.received++;
    this.receivedCrc = crc32c(this.receivedCrc, message.data);
  }

  settle(): void {
    if (this.received !== this.sent)
      this.#violate(`${this.name}: ${this.sent} sent, ${this.received} received`);
    if (this.receivedCrc !== this.sentCrc) this.#violate(`${this.name}: contents differ`);
  }
}

interface Link {
  readonly client: Messenger;
  readonly connection: Connection;
  readonly up: Ledger;
  readonly down: Ledger;
  /** The server's end, once it accepted. */
  accepted: Connection | undefined;
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const violations: string[] = [];
  const violate = (text: string): void => {
    if (violations.length < violationsKept) violations.push(text);
  };
  const common = {
    ms_inject_socket_failures: options.failuresOneIn,
    ms_initial_backoff: 0.001,
    ms_max_backoff: 0.004,
  };
  const server = Messenger.create({ name: 'osd.0', transport: options.transport, options: common });
  server.setDefaultPolicy(
    options.policy === 'lossless_peer' ? Policy.losslessPeer() : Policy.statefulServer(),
  );
  const links: Link[] = [];
  const linkOf = (connection: Connection): Link | undefined =>
    links.find(({ client }) => client.name.num === connection.peerName.num);
  server.addDispatcherTail({
    canFastDispatch: () => true,
    fastDispatch(message) {
      const link = linkOf(message.connection);
      if (link) link.up.receive(message);
      else violate(`a message of ${message.connection.peerName}, who is nobody`);
    },
    handleAccept(connection) {
      const link = linkOf(connection);
      if (link) link.accepted = connection;
    },
    handleRemoteReset: ({ peerName }) => violate(`${peerName} lost its session`),
    handleReset: ({ peerName }) => violate(`the connection to ${peerName} was reset`),
  });
  const addrs = await server.bind('v2:127.0.0.1:0');
  server.start();
  for (let index = 0; index < options.links; index++) {
    const client = Messenger.create({
      name: `osd.${index + 1}`,
      transport: options.transport,
      options: common,
    });
    client.setDefaultPolicy(
      options.policy === 'lossless_peer' ? Policy.losslessPeer() : Policy.losslessClient(),
    );
    const up = new Ledger(`osd.${index + 1} to osd.0`, violate);
    const down = new Ledger(`osd.0 to osd.${index + 1}`, violate);
    client.addDispatcherTail({
      canFastDispatch: () => true,
      fastDispatch: (message) => down.receive(message),
      handleRemoteReset: () => violate(`osd.0 lost the session of osd.${index + 1}`),
      handleReset: () => violate(`the connection of osd.${index + 1} was reset`),
    });
    await client.bind('v2:127.0.0.1:0');
    client.start();
    links.push({ client, connection: client.getConnection(addrs), up, down, accepted: undefined });
  }

  const measure = (): SoakProgress => {
    const ledgers = links.flatMap(({ up, down }) => [up, down]);
    const sum = (of: (ledger: Ledger) => number): number =>
      ledgers.reduce((total, each) => total + of(each), 0);
    // Each break is a fault of both ends; those of the clients count each once.
    const kills = links.reduce((total, { connection }) => total + connection.counters().faults, 0);
    return { sent: sum((ledger) => ledger.sent), received: sum((ledger) => ledger.received), kills };
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const sendBurst = (connection: Connection | undefined, ledger: Ledger): void => {
    const count = 1 + (((ledger.sent * 40_503) >>> 4) % burstMax);
    for (let index = 0; index < count && connection !== undefined; index++) {
      if (!connection.send(ledger.next())) return;
    }
  };

  try {
    let progress = measure();
    for (let round = 0; progress.sent < options.messages || progress.kills < options.kills; round++) {
      for (const { connection, accepted, up, down } of links) {
        if (connection.queuedBytes < 1 << 19) sendBurst(connection, up);
        if (accepted !== undefined && accepted.queuedBytes < 1 << 19) sendBurst(accepted, down);
      }
      await turn();
      if (round % 64 === 0) {
        progress = measure();
        options.onProgress?.(progress);
        if (violations.length > 0) break;
      }
    }
    const deadline = performance.now() + 60_000;
    for (progress = measure(); progress.received < progress.sent; progress = measure()) {
      if (violations.length > 0 || performance.now() > deadline) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const { up, down } of links) {
      up.settle();
      down.settle();
    }
    const ends = [...links.map(({ connection }) => connection), ...server.connections()];
    const total = (of: 'messagesReplayed' | 'duplicatesDropped'): number =>
      ends.reduce((sum, connection) => sum + connection.counters()[of], 0);
    return {
      ...measure(),
      replayed: total('messagesReplayed'),
      duplicatesDropped: total('duplicatesDropped'),
      violations,
    };
  } finally {
    await Promise.all(
      [server, ...links.map(({ client }) => client)].map((messenger) => messenger.shutdown()),
    );
  }
}
