/**
 * A cluster of OSDs on virtual time: the real heartbeat code of each, simulated wires between them, and the
 * monitor's rules. The same seed gives the same run, event for event.
 */
import { crushItemNone } from '../../../src/maps/crush/map.ts';
import { isUp, type OSDMap } from '../../../src/maps/osdmap.ts';
import { Placement } from '../../../src/maps/placement.ts';
import { makePool, PoolType } from '../../../src/maps/pool.ts';
import { type Options, resolveOptions } from '../../../src/options.ts';
import { heartbeatOptionsOf } from '../../../src/osd/heartbeat/heartbeat-options.ts';
import { MainTicks } from '../../../src/osd/heartbeat/main-watch.ts';
import { type NetworkName, networkNames } from '../../../src/osd/heartbeat/network-protocol.ts';
import { OsdHeartbeat } from '../../../src/osd/heartbeat/osd-heartbeat.ts';
import type { LinkChange, SlowReport } from '../../../src/osd/heartbeat/osd-heartbeat-types.ts';
import { MemoryHost } from '../../../src/transport/memory/memory-host.ts';
import { Random } from '../../../src/transport/memory/random.ts';
import { VirtualClock } from '../../../src/transport/memory/virtual-clock.ts';
import { type MOSDFailure, OSDFailureFlag } from '../../../src/wire/messages/m-osd-failure.ts';
import { smallMap } from '../../maps/support/small-map.ts';
import { addrsOf, SimHost } from './sim-host.ts';
import { SimMonitor } from './sim-monitor.ts';
import { Wire } from './wire.ts';

export interface ClusterInit {
  readonly seed: number;
  readonly hosts: number;
  readonly osdsPerHost: number;
  readonly options?: Partial<Options>;
  /** PGs that an OSD is in, of three copies each. */
  readonly pgsPerOsd?: number;
  /** What reaches the monitor; canaries swallow reports. */
  readonly isReported?: (reporter: number, failure: MOSDFailure) => boolean;
}

export interface SimReport {
  readonly atMs: number;
  readonly reporter: number;
  readonly target: number;
  readonly flags: number;
}

export class SimOsd {
  readonly id: number;
  readonly main: MemoryHost;
  readonly loops: Readonly<Record<NetworkName, MemoryHost>>;
  readonly heartbeat: OsdHeartbeat;
  readonly hosts: Readonly<Record<NetworkName, SimHost>>;
  readonly slow: SlowReport[] = [];
  readonly linkChanges: LinkChange[] = [];
  readonly ticks: MainTicks;
  life = 0;
  isDead = false;

  constructor(cluster: SimCluster, id: number, wallMs: number) {
    const { clock, options } = cluster;
    this.id = id;
    const random = new Random(cluster.random.next());
    this.main = new MemoryHost(clock);
    this.loops = { back: new MemoryHost(clock), front: new MemoryHost(clock) };
    this.ticks = new MainTicks(this.main);
    const heartbeatOptions = heartbeatOptionsOf(options);
    const host = (network: NetworkName): SimHost =>
      new SimHost({
        wire: cluster.wire,
        network,
        osd: id,
        options: heartbeatOptions,
        random,
        loop: this.loops[network],
        main: this.main,
        mainTicks: this.ticks.shared,
        wallMs,
      });
    this.hosts = { back: host('back'), front: host('front') };
    this.heartbeat = new OsdHeartbeat({
      whoami: id,
      options: heartbeatOptions,
      clock: this.main,
      random: () => random.float(),
      networks: this.hosts,
      pgPeers: (map) => cluster.pgPeers(map, id),
      hooks: {
        sendFailure: (failure) => cluster.reported(id, failure),
        subscribeNextMap: () => this.main.run(() => this.handleMap(cluster, cluster.monitor.map)),
        slow: (report) => this.slow.push(report),
        linkChanged: (change) => this.linkChanges.push(change),
      },
    });
  }

  handleMap(cluster: SimCluster, map: OSDMap): void {
    const { heartbeat, id } = this;
    heartbeat.handleMap(map);
    const mine = isUp(map, id) && map.clientAddrs[id]!.equals(addrsOf('public', id, this.life));
    if (mine) {
      heartbeat.setUpFrom(map.osdInfo[id]!.upFrom);
      heartbeat.setLife('active');
    } else if (!isUp(map, id) && map.clientAddrs[id]!.equals(addrsOf('public', id, this.life))) {
      this.#bootAgain(cluster);
    }
  }

  /** Wrongly marked down: another incarnation, which boots as soon as its peers answer. */
  #bootAgain(cluster: SimCluster): void {
    this.life++;
    this.heartbeat.setLife('waitingForHealthy');
    void this.heartbeat.rebind(new Set());
    const tryToBoot = (): void => {
      if (this.heartbeat.checkHealth(true).isHealthy) cluster.monitor.boot(this.id, this.life);
      else this.main.setTimeout(tryToBoot, 1000);
    };
    this.main.setTimeout(tryToBoot, 1000);
  }

  pause(): void {
    this.main.pause();
    for (const network of networkNames) this.loops[network].pause();
  }

  resume(): void {
    this.main.resume();
    for (const network of networkNames) this.loops[network].resume();
  }
}

