/**
 * Heartbeats to a real ceph-osd, to `msgr2 osd` in the same cluster and to msgr2's messenger alone, from one and
 * the same prober: round trips, losses, and what a ping costs the one who answers, by Linux's account of its
 * process. The daemon is what an operator runs (its heartbeat servers do not poll), the messenger alone has default
 * options.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { microseconds } from '../src/cli/bench/report.ts';
import { formatCount, formatTable } from '../src/cli/format.ts';
import type { LiveLine } from '../src/cli/live-line.ts';
import { Pinger, type PingSummary } from '../src/cli/ping/pinger.ts';
import { EntityAddr, EntityName, osdPingPadding, Uuid } from '../src/index.ts';
import { moduleBeside } from '../src/module-beside.ts';
import { nativeAvailable } from '../src/native.ts';
import { pingBytes } from '../src/osd/network/ping-codec.ts';
import { CephCluster } from '../test/support/ceph-cluster.ts';
import { Msgr2Osd } from '../test/support/msgr2-osd.ts';
import type { PingAnswererOptions } from './ping-answerer.ts';
import type { OsdPingsPlan } from './plan.ts';
import { processCpuNs } from './process-cpu.ts';
import { spreadOf } from './statistics.ts';

/** Somebody who answers, in a process of its own. */
interface Answerer {
  readonly title: string;
  readonly address: string;
  readonly pid: number;
}

/** One at a time shows the latency, many at once what a ping costs. */
export interface PingCase {
  /** Pings under way. */
  readonly window: number;
  /** As osd_heartbeat_min_size, of pings and of answers. */
  readonly minMessageSize: number;
}

export interface AnswererResult extends PingCase {
  readonly title: string;
  readonly summary: PingSummary;
  /** CPU time of the answering process for each ping, in nanoseconds, less what it takes when idle. */
  readonly serverCpuNs: number | undefined;
}

const heartbeatBytes = 2000;

export const pingCases: readonly PingCase[] = [
  { window: 64, minMessageSize: heartbeatBytes },
  { window: 1, minMessageSize: heartbeatBytes },
  { window: 64, minMessageSize: 0 },
];

/** Of a ping, and of its answer. */
export function pingPayloadBytes({ minMessageSize }: PingCase): number {
  return pingBytes({ paddingBytes: osdPingPadding(minMessageSize) });
}

/** The two that the goals compare; `back` shows that the network does not matter. */
export const cephAnswerer = 'ceph-osd, front';
export const daemonAnswerer = 'msgr2 osd, front';
const backAnswerer = 'ceph-osd, back';

const idleMs = 1000;
const pingedOsd = 0;
const ownOsd = 2;

/** A monitor and two OSDs: osd.0 is pinged, osd.1 is who we say we are. Beside them osd.2, ours, and messengers alone. */
export class OsdPings implements AsyncDisposable {
  readonly #cluster: CephCluster;
  readonly #opened: readonly AsyncDisposable[];
  readonly #epoch: number;
  /** By osd_heartbeat_min_size. */
  readonly #answerers: ReadonlyMap<number, readonly Answerer[]>;
  readonly #idleShare = new Map<number, number>();

  private constructor(
    cluster: CephCluster,
    opened: readonly AsyncDisposable[],
    epoch: number,
    answerers: ReadonlyMap<number, readonly Answerer[]>,
  ) {
    this.#cluster = cluster;
    this.#opened = opened;
    this.#epoch = epoch;
    this.#answerers = answerers;
  }

  static async start(live: LiveLine): Promise<OsdPings> {
    live.update('starting a real cluster: ceph-mon, two ceph-osd');
    const cluster = await CephCluster.start({ osds: 2 });
    const opened: AsyncDisposable[] = [cluster];
    try {
      live.update('starting msgr2 osd beside them');
      const daemon = await Msgr2Osd.start(cluster, ownOsd);
      opened.push(daemon);
      const own = new AnswererProcesses();
      opened.push(own);
      const daemons = [...(await cephAnswerers(cluster)), await daemonAnswererOf(cluster, daemon)];
      const answerers = new Map<number, Answerer[]>();
      const transports = nativeAvailable() ? (['async', 'simple'] as const) : (['simple'] as const);
      for (const minMessageSize of new Set(pingCases.map((each) => each.minMessageSize))) {
        const list = [...daemons];
        for (const transport of transports) {
          live.update(`starting msgr2 ${transport}`);
          const options = { fsid: cluster.fsid, transport, minMessageSize };
          list.push(await own.start(`msgr2 ${transport}`, options));
        }
        answerers.set(minMessageSize, list);
      }
      const { epoch } = await cluster.osdDump();
      return new OsdPings(cluster, opened, epoch, answerers);
    } catch (error) {
      await closeAll(opened);
      throw error;
    }
  }

