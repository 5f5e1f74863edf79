/**
 * An OSD's life towards the cluster: when it asks to be marked up, what it makes of the maps that follow,
 * and how it comes back after it was marked down while it ran. It holds no socket and no timer; the daemon
 * calls it and does what it asks for.
 *
 *      start, tick, monConnected, mapApplied ──► [Lifecycle] ──► sendBoot, rebind, shutdown …
 *
 * Facts: OSD::start_boot, _preboot, _send_boot, _committed_osd_maps, ms_handle_connect.
 */
import { isUp, type OSDMap, osdExists } from '../../maps/osdmap.ts';
import { OsdState as MapState } from '../../maps/states.ts';
import type { MapVersions } from '../../mon/client/versions.ts';
import type { Options } from '../../options.ts';
import type { HealthAnswer } from '../heartbeat/osd-heartbeat-types.ts';
import { bootObstacle, identityObstacle } from './boot-obstacle.ts';
import { MarkdownLog } from './markdown-log.ts';
import { OsdState } from './osd-state.ts';
import { type OwnAddresses, wrongAddress } from './own-addresses.ts';

export interface LifecyclePorts {
  readonly whoami: number;
  readonly osdFsid: string;
  options(): Options;
  nowMs(): number;
  addresses(): OwnAddresses;
  /** `isAfterMarkdown`: a share of the peers must answer first. */
  checkHealth(isAfterMarkdown: boolean): HealthAnswer;
  /** Rejects when the monitors cannot be asked; it is asked again later. */
  monitorEpochs(): Promise<MapVersions>;
  /** MOSDBoot; `bootEpoch` is 0 before the first time. */
  sendBoot(bootEpoch: number): void;
  /** Says that the former self of `epoch` is dead for certain. */
  sendMarkMeDead(epoch: number): void;
  sendBeacon(): void;
  /** New ports and nonces for the cluster and heartbeat servers. */
  rebind(): Promise<void>;
  stateChanged(state: OsdState, before: OsdState): void;
  /** `upFrom` of this life, once it is in the map. */
  cameUp(upFrom: number): void;
  /** Ends the daemon. */
  shutdown(): void;
  /** `level` as in Ceph, -1 for errors. */
  log(level: number, line: string): void;
  clusterLog(level: 'debug' | 'warn' | 'error', line: string): void;
}

/** Whoever waits for the monitor's yes this long is told why it may not come. */
const bootPatienceMs = 30_000;

