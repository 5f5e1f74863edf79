/**
 * The OSD daemon: its messengers, its monitor client, its heartbeats and its life, wired together.
 *
 *      ms_public ── MonClient ── OsdDispatcher ──► MapHistory ──► Lifecycle ──► boot, rebind, shutdown
 *      ms_cluster ───────────── OsdDispatcher          └────────► OsdHeartbeat, a thread for each network
 *      ms_objecter
 *
 * It holds no objects. Everything here runs on the main thread; pings do not.
 *
 *      new ──start()──► running ──stop()──► stopped       the cluster may end it too: event 'stopped'
 */
import { EventEmitter } from 'node:events';
import { AuthMethod } from '../../auth/auth.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { isUp } from '../../maps/osdmap.ts';
import type { MonClient } from '../../mon/client/mon-client.ts';
import type { OsdMapUpdate } from '../../mon/client/osd-map-reader.ts';
import { daemonVersion } from '../../version.ts';
import { adminCommands } from '../admin/commands.ts';
import { heartbeatOptionsOf } from '../heartbeat/heartbeat-options.ts';
import { untilNextPeriod } from '../heartbeat/monotonic-clock.ts';
import { Beacon } from './beacon.ts';
import { bindAddresses } from './bind-addresses.ts';
import { bootMessage } from './boot-message.ts';
import { ClusterPeers } from './cluster-peers.ts';
import { CommandTable } from './command-table.ts';
import { takeCrushPlace } from './crush-place.ts';
import { heartbeatHooks } from './heartbeat-hooks.ts';
import { type DaemonHeartbeat, lifeOf, type MakeHeartbeat } from './heartbeat-setup.ts';
import { Lifecycle } from './lifecycle.ts';
import { MapHistory } from './map-history.ts';
import { Goodbye } from './mark-me-down.ts';
import { messengerStatuses } from './messenger-status.ts';
import { makeOsdCore, type OsdCore, type OsdCoreInit } from './osd-core.ts';
import { OsdDispatcher } from './osd-dispatcher.ts';
import { OsdState } from './osd-state.ts';
import type { OwnAddresses } from './own-addresses.ts';
import { osdPerfSchema, PerfCounters, type PerfDump, type PerfSchema } from './perf-counters.ts';
import type { RunningConfig } from './running-config.ts';
import type { HeartbeatStatus, MessengerStatus, OsdDaemonEvents, OsdDaemonStatus } from './status.ts';

export interface OsdDaemonInit extends OsdCoreInit {
  readonly makeHeartbeat: MakeHeartbeat;
}

const tickMs = 1000;