  /** Every case once, to each who answers. */
  async round(plan: OsdPingsPlan, live: LiveLine): Promise<AnswererResult[]> {
    await this.#measureIdle();
    const results: AnswererResult[] = [];
    for (const each of pingCases) {
      for (const osd of [pingedOsd, ownOsd]) {
        await this.#cluster.daemon(`osd.${osd}`, 'config set', {
          var: 'osd_heartbeat_min_size',
          val: [String(each.minMessageSize)],
        });
      }
      for (const answerer of this.#answerers.get(each.minMessageSize)!) {
        live.update(`${plan.count} pings to ${answerer.title}, ${each.window} under way`);
        results.push(await this.#measure(answerer, each, plan));
      }
    }
    live.clear();
    return results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#opened);
  }

  async #measure(answerer: Answerer, each: PingCase, plan: OsdPingsPlan): Promise<AnswererResult> {
    const { title, pid } = answerer;
    await this.#ping(answerer, each, plan.warmUpCount);
    const startedAt = performance.now();
    const cpuBefore = processCpuNs(pid);
    const summary = await this.#ping(answerer, each, plan.count);
    const cpuAfter = processCpuNs(pid);
    const idleNs = (performance.now() - startedAt) * 1e6 * (this.#idleShare.get(pid) ?? 0);
    const serverCpuNs =
      cpuBefore === undefined || cpuAfter === undefined
        ? undefined
        : (cpuAfter - cpuBefore - idleNs) / plan.count;
    return { ...each, title, summary, serverCpuNs };
  }

  /**
   * What a daemon does besides answering is nothing a ping costs: the least of all rounds, as one that began
   * lately is still busy with itself.
   */
  async #measureIdle(): Promise<void> {
    const pids = new Set([...this.#answerers.values()].flat().map(({ pid }) => pid));
    const before = new Map([...pids].map((pid) => [pid, processCpuNs(pid) ?? 0]));
    const startedAt = performance.now();
    await delay(idleMs);
    const elapsedNs = (performance.now() - startedAt) * 1e6;
    for (const pid of pids) {
      const share = ((processCpuNs(pid) ?? 0) - before.get(pid)!) / elapsedNs;
      this.#idleShare.set(pid, Math.min(this.#idleShare.get(pid) ?? 1, share));
    }
  }

  #ping(answerer: Answerer, { window, minMessageSize }: PingCase, count: number): Promise<PingSummary> {
    const pinger = new Pinger({
      target: EntityAddr.parse(answerer.address),
      fsid: Uuid.parse(this.#cluster.fsid),
      mapEpoch: this.#epoch,
      from: EntityName.osd(1),
      count,
      intervalMs: 0,
      window,
      timeoutMs: 10_000,
      minMessageSize,
    });
    return pinger.run();
  }
}

async function cephAnswerers(cluster: CephCluster): Promise<Answerer[]> {
  const { hbFront, hbBack } = await cluster.addrsOf(pingedOsd);
  const pid = cluster.pids.get(`osd.${pingedOsd}`)!;
  return [
    { title: cephAnswerer, address: hbFront, pid },
    { title: backAnswerer, address: hbBack, pid },
  ];
}

async function daemonAnswererOf(cluster: CephCluster, { id, pid }: Msgr2Osd): Promise<Answerer> {
  const { hbFront } = await cluster.addrsOf(id);
  return { title: daemonAnswerer, address: hbFront, pid };
}

/** What was opened last first. */
async function closeAll(opened: readonly AsyncDisposable[]): Promise<void> {
  for (const each of opened.toReversed()) await each[Symbol.asyncDispose]();
}

/** Medians over the rounds. */
export function osdPingTable(results: readonly AnswererResult[]): string {
  const head = [
    'who answers',
    'padded to',
    'under way',
    'lost',
    'p50',
    'p99',
    'replies/s',
    'its CPU per ping',
  ];
  const rows = pingCases.flatMap((each) => {
    const titles = [...new Set(results.map(({ title }) => title))];
    return titles.flatMap((title) => {
      const rounds = ofCase(results, each).filter((result) => result.title === title);
      if (rounds.length === 0) return [];
      const rtts = rounds.flatMap(({ summary }) => (summary.rttMs === undefined ? [] : [summary.rttMs]));
      const cpu = cpuPerPing(results, each, title);
      return [
        [
          title,
          each.minMessageSize === 0 ? '-' : `${each.minMessageSize} B`,
          String(each.window),
          String(rounds.reduce((sum, { summary }) => sum + summary.lost, 0)),
          ...(['p50', 'p99'] as const).map((key) =>
            rtts.length === 0 ? '-' : microseconds(spreadOf(rtts.map((rtt) => rtt[key])).median),
          ),
          formatCount(spreadOf(rounds.map(({ summary }) => summary.repliesPerSecond)).median),
          cpu === undefined ? '-' : microseconds(cpu / 1e6),
        ],
      ];
    });
  });
  return formatTable([head, ...rows]);
}

/** Median of the rounds, in nanoseconds; undefined where it was not measured. */
export function cpuPerPing(
  results: readonly AnswererResult[],
  each: PingCase,
  title: string,
): number | undefined {
  const rounds = ofCase(results, each).filter((result) => result.title === title);
  const costs = rounds.flatMap(({ serverCpuNs }) => (serverCpuNs === undefined ? [] : [serverCpuNs]));
  return costs.length === 0 ? undefined : spreadOf(costs).median;
}

function ofCase(results: readonly AnswererResult[], each: PingCase): AnswererResult[] {
  return results.filter(
    ({ window, minMessageSize }) => window === each.window && minMessageSize === each.minMessageSize,
  );
}

/** msgr2's own answerers (ping-answerer.ts), each a process; all end together. */
class AnswererProcesses implements AsyncDisposable {
  readonly #children: ReturnType<typeof fork>[] = [];

  async start(title: string, options: PingAnswererOptions): Promise<Answerer> {
    const script = fileURLToPath(moduleBeside('./ping-answerer', import.meta.url));
    const child = fork(script, [JSON.stringify(options)]);
    this.#children.push(child);
    const exited = once(child, 'exit').then(([code]) => {
      throw new Error(`${title}: the answering process ended with exit code ${code}`);
    });
    const [address] = (await Promise.race([once(child, 'message'), exited])) as [string];
    exited.catch(() => {});
    return { title, address, pid: child.pid! };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, 'exit');
        child.disconnect();
        await gone;
      }),
    );
  }
}
