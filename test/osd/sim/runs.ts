/**
 * Whole runs of the simulated cluster, and what must hold of them: `killed` for many OSDs that vanish at once,
 * `faulty` for a network that misbehaves while everybody lives.
 */
import { OSDFailureFlag } from '../../../src/wire/messages/m-osd-failure.ts';
import { type ClusterInit, SimCluster } from './cluster.ts';
import type { WireFaults } from './wire.ts';

export interface KilledRun {
  readonly osds: number;
  readonly killed: number;
  /** From the end of an OSD to the first report of it, and to the map that has it down; ms, sorted. */
  readonly reportedMs: readonly number[];
  readonly downMs: readonly number[];
  readonly undetected: readonly number[];
  readonly falseDowns: number;
  readonly falseReports: number;
  /** Failed reports of one OSD, the most; and how many OSDs had it as a peer then. */
  readonly reportsMax: number;
  readonly reportsExcess: readonly string[];
  readonly reportsTotal: number;
  readonly peersPerOsd: number;
  readonly messages: number;
  readonly cpuUsPerOsdSecond: number;
  readonly violations: readonly string[];
}

export interface KilledInit extends ClusterInit {
  readonly killed: number;
  readonly isSilent?: boolean;
}

const warmUpMs = 30_000;
/** From a report to the map: a proposal, and messages on their way. */
const mapMs = 1_100;

export async function runKilled(init: KilledInit): Promise<KilledRun> {
  const { seed: _, isSilent = true } = init;
  const cluster = await SimCluster.start(init);
  const osds = cluster.osds.length;
  cluster.run(warmUpMs);
  const victims = pickVictims(cluster, init.killed);
  const reporters = new Map(victims.map((osd) => [osd, pingersOf(cluster, osd)]));
  const peersPerOsd =
    cluster.osds.reduce((sum, osd) => sum + osd.heartbeat.heartbeatPeers().length, 0) / osds;
  const killedMs = cluster.clock.nowMs();
  for (const osd of victims) cluster.kill(osd, isSilent);
  const { osd_heartbeat_grace, osd_heartbeat_interval } = cluster.options;
  const boundMs = (osd_heartbeat_grace + osd_heartbeat_interval) * 1000;
  const cpuBefore = process.cpuUsage();
  const before = cluster.clock.eventCount;
  cluster.run(boundMs + 10_000);
  const { user, system } = process.cpuUsage(cpuBefore);

  const firstReport = new Map<number, number>();
  const perTarget = new Map<number, Set<number>>();
  const repeated: string[] = [];
  for (const { target, reporter, flags, atMs } of cluster.reports) {
    if (flags === OSDFailureFlag.Alive) continue;
    if (!firstReport.has(target)) firstReport.set(target, atMs - killedMs);
    let from = perTarget.get(target);
    if (from === undefined) {
      from = new Set();
      perTarget.set(target, from);
    }
    if (from.has(reporter)) repeated.push(`osd.${reporter} reported osd.${target} more than once`);
    from.add(reporter);
  }
  const downMs = cluster.downs.filter(({ isFalse }) => !isFalse).map(({ atMs }) => atMs - killedMs);
  const undetected = victims.filter((osd) => !cluster.downs.some((down) => down.osd === osd));
  const falseDowns = cluster.downs.filter(({ isFalse }) => isFalse).length;
  const falseReports = cluster.falseReports().length;
  const excess = victims.flatMap((osd) => {
    const strangers = [...(perTarget.get(osd) ?? [])].filter((from) => !reporters.get(osd)!.has(from));
    return strangers.map((from) => `osd.${from} reported osd.${osd}, which it did not ping`);
  });
  const sorted = (values: Iterable<number>): number[] => [...values].sort((left, right) => left - right);
  const reportedMs = sorted(firstReport.values());
  const violations = [
    ...undetected.map((osd) => `osd.${osd} was never marked down`),
    ...(falseDowns > 0 ? [`${falseDowns} OSDs were marked down in error`] : []),
    ...(falseReports > 0 ? [`${falseReports} reports were false`] : []),
    ...repeated,
    ...excess,
    ...cluster.reports
      .filter(({ atMs }) => atMs - killedMs > boundMs)
      .map(({ target, reporter }) => `osd.${reporter} reported osd.${target} after grace + interval`),
    ...downMs.filter((ms) => ms > boundMs + mapMs).map((ms) => `down only after ${ms.toFixed(0)} ms`),
  ];
  return {
    osds,
    killed: victims.length,
    reportedMs,
    downMs: sorted(downMs),
    undetected,
    falseDowns,
    falseReports,
    reportsMax: Math.max(0, ...[...perTarget.values()].map((from) => from.size)),
    reportsExcess: [...repeated, ...excess],
    reportsTotal: [...perTarget.values()].reduce((sum, from) => sum + from.size, 0),
    peersPerOsd,
    messages: cluster.clock.eventCount - before,
    cpuUsPerOsdSecond: (user + system) / osds / ((boundMs + 10_000) / 1000),
    violations,
  };
}

/** Not all of a host, and nobody twice. */
function pickVictims(cluster: SimCluster, count: number): number[] {
  const victims = new Set<number>();
  while (victims.size < count) victims.add(cluster.random.integer(0, cluster.osds.length - 1));
  return [...victims].sort((left, right) => left - right);
}

function pingersOf(cluster: SimCluster, target: number): Set<number> {
  return new Set(
    cluster.osds.filter((osd) => osd.heartbeat.heartbeatPeers().includes(target)).map(({ id }) => id),
  );
}

export interface FaultyRun {
  readonly falseReports: number;
  readonly falseDowns: number;
  /** Changes to another state than up, and the mean round trip in ms. */
  readonly degraded: number;
  readonly rttMs: number;
}

export async function runFaulty(
  init: ClusterInit,
  faults: Partial<WireFaults>,
  minutes: number,
): Promise<FaultyRun> {
  const cluster = await SimCluster.start(init);
  Object.assign(cluster.wire.faults, faults);
  cluster.run(minutes * 60_000);
  let sumMs = 0;
  let count = 0;
  for (const osd of cluster.osds) {
    for (const { roundTrips } of Object.values(osd.heartbeat.metrics().networks)) {
      for (const trips of roundTrips.values()) {
        sumMs += trips.sumMs;
        count += trips.count;
      }
    }
  }
  return {
    falseReports: cluster.falseReports().length,
    falseDowns: cluster.downs.filter(({ isFalse }) => isFalse).length,
    degraded: cluster.osds.flatMap((osd) => osd.linkChanges).filter(({ to }) => to !== 'up').length,
    rttMs: sumMs / count,
  };
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