export class SimCluster {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly options: Options;
  readonly wire: Wire;
  readonly monitor: SimMonitor;
  readonly osds: SimOsd[] = [];
  readonly reports: SimReport[] = [];
  /** When each OSD went down in the map, and which were up then in truth. */
  readonly downs: { readonly atMs: number; readonly osd: number; readonly isFalse: boolean }[] = [];
  readonly #init: ClusterInit;
  readonly #pgPeers = new WeakMap<OSDMap, Map<number, Set<number>>>();
  #before: OSDMap;

  private constructor(init: ClusterInit) {
    this.#init = init;
    this.random = new Random(init.seed);
    this.options = resolveOptions(init.options);
    this.wire = new Wire(this.clock, new Random(this.random.next()));
    const map = firstMap(init);
    this.#before = map;
    this.monitor = new SimMonitor(map, this.clock, this.options, (next) => this.#publish(next));
  }

  static async start(init: ClusterInit): Promise<SimCluster> {
    const cluster = new SimCluster(init);
    for (let id = 0; id < cluster.monitor.map.maxOsd; id++) {
      // Wall clocks hours apart, to show that none is read.
      const osd = new SimOsd(cluster, id, cluster.random.integer(0, 4e12));
      cluster.osds.push(osd);
      osd.ticks.start();
      await osd.heartbeat.start();
      osd.handleMap(cluster, cluster.monitor.map);
    }
    return cluster;
  }

  run(ms: number): void {
    this.clock.run(this.clock.nowMs() + ms);
  }

  kill(osd: number, isSilent: boolean): void {
    const victim = this.osds[osd]!;
    victim.isDead = true;
    victim.pause();
    if (isSilent) this.wire.vanish(osd);
    else this.wire.kill(osd);
  }

  reported(reporter: number, failure: MOSDFailure): void {
    if (this.osds[reporter]!.isDead) return;
    const { targetOsd: target, flags } = failure;
    this.reports.push({ atMs: this.clock.nowMs(), reporter, target, flags });
    if (this.#init.isReported?.(reporter, failure) === false) return;
    this.clock.setTimeout(() => this.monitor.report(reporter, failure), 1);
  }

  /** Failed reports about OSDs that were alive and reachable. */
  falseReports(): SimReport[] {
    return this.reports.filter(
      ({ target, flags }) => flags !== OSDFailureFlag.Alive && !this.osds[target]!.isDead,
    );
  }

  pgPeers(map: OSDMap, osd: number): Iterable<number> {
    if (this.#init.pgsPerOsd === 0) return [];
    let all = this.#pgPeers.get(map);
    if (all === undefined) {
      all = allPgPeers(map);
      this.#pgPeers.set(map, all);
    }
    return all.get(osd) ?? [];
  }

  #publish(map: OSDMap): void {
    const nowMs = this.clock.nowMs();
    for (let osd = 0; osd < map.maxOsd; osd++) {
      if (isUp(this.#before, osd) && !isUp(map, osd)) {
        this.downs.push({ atMs: nowMs, osd, isFalse: !this.osds[osd]!.isDead });
      }
    }
    this.#before = map;
    for (const osd of this.osds) {
      if (osd.isDead) continue;
      const latencyMs = 1 + this.random.float() * 20;
      this.clock.setTimeout(() => osd.main.run(() => osd.handleMap(this, map)), latencyMs);
    }
  }
}

function firstMap({ hosts, osdsPerHost, pgsPerOsd = 6 }: ClusterInit): OSDMap {
  const map = smallMap(hosts, osdsPerHost);
  const ids = Array.from({ length: map.maxOsd }, (_, osd) => osd);
  const pgNum = Math.max(1, Math.floor((map.maxOsd * pgsPerOsd) / 3));
  return {
    ...map,
    pools: new Map([[1, makePool({ type: PoolType.replicated, size: 3, pgNum })]]),
    clientAddrs: ids.map((osd) => addrsOf('public', osd, 0)),
    clusterAddrs: ids.map((osd) => addrsOf('cluster', osd, 0)),
    hbFrontAddrs: ids.map((osd) => addrsOf('front', osd, 0)),
    hbBackAddrs: ids.map((osd) => addrsOf('back', osd, 0)),
    osdInfo: map.osdInfo.map((info) => ({ ...info, upFrom: 5 })),
  };
}

function allPgPeers(map: OSDMap): Map<number, Set<number>> {
  const peers = new Map<number, Set<number>>();
  const placement = new Placement(map);
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < pgNum; seed++) {
      const { up } = placement.pgToUpActing({ pool, seed });
      for (const osd of up) {
        if (osd === crushItemNone) continue;
        let set = peers.get(osd);
        if (set === undefined) {
          set = new Set();
          peers.set(osd, set);
        }
        for (const other of up) if (other !== osd && other !== crushItemNone) set.add(other);
      }
    }
  }
  return peers;
}
