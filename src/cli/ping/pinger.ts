/**
 * Pings an OSD's heartbeat server the way another OSD does: MOSDPing PING on a lossy connection, answered by
 * PING_REPLY with the same stamp. At most `window` pings are under way; with an interval of 0 the next one
 * leaves from within the handler of the reply that made room for it.
 *
 * Time is monotonic: a ping's stamp is only the key by which its reply is found.
 */
import type { AuthProvider } from '../../auth/auth.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Dispatcher } from '../../messenger/dispatcher.ts';
import type { ReceivedMessage } from '../../messenger/message.ts';
import { Messenger } from '../../messenger/messenger.ts';
import { Policy } from '../../messenger/policy.ts';
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import { pingBytes } from '../../osd/network/ping-codec.ts';
import { PingOutlet } from '../../osd/network/ping-outlet.ts';
import type { EntityAddr } from '../../wire/entity-addr.ts';
import { type EntityName, EntityType } from '../../wire/entity-name.ts';
import { MOSDPing, OSDPingOp, osdPingPadding } from '../../wire/messages/m-osd-ping.ts';
import { MessageRegistry } from '../../wire/messages/registry.ts';
import type { Uuid } from '../../wire/uuid.ts';
import { LatencyRecorder, type LatencySummary } from '../latency.ts';
import { untilOpen } from '../until-open.ts';
import { monotonicSpan, PingLedger, StampClock, Unmatched } from './ping-ledger.ts';

export interface PingerOptions {
  /** The heartbeat server, nonce included. */
  readonly target: EntityAddr;
  /** Of the OSD's two heartbeat networks the one that the target is on, for the summary. */
  readonly network?: 'front' | 'back';
  /** Pings with another fsid are ignored by the OSD. */
  readonly fsid: Uuid;
  /** The OSDMap epoch we claim to have. */
  readonly mapEpoch: number;
  /** The OSD we say we are. */
  readonly from: EntityName;
  /** Pings in all; Infinity goes on until `stop`. */
  readonly count: number;
  /** Between two pings; 0 sends as fast as the window allows. */
  readonly intervalMs: number;
  /** Pings under way at most. */
  readonly window: number;
  /** A ping that is not answered by then is lost. */
  readonly timeoutMs: number;
  /** As osd_heartbeat_min_size; 0 pads nothing. */
  readonly minMessageSize: number;
  readonly transport?: TransportName;
  readonly options?: Partial<Options>;
  /** AUTH_NONE when absent. */
  readonly auth?: AuthProvider;
}

/** What a pinger tells while it runs; every method is optional. */
export interface PingObserver {
  /** The session runs. Once, before anything else. */
  connected?(connection: Connection, messenger: Messenger): void;
  reply?(seq: number, bytes: number, milliseconds: number): void;
  lost?(seq: number): void;
  /** A reply to a ping that was answered or given up already. */
  unmatched?(kind: 'duplicate' | 'late' | 'unknown'): void;
  /** The OSD says that its map has us down or does not have us at all. Its epoch tells which map. */
  youDied?(mapEpoch: number): void;
  /** The connection broke after it had been open; a new one is being made. */
  disconnected?(): void;
}

export interface PingSummary {
  /** The target's name, as far as its ident told it: `osd.0`. */
  readonly peer: string;
  readonly network?: 'front' | 'back';
  readonly target: string;
  readonly from: string;
  /** Our own address, with the nonce the OSD's log knows us by. */
  readonly fromAddress: string;
  readonly transport: string;
  /** Payload bytes of one ping, and of the last reply. */
  readonly pingBytes: number;
  readonly replyBytes: number;
  readonly window: number;
  readonly intervalMs: number;
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  /** Still under way when it was stopped; neither received nor lost. */
  readonly underWay: number;
  /** Of those whose fate is known, in percent. */
  readonly lossPercent: number;
  readonly duplicates: number;
  readonly late: number;
  readonly unknown: number;
  readonly youDied: number;
  readonly disconnects: number;
  /** From the first ping to the last reply. */
  readonly elapsedMs: number;
  readonly repliesPerSecond: number;
  readonly rttMs: LatencySummary | undefined;
}

/** Timers cannot wait for less; pings that fall due within it leave together. */
const timerResolutionMs = 1;
/** A ping that was held up for longer than this is not made up for by a burst. */
const catchUpMaxMs = 1000;