export class Lifecycle {
  readonly #ports: LifecyclePorts;
  readonly #markdowns = new MarkdownLog();
  #state: OsdState = OsdState.Initializing;
  #map: OSDMap | undefined;
  /** Maps before this epoch know this OSD under addresses that it has given up. */
  #bindEpoch = 0;
  #bootEpoch = 0;
  #upEpoch = 0;
  #isRebinding = false;
  /** The monitors' epochs are asked for. */
  #isAsking = false;
  /** They were asked for in vain. */
  #mustAsk = false;
  #bootSentMs = 0;
  /** Told already. */
  #lastObstacle: string | undefined;

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
  }

  get state(): OsdState {
    return this.#state;
  }

  /** The epoch of this process's first boot; 0 before. */
  get bootEpoch(): number {
    return this.#bootEpoch;
  }

  /** The first epoch of the present life in the map; 0 while it is not up. */
  get upEpoch(): number {
    return this.#upEpoch;
  }

  /** Asks to be marked up, once enough is known and well. */
  startBoot(): void {
    if (this.#state === OsdState.Stopping || this.#isRebinding) return;
    const health = this.#ports.checkHealth(this.#isAfterMarkdown());
    if (!health.isHealthy) {
      this.#logOnce(1, `not healthy; waiting to boot: ${health.reason}`);
      this.#setState(OsdState.WaitingForHealthy);
      return;
    }
    this.#lastObstacle = undefined;
    this.#ports.log(1, 'start_boot');
    this.#setState(OsdState.Preboot);
    this.#askEpochs();
  }

  /** Each second. */
  tick(): void {
    if (this.#state === OsdState.WaitingForHealthy) this.startBoot();
    else if (this.#state === OsdState.Preboot && this.#mustAsk) this.#askEpochs();
    else if (this.#state === OsdState.Booting) this.#explainWait();
  }

  /** A session with a monitor began: what it must know is said again. */
  monConnected(): void {
    if (this.#state === OsdState.Preboot) this.#askEpochs();
    else if (this.#state === OsdState.Booting) this.#sendBoot();
    else if (this.#state === OsdState.Active) this.#ports.sendBeacon();
  }

  /** Each map, in order: one that has this OSD up may be followed by one that has it down. */
  mapApplied(map: OSDMap): void {
    this.#map = map;
    const { whoami } = this.#ports;
    if (this.#state === OsdState.Stopping) return;
    this.#noteOwnLife(map);
    if (this.#state === OsdState.Active) {
      if (!osdExists(map, whoami)) return this.#end('map says i do not exist.  shutting down.');
      if (this.#isStopped(map)) return this.#end('map says i am stopped by admin. shutting down.');
      if (!isUp(map, whoami) || wrongAddress(map, whoami, this.#ports.addresses())) this.#markedDown(map);
    } else if (this.#isStopped(map)) {
      return this.#end('map says i am stopped by admin. shutting down.');
    }
    if (this.#state === OsdState.Preboot) this.#askEpochs();
  }

  /** A heartbeat server had to move: the map must learn where to. */
  addressesChanged(): void {
    if (this.#state !== OsdState.Active && this.#state !== OsdState.Booting) return;
    this.#bindEpoch = this.#map?.epoch ?? 0;
    this.#upEpoch = 0;
    this.#setState(OsdState.Preboot);
    this.#askEpochs();
  }

  stopping(): void {
    this.#setState(OsdState.Stopping);
  }

  #noteOwnLife(map: OSDMap): void {
    const { whoami } = this.#ports;
    const isOurs = isUp(map, whoami) && map.clientAddrs[whoami]?.key === this.#ports.addresses().public.key;
    const upFrom = map.osdInfo[whoami]?.upFrom ?? 0;
    if (!isOurs || this.#bindEpoch >= upFrom) return;
    if (this.#upEpoch === 0) {
      this.#upEpoch = map.epoch;
      if (this.#bootEpoch === 0) this.#bootEpoch = map.epoch;
    }
    if (this.#state !== OsdState.Booting) return;
    this.#ports.log(1, 'state: booting -> active');
    this.#ports.cameUp(upFrom);
    this.#setState(OsdState.Active);
    this.#ports.sendBeacon();
  }

  /** Down in the map, or up under addresses that are not ours: another life must begin. */
  #markedDown(map: OSDMap): void {
    const { whoami } = this.#ports;
    const options = this.#ports.options();
    if (isUp(map, whoami)) {
      const { inMap, own, what } = wrongAddress(map, whoami, this.#ports.addresses())!;
      this.#ports.clusterLog('error', `map e${map.epoch} had wrong ${what} addr (${inMap} != my ${own})`);
    } else {
      const downAt = map.osdInfo[whoami]?.downAt ?? 0;
      this.#ports.clusterLog('warn', `Monitor daemon marked osd.${whoami} down, but it is still running`);
      this.#ports.clusterLog('debug', `map e${map.epoch} wrongly marked me down at e${downAt}`);
      this.#ports.sendMarkMeDead(map.epoch);
    }
    this.#upEpoch = 0;
    this.#bindEpoch = map.epoch;
    const { osd_max_markdown_count: countMax, osd_max_markdown_period: period } = options;
    const count = this.#markdowns.add(this.#ports.nowMs(), period);
    this.#setState(OsdState.WaitingForHealthy);
    if (count > countMax) {
      const limit = `marked down ${count} > osd_max_markdown_count ${countMax}`;
      return this.#end(`_committed_osd_maps ${limit} in last ${period} seconds, shutting down`);
    }
    this.#isRebinding = true;
    this.#ports.rebind().then(
      () => {
        this.#isRebinding = false;
        this.startBoot();
      },
      (error: Error) => this.#end(`marked down: messenger rebind failed: ${error.message}`),
    );
  }

  #askEpochs(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#mustAsk = false;
    this.#ports.monitorEpochs().then(
      ({ newest, oldest }) => {
        this.#isAsking = false;
        if (this.#state === OsdState.Preboot) this.#preboot(Number(oldest), Number(newest));
      },
      () => {
        this.#isAsking = false;
        this.#mustAsk = true;
      },
    );
  }

  /** Boots if the map is recent and has nothing against it; else the next map, or the next tick, asks again. */
  #preboot(oldest: number, newest: number): void {
    const map = this.#map;
    const obstacle = map === undefined ? 'waiting for initial osdmap' : bootObstacle(map, this.#ports.whoami);
    if (obstacle !== undefined) {
      this.#logOnce(-1, obstacle);
      return;
    }
    const isRecent =
      map!.epoch >= oldest - 1 && map!.epoch + this.#ports.options().osd_map_message_max > newest;
    if (isRecent) this.#sendBoot();
  }

  #sendBoot(): void {
    this.#bootSentMs = this.#ports.nowMs();
    this.#lastObstacle = undefined;
    this.#ports.sendBoot(this.#bootEpoch);
    this.#setState(OsdState.Booting);
  }

  #logOnce(level: number, obstacle: string): void {
    if (this.#lastObstacle === obstacle) return;
    this.#lastObstacle = obstacle;
    this.#ports.log(level, obstacle);
  }

  /** The monitor does not say why it leaves a boot unanswered. */
  #explainWait(): void {
    if (this.#ports.nowMs() - this.#bootSentMs < bootPatienceMs) return;
    this.#bootSentMs = this.#ports.nowMs();
    const { osdFsid, whoami } = this.#ports;
    const why =
      this.#map && (identityObstacle(this.#map, whoami, osdFsid) ?? bootObstacle(this.#map, whoami));
    this.#ports.log(-1, `the monitor has not marked me up yet${why === undefined ? '' : `: ${why}`}`);
  }

  #isAfterMarkdown(): boolean {
    const { osd_max_markdown_period: period } = this.#ports.options();
    return (
      this.#state === OsdState.WaitingForHealthy && this.#markdowns.count(this.#ports.nowMs(), period) > 0
    );
  }

  #isStopped(map: OSDMap): boolean {
    return ((map.osdState[this.#ports.whoami] ?? 0) & MapState.stop) !== 0;
  }

  #end(reason: string): void {
    this.#ports.log(-1, reason);
    this.#ports.shutdown();
  }

  #setState(state: OsdState): void {
    const before = this.#state;
    if (before === state) return;
    this.#state = state;
    this.#ports.stateChanged(state, before);
  }
}
