/**
 * The main side of an OSD's heartbeats (facts section 5): chooses the peers, puts together what both networks
 * know of them, and tells the monitor. The networks decide what is late, each by its own loop; nothing here
 * depends on how punctual the main thread is.
 *
 *      OSDMap ─► peers chosen ─► commands to both networks
 *      batches ─► peer unhealthy ─► failure_queue ─► MOSDFailure
 *                 healthy again  ─► still alive
 *                 links judged   ─► states, faults of a NIC
 */
import { isUp, type OSDMap } from '../../maps/osdmap.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { dumpOsdNetwork, type OsdNetworkDump } from './dump-osd-network.ts';
import { FailureReports } from './failure-reports.ts';
import { failureLine } from './heartbeat-lines.ts';
import { type HeartbeatOptions, localHealthMs, slowPingMs } from './heartbeat-options.ts';
import type { NetworkFault } from './link-state.ts';
import { LoopWatch } from './loop-watch.ts';
import { mapViewOf } from './map-view.ts';
import { NetworkBook } from './network-book.ts';
import { type NetworkBatch, type NetworkEvent, type NetworkName, networkNames } from './network-protocol.ts';
import type {
  HealthAnswer,
  HeartbeatMetrics,
  OsdHeartbeatInit,
  OsdHeartbeatInterface,
  OsdLife,
  PeerStatus,
} from './osd-heartbeat-types.ts';
import { PeerTable } from './peer-table.ts';

export class OsdHeartbeat implements OsdHeartbeatInterface {
  readonly #init: OsdHeartbeatInit;
  readonly #table: PeerTable;
  readonly #reports: FailureReports;
  readonly #book: Readonly<Record<NetworkName, NetworkBook>>;
  readonly #watch: LoopWatch;
  #options: HeartbeatOptions;
  #map: OSDMap | undefined;
  #life: OsdLife = 'preboot';
  #upFrom = 0;
  #isClosed = false;
  #needsUpdate = false;
  #resampledMs: number | undefined;
  #sentFailuresMs = 0;
  #hadPeersMs = 0;
  #mainLagMs = 0;
  #mainLagMsMax = 0;

  constructor(init: OsdHeartbeatInit) {
    this.#init = init;
    this.#options = init.options;
    this.#reports = new FailureReports((failure) => init.hooks.sendFailure(failure));
    this.#table = new PeerTable(init);
    this.#book = { back: new NetworkBook(), front: new NetworkBook() };
    this.#watch = new LoopWatch(
      init.clock,
      (lagMs, atMs) => this.#wasLate(lagMs, atMs),
      (nowMs) => this.#tick(nowMs),
    );
    for (const network of networkNames) {
      init.networks[network].events = {
        onBatch: (batch) => this.#handleBatch(batch),
        onDied: (reason) => this.#networkDied(network, reason),
        onRestarted: (addrs) => this.#networkRestarted(network, addrs),
      };
    }
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────

