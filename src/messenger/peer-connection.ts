/**
 * A connection: the session with one peer, whatever happens to its sockets.
 *
 *                      ┌────────────────────────────── fault, not lossy ─────────────────────────────┐
 *                      ▼                                                                             │
 *      (new) ──► connecting ──► open ──► standby ──send()──► connecting                              │
 *                 ▲  │  │         │  (fault, policy standby or server, nothing to send)              │
 *                 │  │  └─WAIT──► wait ──► (the peer's attempt is taken over: open, or backoff)      │
 *                 │  ▼            └─ fault ──────────────────────────────────────────────────────────┘
 *                backoff   (a failed attempt: ms_initial_backoff doubling to ms_max_backoff)
 *      any ──markDown(), or fault when lossy and open──► closed
 *
 * The connection owns a channel (its byte stream), the session's numbers and the `SendPath` of its messages,
 * and connects them; attempts to reach the peer are a `Connector`, incoming ones an `Acceptor`.
 */
import { EventEmitter } from 'node:events';
import { type AuthFacts, type AuthOutcome, authFacts, ConnectionMode } from '../auth/auth.ts';
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Channel, ChannelHandler } from '../transport/channel.ts';
import { Field, type MessageBatch, memoryMask, placeFields } from '../transport/message-batch.ts';
import type { EntityAddr } from '../wire/entity-addr.ts';
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { EntityName } from '../wire/entity-name.ts';
import { IdentFlag } from '../wire/frames/client-ident.ts';
import { keepalive2Frame } from '../wire/frames/keepalive2.ts';
import { keepalive2AckFrame } from '../wire/frames/keepalive2-ack.ts';
import { Tag, tagName } from '../wire/frames/tag.ts';
import { utimeNow, utimeToMs } from '../wire/utime.ts';
import type { Connection, ConnectionCounters, ConnectionEvents, ConnectionState } from './connection.ts';
import { ConnectionTimer } from './connection-timer.ts';
import { Connector } from './connector.ts';
import type { DispatchLimits } from './dispatch-queue.ts';
import { throwLater } from './dispatcher-chain.ts';
import { DelayedDelivery } from './fault-injection.ts';
import { InterceptStep, intercept } from './interceptor.ts';
import { type Message, ReceivedMessage } from './message.ts';
import type { Messenger } from './messenger.ts';
import type { Policy } from './policy.ts';
import { type RequestOptions, RequestTable } from './requests.ts';
import { SendPath } from './send-path.ts';
import { SessionState } from './session-state.ts';
import { SharedMemoryAgreement } from './shared-memory.ts';

/** V8 takes what hangs on a constant of this module for constant, and looks up what is imported each time. */
const layout = { memoryMask, placeFields, slab: Field.slab } as const;

/** What both idents tell about the peer. */
export interface PeerIdentity {
  readonly addrs: EntityAddrVec;
  readonly name: EntityName;
  readonly features: bigint;
  readonly lossy: boolean;
  /** It can go on through shared memory, see shared-memory.ts. */
  readonly sharesMemory: boolean;
}

/** How a connection comes to be. */
export interface PeerConnectionInit {
  readonly messenger: Messenger;
  readonly peerType: number;
  readonly peerAddrs: EntityAddrVec;
  /** The address that is dialled; of an accepted connection, the one to dial if it must be. */
  readonly targetAddr: EntityAddr;
  readonly policy: Policy;
  /** Not entered in the table by address. */
  readonly isAnonymous: boolean;
}

/** A connection to another entity. Made by the messenger only. */
export class PeerConnection extends EventEmitter<ConnectionEvents> implements Connection, ChannelHandler {
  readonly messenger: Messenger;
  readonly peerType: number;
  readonly isAnonymous: boolean;
  readonly isLoopback = false;
  readonly session = new SessionState();
  /** Unique within the process; the class of its messages in the dispatch queue. */
  readonly id: number;
  policy: Policy;
  priv: unknown;
  channel: Channel;
  targetAddr: EntityAddr;