export class Pinger implements Dispatcher {
  readonly borrowsPayload = true;
  readonly #options: PingerOptions;
  readonly #observer: PingObserver;
  readonly #messenger: Messenger;
  readonly #stamps = new StampClock();
  readonly #ledger: PingLedger;
  readonly #latency = new LatencyRecorder();
  readonly #paddingBytes: number;
  #connection: Connection | undefined;
  #settle: (() => void) | undefined;
  #isStopped = false;
  #mustDrain = false;
  #nextDueAt = 0;
  #sendTimer: NodeJS.Timeout | undefined;
  #lossTimer: NodeJS.Timeout | undefined;

  #sent = 0;
  #lost = 0;
  #duplicates = 0;
  #late = 0;
  #unknown = 0;
  #youDied = 0;
  #disconnects = 0;
  #pingBytes = 0;
  readonly #outlet = new PingOutlet();
  #replyBytes = 0;
  #firstSentAt = 0;
  #lastReplyAt = 0;

  constructor(options: PingerOptions, observer: PingObserver = {}) {
    this.#options = options;
    this.#observer = observer;
    this.#ledger = new PingLedger(options.window);
    this.#paddingBytes = osdPingPadding(options.minMessageSize);
    this.#messenger = Messenger.create({
      name: options.from,
      label: 'ping',
      messageTypes: new MessageRegistry([MOSDPing]),
      ...(options.transport === undefined ? {} : { transport: options.transport }),
      // What is asked about is the network.
      options: { ms_shared_memory: false, ...options.options },
      ...(options.auth === undefined ? {} : { auth: options.auth }),
    });
    this.#messenger.setDefaultPolicy(Policy.lossyClient());
    this.#messenger.addDispatcherTail(this);
  }

  /**
   * Runs to the end of the count or to `stop`, and closes everything. Once only.
   * @throws CliError when the first connection fails.
   */
  async run(): Promise<PingSummary> {
    try {
      if (!this.#isStopped) await this.#connect();
      await new Promise<void>((resolve) => {
        this.#settle = resolve;
        this.#nextDueAt = performance.now();
        this.#fill();
        this.#endWhenDone();
      });
      return this.#summary();
    } finally {
      clearTimeout(this.#sendTimer);
      clearTimeout(this.#lossTimer);
      await this.#messenger.shutdown();
    }
  }

  /** Sends no more and ends at once; what is under way is reported as such. */
  stop(): void {
    this.#isStopped = true;
    this.#connection?.markDown();
    this.#settle?.();
  }

  get sent(): number {
    return this.#sent;
  }

  get received(): number {
    return this.#latency.count;
  }

  // ── The connection ─────────────────────────────────────────────────────────────────────────────

  async #connect(): Promise<void> {
    const connection = this.#open();
    try {
      await untilOpen(connection, String(this.#options.target));
    } catch (error) {
      if (this.#isStopped) return;
      throw error;
    }
    this.#observer.connected?.(connection, this.#messenger);
  }

  #open(): Connection {
    const connection = this.#messenger.getConnection(this.#options.target, { peerType: EntityType.Osd });
    connection.on('drain', () => {
      this.#mustDrain = false;
      this.#fill();
    });
    this.#mustDrain = false;
    this.#connection = connection;
    return connection;
  }

  handleReset(connection: Connection): void {
    if (connection !== this.#connection || this.#isStopped) return;
    this.#disconnects++;
    this.#observer.disconnected?.();
    this.#expire(Number.POSITIVE_INFINITY);
    if (this.#settle === undefined || this.#isDone) return this.#endWhenDone();
    this.#open();
    this.#fill();
  }

  // ── Sending ────────────────────────────────────────────────────────────────────────────────────

  get #isDone(): boolean {
    return this.#isStopped || (this.#sent >= this.#options.count && this.#ledger.openCount === 0);
  }

  #endWhenDone(): void {
    if (this.#isDone) this.#settle?.();
  }

  #fill(): void {
    const { count, window, intervalMs } = this.#options;
    while (!this.#isStopped && !this.#mustDrain && this.#sent < count && this.#ledger.openCount < window) {
      const now = performance.now();
      if (intervalMs > 0) {
        if (this.#nextDueAt > now) return this.#sendLater(this.#nextDueAt - now);
        this.#nextDueAt = Math.max(this.#nextDueAt + intervalMs, now - catchUpMaxMs);
      }
      this.#send(now);
    }
  }

  #sendLater(delayMs: number): void {
    this.#sendTimer ??= setTimeout(
      () => {
        this.#sendTimer = undefined;
        this.#fill();
      },
      Math.max(timerResolutionMs, delayMs),
    );
  }

  #send(now: number): void {
    const key = this.#stamps.nextKey(now);
    const mono = monotonicSpan(now);
    const ping: MOSDPing = {
      fsid: this.#options.fsid,
      mapEpoch: this.#options.mapEpoch,
      op: OSDPingOp.Ping,
      pingStamp: this.#stamps.stampOf(key),
      paddingBytes: this.#paddingBytes,
      upFrom: this.#options.mapEpoch,
      monoPingStamp: mono,
      monoSendStamp: mono,
    };
    if (this.#sent === 0) {
      this.#firstSentAt = now;
      this.#pingBytes = pingBytes(ping);
    }
    this.#sent++;
    this.#ledger.open(this.#sent, key, now);
    this.#lossTimer ??= this.#expireLater(this.#options.timeoutMs);
    if (!this.#outlet.send(this.#connection!, ping)) this.#mustDrain = this.#connection!.state !== 'closed';
  }

  // ── Losing ─────────────────────────────────────────────────────────────────────────────────────

  /** One timer for all: it looks at the oldest, and comes back when that one's time is up. */
  #expireLater(delayMs: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        this.#lossTimer = undefined;
        const now = performance.now();
        this.#expire(now - this.#options.timeoutMs);
        const oldest = this.#ledger.oldestSentAt;
        if (oldest !== undefined) this.#lossTimer = this.#expireLater(oldest + this.#options.timeoutMs - now);
        this.#fill();
        this.#endWhenDone();
      },
      Math.max(timerResolutionMs, delayMs),
    );
  }

  #expire(sentAtMax: number): void {
    this.#ledger.expire(sentAtMax, (seq) => {
      this.#lost++;
      this.#observer.lost?.(seq);
    });
  }

  // ── Receiving ──────────────────────────────────────────────────────────────────────────────────

  canFastDispatch(message: ReceivedMessage): boolean {
    return message.type === MOSDPing.type;
  }

  fastDispatch(message: ReceivedMessage): void {
    const now = performance.now();
    const ping = message.as(MOSDPing)!;
    if (ping.op === OSDPingOp.YouDied) {
      this.#youDied++;
      this.#observer.youDied?.(ping.mapEpoch);
      return;
    }
    if (ping.op !== OSDPingOp.PingReply) return;
    const seq = this.#ledger.answer(this.#stamps.keyOf(ping.pingStamp));
    if (seq < 0) return this.#unmatched(seq);
    const milliseconds = now - this.#ledger.sentAt(seq);
    this.#latency.record(milliseconds);
    this.#lastReplyAt = now;
    this.#replyBytes = message.byteLength;
    this.#observer.reply?.(seq, message.byteLength, milliseconds);
    this.#fill();
    this.#endWhenDone();
  }

  #unmatched(why: number): void {
    if (why === Unmatched.Duplicate) this.#duplicates++;
    else if (why === Unmatched.Late) this.#late++;
    else this.#unknown++;
    this.#observer.unmatched?.(
      why === Unmatched.Duplicate ? 'duplicate' : why === Unmatched.Late ? 'late' : 'unknown',
    );
  }

  #summary(): PingSummary {
    const { target, from, network, window, intervalMs } = this.#options;
    const received = this.#latency.count;
    const elapsedMs = received === 0 ? 0 : this.#lastReplyAt - this.#firstSentAt;
    const known = received + this.#lost;
    return {
      peer: String(this.#connection?.peerName ?? '-'),
      ...(network === undefined ? {} : { network }),
      target: String(target),
      from: String(from),
      fromAddress: String(this.#messenger.myAddrs),
      transport: this.#messenger.transport.name,
      pingBytes: this.#pingBytes,
      replyBytes: this.#replyBytes,
      window,
      intervalMs,
      sent: this.#sent,
      received,
      lost: this.#lost,
      underWay: this.#ledger.openCount,
      lossPercent: known === 0 ? 0 : (100 * this.#lost) / known,
      duplicates: this.#duplicates,
      late: this.#late,
      unknown: this.#unknown,
      youDied: this.#youDied,
      disconnects: this.#disconnects,
      elapsedMs,
      repliesPerSecond: elapsedMs === 0 ? 0 : (1000 * received) / elapsedMs,
      rttMs: this.#latency.summary(),
    };
  }
}
