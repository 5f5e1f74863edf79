/**
 * One network's half of the heartbeats (facts section 5): pings its peers, answers theirs, and keeps what is
 * owed. It knows no socket, no thread and no wall clock, so that it runs in a worker, on the main thread and
 * in simulation alike.
 *
 *      beat: PING to each peer ─► history: answer owed until sent + grace
 *      PING_REPLY ─► its entry and all older ones settled, round trip counted
 *      tick: an oldest deadline that is past makes its peer unhealthy; main is told
 *
 * Local health: when this loop itself stood still for a tenth of the grace or more, deadlines move by as
 * much, answers to pings from before count neither as life nor as latency, and new pings leave at once.
 */
import type { Clock } from '../../transport/clock.ts';
import { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { type MOSDPing, OSDPingOp } from '../../wire/messages/m-osd-ping.ts';
import { type Signedspan, signedspanZero, utimeFromMs } from '../../wire/utime.ts';
import { Uuid } from '../../wire/uuid.ts';
import { type HeartbeatOptions, localHealthMs, slowPingMs } from './heartbeat-options.ts';
import { signedspanFromMs } from './heartbeat-stamps.ts';
import { LoopWatch, loopTickMs } from './loop-watch.ts';
import { type MainWatch, StillMain } from './main-watch.ts';
import { type MapView, viewExists, viewIsUp } from './map-view.ts';
import { type HeartbeatLink, type HeartbeatLinkEvents, NetworkPeer } from './network-peer.ts';
import type {
  NetworkBatch,
  NetworkCommand,
  NetworkCounters,
  NetworkName,
  NetworkPeer as PeerInit,
} from './network-protocol.ts';
import { NetworkReport } from './network-report.ts';
import { pingBody, replyBody } from './ping-body.ts';
import { dropsPing, PingSenders } from './ping-senders.ts';

export interface HeartbeatNetworkInit {
  readonly network: NetworkName;
  /** Monotonic, the same base as main's. */
  readonly clock: Clock;
  /** When the process began, on that clock: monotonic stamps count from there. */
  readonly startMs: number;
  /** Wall clock of that moment. Stamps are this plus monotonic time, so they never jump. */
  readonly startWallMs: number;
  readonly random: () => number;
  readonly options: HeartbeatOptions;
  /** Begins to connect. */
  connect(osd: number, addrs: EntityAddrVec, events: HeartbeatLinkEvents): HeartbeatLink;
  deliver(batch: NetworkBatch): void;
  /** Absent where main is this very loop. */
  readonly main?: MainWatch;
}

/** From this lag of our own loop on, round trips that it may have lengthened are not counted. */
const latencyLagMs = 100;
/** Least time between two attempts to open a connection that keeps breaking. */
const redialMs = 1000;
/** Peers' rows are sent this often. */
const reportMs = 1000;

export class HeartbeatNetwork {
  readonly #init: HeartbeatNetworkInit;
  readonly #clock: Clock;
  readonly #watch: LoopWatch;
  readonly #main: MainWatch;
  readonly #peers = new Map<number, NetworkPeer>();
  readonly #senders = new PingSenders();
  readonly #report: NetworkReport;
  #options: HeartbeatOptions;
  #view: MapView | undefined;
  #fsid = Uuid.zero;
  #isInternallyHealthy = true;
  #isRunning = false;
  /** The stamp made last, and of when. */
  #stamp = signedspanZero;
  #stampedMs = Number.NaN;
  #beatTimer: unknown;
  #deadlineTimer: unknown;
  #reportedMs = 0;
  /** What was sent before is answered by now, if ever, in our socket's buffer: no sign of life. */
  #deafUntilMs = 0;
  /** What was sent before has a round trip that our own lateness is part of. */
  #lateUntilMs = 0;

  constructor(init: HeartbeatNetworkInit) {
    this.#init = init;
    this.#clock = init.clock;
    this.#options = init.options;
    this.#main = init.main ?? new StillMain();
    this.#report = new NetworkReport(init.network);
    this.#watch = new LoopWatch(
      init.clock,
      (lagMs, nowMs) => this.#wasLate(lagMs, nowMs),
      (nowMs) => this.#tick(nowMs),
    );
  }

  start(): void {
    this.#isRunning = true;
    this.#watch.start();
    this.#scheduleBeat(this.#nextBeatMs());
  }

  /** Nothing is sent or told any more. */
  stop(): void {
    this.#isRunning = false;
    this.#watch.stop();
    this.#clock.clearTimeout(this.#beatTimer);
    this.#clock.clearTimeout(this.#deadlineTimer);
    for (const peer of this.#peers.values()) peer.link?.close();
    this.#peers.clear();
  }

  get counters(): Readonly<NetworkCounters> {
    return this.#report.counters;
  }

  // ── Commands of the main side ──────────────────────────────────────────────────────────────────

  command(command: NetworkCommand): void {
    switch (command.kind) {
      case 'options':
        this.#options = command.options;
        break;
      case 'map':
        this.#setMap(command.map);
        break;
      case 'addPeers':
        for (const peer of command.peers) this.#addPeer(peer);
        break;
      case 'removePeers':
        for (const osd of command.osds) this.#removePeer(osd);
        break;
      case 'internalHealth':
        this.#isInternallyHealthy = command.isHealthy;
        break;
      case 'kick':
        this.#scheduleBeat(0);
        break;
    }
  }

  #setMap(view: MapView): void {
    if (this.#view?.fsid !== view.fsid) this.#fsid = Uuid.parse(view.fsid);
    this.#view = view;
    this.#senders.prune((osd) => viewExists(view, osd));
  }

  #addPeer({ osd, addrs, upFrom }: PeerInit): void {
    const known = this.#peers.get(osd);
    if (known?.upFrom === upFrom) return;
    if (known !== undefined) this.#removePeer(osd);
    const peer = new NetworkPeer(osd, EntityAddrVec.parse(addrs), upFrom);
    this.#peers.set(osd, peer);
    this.#dial(peer, this.#clock.nowMs());
  }

  #removePeer(osd: number): void {
    const peer = this.#peers.get(osd);
    if (peer === undefined) return;
    peer.link?.close();
    this.#peers.delete(osd);
    this.#report.forget(osd);
  }

  // ── Pinging ────────────────────────────────────────────────────────────────────────────────────

  /** Ceph's heartbeat(): a PING to every peer. */
  #beat(): void {
    const nowMs = this.#watch.seen();
    const view = this.#view;
    if (view !== undefined) {
      const deadlineMs = nowMs + this.#options.osd_heartbeat_grace * 1000;
      const stamp = utimeFromMs(this.#init.startWallMs + (nowMs - this.#init.startMs));
      const mono = this.#monoStamp(nowMs);
      for (const peer of this.#peers.values()) {
        if (peer.link === undefined) continue;
        peer.lastTxMs = nowMs;
        if (peer.firstTxMs === 0) peer.firstTxMs = nowMs;
        peer.history.push(stamp, nowMs, deadlineMs);
        peer.isChanged = true;
        this.#report.counters.pingsSent++;
        const deltaUb = this.#senders.get(peer.osd)?.stamps.deltaUb;
        peer.link.send(pingBody(this.#fsid, view, this.#options, stamp, mono, deltaUb));
      }
    }
    this.#scheduleBeat(this.#nextBeatMs());
  }

  /** Between half a second and nine tenths of the interval more, as in Ceph. */
  #nextBeatMs(): number {
    const { osd_heartbeat_interval, debug_disable_randomized_ping } = this.#options;
    if (debug_disable_randomized_ping) return osd_heartbeat_interval * 1000;
    const tenths = Math.floor(this.#init.random() * 10);
    return 500 + tenths * 100 * osd_heartbeat_interval;
  }

  #scheduleBeat(delayMs: number): void {
    if (!this.#isRunning) return;
    this.#clock.clearTimeout(this.#beatTimer);
    this.#beatTimer = this.#clock.setTimeout(() => this.#beat(), delayMs);
  }

  #dial(peer: NetworkPeer, nowMs: number): void {
    peer.link?.close();
    peer.isConnected = false;
    peer.isChanged = true;
    peer.dialledMs = nowMs;
    const isCurrent = (): boolean => this.#peers.get(peer.osd) === peer && peer.link === link;
    const link: HeartbeatLink = this.#init.connect(peer.osd, peer.addrs, {
      onConnected: () => {
        if (!isCurrent()) return;
        peer.isConnected = true;
        peer.isChanged = true;
      },
      onReset: () => isCurrent() && this.#reset(peer),
      onRefused: () => isCurrent() && this.#refused(peer),
      onReply: (reply) => isCurrent() && this.#handleReply(peer, reply),
    });
    peer.link = link;
  }

  /** Ceph's heartbeat_reset. What the peer owes it goes on owing: the next answer settles it. */
  #reset(peer: NetworkPeer): void {
    const nowMs = this.#watch.seen();
    this.#report.counters.resets++;
    this.#report.event({ kind: 'reset', osd: peer.osd });
    if (this.#view !== undefined && !viewIsUp(this.#view, peer.osd)) {
      this.#removePeer(peer.osd);
      return;
    }
    peer.isConnected = false;
    peer.isChanged = true;
    // A peer that accepts and breaks off again and again is tried once a second, by the tick.
    if (nowMs - peer.dialledMs >= redialMs) this.#dial(peer, nowMs);
    else peer.link = undefined;
  }

  #refused(peer: NetworkPeer): void {
    this.#watch.seen();
    this.#report.counters.refusals++;
    this.#report.event({ kind: 'refused', osd: peer.osd, upFrom: peer.upFrom });
    this.#flush();
  }

  // ── Receiving ──────────────────────────────────────────────────────────────────────────────────

  /**
   * A message that came to the heartbeat server, from the OSD `from`; `reply` answers on that connection. Who has not
   * proven to be that OSD gets the same answer, and nothing is taken for the OSD's word.
   */
  handlePing(from: number, ping: MOSDPing, reply: (answer: MOSDPing) => void, isProven = true): void {
    const nowMs = this.#watch.seen();
    const view = this.#view;
    if (!this.#isRunning || view === undefined || !this.#isOurs(ping)) return;
    if (ping.op === OSDPingOp.YouDied && isProven)
      this.#report.event({ kind: 'youDied', osd: from, epoch: ping.mapEpoch });
    if (ping.op !== OSDPingOp.Ping) return;
    this.#report.counters.pingsReceived++;
    const exists = viewExists(view, from);
    const sender = exists && isProven ? this.#senders.of(from) : undefined;
    if (sender !== undefined) {
      if (dropsPing(sender, this.#options, this.#init.random)) {
        this.#report.counters.pingsDropped++;
        return;
      }
      sender.lastPingInMs = nowMs;
      sender.stamps.gotPing(ping.upFrom, this.#monoMs(nowMs), ping.monoSendStamp, ping.deltaUb);
      const peer = this.#peers.get(from);
      if (peer !== undefined) peer.isChanged = true;
    }
    const isMainStuck = this.#main.stillMs(nowMs) > this.#options.osd_op_thread_timeout * 1000;
    if (!this.#isInternallyHealthy || isMainStuck) {
      this.#report.counters.pingsDropped++;
      return;
    }
    const mono = this.#monoStamp(nowMs);
    const deltaUb = sender?.stamps.deltaUb;
    this.#report.counters.repliesSent++;
    reply(replyBody(ping, view, this.#options, OSDPingOp.PingReply, mono, deltaUb));
    if (viewIsUp(view, from)) {
      if (isProven) this.#notePeerEpoch(view, from, ping.mapEpoch);
    } else if (!exists || (view.downAt[from] ?? 0) > ping.mapEpoch) {
      this.#report.counters.youDiedSent++;
      reply(replyBody(ping, view, this.#options, OSDPingOp.YouDied, mono, undefined));
    }
  }

  /** The one that is ours is kept as it came last: the next is the same object, and needs no comparison. */
  #isOurs({ fsid }: MOSDPing): boolean {
    if (fsid === this.#fsid) return true;
    if (!fsid.equals(this.#fsid)) return false;
    this.#fsid = fsid;
    return true;
  }

  #handleReply(peer: NetworkPeer, reply: MOSDPing): void {
    const nowMs = this.#watch.seen();
    const view = this.#view;
    if (!this.#isRunning || view === undefined || !this.#isOurs(reply)) return;
    if (reply.op === OSDPingOp.YouDied) {
      this.#report.event({ kind: 'youDied', osd: peer.osd, epoch: reply.mapEpoch });
      this.#flush();
    }
    if (reply.op !== OSDPingOp.PingReply) return;
    this.#report.counters.repliesReceived++;
    peer.isChanged = true;
    const sentMs = peer.history.sentMsOf(reply.pingStamp);
    if (sentMs !== undefined && sentMs < this.#deafUntilMs) {
      this.#report.counters.repliesStale++;
    } else if (sentMs !== undefined) this.#acknowledge(peer, reply, sentMs, nowMs);
    if (reply.mapEpoch !== 0 && viewIsUp(view, peer.osd)) this.#notePeerEpoch(view, peer.osd, reply.mapEpoch);
    const { stamps } = this.#senders.of(peer.osd);
    stamps.gotPingReply(this.#monoMs(nowMs), reply.monoSendStamp, reply.deltaUb);
  }

  #acknowledge(peer: NetworkPeer, reply: MOSDPing, sentMs: number, nowMs: number): void {
    const owed = peer.history.length;
    peer.history.acknowledge(reply.pingStamp);
    peer.lastRxMs = nowMs;
    const passedOver = owed - peer.history.length - 1;
    if (sentMs >= this.#lateUntilMs) {
      const rttMs = nowMs - sentMs;
      peer.lastRttMs = rttMs;
      this.#report.roundTrip(peer.osd, rttMs);
      const spanMs = this.#options.debug_heartbeat_testing_span * 1000;
      const times = peer.pingTimes.record(nowMs, Math.round(rttMs * 1000), spanMs || undefined);
      if (times !== undefined) this.#report.pingTimes(peer.osd, times);
      if (passedOver > 0) peer.remember(passedOver, true);
      peer.remember(1, rttMs > slowPingMs(this.#options));
    }
    this.#judge(peer, nowMs);
  }

  /** Map sharing: main hears of a peer whose map is behind, once for each pair of epochs. */
  #notePeerEpoch(view: MapView, osd: number, epoch: number): void {
    if (!view.isActive || epoch >= view.epoch) return;
    const sender = this.#senders.of(osd);
    if (sender.toldEpoch === epoch && sender.toldOwnEpoch === view.epoch) return;
    sender.toldEpoch = epoch;
    sender.toldOwnEpoch = view.epoch;
    this.#report.event({ kind: 'peerEpoch', osd, epoch });
  }

  // ── Time ───────────────────────────────────────────────────────────────────────────────────────

  #tick(nowMs: number): void {
    const halfGraceMs = this.#options.osd_heartbeat_grace * 500;
    for (const peer of this.#peers.values()) {
      const sinceDialMs = nowMs - peer.dialledMs;
      const isLost = peer.link === undefined && sinceDialMs >= redialMs;
      // A path that was cut and heals: TCP would wait out its back-off, up to minutes; a new connection does not.
      const isHanging = sinceDialMs > halfGraceMs && peer.isConnected && peer.owedMs(nowMs) > halfGraceMs;
      if (isLost || isHanging) this.#dial(peer, nowMs);
    }
    this.#judgeAll(nowMs);
    const ended = this.#main.ended(nowMs);
    if (ended >= localHealthMs(this.#options)) {
      this.#report.event({ kind: 'mainLate', lagMs: ended, atMs: nowMs });
    }
    this.#flush(nowMs - this.#reportedMs >= reportMs);
  }

  /** A deadline before the next tick is not kept waiting for it. */
  #judgeAll(nowMs: number): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const peer of this.#peers.values()) {
      this.#judge(peer, nowMs);
      const { oldestDeadlineMs } = peer.history;
      if (oldestDeadlineMs >= nowMs && oldestDeadlineMs < nextMs) nextMs = oldestDeadlineMs;
    }
    this.#clock.clearTimeout(this.#deadlineTimer);
    const leftMs = nextMs - nowMs;
    if (leftMs >= loopTickMs) return;
    this.#deadlineTimer = this.#clock.setTimeout(() => {
      this.#judgeAll(this.#watch.seen());
      this.#flush();
    }, leftMs + 1);
  }

  #judge(peer: NetworkPeer, nowMs: number): void {
    const isUnhealthy = peer.history.isUnhealthy(nowMs);
    if (isUnhealthy === peer.isUnhealthy) return;
    peer.isUnhealthy = isUnhealthy;
    peer.isChanged = true;
    this.#report.urge();
  }

  #wasLate(lagMs: number, nowMs: number): void {
    if (lagMs >= latencyLagMs) this.#lateUntilMs = nowMs;
    if (lagMs < localHealthMs(this.#options)) return;
    this.#deafUntilMs = nowMs;
    this.#main.excuse(nowMs);
    const leastMs = nowMs + this.#options.osd_heartbeat_interval * 1000;
    for (const peer of this.#peers.values()) {
      peer.history.shift(lagMs, leastMs);
      peer.isChanged = true;
    }
    this.#report.event({ kind: 'late', lagMs, atMs: nowMs });
    this.#scheduleBeat(0);
  }

  /** Tells main what is urgent, and everything when `isDue`, unless it stands still and could not read it. */
  #flush(isDue = false): void {
    const nowMs = this.#clock.nowMs();
    if (!this.#isRunning || !(isDue || this.#report.isUrgent) || this.#main.stillMs(nowMs) > 2 * reportMs)
      return;
    this.#reportedMs = nowMs;
    const lastPingIn = (osd: number): number => this.#senders.get(osd)?.lastPingInMs ?? 0;
    const [lag, mainLag] = [this.#watch.takeLagMsMax(), this.#main.takeLagMsMax()];
    const batch = this.#report.take(nowMs, this.#peers.values(), lastPingIn, lag, mainLag);
    if (batch !== undefined) this.#init.deliver(batch);
  }

  /** Ceph's mnow: monotonic, since the process began. */
  #monoMs(nowMs: number): number {
    return nowMs - this.#init.startMs;
  }

  /** One for all that is sent within a turn. */
  #monoStamp(nowMs: number): Signedspan {
    if (nowMs !== this.#stampedMs) {
      this.#stampedMs = nowMs;
      this.#stamp = signedspanFromMs(this.#monoMs(nowMs));
    }
    return this.#stamp;
  }
}