  #state: ConnectionState = 'connecting';
  #peerAddrs: EntityAddrVec;
  #peerName: EntityName;
  #features = 0n;
  #peerSharesMemory = false;
  /** Of the present socket. */
  #memoryAgreement: SharedMemoryAgreement | undefined;
  #auth: AuthFacts | undefined;
  readonly #sending: SendPath;
  readonly #requests: RequestTable;
  #keepalivePending = false;
  #lastKeepaliveAck = 0;
  readonly #timer: ConnectionTimer;
  #connects = 0;
  #faults = 0;
  /** Changes with the socket: what was held for one that is gone is void. */
  #sockets = 0;
  #delayed: DelayedDelivery | undefined;
  /** In the batch that is being handed out. */
  #nextMessage = 0;
  #resets = 0;
  #throttleWaits = 0;
  #isReadingPaused = false;
  /** On a socket that the peer made, and not in session yet: nobody here tries again when it breaks. */
  #isAccepting: boolean;
  /** Taken before the channel goes. */
  #finalCounters: ConnectionCounters | undefined;

  constructor(init: PeerConnectionInit, channel: Channel | undefined) {
    super();
    this.messenger = init.messenger;
    this.peerType = init.peerType;
    this.#peerAddrs = init.peerAddrs;
    this.#peerName = new EntityName(init.peerType, -1n);
    this.targetAddr = init.targetAddr;
    this.policy = init.policy;
    this.isAnonymous = init.isAnonymous;
    this.id = init.messenger.nextConnectionId();
    this.channel = channel ?? init.messenger.transport.createChannel(this);
    this.channel.handler = this;
    this.#isAccepting = channel !== undefined;
    this.#sending = new SendPath(this, init.messenger.sendHighWaterMark, () => this.emit('drain'));
    this.#requests = new RequestTable(init.messenger, (request) => this.send(request));
    this.#timer = new ConnectionTimer(init.messenger.clock, init.messenger.options);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get isConnected(): boolean {
    return this.#state === 'open';
  }

  get peerName(): EntityName {
    return this.#peerName;
  }

  get peerAddrs(): EntityAddrVec {
    return this.#peerAddrs;
  }

  get remoteHost(): string | undefined {
    return this.channel.remoteAddress?.host;
  }

  get usesSharedMemory(): boolean {
    return this.#state === 'open' && this.#memoryAgreement?.isDone === true;
  }

  get features(): bigint {
    return this.#features;
  }

  get auth(): AuthFacts | undefined {
    return this.#auth;
  }

  /** Sessions that ended with a reset or a remote reset; as in `counters()`. */
  get resets(): number {
    return this.#resets;
  }

  /** Seconds until the next attempt begins, when in backoff. */
  get backoffSeconds(): number {
    return this.#timer.backoffSeconds;
  }

  get lastKeepaliveAck(): number {
    return this.#lastKeepaliveAck;
  }

  get queuedBytes(): number {
    return this.#sending.queuedBytes;
  }

  get unframedCount(): number {
    return this.#sending.length;
  }

  // ── Sending ────────────────────────────────────────────────────────────────────────────────────