  async start(): Promise<Record<NetworkName, EntityAddrVec>> {
    const { networks, clock } = this.#init;
    const [back, front] = await Promise.all([networks.back.start(), networks.front.start()]);
    this.#book.back.addrs = back;
    this.#book.front.addrs = front;
    this.#hadPeersMs = clock.nowMs();
    this.#watch.start();
    return { back, front };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.stop();
    await Promise.all(networkNames.map((network) => this.#init.networks[network].close()));
  }

  async rebind(avoidPorts: ReadonlySet<number>): Promise<Record<NetworkName, EntityAddrVec>> {
    const { networks } = this.#init;
    this.#reset(true);
    const [back, front] = await Promise.all([
      networks.back.rebind(avoidPorts),
      networks.front.rebind(avoidPorts),
    ]);
    this.#book.back.addrs = back;
    this.#book.front.addrs = front;
    this.#needsUpdate = true;
    return { back, front };
  }

  setLife(life: OsdLife): void {
    if (life === this.#life) return;
    this.#life = life;
    // Asked again what is going on around it, before it boots.
    if (life === 'waitingForHealthy') this.#resampledMs = undefined;
    this.#needsUpdate = true;
    this.#sendMapView();
    this.#updatePeers();
  }

  setUpFrom(upFrom: number): void {
    this.#upFrom = upFrom;
    this.#sendMapView();
  }

  setOptions(options: HeartbeatOptions): void {
    this.#options = options;
    for (const network of networkNames) this.#init.networks[network].command({ kind: 'options', options });
  }

  // ── Maps and monitors ──────────────────────────────────────────────────────────────────────────

  handleMap(map: OSDMap): void {
    const before = this.#map;
    this.#map = map;
    if (before !== undefined) {
      for (let osd = 0; osd < before.maxOsd; osd++) {
        if (!isUp(before, osd)) continue;
        const isSame = isUp(map, osd) && map.osdInfo[osd]?.upFrom === before.osdInfo[osd]?.upFrom;
        if (!isSame && osd !== this.#init.whoami) this.#noteDown(osd, before);
      }
    }
    this.#sendMapView();
    this.#needsUpdate = true;
    this.#updatePeers();
  }

  monConnected(): void {
    this.#reports.requeue();
    this.#sendFailures();
  }

  handleRefused(osd: number): void {
    const map = this.#map;
    if (map === undefined || !this.#options.osd_fast_fail_on_connection_refused) return;
    if (!isUp(map, osd) || !this.#isWatching()) return;
    const nowMs = this.#init.clock.nowMs();
    if (this.#reports.sendImmediate(map, osd, nowMs, this.#graceMs)) {
      this.#log(1, `handle_refused: osd.${osd} refused the connection, reported as failed`);
    }
  }

  peersChanged(): void {
    this.#needsUpdate = true;
  }

  /** Ceph's note_down_osd. */
  #noteDown(osd: number, before: OSDMap): void {
    this.#init.hooks.markDownCluster?.(osd, before.clusterAddrs[osd]!);
    this.#reports.forget(osd);
    this.#dropPeers([osd]);
  }

  #sendMapView(): void {
    if (this.#map === undefined) return;
    const map = mapViewOf(this.#map, { isActive: this.#life === 'active', upFrom: this.#upFrom });
    for (const network of networkNames) this.#init.networks[network].command({ kind: 'map', map });
  }

  // ── Peers ──────────────────────────────────────────────────────────────────────────────────────

  #isWatching(): boolean {
    return this.#life === 'active' || this.#life === 'waitingForHealthy';
  }

  get #graceMs(): number {
    return this.#options.osd_heartbeat_grace * 1000;
  }

  /** Ceph's maybe_update_heartbeat_peers. */
  #updatePeers(): void {
    if (!this.#isWatching() || this.#map === undefined || this.#isClosed) return;
    const nowMs = this.#init.clock.nowMs();
    if (this.#resampledMs === undefined) {
      this.#resampledMs = nowMs;
      this.#needsUpdate = true;
    } else if (!this.#needsUpdate && nowMs - this.#resampledMs > this.#graceMs) {
      this.#resampledMs = nowMs;
      this.#needsUpdate = true;
      this.#reset(this.#life === 'waitingForHealthy');
    }
    if (!this.#needsUpdate) return;
    this.#needsUpdate = false;
    const { added, removed } = this.#table.choose(this.#map, this.#options, this.#life === 'active', nowMs);
    this.#dropPeers(removed);
    for (const osd of this.#reports.pendingOsds()) {
      if (!this.#table.has(osd)) this.#reports.cancel(this.#map, osd);
    }
    for (const network of networkNames) {
      const peers = added[network];
      if (peers.length > 0) this.#init.networks[network].command({ kind: 'addPeers', peers });
    }
  }

  /**
   * Ceph's reset_heartbeat_peers: all, or those that have been failing for osd_heartbeat_stale. What was said of
   * them is taken back first, where Ceph only forgets it: a monitor keeps the word of an OSD whose own NIC had
   * died, and the next such OSD is then the second witness against everybody.
   */
  #reset(isAll: boolean): void {
    const staleMs = this.#init.clock.nowMs() - this.#options.osd_heartbeat_stale * 1000;
    const dropped = this.#table.all().filter((peer) => isAll || peer.isStale(staleMs));
    const pending = isAll ? this.#reports.pendingOsds() : dropped.map(({ osd }) => osd);
    if (this.#map !== undefined) for (const osd of pending) this.#reports.cancel(this.#map, osd);
    for (const { osd } of dropped) this.#reports.forget(osd);
    this.#dropPeers(dropped.map(({ osd }) => osd));
    if (isAll) this.#reports.forgetAll();
  }

  #dropPeers(osds: readonly number[]): void {
    const dropped = osds.filter((osd) => this.#table.drop(osd));
    if (dropped.length === 0) return;
    for (const network of networkNames) {
      this.#book[network].forget(dropped);
      this.#init.networks[network].command({ kind: 'removePeers', osds: dropped });
    }
  }

  // ── What the networks tell ─────────────────────────────────────────────────────────────────────

  #handleBatch(batch: NetworkBatch): void {
    if (this.#isClosed) return;
    this.#watch.seen();
    this.#book[batch.network].take(batch, (osd) => this.#table.has(osd));
    const changed = this.#table.take(batch);
    for (const event of batch.events) this.#handleEvent(batch.network, event);
    const map = this.#map;
    if (map === undefined) return;
    for (const peer of changed) {
      if (!peer.isUnhealthy && peer.isHealthy) this.#reports.heard(map, peer.osd);
    }
    if (changed.some((peer) => peer.isUnhealthy && !this.#reports.isPending(peer.osd))) this.#check();
    this.#table.judge(changed, this.#options);
  }

  #handleEvent(network: NetworkName, event: NetworkEvent): void {
    const { hooks } = this.#init;
    switch (event.kind) {
      case 'peerEpoch':
        if (this.#life === 'active') hooks.shareMap?.(event.osd, event.epoch);
        break;
      case 'youDied':
        this.#log(10, `handle_osd_ping osd.${event.osd} says i am down in ${event.epoch}`);
        hooks.subscribeNextMap();
        break;
      case 'refused':
        if (this.#table.get(event.osd)?.upFrom === event.upFrom) this.handleRefused(event.osd);
        break;
      case 'reset':
        this.#log(1, `heartbeat_reset failed hb con (${network}) for osd.${event.osd}, reopening`);
        break;
      case 'late':
        this.#log(0, `heartbeat: the loop of ${network} stood still for ${seconds(event.lagMs)}`);
        hooks.slow?.({ loop: network, lagMs: event.lagMs, atMs: event.atMs });
        break;
      case 'mainLate':
        this.#book[network].mainLagMsMax = Math.max(this.#book[network].mainLagMsMax, event.lagMs);
        break;
    }
  }

  /** Ceph's heartbeat_check: who is unhealthy is queued, and told to the monitor at once. */
  #check(): void {
    if (!this.#isWatching() || this.#map === undefined) return;
    const nowMs = this.#init.clock.nowMs();
    for (const peer of this.#table.all()) {
      if (!peer.isUnhealthy || this.#reports.isPending(peer.osd)) continue;
      if (!this.#reports.queued.has(peer.osd)) {
        this.#log(-1, failureLine(peer, this.#map, this.#wallMs));
      }
      this.#reports.queue(peer.osd, peer.failedSinceMs());
    }
    this.#reports.sendAll(this.#map, nowMs, this.#graceMs);
  }

  #sendFailures(): void {
    if (this.#map === undefined || !this.#isWatching()) return;
    this.#sentFailuresMs = this.#init.clock.nowMs();
    this.#reports.sendAll(this.#map, this.#sentFailuresMs, this.#graceMs);
  }

  #networkDied(network: NetworkName, reason: Error): void {
    this.#log(-1, `heartbeat: the thread of ${network} ended (${reason.message}) and is replaced`);
    this.#book[network].restarts++;
    this.#table.clear(network);
    this.#init.hooks.networkDied?.(network, reason);
  }

  #networkRestarted(network: NetworkName, addrs: EntityAddrVec): void {
    const host = this.#init.networks[network];
    host.command({ kind: 'options', options: this.#options });
    this.#sendMapView();
    host.command({
      kind: 'addPeers',
      peers: this.#map === undefined ? [] : this.#table.specs(network, this.#map),
    });
    const { addrs: before } = this.#book[network];
    this.#book[network].addrs = addrs;
    if (before !== undefined && !before.equals(addrs)) this.#init.hooks.addrsChanged?.(network, addrs);
  }

  // ── Time ───────────────────────────────────────────────────────────────────────────────────────

  /** Once a second, as Ceph's OSD_TICK_INTERVAL. */
  #tick(nowMs: number): void {
    // What the networks have said already is newer than what is known here, above all after a standstill.
    for (const network of networkNames) this.#init.networks[network].drain();
    this.#updatePeers();
    this.#check();
    if (nowMs - this.#sentFailuresMs >= this.#options.osd_mon_report_interval * 1000) this.#sendFailures();
    this.#table.updateFaults();
    if (this.#table.size > 0 || this.#life !== 'active') this.#hadPeersMs = nowMs;
    else if (nowMs - this.#hadPeersMs > this.#options.osd_mon_heartbeat_interval * 1000) {
      this.#hadPeersMs = nowMs;
      this.#log(10, 'i have no heartbeat peers; checking mon for new map');
      this.#init.hooks.subscribeNextMap();
    }
  }

  #wasLate(lagMs: number, atMs: number): void {
    this.#mainLagMs = lagMs;
    this.#mainLagMsMax = Math.max(this.#mainLagMsMax, lagMs);
    if (lagMs < localHealthMs(this.#options)) return;
    this.#log(0, `heartbeat: the main loop stood still for ${seconds(lagMs)}`);
    this.#init.hooks.slow?.({ loop: 'main', lagMs, atMs });
  }

  // ── What is asked ──────────────────────────────────────────────────────────────────────────────

  /** Ceph's _is_healthy, the part of it that is about peers. */
  checkHealth(isAfterMarkdown: boolean): HealthAnswer {
    for (const network of networkNames) this.#init.networks[network].drain();
    const peers = this.#table.all();
    const healthyPeers = peers.filter((peer) => peer.isHealthy).length;
    const ratio = this.#options.osd_heartbeat_min_healthy_ratio;
    const isHealthy =
      this.#life !== 'waitingForHealthy' || !isAfterMarkdown || healthyPeers >= peers.length * ratio;
    const reason = isHealthy
      ? ''
      : `only ${healthyPeers}/${peers.length} up peers (less than ${Math.round(ratio * 100)}%)`;
    return { isHealthy, healthyPeers, peers: peers.length, reason };
  }

  heartbeatPeers(): number[] {
    return this.#table.all().map(({ osd }) => osd);
  }

  peers(): PeerStatus[] {
    return this.#table.statuses(this.#init.clock.nowMs());
  }

  faults(): readonly NetworkFault[] {
    return this.#table.faults;
  }

  dumpOsdNetwork(thresholdMs: number = slowPingMs(this.#options)): OsdNetworkDump {
    const { whoami, clock } = this.#init;
    const staleMs = this.#options.osd_mon_heartbeat_stat_stale * 1000;
    const peers = this.#table.all().map((peer) => ({
      osd: peer.osd,
      times: (network: NetworkName) => this.#book[network].pingTimes.get(peer.osd),
      lastMs: (network: NetworkName) => peer.facts(network)?.lastRttMs ?? 0,
    }));
    return dumpOsdNetwork(whoami, peers, thresholdMs, clock.nowMs(), staleMs, this.#wallMs);
  }

  metrics(): HeartbeatMetrics {
    const { reported, immediate, cancelled, suppressed } = this.#reports.counters;
    return {
      failuresReported: reported,
      failuresImmediate: immediate,
      failuresCancelled: cancelled,
      failuresSuppressed: suppressed,
      mainLagMs: this.#mainLagMs,
      mainLagMsMax: this.#mainLagMsMax,
      networks: { back: this.#book.back.metrics(), front: this.#book.front.metrics() },
    };
  }

  /** For people to read only. */
  readonly #wallMs = (monotonicMs: number): number => Date.now() - (this.#init.clock.nowMs() - monotonicMs);

  #log(level: number, line: string): void {
    this.#init.hooks.log?.(level, line);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
