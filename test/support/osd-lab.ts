/** What tests of the OSD daemon beside real daemons ask of the cluster, cheaply and by the cluster's own word. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { MonClient } from '../../src/mon/client/mon-client.ts';
import type { CephCluster, OsdDump } from './ceph-cluster.ts';
import { clusterClient } from './cluster-client.ts';
import type { Msgr2Osd } from './msgr2-osd.ts';
import { waitUntil } from './timeout.ts';

export type OsdEntry = OsdDump['osds'][number];

/** Short heartbeats, so that minutes become seconds; the monitor adds nothing to the grace for past failures. */
export const shortHeartbeats = {
  'osd heartbeat interval': '1',
  'osd heartbeat grace': '4',
  'debug heartbeat testing span': '2',
  'mon osd adjust heartbeat grace': 'false',
} as const;

/** One client for each cluster: a start of `ceph` costs more than all of what it asks. */
const clients = new Map<CephCluster, MonClient>();

function clientOf(cluster: CephCluster): MonClient {
  let client = clients.get(cluster);
  if (client === undefined) {
    const isNone = /^auth client required = none$/m.test(readFileSync(cluster.confPath, 'utf8'));
    client = isNone
      ? new MonClient({ name: 'client.admin', monHost: cluster.monAddrs.join(',') })
      : clusterClient(cluster).client;
    clients.set(cluster, client);
  }
  return client;
}

/** To be called when a test is done with its cluster: the client would hold the process. */
export async function leaveLab(cluster: CephCluster): Promise<void> {
  await clients.get(cluster)?.close();
  clients.delete(cluster);
}

export async function osdEntry(cluster: CephCluster, osd: number): Promise<OsdEntry> {
  const { output } = await clientOf(cluster).command({ prefix: 'osd dump', format: 'json' });
  const { osds } = JSON.parse(Buffer.from(output).toString('utf8')) as OsdDump;
  const found = osds.find((entry) => entry.osd === osd);
  if (found === undefined) throw new Error(`osd.${osd} is not in the map`);
  return found;
}

/** Resolves when the map has it up, or down; answers after how many ms. */
export async function untilUp(
  cluster: CephCluster,
  osd: number,
  up: 0 | 1,
  timeoutMs = 40_000,
): Promise<number> {
  const since = performance.now();
  const what = `osd.${osd} to be ${up === 1 ? 'up' : 'down'} in the map`;
  await waitUntil(async () => (await osdEntry(cluster, osd)).up === up, timeoutMs, what, 50);
  return performance.now() - since;
}

/** Lines of the monitor's log from `from` on that match. */
export async function monLines(cluster: CephCluster, pattern: RegExp, from = 0): Promise<string[]> {
  const log = await readFile(cluster.monLog('a'), 'utf8');
  return log
    .slice(from)
    .split('\n')
    .filter((line) => pattern.test(line));
}

export async function untilMonLine(
  cluster: CephCluster,
  pattern: RegExp,
  from: number,
  timeoutMs = 30_000,
): Promise<string> {
  const probe = async (): Promise<string | undefined> => (await monLines(cluster, pattern, from))[0];
  return waitUntil(probe, timeoutMs, `the monitor's log to say ${pattern}`, 50);
}

/** Where the monitor's log ends now. */
export async function monLogEnd(cluster: CephCluster): Promise<number> {
  return (await readFile(cluster.monLog('a'), 'utf8')).length;
}

/** One direction of one network in `dump_osd_network`. */
export interface PingEntry {
  /** In the daemon's local time, to the second. */
  readonly 'last update': string;
  readonly 'from osd': number;
  readonly 'to osd': number;
  readonly interface: 'front' | 'back';
  readonly stale: boolean;
  readonly average: Readonly<Record<'1min' | '5min' | '15min', number>>;
  readonly last: number;
}

/** Of every peer, whatever its latency. */
export async function pingEntries(cluster: CephCluster, osd: number): Promise<PingEntry[]> {
  const dump = (await cluster.daemon(`osd.${osd}`, 'dump_osd_network', { value: 0 })) as {
    entries: PingEntry[];
  };
  return dump.entries;
}

/**
 * Waits until `from` has measured `to` on both networks, after a time when one is given (ms since 1970);
 * answers front and back. An OSD of Ceph learns of another one's boot from a peer that shares its map, not from
 * the monitor: just booted is not yet pinged, and figures of the life before still stand.
 */
export function untilMeasured(
  cluster: CephCluster,
  from: number,
  to: number,
  sinceMs = 0,
): Promise<PingEntry[]> {
  const isFresh = (entry: PingEntry): boolean => Date.parse(entry['last update']) > sinceMs;
  const probe = async (): Promise<PingEntry[] | undefined> => {
    const entries = (await pingEntries(cluster, from)).filter((entry) => entry['to osd'] === to);
    return entries.length === 2 && entries.every(isFresh) ? entries : undefined;
  };
  return waitUntil(probe, 90_000, `osd.${from} to have measured osd.${to} on both networks`, 200);
}

/** Failures that anybody reported to the monitor, from a place in its log on. */
export function failureReports(cluster: CephCluster, from: number): Promise<string[]> {
  return monLines(cluster, /reported (immediately )?failed|osd\.\d+ failed \(/, from);
}

export async function untilLogged(osd: Msgr2Osd, pattern: RegExp, timeoutMs = 30_000): Promise<string> {
  const probe = async (): Promise<string | undefined> =>
    (await osd.log()).split('\n').find((line) => pattern.test(line));
  return waitUntil(probe, timeoutMs, `the log of ${osd.name} to say ${pattern}`, 50);
}