  send(message: Message | ReceivedMessage): boolean {
    // Only an open connection has room: nearly always nothing else is to be looked at.
    if (this.#sending.goesStraight) return this.#sending.send(message);
    if (this.#state === 'closed') {
      this.messenger.droppedAfterClose(this.#finalCounters!);
      return false;
    }
    const mayGoOn = this.#sending.send(message);
    if (this.#state === 'standby' && !this.policy.server) this.#leaveStandby();
    return mayGoOn;
  }

  request(message: Message, options: RequestOptions = {}): Promise<ReceivedMessage> {
    if (this.#state === 'closed') return Promise.reject(this.#closedError());
    return this.#requests.start(message, options);
  }

  drained(): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(this.#closedError());
    if (!this.#sending.mustDrain) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.off('drain', settle);
        this.off('state', onState);
        if (this.#state === 'closed') reject(this.#closedError());
        else resolve();
      };
      const onState = (state: ConnectionState): void => {
        if (state === 'closed') settle();
      };
      this.on('drain', settle);
      this.on('state', onState);
    });
  }

  sendKeepalive(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') {
      this.#writeKeepalive();
      return;
    }
    this.#keepalivePending = true;
    if (this.#state === 'standby' && !this.policy.server) this.#leaveStandby();
  }

  markDown(): void {
    this.#close(undefined);
  }

  counters(): ConnectionCounters {
    if (this.#finalCounters !== undefined) return { ...this.#finalCounters };
    const { channel } = this;
    return {
      ...channel.counters(),
      connects: this.#connects,
      faults: this.#faults,
      resets: this.#resets,
      throttleWaits: this.#throttleWaits,
      messagesDropped: 0,
      queuedMessages: this.#sending.length + channel.outboxCount,
      queuedBytes: this.queuedBytes,
      unackedBytes: channel.unackedBytes,
    };
  }

  hold(bytes: number, limits?: DispatchLimits): () => void {
    return this.messenger.dispatchQueue.hold(bytes, limits);
  }

  /** Takes no more from the peer; a handshake that follows a fault is read all the same. */
  pauseReading(): void {
    if (this.#state === 'closed') return;
    this.#isReadingPaused = true;
    this.#throttleWaits++;
    if (this.#state === 'open') this.channel.pauseReading();
  }

  resumeReading(): void {
    this.#isReadingPaused = false;
    if (this.#state === 'open') this.channel.resumeReading();
  }

  // ── What the channel says in session ───────────────────────────────────────────────────────────

  onOpen(): void {}

  onBytes(): void {}

  onMessages(batch: MessageBatch, first: number, end: number): boolean {
    let isKept = false;
    this.#nextMessage = first;
    while (this.#nextMessage < end) {
      try {
        if (this.#takeMessages(batch, end)) isKept = true;
      } catch (error) {
        throwLater(error);
        // Nobody knows what the handler kept. The messages behind go on, unless it closed the connection.
        isKept = true;
        if (this.#state === 'closed') break;
      }
    }
    return isKept;
  }

  /**
   * Hands out the messages from `#nextMessage` on. Answers whether their memory is still needed.
   * @throws what a dispatcher throws; `#nextMessage` is behind the message that it got.
   */
  #takeMessages(batch: MessageBatch, end: number): boolean {
    const { places, words: memories, slabs } = batch;
    const { messenger } = this;
    let isKept = false;
    /** A message that nobody kept is the next one. */
    let spare: ReceivedMessage | undefined;
    for (let index = this.#nextMessage; index < end; index++) {
      this.#nextMessage = index + 1;
      const place = index * layout.placeFields;
      const words = memories[places[place]! & layout.memoryMask]!;
      const at = places[place + 1]!;
      const slab = slabs[words[at + layout.slab]!]!;
      let message = spare;
      if (message === undefined) message = new ReceivedMessage(this, words, at, slab);
      else message.renew(words, at, slab);
      const hasHooks = this.#delayed !== undefined || messenger.interceptor !== undefined;
      if (hasHooks ? this.#takeWithHooks(message) : this.#receive(message)) {
        isKept = true;
        spare = undefined;
      } else {
        spare = message;
      }
      if (this.#state === 'closed') this.#nextMessage = index = end;
    }
    return isKept;
  }

  /** As tests may have it: late, or seen by their interceptor. */
  #takeWithHooks(message: ReceivedMessage): boolean {
    let isKept = true;
    if (this.#delayed === undefined) isKept = this.#receive(message);
    else this.#delayed.add(message);
    this.intercept(InterceptStep.HandleMessage, () => {});
    return isKept;
  }

  /**
   * Answers whether the message's memory is still needed.
   * @throws what a dispatcher throws.
   */
  #receive(message: ReceivedMessage): boolean {
    if (this.#requests.size !== 0 && this.#requests.settle(message)) return true;
    return this.messenger.deliver(this, message);
  }

  onFrame(tag: number, payload: Buffer): void {
    try {
      if (tag === Tag.SharedMemory && this.#memoryAgreement !== undefined) {
        this.#memoryAgreement.onFrame(payload);
        return;
      }
      if (tag !== Tag.Keepalive2Ack) {
        throw new MsgrError(ErrorCode.UnexpectedFrame, `frame ${tagName(tag)} in session`);
      }
      this.#lastKeepaliveAck = utimeToMs(keepalive2AckFrame.decode(payload).timestamp);
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.fault(error);
    }
  }

  onBusy(): void {
    this.#memoryAgreement?.onBusy();
  }

  onDrain(): void {
    this.#sending.pump();
  }

  onAcknowledged(): void {
    if (this.#sending.length !== 0) this.#sending.pump();
  }

  onClosed(error: MsgrError): void {
    this.fault(error);
  }

  // ── The life of a session: called by Connector, Acceptor and the messenger ─────────────────────

  /** Begins to reach the peer. */
  connect(): void {
    this.session.globalSeq = this.messenger.nextGlobalSeq();
    this.#attempt();
  }

  authenticated(outcome: AuthOutcome): void {
    this.#auth = authFacts(outcome);
  }

  identified(identity: PeerIdentity): void {
    this.#peerAddrs = identity.addrs;
    this.#peerName = identity.name;
    this.#features = identity.features;
    this.#peerSharesMemory = identity.sharesMemory;
    if (identity.lossy !== this.policy.lossy)
      this.policy = Object.freeze({ ...this.policy, lossy: identity.lossy });
  }

  /** The handshake is over and both sides agree on the session: replay what waits, then stream. */
  sessionEstablished(by: 'connect' | 'accept'): void {
    this.intercept(InterceptStep.Ready, () => this.#open(by));
  }

  #open(by: 'connect' | 'accept'): void {
    this.#isAccepting = false;
    this.#timer.resetBackoff();
    this.#connects++;
    this.#delayed ??= DelayedDelivery.forPeer(this.#peerName.type, this.messenger, (message) => {
      if (!this.#requests.settle(message)) this.messenger.deliverOne(this, message);
    });
    this.channel.handler = this;
    if (this.#isReadingPaused) this.channel.pauseReading();
    this.channel.startSession({ lossless: !this.policy.lossy });
    this.#memoryAgreement = this.#makeAgreement(by);
    this.#enter('open', undefined);
    this.#watchIdle();
    if (by === 'connect') this.messenger.connected(this);
    else this.messenger.accepted(this);
    if (this.#keepalivePending) this.#writeKeepalive();
    this.#sending.pump();
  }

  /** What this side says in its ident. */
  get identFlags(): bigint {
    return (
      (this.policy.lossy ? IdentFlag.Lossy : 0n) | (this.#offersSharedMemory ? IdentFlag.SharedMemory : 0n)
    );
  }

  get #offersSharedMemory(): boolean {
    return (
      this.messenger.options.ms_shared_memory &&
      this.#auth?.connectionMode === ConnectionMode.Crc &&
      this.channel.sharedMemory !== undefined
    );
  }

  #makeAgreement(by: 'connect' | 'accept'): SharedMemoryAgreement | undefined {
    const port = this.#peerSharesMemory && this.#offersSharedMemory ? this.channel.sharedMemory : undefined;
    return port && new SharedMemoryAgreement(this.channel, port, by, this.messenger.random);
  }

  /** Both sides connect at once, and the peer's attempt wins: it will take this connection over. */
  wait(): void {
    this.#enter('wait', undefined);
    this.fault(
      new MsgrError(ErrorCode.PeerClosed, 'the peer connects to us at the same time, and goes first'),
    );
  }

  /** The peer, or this side, forgot the session: nothing of it is kept, and its users are told. */
  resetSession(): void {
    this.#resets++;
    this.#delayed?.discard();
    this.messenger.dispatchQueue.discard(this);
    this.#sending.clear();
    this.channel.resetSession();
    this.session.reset();
    this.#requests.rejectAll(
      new MsgrError(ErrorCode.SessionReset, `${this.#peerName} lost the session`, {
        peer: String(this.targetAddr),
      }),
    );
    this.messenger.remoteReset(this);
  }

  /** The socket of this connection is replaced by an accepted one, handshake done; the session follows. */
  adopt(channel: Channel): void {
    this.#timer.clear();
    this.#sockets++;
    this.#state = 'connecting';
    this.#sending.forgetRoom();
    this.#isAccepting = true;
    this.channel.disconnect();
    this.channel.resumeReading();
    this.channel.adopt(channel);
    this.channel.handler = this;
  }

  /** This connection ends because another takes its place, or because its peer was stale. Users are told. */
  stop(cause: MsgrError): void {
    if (this.#state === 'closed') return;
    this.#resets++;
    this.#close(cause);
    this.messenger.reset(this);
  }

  /** Something broke the present socket. What follows depends on the policy; see the drawing above. */
  fault(error: MsgrError): void {
    if (this.#state === 'closed') return;
    this.#faults++;
    this.#sockets++;
    this.channel.disconnect();
    // The next socket's handshake is read whatever the throttles say, and may be over before they have room.
    this.channel.resumeReading();
    this.#timer.clear();
    const stateBefore = this.#state;
    const wasConnecting = stateBefore === 'connecting' && !this.#isAccepting;
    this.#isAccepting = false;
    if (this.policy.lossy && !wasConnecting) return this.stop(error);
    if (wasConnecting && error.code === ErrorCode.Refused) {
      this.messenger.refused(this);
    }
    const hasNothingToSend =
      this.#sending.length === 0 && this.channel.outboxCount === 0 && !this.#keepalivePending;
    if (this.policy.server || (this.policy.standby && hasNothingToSend && stateBefore !== 'wait')) {
      return this.#enter('standby', error);
    }
    if (stateBefore === 'open') {
      this.session.connectSeq++;
      this.session.globalSeq = this.messenger.nextGlobalSeq();
      this.#timer.resetBackoff();
      this.#attempt(error);
      return;
    }
    this.#backOff(error, stateBefore === 'wait');
  }

  /** Goes on with `proceed` unless a test's interceptor says otherwise; see interceptor.ts. */
  intercept(step: InterceptStep, proceed: () => void): void {
    const { interceptor } = this.messenger;
    if (interceptor === undefined) return proceed();
    const sockets = this.#sockets;
    const error = new MsgrError(ErrorCode.Socket, `intercepted at step ${step}`);
    intercept(interceptor, this, step, {
      proceed,
      fail: () => this.fault(error),
      stop: () => this.stop(error),
      isCurrent: () => this.#state !== 'closed' && this.#sockets === sockets,
    });
  }

  // ── Inside ─────────────────────────────────────────────────────────────────────────────────────

  #attempt(cause?: MsgrError): void {
    this.#enter('connecting', cause);
    if (this.#state !== 'connecting') return;
    this.#timer.expectSession((seconds) =>
      this.fault(
        new MsgrError(
          ErrorCode.Timeout,
          `no session with ${this.targetAddr} within ms_connection_ready_timeout (${seconds} s)`,
        ),
      ),
    );
    this.channel.handler = new Connector(this);
    this.messenger.dial(this);
  }

  #leaveStandby(): void {
    if (this.session.serverCookie !== 0n) this.session.connectSeq++;
    this.session.globalSeq = this.messenger.nextGlobalSeq();
    this.#attempt();
  }

  #backOff(cause: MsgrError, afterWait: boolean): void {
    if (this.session.serverCookie !== 0n) this.session.connectSeq++;
    this.session.globalSeq = this.messenger.nextGlobalSeq();
    this.#timer.backOff(afterWait, () => this.#attempt());
    this.#enter('backoff', cause);
  }

  #watchIdle(): void {
    const bytesMoved = (): number => {
      const { bytesReceived, bytesSent } = this.channel.counters();
      return bytesReceived + bytesSent;
    };
    this.#timer.watchIdle(bytesMoved, (seconds) =>
      this.fault(new MsgrError(ErrorCode.Timeout, `idle for ms_connection_idle_timeout (${seconds} s)`)),
    );
  }

  #writeKeepalive(): void {
    this.#keepalivePending = false;
    this.channel.sendControl(Tag.Keepalive2, keepalive2Frame.encode({ timestamp: utimeNow() }));
  }

  #close(cause: MsgrError | undefined): void {
    if (this.#state === 'closed') return;
    this.#timer.clear();
    this.#finalCounters = { ...this.counters(), queuedMessages: 0, queuedBytes: 0, unackedBytes: 0 };
    this.channel.destroy();
    this.#sending.clear();
    this.#delayed?.discard();
    this.messenger.dispatchQueue.discard(this);
    this.messenger.forget(this);
    this.#enter('closed', cause);
    this.#requests.rejectAll(this.#closedError(cause));
  }

  #closedError(cause?: MsgrError): MsgrError {
    return new MsgrError(ErrorCode.Closed, `the connection to ${this.targetAddr} is closed`, {
      peer: String(this.targetAddr),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #enter(state: ConnectionState, cause: MsgrError | undefined): void {
    this.#state = state;
    this.#sending.forgetRoom();
    this.messenger.stateChanged(this, state, cause);
    if (this.listenerCount('state') !== 0) this.emit('state', state, cause);
  }
}
