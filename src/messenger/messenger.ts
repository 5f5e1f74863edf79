/**
 * A messenger: one entity's end of all its connections. It binds addresses, accepts and makes
 * connections, and hands what arrives to its dispatchers.
 *
 *      created ──bind()──► bound ──start()──► running ──shutdown()──► shut down
 *         └───────────────start()───────────────▲
 *
 * Shutdown goes: no more accepts, connections closed without events, dispatch stopped, transport closed
 * when no other messenger of the thread uses it.
 */
import type { AuthProvider } from '../auth/auth.ts';
import { authNone } from '../auth/none.ts';
import { ErrorCode, MsgrError } from '../errors.ts';
import { type Options, resolveOptions } from '../options.ts';
import type { Channel, Listener, Transport } from '../transport/channel.ts';
import { type Clock, systemClock } from '../transport/clock.ts';
import type { SocketAddress, SocketOptions } from '../transport/socket.ts';
import { AddrType, EntityAddr } from '../wire/entity-addr.ts';
import { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { EntityAuthName, EntityName, EntityType, entityTypeName } from '../wire/entity-name.ts';
import type { MessageRegistry } from '../wire/messages/registry.ts';
import { Acceptor } from './acceptor.ts';
import { bindAddress } from './bind.ts';
import {
  addCounters,
  type Connection,
  type ConnectionCounters,
  type ConnectionState,
  noCounters,
} from './connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { diagnostics } from './diagnostics.ts';
import { type DispatchMessage, DispatchQueue } from './dispatch-queue.ts';
import type { Dispatcher } from './dispatcher.ts';
import { DispatcherChain, throwLater } from './dispatcher-chain.ts';
import { internalDelays } from './fault-injection.ts';
import type { Interceptor } from './interceptor.ts';
import { LoopbackConnection } from './loopback.ts';
import type { Message, ReceivedMessage } from './message.ts';
import { PeerConnection } from './peer-connection.ts';
import { Policy } from './policy.ts';
import { nonZeroU32, type RandomSource, systemRandom } from './random.ts';
import { leaseTransport, type TransportLease, type TransportName } from './transports.ts';

export interface MessengerInit {
  /** Who this entity is: `osd.0`, `client.4123`. */
  name: string | EntityName;
  /** For logs; by default the name. */
  label?: string;
  transport?: TransportName | Transport;
  /** Ceph's options by Ceph's names; see {@link Options}. */
  options?: Partial<Options>;
  /** Tells this process from another at the same address, u32; random when absent. */
  nonce?: number;
  /** AUTH_NONE under this name when absent. */
  auth?: AuthProvider;
  /** Types that are decoded on arrival; a payload that does not decode costs the peer its connection. */
  messageTypes?: MessageRegistry;
  /** For every socket: device, type of service, local address… */
  socketOptions?: SocketOptions;
  /** Where to dial an entity's address when that is another socket address: behind a NAT or a forwarded port. */
  route?: (address: EntityAddr) => SocketAddress;
  /** A virtual one in simulations. */
  clock?: Clock;
  /** A seeded one in simulations. */
  random?: RandomSource;
  /** Test points. */
  interceptor?: Interceptor;
}

/** Where a connection goes: addresses, or an address in Ceph's text form. */
export type Destination = EntityAddrVec | EntityAddr | string;

export interface ConnectOptions {
  /** Entity type that must answer; any when absent. It also chooses the policy. */
  peerType?: number;
  /** A connection of its own, even when there is one to that address. */
  isAnonymous?: boolean;
}

/** Sums over all connections there have been, the loopback one not among them, and what is the messenger's own. */
export interface MessengerCounters extends ConnectionCounters {
  /** Of this moment, in whatever state. */
  connections: number;
  /** Of this moment, with a session, and of those the ones that go through memory shared with their peer. */
  connectionsOpen: number;
  connectionsSharingMemory: number;
  /** Byte streams that were accepted and became no session. */
  acceptFailures: number;
  /** Messages that no dispatcher took. */
  messagesUnhandled: number;
  /** Of this moment: messages and events that wait for a dispatcher. */
  dispatchQueueLength: number;
  /** Messages and events that went through the dispatch queue, and the seconds they waited there, all together. */
  dispatchQueued: number;
  dispatchQueueWaitSeconds: number;
  /** Of this moment: payload bytes in the dispatch queue or held by a dispatcher. */
  dispatchThrottleBytes: number;
}

let lastConnectionId = 0;

export class Messenger implements AsyncDisposable {
  readonly name: EntityName;
  readonly label: string;
  readonly options: Options;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly auth: AuthProvider;
  readonly dispatchQueue: DispatchQueue;
  readonly sendHighWaterMark: number;
  interceptor: Interceptor | undefined;

  readonly #lease: TransportLease;
  readonly #socketOptions: SocketOptions;
  readonly #route: (address: EntityAddr) => SocketAddress;
  readonly #messageTypes: MessageRegistry | undefined;
  readonly #dispatchers = new DispatcherChain();
  readonly #connections = new ConnectionTable();
  readonly #acceptors = new Set<Acceptor>();
  readonly #policies = new Map<number, Policy>();
  readonly #loopback: LoopbackConnection;
  readonly #early: Channel[] = [];
  #defaultPolicy: Policy = Policy.losslessPeerReuse();
  #listeners: Listener[] = [];
  #myAddrs: EntityAddrVec;
  #nonce: number;
  #globalSeq = 0n;
  #state: 'created' | 'running' | 'shutDown' = 'created';
  /** Totals of the connections that are no more. */
  readonly #ended: ConnectionCounters = noCounters();
  #acceptFailures = 0;
  #messagesUnhandled = 0;

  private constructor(init: MessengerInit) {
    this.name = typeof init.name === 'string' ? EntityName.parse(init.name) : init.name;
    this.label = init.label ?? String(this.name);
    this.options = resolveOptions(init.options);
    this.clock = init.clock ?? systemClock;
    this.random = init.random ?? systemRandom;
    this.auth = init.auth ?? authNone(authNameOf(this.name));
    this.interceptor = init.interceptor ?? internalDelays(this);
    this.sendHighWaterMark = this.options.ms_send_high_water_mark;
    this.dispatchQueue = new DispatchQueue(this.options, this.clock);
    this.#lease = leaseTransport(init.transport, this.options);
    this.#messageTypes = init.messageTypes;
    this.#nonce = init.nonce ?? nonZeroU32(this.random);
    this.#myAddrs = new EntityAddrVec([new EntityAddr({ type: AddrType.Msgr2, nonce: this.#nonce })]);
    this.#loopback = new LoopbackConnection(this);
    this.#route = init.route ?? socketAddressOf;
    this.#socketOptions = {
      noDelay: this.options.ms_tcp_nodelay,
      ...(this.options.ms_tcp_rcvbuf > 0 ? { receiveBufferBytes: this.options.ms_tcp_rcvbuf } : {}),
      ...(this.options.ms_tcp_congestion_control !== ''
        ? { congestionControl: this.options.ms_tcp_congestion_control }
        : {}),
      ...init.socketOptions,
    };
  }

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT, ERR_MSGR_NATIVE_LOAD */
  static create(init: MessengerInit): Messenger {
    return new Messenger(init);
  }

  // ── Addresses ──────────────────────────────────────────────────────────────────────────────────

  /** This entity's addresses, nonce included; blank until bound, or learnt from the first peer. */
  get myAddrs(): EntityAddrVec {
    return this.#myAddrs;
  }

  get nonce(): number {
    return this.#nonce;
  }

  get transport(): Transport {
    return this.#lease.transport;
  }

  get isShutDown(): boolean {
    return this.#state === 'shutDown';
  }

  /**
   * Binds and listens at a v2 address. A port of 0 takes the first free one of ms_bind_port_min..max;
   * `avoidPorts` are passed over. Tried ms_bind_retry_count times more, ms_bind_retry_delay apart.
   * @throws MsgrError ERR_MSGR_BIND with the system's reason as its cause.
   */
  async bind(
    address: string | EntityAddr,
    avoidPorts: ReadonlySet<number> = new Set(),
  ): Promise<EntityAddrVec> {
    this.#checkUsable();
    const addr = typeof address === 'string' ? EntityAddr.parse(address) : address;
    const listener = await bindAddress(this, addr, this.#socketOptions, avoidPorts, (channel) =>
      this.#accept(channel),
    );
    const bound = new EntityAddr({
      type: AddrType.Msgr2,
      host: addr.host,
      port: listener.address.port,
      nonce: this.#nonce,
    });
    this.#listeners.push(listener);
    const others = this.#listeners.length > 1 ? [...this.#myAddrs] : [];
    this.#myAddrs = new EntityAddrVec([...others, bound]);
    return this.#myAddrs;
  }

  /**
   * Binds anew, at other ports, as another incarnation: connections are marked down and the nonce
   * moves by 1,000,000, so that nothing meant for the old one reaches the new.
   */
  async rebind(avoidPorts: ReadonlySet<number> = new Set()): Promise<EntityAddrVec> {
    const addrs = [...this.#myAddrs];
    const avoid = new Set([...avoidPorts, ...addrs.map((addr) => addr.port)]);
    this.markDownAll();
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all(listeners.map((listener) => listener.close()));
    this.#nonce = (this.#nonce + 1_000_000) >>> 0;
    for (const addr of addrs) await this.bind(addr.with({ port: 0 }), avoid);
    return this.#myAddrs;
  }

  /** Takes the address at which a peer sees this side, while it knows none itself (ms_learn_addr_from_peer). */
  learnAddress(seenByPeer: EntityAddr, channel: Channel): void {
    const mine = this.#myAddrs.front;
    if (mine !== undefined && !mine.isBlankIp) return;
    const host = this.options.ms_learn_addr_from_peer ? seenByPeer.host : channel.localAddress?.host;
    if (host === undefined || host === '') return;
    const learnt = new EntityAddr({ type: AddrType.Msgr2, host, port: mine?.port ?? 0, nonce: this.#nonce });
    this.#myAddrs = new EntityAddrVec([learnt]);
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────

  /** Begins to accept what the bound addresses receive. */
  start(): void {
    this.#checkUsable();
    this.#state = 'running';
    for (const channel of this.#early.splice(0)) this.#accept(channel);
  }

  /** Closes everything; resolves when the descriptors are closed. No event fires afterwards. Idempotent. */
  async shutdown(): Promise<void> {
    if (this.#state === 'shutDown') return;
    this.#state = 'shutDown';
    const listeners = this.#listeners;
    this.#listeners = [];
    const closed = listeners.map((listener) => listener.close());
    for (const channel of this.#early.splice(0)) channel.destroy();
    for (const acceptor of [...this.#acceptors]) {
      acceptor.fail(new MsgrError(ErrorCode.Closed, 'the messenger is shutting down'));
    }
    this.markDownAll();
    this.dispatchQueue.stop();
    await Promise.all(closed);
    await this.#lease.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  // ── Dispatchers and policies ───────────────────────────────────────────────────────────────────

  addDispatcherHead(dispatcher: Dispatcher): void {
    this.#dispatchers.addHead(dispatcher);
  }

  addDispatcherTail(dispatcher: Dispatcher): void {
    this.#dispatchers.addTail(dispatcher);
  }

  removeDispatcher(dispatcher: Dispatcher): void {
    this.#dispatchers.remove(dispatcher);
  }

  /** For peers of one {@link EntityType}. Connections that exist keep theirs. */
  setPolicy(peerType: number, policy: Policy): void {
    this.#policies.set(peerType, policy);
  }

  setDefaultPolicy(policy: Policy): void {
    this.#defaultPolicy = policy;
  }

  policyFor(peerType: number): Policy {
    return this.#policies.get(peerType) ?? this.#defaultPolicy;
  }

  // ── Sending ────────────────────────────────────────────────────────────────────────────────────

  /** Sends to a destination, over the connection that exists or a new one. Answers as `connection.send`. */
  send(message: Message | ReceivedMessage, destination: Destination, options?: ConnectOptions): boolean {
    return this.getConnection(destination, options).send(message);
  }

  /**
   * The connection to a destination: the existing one, a new one that begins to connect, or the loopback
   * connection for this messenger's own address.
   * @throws MsgrError ERR_MSGR_CLOSED after shutdown, ERR_MSGR_INVALID_ARGUMENT for an address that cannot be dialled.
   */
  getConnection(destination: Destination, options: ConnectOptions = {}): Connection {
    this.#checkUsable();
    const addrs = asAddrVec(destination);
    if (addrs.equals(this.#myAddrs) && !options.isAnonymous) return this.#loopback;
    const existing = options.isAnonymous ? undefined : this.#connections.find(addrs);
    if (existing) return existing;
    const targetAddr = addrs.v2() ?? addrs.front;
    if (targetAddr === undefined || targetAddr.isBlankIp || targetAddr.port === 0) {
      throw new MsgrError(ErrorCode.InvalidArgument, `${addrs} has no address that can be dialled`);
    }
    const peerType = options.peerType ?? EntityType.Any;
    const connection = new PeerConnection(
      {
        messenger: this,
        peerType,
        peerAddrs: addrs,
        targetAddr,
        policy: this.policyFor(peerType),
        isAnonymous: options.isAnonymous ?? false,
      },
      undefined,
    );
    this.#connections.add(connection);
    connection.connect();
    return connection;
  }

  get loopbackConnection(): Connection {
    return this.#loopback;
  }

  /** All connections of this moment, the loopback one not among them. */
  connections(): Connection[] {
    return [...this.#connections];
  }

  /** Ends the connection to these addresses, if there is one; without a reset event. */
  markDown(destination: Destination): void {
    this.#connections.find(asAddrVec(destination))?.markDown();
  }

  markDownAll(): void {
    for (const connection of this.#connections) connection.markDown();
  }

  counters(): MessengerCounters {
    const totals = { ...this.#ended };
    let connectionsOpen = 0;
    let connectionsSharingMemory = 0;
    for (const connection of this.#connections) {
      addCounters(totals, connection.counters());
      if (connection.isConnected) connectionsOpen++;
      if (connection.usesSharedMemory) connectionsSharingMemory++;
    }
    return {
      ...totals,
      connectionsOpen,
      connectionsSharingMemory,
      connections: this.#connections.size,
      acceptFailures: this.#acceptFailures,
      messagesUnhandled: this.#messagesUnhandled,
      dispatchQueueLength: this.dispatchQueue.length,
      dispatchQueued: this.dispatchQueue.dispatched,
      dispatchQueueWaitSeconds: this.dispatchQueue.waitedSeconds,
      dispatchThrottleBytes: this.dispatchQueue.throttle.current,
    };
  }

  // ── For connections, connectors and acceptors ──────────────────────────────────────────────────

  nextConnectionId(): number {
    return ++lastConnectionId;
  }

  /** A fresh global_seq, above `atLeast`. */
  nextGlobalSeq(atLeast = 0n): bigint {
    if (this.#globalSeq < atLeast) this.#globalSeq = atLeast;
    return ++this.#globalSeq;
  }

  dial(connection: PeerConnection): void {
    connection.channel.connect(this.#route(connection.targetAddr), this.#socketOptions);
  }

  findConnection(addrs: EntityAddrVec): PeerConnection | undefined {
    return this.#connections.find(addrs);
  }

  register(connection: PeerConnection): void {
    this.#connections.add(connection);
  }

  /** The connection ended; its totals stay in the messenger's. */
  forget(connection: PeerConnection): void {
    this.#connections.remove(connection);
    addCounters(this.#ended, connection.counters());
  }

  /** A message was given to a connection that had ended; its own counters are with it. */
  droppedAfterClose(counters: ConnectionCounters): void {
    counters.messagesDropped++;
    this.#ended.messagesDropped++;
  }

  /** A message that came alone: what a dispatcher throws is thrown again from an empty stack. */
  deliverOne(connection: PeerConnection | undefined, message: ReceivedMessage): void {
    try {
      this.deliver(connection, message);
    } catch (error) {
      throwLater(error);
    }
  }

  /**
   * A message arrived on a connection, or from the messenger itself. Answers whether its memory is
   * still needed when this returns.
   * @throws whatever the dispatcher throws that took it at once.
   */
  deliver(connection: PeerConnection | undefined, message: ReceivedMessage): boolean {
    if (this.#messageTypes !== undefined && !this.#decode(connection, message)) return false;
    this.#dispatchers.preprocess(message);
    const result = this.#dispatchers.fastDispatch(message);
    if (result === 'takenAndReleased') return false;
    if (result === 'notTaken') this.dispatchQueue.enqueueMessage(connection, message, this.#dispatch);
    return true;
  }

  connected(connection: PeerConnection): void {
    this.dispatchQueue.enqueueEvent(() => this.#dispatchers.connect(connection));
  }

  accepted(connection: PeerConnection): void {
    this.dispatchQueue.enqueueEvent(() => this.#dispatchers.accept(connection));
  }

  reset(connection: PeerConnection): void {
    this.dispatchQueue.enqueueEvent(() => this.#dispatchers.reset(connection));
  }

  remoteReset(connection: PeerConnection): void {
    this.dispatchQueue.enqueueEvent(() => this.#dispatchers.remoteReset(connection));
  }

  refused(connection: PeerConnection): void {
    this.dispatchQueue.enqueueEvent(() => this.#dispatchers.refused(connection));
  }

  stateChanged(connection: PeerConnection, state: ConnectionState, cause: MsgrError | undefined): void {
    diagnostics.connectionState({ messenger: this, connection, state, cause });
  }

  acceptFailed(remote: string, error: MsgrError): void {
    this.#acceptFailures++;
    diagnostics.acceptFailed({ messenger: this, remote, error });
  }

  acceptDone(acceptor: Acceptor): void {
    this.#acceptors.delete(acceptor);
  }

  // ── Inside ─────────────────────────────────────────────────────────────────────────────────────

  readonly #dispatch: DispatchMessage = (message, goesOn) => {
    if (!this.#dispatchers.dispatch(message, goesOn)) this.#messagesUnhandled++;
  };

  #accept(channel: Channel): void {
    if (this.#state === 'created') {
      this.#early.push(channel);
      channel.handler = ignoreEvents;
      return;
    }
    if (this.#state === 'shutDown') {
      channel.destroy();
      return;
    }
    const acceptor = new Acceptor(this, channel);
    channel.handler = acceptor;
    this.#acceptors.add(acceptor);
    acceptor.start();
  }

  /** Decodes a message of a known type; a payload that does not decode faults its connection. */
  #decode(connection: PeerConnection | undefined, message: ReceivedMessage): boolean {
    const messageType = this.#messageTypes!.get(message.type);
    if (messageType === undefined) return true;
    try {
      message.as(messageType);
      return true;
    } catch (error) {
      if (!(error instanceof MsgrError) || connection === undefined) throw error;
      connection.fault(error);
      return false;
    }
  }

  #checkUsable(): void {
    if (this.#state === 'shutDown') {
      throw new MsgrError(ErrorCode.Closed, `messenger ${this.label} is shut down`);
    }
  }
}

const ignoreEvents = {
  onOpen: () => {},
  onBytes: () => {},
  onFrame: () => {},
  onMessages: () => false,
  onDrain: () => {},
  onClosed: () => {},
};

function asAddrVec(destination: Destination): EntityAddrVec {
  if (typeof destination === 'string') return EntityAddrVec.parse(destination);
  return destination instanceof EntityAddr ? new EntityAddrVec([destination]) : destination;
}

function socketAddressOf(addr: EntityAddr): SocketAddress {
  return { family: addr.host.includes(':') ? 6 : 4, host: addr.host, port: addr.port };
}

/** `osd.0` authenticates as osd.0; a client's number is not its name. */
function authNameOf(name: EntityName): EntityAuthName {
  const id = name.type === EntityType.Client ? 'admin' : String(name.num);
  return EntityAuthName.parse(`${entityTypeName(name.type)}.${id}`);
}