export class OsdDaemon extends EventEmitter<OsdDaemonEvents> implements OsdDaemonStatus {
  readonly version = daemonVersion();
  readonly startedAt = new Date();
  readonly numPgs = 0;
  readonly commands = new CommandTable();
  readonly #core: OsdCore;
  readonly #makeHeartbeat: MakeHeartbeat;
  readonly #lifecycle: Lifecycle;
  readonly #beacon: Beacon;
  readonly #goodbye = new Goodbye();
  readonly #perf = new PerfCounters(osdPerfSchema);
  #heartbeat: DaemonHeartbeat | undefined;
  #heartbeatAddrs: Pick<OwnAddresses, 'hbBack' | 'hbFront'> | undefined;
  #maps: MapHistory | undefined;
  #peers: ClusterPeers | undefined;
  #ticker: unknown;
  #stopping: Promise<void> | undefined;

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for options, ERR_MSGR_KEYRING for a key that is not there. */
  constructor(init: OsdDaemonInit) {
    super();
    this.#makeHeartbeat = init.makeHeartbeat;
    this.#core = makeOsdCore(init, {
      epoch: () => this.newestMap,
      optionsChanged: (options) => this.#heartbeat?.heartbeat.setOptions(heartbeatOptionsOf(options)),
    });
    const { client, clock, config, messengers, monitors } = this.#core;
    this.#beacon = new Beacon({
      nowMs: () => clock.nowMs(),
      intervalSeconds: () => config.options.osd_beacon_report_interval,
      epoch: () => this.newestMap,
      send: (message) => {
        if (monitors.send(message)) this.#perf.add('beacons');
      },
    });
    this.#lifecycle = this.#makeLifecycle();
    for (const command of adminCommands(this)) this.commands.add(command);
    const dispatcher = this.#makeDispatcher();
    client.addDispatcher(dispatcher);
    messengers.cluster.addDispatcherHead(dispatcher);
  }

  // ── Status ─────────────────────────────────────────────────────────────────────────────────────

  get whoami(): number {
    return this.#core.whoami;
  }

  get config(): RunningConfig {
    return this.#core.config;
  }

  /** The cluster as this OSD sees it: for commands to the monitors, and their maps. */
  get client(): MonClient {
    return this.#core.client;
  }

  get clusterFsid(): string {
    return String(this.#core.data.identity.clusterFsid);
  }

  get osdFsid(): string {
    return String(this.#core.data.identity.osdFsid);
  }

  get state(): OsdState {
    return this.#lifecycle.state;
  }

  get oldestMap(): number {
    return this.#maps?.oldest ?? 0;
  }

  get newestMap(): number {
    return this.#maps?.epoch ?? 0;
  }

  /** @throws MsgrError ERR_MSGR_CLOSED before `start` got that far. */
  get heartbeat(): HeartbeatStatus {
    return this.#running().heartbeat;
  }

  messengers(): Promise<readonly MessengerStatus[]> {
    return messengerStatuses(this.#core.messengers, this.#running().networks, this.#heartbeatAddrs!);
  }

  perfDump(): PerfDump {
    this.#perf.set('heartbeat_to_peers', this.#heartbeat?.heartbeat.heartbeatPeers().length ?? 0);
    return { osd: this.#perf.dump() };
  }

  perfSchema(): PerfSchema {
    return { osd: this.#perf.schema };
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────

  /**
   * Resolves when it has begun to boot: addresses are bound, the monitors know this OSD, its place in the
   * CRUSH map is taken and the newest map is on its way.
   *
   * Rejects with what stands in the way (addresses, keys, monitors); `stop` must be called then too.
   */
  async start(): Promise<void> {
    const { client } = this;
    const messengers = this.#core.messengers;
    const addrs = await bindAddresses(this.#core.cephConfig, this.config.options);
    await messengers.public.bind(addrs.public);
    await messengers.cluster.bind(addrs.cluster);
    for (const messenger of Object.values(messengers)) messenger.start();
    client.on('config', (config) => this.config.setFromMonitors(config));
    client.on('sessionLost', ({ name }, cause) => this.log(1, `lost mon.${name}: ${cause.message}`));
    client.on('huntFailed', (error) => this.log(0, error.message));
    await client.connect();
    await this.#startHeartbeat(addrs.public.host, addrs.cluster.host);
    await takeCrushPlace(client, {
      deviceClass: this.#core.deviceClass,
      options: this.config.options,
      whoami: this.whoami,
    });
    await this.#followMaps();
    client.on('session', () => this.#monitorConnected());
    this.#armTick();
    this.#lifecycle.startBoot();
  }

  /**
   * Says goodbye to the monitors, when the options want that and the map has this OSD up, then closes
   * everything. Idempotent; a second call waits for the first.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** A line in the daemon's log. */
  log(level: number, line: string): void {
    this.#core.log.write(level, line);
  }

  async #stop(): Promise<void> {
    const { osd_fast_shutdown: isFast, osd_fast_shutdown_notify_mon: isNotified } = this.config.options;
    if (isFast && this.#maps) this.log(-1, '*** Immediate shutdown (osd_fast_shutdown=true) ***');
    if (!isFast || isNotified) await this.#sayGoodbye();
    this.#lifecycle.stopping();
    this.#core.clock.clearTimeout(this.#ticker);
    this.#maps?.stop();
    if (this.newestMap > 0) this.#saveSuperblock();
    await this.#heartbeat?.heartbeat.close();
    this.#heartbeat?.stop();
    await this.client.close();
    await Promise.all(Object.values(this.#core.messengers).map((messenger) => messenger.shutdown()));
    await this.#core.data.close();
    this.emit('stopped');
  }

  async #sayGoodbye(): Promise<void> {
    const map = this.#maps?.map;
    if (map === undefined || !isUp(map, this.whoami) || this.client.currentMon === undefined) return;
    this.log(0, 'prepare_to_stop telling mon we are shutting down and dead');
    await this.#goodbye.say({
      clock: this.#core.clock,
      timeoutMs: this.config.options.osd_mon_shutdown_timeout * 1000,
      fsid: this.#core.data.identity.clusterFsid,
      whoami: this.whoami,
      addrs: map.clientAddrs[this.whoami]!,
      epoch: map.epoch,
      send: (message) => void this.#core.monitors.send(message),
    });
    this.log(0, 'prepare_to_stop starting shutdown');
  }

  // ── Parts ──────────────────────────────────────────────────────────────────────────────────────

  #makeLifecycle(): Lifecycle {
    return new Lifecycle({
      whoami: this.whoami,
      osdFsid: this.osdFsid,
      options: () => this.config.options,
      nowMs: () => this.#core.clock.nowMs(),
      addresses: () => this.#addresses(),
      checkHealth: (isAfterMarkdown) => this.#running().heartbeat.checkHealth(isAfterMarkdown),
      monitorEpochs: () => this.client.getVersion('osdmap'),
      sendBoot: (bootEpoch) => this.#sendBoot(bootEpoch),
      sendMarkMeDead: (epoch) => {
        this.#perf.add('wrongly_marked_down');
        this.#core.monitors.sendMarkMeDead(epoch);
      },
      sendBeacon: () => this.#beacon.send(),
      rebind: () => this.#rebind(),
      stateChanged: (state, before) => {
        this.#heartbeat?.heartbeat.setLife(lifeOf(state));
        this.emit('state', state, before);
      },
      cameUp: (upFrom) => {
        this.#running().heartbeat.setUpFrom(upFrom);
        this.#saveSuperblock();
      },
      shutdown: () => void this.stop(),
      log: (level, line) => this.log(level, line),
      clusterLog: (level, line) => this.#core.monitors.clusterLog(level, line),
    });
  }

  #makeDispatcher(): OsdDispatcher {
    return new OsdDispatcher({
      commands: this.commands,
      perf: this.#perf,
      hasCaps: this.#core.auth.session.protocol === AuthMethod.Cephx,
      handleMap: (message, isFromMonitor) => {
        const epochs = [...message.incrementalMaps.keys(), ...message.maps.keys()];
        this.#perf.add('map_messages');
        this.#perf.add('map_message_epoch_dups', epochs.filter((epoch) => epoch <= this.newestMap).length);
        this.#maps?.handle(message, isFromMonitor);
      },
      stopAcknowledged: () => this.#goodbye.acknowledged(),
      shareMap: (connection, epoch) => this.#peers?.sharing.share(connection, epoch),
      refused: (connection) => this.#peers?.refused(connection),
      log: (level, line) => this.log(level, line),
    });
  }

  async #startHeartbeat(front: string, back: string): Promise<void> {
    const made = this.#makeHeartbeat({
      whoami: this.whoami,
      options: this.config.options,
      clock: this.#core.clock,
      nonce: this.#core.messengers.public.nonce,
      hosts: { front, back },
      auth: this.#core.auth,
      hooks: heartbeatHooks({
        core: this.#core,
        peers: () => this.#peers,
        newestMap: () => this.newestMap,
        addrsChanged: (network, addrs) => {
          const name = network === 'back' ? 'hbBack' : 'hbFront';
          this.#heartbeatAddrs = { ...this.#heartbeatAddrs!, [name]: addrs };
          this.#lifecycle.addressesChanged();
        },
      }),
    });
    this.#heartbeat = made;
    const { back: hbBack, front: hbFront } = await made.heartbeat.start();
    this.#heartbeatAddrs = { hbBack, hbFront };
  }

  /** From the newest map on: an OSD without objects needs none of the older ones. */
  async #followMaps(): Promise<void> {
    const { newest } = await this.client.getVersion('osdmap');
    const { options } = this.config;
    const { clusterFsid } = this.#core.data.identity;
    const maps = new MapHistory({
      clock: this.#core.clock,
      fsid: clusterFsid,
      first: Number(newest),
      cachedEpochsMax: options.osd_map_cache_size,
      askFull: (epoch) => this.#core.monitors.askFullMap(epoch),
      askFrom: (epoch) => this.client.subscribe('osdmap', { start: BigInt(epoch) }),
      blameMonitor: (error) => this.#core.monitors.blame(error),
      onMaps: (updates) => this.#applied(updates),
    });
    this.#maps = maps;
    this.#peers = new ClusterPeers({
      cluster: this.#core.messengers.cluster,
      fsid: clusterFsid,
      maps,
      options: () => this.config.options,
      onShared: () => this.#perf.add('map_shares'),
      refused: (osd) => this.#running().heartbeat.handleRefused(osd),
    });
    this.client.subscribe('osdmap', { start: newest });
  }

  // ── What happens ───────────────────────────────────────────────────────────────────────────────

  #applied(updates: readonly OsdMapUpdate[]): void {
    this.#perf.add('map_message_epochs', updates.length);
    const { heartbeat } = this.#running();
    this.client.received('osdmap', BigInt(this.newestMap));
    for (const { map } of updates) {
      heartbeat.handleMap(map);
      // While it says goodbye, being down is what it waits for.
      if (this.#stopping !== undefined && !isUp(map, this.whoami)) this.#goodbye.acknowledged();
      else this.#lifecycle.mapApplied(map);
    }
    this.emit('osdmap', this.newestMap);
  }

  #monitorConnected(): void {
    this.#maps?.sessionChanged();
    this.#lifecycle.monConnected();
    this.#heartbeat?.heartbeat.monConnected();
  }

  #armTick(): void {
    this.#ticker = this.#core.clock.setTimeout(
      () => {
        this.#armTick();
        this.#lifecycle.tick();
        if (this.state === OsdState.Active) this.#beacon.maybeSend();
      },
      untilNextPeriod(this.#core.clock.nowMs(), tickMs),
    );
  }

  #sendBoot(bootEpoch: number): void {
    this.#perf.add('boots');
    this.#core.monitors.send(
      bootMessage({
        data: this.#core.data,
        superblock: { ...this.#core.data.superblock, ...this.#mapRange() },
        epoch: this.newestMap,
        bootEpoch,
        addresses: this.#addresses(),
        deviceClass: this.#core.deviceClass,
      }),
    );
  }

  async #rebind(): Promise<void> {
    const { cluster, hbBack, hbFront } = this.#addresses();
    const ports = new Set([cluster, hbBack, hbFront].flatMap((addrs) => [...addrs].map(({ port }) => port)));
    await this.#core.messengers.cluster.rebind(ports);
    const { back, front } = await this.#running().heartbeat.rebind(ports);
    this.#heartbeatAddrs = { hbBack: back, hbFront: front };
    // The peers are chosen anew at once: their answers decide whether it may boot.
    this.#running().heartbeat.handleMap(this.#maps!.map!);
  }

  /**
   * The last life in which this OSD was in service, for the monitor's record of when its data was current.
   * A disk that takes nothing more is no reason to end: without objects there is nothing else on it.
   */
  #saveSuperblock(): void {
    const { bootEpoch } = this.#lifecycle;
    const life = bootEpoch > 0 ? { mounted: bootEpoch, cleanThru: this.newestMap } : {};
    try {
      this.#core.data.saveSuperblock({ ...this.#mapRange(), ...life });
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.log(-1, error.message);
    }
  }

  #mapRange(): { currentEpoch: number; oldestMap: number; newestMap: number; purgedSnapsLast: number } {
    const epoch = this.newestMap;
    return { currentEpoch: epoch, oldestMap: this.oldestMap, newestMap: epoch, purgedSnapsLast: epoch };
  }

  #addresses(): OwnAddresses {
    const { cluster, public: ms } = this.#core.messengers;
    return { public: ms.myAddrs, cluster: cluster.myAddrs, ...this.#heartbeatAddrs! };
  }

  #running(): DaemonHeartbeat {
    if (this.#heartbeat !== undefined) return this.#heartbeat;
    throw new MsgrError(ErrorCode.Closed, `osd.${this.whoami} has not started yet`);
  }
}
