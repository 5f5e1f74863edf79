/**
 * `msgr2 cluster`: a monitor and OSDs on this machine, their heartbeats live on the terminal, an OSD killed, an
 * OSD paused, and what came of it. Ends with 0 when each was seen going down and coming back.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { networkNames } from '../../osd/heartbeat/network-protocol.ts';
import { CliError } from '../cli-error.ts';
import { openCluster } from '../cluster/open-cluster.ts';
import { untilSignal } from '../cluster/until-signal.ts';
import { LiveScreen } from '../live-screen.ts';
import { matrixLines } from '../top/matrix.ts';
import { integer, listOf, oneOf, seconds as secondsOption } from '../values.ts';
import { LocalCluster } from './daemons.ts';
import { type BreakName, breakNames, type Chapter, seconds, tellStory } from './story.ts';
import { ClusterWatcher } from './watcher.ts';

interface ClusterFlags {
  readonly osds: number;
  readonly time: number;
  readonly break: BreakName[];
  readonly interval: number;
  readonly grace: number;
  readonly auth: 'none' | 'cephx';
  readonly folder?: string;
  readonly hold?: true;
}

const lookIntervalMs = 500;
const upTimeoutMs = 60_000;
const widthDefault = 100;

export function clusterCommand(): Command {
  return new Command('cluster')
    .description('a cluster on this machine: a monitor, OSDs on two networks, one killed, one paused')
    .option('--osds <n>', 'how many OSDs', integer(2, 200), 3)
    .option('--time <seconds>', 'quiet before, between and after what is broken', secondsOption(0, 86_400), 5)
    .option(
      '--break <what>',
      `what to break, in order: ${breakNames.join(', ')}`,
      listOf(oneOf(...breakNames)),
      [...breakNames],
    )
    .option('--no-break', 'break nothing')
    .option('--interval <seconds>', 'osd_heartbeat_interval (Ceph: 6)', integer(1, 60), 1)
    .option('--grace <seconds>', 'osd_heartbeat_grace (Ceph: 20)', integer(1, 3600), 4)
    .option('--auth <method>', 'cephx or none', oneOf('cephx', 'none'), 'cephx')
    .option('--folder <folder>', 'where it keeps everything, and leaves it (default: a temporary one)')
    .option('--hold', 'go on after the story, until SIGINT')
    .action((flags: ClusterFlags) => untilSignal((signal) => runCluster(flags, signal)));
}

async function runCluster(flags: ClusterFlags, signal: AbortSignal): Promise<void> {
  const folder =
    flags.folder === undefined ? mkdtempSync(join(tmpdir(), 'msgr2-cluster-')) : resolve(flags.folder);
  try {
    await using cluster = new LocalCluster({
      folder,
      osds: flags.osds,
      auth: flags.auth,
      conf: confOf(flags),
    });
    await live(cluster, flags, signal);
  } finally {
    if (flags.folder === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function confOf({ grace, interval, osds }: ClusterFlags): Record<string, string> {
  return {
    osd_heartbeat_interval: String(interval),
    osd_heartbeat_grace: String(grace),
    // With two OSDs there is one to report the other.
    mon_osd_min_down_reporters: String(Math.min(2, osds - 1)),
  };
}

async function live(cluster: LocalCluster, flags: ClusterFlags, signal: AbortSignal): Promise<void> {
  const screen = new LiveScreen(process.stdout);
  const startedAtMs = performance.now();
  const tell = (line: string): void => {
    const at = ((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(6);
    screen.print(`${at} s  ${line}`);
  };
  tell(
    `one monitor, ${flags.osds} OSDs on two networks, heartbeat interval ${flags.interval} s, grace ${flags.grace} s`,
  );
  await cluster.startMonitor();
  const watcher = new ClusterWatcher();
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  await using open = await openCluster({ conf: cluster.confPath }, signal);
  for (const osd of cluster.osds) await cluster.createOsd(osd, open.client);
  const maps = watcher.followMaps(open.client, both, ({ epoch, osd, to }) =>
    tell(`e${epoch}: osd.${osd} ${to}`),
  );
  const view = showLoop(cluster, watcher, screen, both);
  try {
    for (const osd of cluster.osds) cluster.startOsd(osd);
    await untilAllUp(cluster, watcher, signal);
    const options = { breaks: flags.break || [], quietMs: flags.time * 1000, graceMs: flags.grace * 1000 };
    const chapters = await tellStory(cluster, watcher, { ...options, signal, tell });
    if (flags.hold) await sleep(2 ** 31 - 1, undefined, { signal });
    ending.abort();
    await view;
    screen.print('', ...summaryLines(chapters, watcher));
  } finally {
    ending.abort();
    await Promise.allSettled([maps, view]);
    screen.keep();
  }
}

/** Looks at all OSDs twice a second, and shows the matrix where there is a terminal. */
async function showLoop(
  cluster: LocalCluster,
  watcher: ClusterWatcher,
  screen: LiveScreen,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await watcher.look(cluster.osds.map((osd) => cluster.adminSocket(osd)));
    if (watcher.observations.length > 0) {
      const width = process.stdout.columns || widthDefault;
      screen.update(['', ...matrixLines(watcher.observations, new Map(), { width, isColoured: true })]);
    }
    await sleep(lookIntervalMs, undefined, { signal }).catch(() => undefined);
  }
}

/** @throws CliError naming the daemons that ended, or the OSDs that are not up. */
async function untilAllUp(
  cluster: LocalCluster,
  watcher: ClusterWatcher,
  signal: AbortSignal,
): Promise<void> {
  const names = ['mon.a', ...cluster.osds.map((osd) => `osd.${osd}`)];
  const deadlineMs = performance.now() + upTimeoutMs;
  for (;;) {
    const missing = cluster.osds.filter((osd) => !watcher.isUp(osd));
    if (missing.length === 0) return;
    const fallen = cluster.fallen(names);
    if (fallen.length > 0) throw new CliError(fallen.join('; '));
    if (performance.now() > deadlineMs) {
      throw new CliError(`osd.${missing.join(', osd.')} did not come up within ${upTimeoutMs / 1000} s`);
    }
    await sleep(100, undefined, { signal });
  }
}

function summaryLines(chapters: readonly Chapter[], watcher: ClusterWatcher): string[] {
  const lines = chapters.map(
    ({ downMs, upMs, what }) =>
      `${what.padEnd(26)} down after ${seconds(downMs)}, up again after ${seconds(upMs)}`,
  );
  for (const network of [...networkNames].sort().reverse()) {
    const pings = watcher.pings(network);
    if (pings === undefined) continue;
    const { count, max, p50, p99 } = pings;
    const figures = [p50, p99, max].map((ms) => `${ms.toFixed(2)} ms`);
    lines.push(
      `pings over ${network.padEnd(15)} p50 ${figures[0]}, p99 ${figures[1]}, max ${figures[2]}, of ${count} seen`,
    );
  }
  const downs = watcher.events.filter(({ to }) => to === 'down').length;
  lines.push(`marked down                ${downs} times, of which ${downs - chapters.length} without cause`);
  return lines;
}
