/**
 * A network's two messengers around its half of the heartbeats: hb_*_client dials the peers, hb_*_server is
 * dialled by theirs. Runs on whatever thread makes it.
 *
 *      HeartbeatNetwork ── PING ──► client ═══════ peer's server
 *                       ◄─ REPLY ──
 *      peer's client ═══════ server ── PING ──► HeartbeatNetwork ── REPLY ──► on the same connection
 */
import type { AuthProvider } from '../../auth/auth.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import type { ReceivedMessage } from '../../messenger/message.ts';
import { Messenger } from '../../messenger/messenger.ts';
import { Policy } from '../../messenger/policy.ts';
import type { RandomSource } from '../../messenger/random.ts';
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import type { Transport } from '../../transport/channel.ts';
import type { Clock } from '../../transport/clock.ts';
import type { SocketOptions } from '../../transport/socket.ts';
import { EntityAddr } from '../../wire/entity-addr.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { EntityType } from '../../wire/entity-name.ts';
import { MOSDPing } from '../../wire/messages/m-osd-ping.ts';
import { HeartbeatNetwork } from '../heartbeat/heartbeat-network.ts';
import { heartbeatOptionsOf } from '../heartbeat/heartbeat-options.ts';
import type { MainWatch } from '../heartbeat/main-watch.ts';
import type { HeartbeatMessengerCounters } from '../heartbeat/network-host.ts';
import type { HeartbeatLink, HeartbeatLinkEvents } from '../heartbeat/network-peer.ts';
import type { NetworkBatch, NetworkName } from '../heartbeat/network-protocol.ts';
import { tryReadPing } from './ping-codec.ts';
import { PingOutlet } from './ping-outlet.ts';

export interface HeartbeatMessengersInit {
  readonly network: NetworkName;
  readonly whoami: number;
  /** One for all messengers of the process. */
  readonly nonce: number;
  /** Where the server listens; port 0 takes a free one. Peers are dialled from its IP address. */
  readonly bindAddr: string;
  readonly options: Options;
  readonly auth: AuthProvider;
  readonly transport?: TransportName | Transport;
  readonly socketOptions?: SocketOptions;
  readonly clock: Clock;
  readonly startMs: number;
  readonly startWallMs: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly messengerRandom?: RandomSource;
  readonly main?: MainWatch;
  deliver(batch: NetworkBatch): void;
}

/** IP_TOS of the messengers when osd_heartbeat_use_min_delay_socket is set: low delay. */
const minDelayTypeOfService = 0x10;
/** Pings that wait for a connection to be made, in bytes; more are lost, as on the wire. */
const waitingBytesMax = 64 * 1024;

export class HeartbeatMessengers {
  readonly client: Messenger;
  readonly server: Messenger;
  readonly network: HeartbeatNetwork;
  readonly #bindAddr: EntityAddr;

