/**
 * Ten thousand heartbeats to a real ceph-osd and to msgr2, from one and the same prober: round trips, losses,
 * and what a ping costs the one who answers.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { microseconds } from '../src/cli/bench/report.ts';
import { formatCount, formatTable } from '../src/cli/format.ts';
import type { LiveLine } from '../src/cli/live-line.ts';
import { Pinger, type PingSummary } from '../src/cli/ping/pinger.ts';
import { EntityAddr, EntityName, Uuid } from '../src/index.ts';
import { nativeAvailable } from '../src/native.ts';
import { CephCluster } from '../test/support/ceph-cluster.ts';
import type { PingAnswererOptions } from './ping-answerer.ts';
import { processCpuNs } from './process-cpu.ts';

/** Somebody who answers, in a process of its own. */
interface Answerer {
  readonly title: string;
  readonly address: string;
  readonly pid: number;
}

export interface AnswererResult {
  readonly title: string;
  readonly summary: PingSummary;
  /** CPU time of the answering process for each ping, in nanoseconds. */
  readonly serverCpuNs: number | undefined;
}

const pingCount = 10_000;
const warmUpCount = 2_000;
/** One at a time shows the latency, many at once what it costs. */
const windows = [1, 64] as const;
const minMessageSize = 2000;

/** Starts a monitor and two OSDs: osd.0 is pinged, osd.1 is who we say we are. Ends them before it resolves. */
export async function runOsdPings(live: LiveLine): Promise<AnswererResult[]> {
  live.update('starting a real cluster: ceph-mon, two ceph-osd');
  await using cluster = await CephCluster.start({ osds: 2 });
  const { epoch } = await cluster.osdDump();
  const { hbFront, hbBack } = await cluster.addrsOf(0);
  const pid = cluster.pids.get('osd.0')!;
  const answerers: Answerer[] = [
    { title: 'ceph-osd, front', address: hbFront, pid },
    { title: 'ceph-osd, back', address: hbBack, pid },
  ];
  const transports = nativeAvailable() ? (['async', 'simple'] as const) : (['simple'] as const);
  await using own = new AnswererProcesses();
  for (const transport of transports) {
    live.update(`starting msgr2 ${transport}`);
    answerers.push(await own.start(`msgr2 ${transport}`, { fsid: cluster.fsid, transport, minMessageSize }));
  }
  const results: AnswererResult[] = [];
  for (const window of windows) {
    for (const answerer of answerers) {
      live.update(`${pingCount} pings to ${answerer.title}, ${window} under way`);
      await ping(cluster.fsid, epoch, answerer, window, warmUpCount);
      const cpuBefore = processCpuNs(answerer.pid);
      const summary = await ping(cluster.fsid, epoch, answerer, window, pingCount);
      const cpuAfter = processCpuNs(answerer.pid);
      const serverCpuNs =
        cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) / pingCount;
      results.push({ title: answerer.title, summary, serverCpuNs });
    }
  }
  live.clear();
  return results;
}

export function osdPingTable(results: readonly AnswererResult[]): string {
  const head = ['who answers', 'under way', 'lost', 'p50', 'p99', 'max', 'replies/s', 'its CPU per ping'];
  const rows = results.map(({ title, summary, serverCpuNs }) => [
    title,
    String(summary.window),
    String(summary.lost),
    ...(['p50', 'p99', 'max'] as const).map((key) =>
      summary.rttMs === undefined ? '-' : microseconds(summary.rttMs[key]),
    ),
    formatCount(summary.repliesPerSecond),
    serverCpuNs === undefined ? '-' : microseconds(serverCpuNs / 1e6),
  ]);
  return formatTable([head, ...rows]);
}

function ping(
  fsid: string,
  mapEpoch: number,
  answerer: Answerer,
  window: number,
  count: number,
): Promise<PingSummary> {
  const pinger = new Pinger({
    target: EntityAddr.parse(answerer.address),
    fsid: Uuid.parse(fsid),
    mapEpoch,
    from: EntityName.osd(1),
    count,
    intervalMs: 0,
    window,
    timeoutMs: 10_000,
    minMessageSize,
  });
  return pinger.run();
}

/** msgr2's own answerers (ping-answerer.ts), each a process; all end together. */
class AnswererProcesses implements AsyncDisposable {
  readonly #children: ReturnType<typeof fork>[] = [];

  async start(title: string, options: PingAnswererOptions): Promise<Answerer> {
    const script = fileURLToPath(new URL('./ping-answerer.ts', import.meta.url));
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