  constructor(init: HeartbeatMessengersInit) {
    const { network, whoami, clock } = init;
    this.#bindAddr = EntityAddr.parse(init.bindAddr);
    const options = messengerOptions(init.options);
    const typeOfService = init.options.osd_heartbeat_use_min_delay_socket
      ? { typeOfService: minDelayTypeOfService }
      : {};
    const make = (side: 'client' | 'server', socketOptions: SocketOptions): Messenger =>
      Messenger.create({
        name: `osd.${whoami}`,
        label: `osd.${whoami} hb_${network}_${side}`,
        nonce: init.nonce,
        options,
        auth: init.auth,
        clock,
        ...(init.transport === undefined ? {} : { transport: init.transport }),
        ...(init.messengerRandom === undefined ? {} : { random: init.messengerRandom }),
        socketOptions: { ...typeOfService, ...socketOptions, ...init.socketOptions },
      });
    const { host } = this.#bindAddr;
    const localAddress = { family: host.includes(':') ? 6 : 4, host, port: 0 } as const;
    this.client = make('client', this.#bindAddr.isBlankIp ? {} : { localAddress });
    this.server = make('server', {});
    this.client.setPolicy(EntityType.Osd, Policy.lossyClient());
    this.client.addDispatcherTail(clientDispatcher);
    this.server.setDefaultPolicy(Policy.statelessServer());
    this.server.setPolicy(EntityType.Osd, Policy.statelessServer());
    const pings = new PingOutlet();
    this.network = new HeartbeatNetwork({
      network,
      clock,
      startMs: init.startMs,
      startWallMs: init.startWallMs,
      random: init.random,
      options: heartbeatOptionsOf(init.options),
      connect: (_osd, addrs, events) => new MessengerLink(this.client, addrs, events, pings),
      deliver: (batch) => init.deliver(batch),
      ...(init.main === undefined ? {} : { main: init.main }),
    });
    this.server.addDispatcherTail(serverDispatcher(this.network));
  }

  /** Binds and begins. With `fallBack`, a port that is taken is replaced by a free one. */
  async start(fallBack = false): Promise<EntityAddrVec> {
    let addrs: EntityAddrVec;
    try {
      addrs = await this.server.bind(this.#bindAddr);
    } catch (error) {
      const isTaken = error instanceof MsgrError && error.code === ErrorCode.Bind;
      if (!fallBack || !isTaken || this.#bindAddr.port === 0) throw error;
      addrs = await this.server.bind(this.#bindAddr.with({ port: 0 }));
    }
    this.client.start();
    this.server.start();
    this.network.start();
    return addrs;
  }

  async rebind(avoidPorts: ReadonlySet<number>): Promise<EntityAddrVec> {
    this.client.markDownAll();
    return await this.server.rebind(avoidPorts);
  }

  counters(): HeartbeatMessengerCounters {
    return { client: this.client.counters(), server: this.server.counters() };
  }

  async close(): Promise<void> {
    this.network.stop();
    await Promise.all([this.client.shutdown(), this.server.shutdown()]);
  }
}

/**
 * Nothing is won by spinning for a ping; a path that is back is to be found within an interval; and it is the network
 * that a heartbeat asks about, within one host as well.
 */
function messengerOptions(options: Options): Options {
  const ms_max_backoff = Math.min(options.ms_max_backoff, options.osd_heartbeat_interval);
  return { ...options, ms_busy_poll_us: 0, ms_shared_memory: false, ms_max_backoff };
}

class MessengerLink implements HeartbeatLink {
  readonly events: HeartbeatLinkEvents;
  readonly #connection: Connection;
  readonly #pings: PingOutlet;

  constructor(client: Messenger, addrs: EntityAddrVec, events: HeartbeatLinkEvents, pings: PingOutlet) {
    this.events = events;
    this.#pings = pings;
    this.#connection = client.getConnection(addrs, { peerType: EntityType.Osd });
    this.#connection.priv = this;
  }

  send(ping: MOSDPing): void {
    const connection = this.#connection;
    if (!connection.isConnected && connection.queuedBytes > waitingBytesMax) return;
    this.#pings.send(connection, ping);
  }

  close(): void {
    this.#connection.priv = undefined;
    this.#connection.markDown();
  }

  /** What the peer sends makes no sense: as if the connection had broken. */
  breakOff(): void {
    this.close();
    this.events.onReset();
  }
}

function linkOf(connection: Connection): MessengerLink | undefined {
  return connection.priv instanceof MessengerLink ? connection.priv : undefined;
}

const isPing = (message: ReceivedMessage): boolean => message.type === MOSDPing.type;

/** Ceph's HeartbeatDispatcher on a client: connections know their peers. */
const clientDispatcher: Dispatcher = {
  borrowsPayload: true,
  canFastDispatch: isPing,
  fastDispatch(message) {
    const link = linkOf(message.connection);
    if (link === undefined) return;
    const reply = tryReadPing(message);
    if (reply !== undefined) link.events.onReply(reply);
    else link.breakOff();
  },
  /** Whatever else comes is dropped. */
  dispatch: () => true,
  handleConnect: (connection) => linkOf(connection)?.events.onConnected(),
  handleReset(connection) {
    linkOf(connection)?.events.onReset();
    return true;
  },
  handleRefused(connection) {
    linkOf(connection)?.events.onRefused();
    return true;
  },
};

function serverDispatcher(network: HeartbeatNetwork): Dispatcher {
  const answers = new PingOutlet();
  return {
    borrowsPayload: true,
    canFastDispatch: isPing,
    fastDispatch(message) {
      const { connection } = message;
      const sender = senderOf(connection, answers);
      const ping = tryReadPing(message);
      if (ping === undefined) connection.markDown();
      else if (sender.osd !== undefined) network.handlePing(sender.osd, ping, sender.reply, sender.isProven);
    },
    dispatch: () => true,
    handleReset: () => true,
  };
}

/** Who pings over an accepted connection, and the way back; found out once. */
class Sender {
  /** The OSD that it says it is, if any. */
  readonly osd: number | undefined;
  /** Ceph believes the name in the message; what others say in an OSD's name is answered, and changes nothing. */
  readonly isProven: boolean;
  readonly reply: (answer: MOSDPing) => void;

  constructor(connection: Connection, answers: PingOutlet) {
    const { auth, peerName } = connection;
    this.osd = peerName.type === EntityType.Osd ? Number(peerName.num) : undefined;
    this.isProven = auth?.entity === undefined || auth.entity === String(peerName);
    this.reply = (answer) => answers.send(connection, answer);
  }
}

function senderOf(connection: Connection, answers: PingOutlet): Sender {
  if (!(connection.priv instanceof Sender)) connection.priv = new Sender(connection, answers);
  return connection.priv as Sender;
}
