/**
 * What heartbeats cost: a real ceph-osd and ours, each with 100 peers on two networks at the default interval,
 * at the same time on the same machine.
 *
 *   npm run osd-heartbeat-cpu                    100 peers, three times a minute, five minutes after they began
 *   npm run osd-heartbeat-cpu -- --peers 50 --seconds 120 --settle 600 --rounds 5
 *   npm run osd-heartbeat-cpu -- --main dist/cli/main.js     as it is installed, not from TypeScript
 *
 * A real ceph-mon; osd.0 is ceph-osd, osd.1 is `msgr2 osd`.
 * A process of its own plays the peers: they are up in the OSDMap, answer, and ping both by a real OSD's rules.
 * osd_heartbeat_min_peers makes both OSDs ping all of them; nothing else is changed, and neither holds data.
 *
 * CPU time is the kernel's own account of each process, all threads. Before the peers are there it is
 * taken for as long: what an OSD costs without them is taken off in the last column. Each OSD draws its own
 * intervals, so that in a minute one may ping a fifth more than the other: what is compared is CPU in all by pings
 * sent and answered, over both networks, as the peers count them. Ends with 1 when in the median of the rounds
 * ours needs more of it than the real one.
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { processCpuNs } from '../bench/process-cpu.ts';
import { MonClient } from '../src/mon/client/mon-client.ts';
import type { NetworkName, NetworkPeer } from '../src/osd/heartbeat/network-protocol.ts';
import type { FromPlayed, PlayedCounts, ToPlayed } from '../test/osd/network/played-peers.ts';
import { CephCluster } from '../test/support/ceph-cluster.ts';
import { Msgr2Osd } from '../test/support/msgr2-osd.ts';
import { waitUntil } from '../test/support/timeout.ts';

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '60' },
    settle: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '3' },
    main: { type: 'string' },
  },
});
const peerCount = Number(values.peers);
const seconds = Number(values.seconds);
const settleSeconds = Number(values.settle);
const rounds = Number(values.rounds);
const { main } = values;
const [real, ours] = [0, 1];
const firstPlayed = 2;
const bootTimeoutMs = 120_000;

interface Sample {
  readonly cpuNs: readonly number[];
  readonly counts: PlayedCounts;
}

await using cluster = await CephCluster.start({
  osds: 1,
  // Each has the other as a peer as well.
  conf: { 'osd heartbeat min peers': String(peerCount + 1) },
});
await using osd = await Msgr2Osd.start(cluster, ours, main === undefined ? {} : { main: resolve(main) });
const pids = [await pidOf(real), osd.pid];
const player = fork(fileURLToPath(new URL('../test/osd/network/played-peers.ts', import.meta.url)), {
  execArgv: ['--import', 'tsx'],
});
try {
  console.log(`without peers: ${seconds} s`);
  await delay(5000);
  const idle = await measure();
  console.log(`${peerCount} peers boot`);
  await bootPeers();
  await startPinging();
  // Connections are made, and code is compiled: an OSD runs for months.
  await delay(settleSeconds * 1000);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    console.log(`with peers, round ${round} of ${rounds}: ${seconds} s`);
    ratios.push(report(idle, await measure()));
  }
  const median = ratios.sort((left, right) => left - right)[Math.floor(rounds / 2)]!;
  console.log(`in the median ${median.toFixed(2)}`);
  process.exitCode = median < 1 ? 0 : 1;
} finally {
  player.kill();
}

async function pidOf(id: number): Promise<number> {
  const pid = cluster.pids.get(`osd.${id}`);
  if (pid === undefined) throw new Error(`osd.${id} is not running`);
  return pid;
}

async function sample(): Promise<Sample> {
  const answer = ask({ kind: 'count' });
  const cpuNs = pids.map((pid) => processCpuNs(pid) ?? Number.NaN);
  const message = await answer;
  if (message.kind !== 'counts') throw new Error('the peers do not count');
  return { cpuNs, counts: message.counts };
}

async function measure(): Promise<{ cpuNs: number[]; pings: number[]; replies: number[] }> {
  const before = await sample();
  await delay(seconds * 1000);
  const after = await sample();
  const grown = (kind: keyof PlayedCounts): number[] =>
    [real, ours].map((id) => (after.counts[kind][id] ?? 0) - (before.counts[kind][id] ?? 0));
  return {
    cpuNs: after.cpuNs.map((ns, index) => ns - before.cpuNs[index]!),
    pings: grown('pingsFrom'),
    replies: grown('repliesFrom'),
  };
}

function report(
  idle: Awaited<ReturnType<typeof measure>>,
  busy: Awaited<ReturnType<typeof measure>>,
): number {
  console.log(
    '            pings sent  answered   CPU ms/s in all   without peers   per ping (sent or answered), µs',
  );
  for (const [index, title] of ['ceph-osd', 'msgr2 osd'].entries()) {
    const messages = busy.pings[index]! + busy.replies[index]!;
    const perSecond = (ns: number): string => (ns / 1e6 / seconds).toFixed(2);
    const perPingUs = (busy.cpuNs[index]! - idle.cpuNs[index]!) / 1e3 / messages;
    console.log(
      title.padEnd(12) +
        String(busy.pings[index]).padStart(10) +
        String(busy.replies[index]).padStart(10) +
        perSecond(busy.cpuNs[index]!).padStart(18) +
        perSecond(idle.cpuNs[index]!).padStart(16) +
        perPingUs.toFixed(1).padStart(15),
    );
  }
  const each = [real, ours].map((index) => busy.cpuNs[index]! / (busy.pings[index]! + busy.replies[index]!));
  const ratio = each[ours]! / each[real]!;
  console.log(`for as many pings ours needs ${ratio.toFixed(2)} of the real one's CPU`);
  return ratio;
}

async function bootPeers(): Promise<void> {
  const client = new MonClient({ name: 'client.admin', monHost: cluster.monAddrs.join(',') });
  await client.connect();
  const osds = await Promise.all(
    Array.from({ length: peerCount }, async (_, index) => {
      const id = firstPlayed + index;
      const uuid = randomUUID();
      await client.command({ prefix: 'osd new', uuid, id });
      return { id, uuid, front: cluster.frontIp(id), back: cluster.backIp(id) };
    }),
  );
  await client.close();
  const answer = await ask({ kind: 'boot', monHost: cluster.monAddrs.join(','), fsid: cluster.fsid, osds });
  if (answer.kind === 'failed') throw new Error(answer.message);
  const areUp = async (): Promise<boolean> => {
    const dump = await cluster.osdDump();
    return dump.osds.filter(({ up }) => up === 1).length === peerCount + 2;
  };
  await waitUntil(areUp, bootTimeoutMs, 'the peers to be up', 500);
}

async function startPinging(): Promise<void> {
  const dump = await cluster.osdDump();
  const peers: Record<NetworkName, NetworkPeer[]> = { front: [], back: [] };
  for (const id of [real, ours]) {
    const { hbFront, hbBack } = await cluster.addrsOf(id);
    peers.front.push({ osd: id, addrs: hbFront, upFrom: 1 });
    peers.back.push({ osd: id, addrs: hbBack, upFrom: 1 });
  }
  const message: ToPlayed = {
    kind: 'ping',
    epoch: dump.epoch,
    fsid: cluster.fsid,
    maxOsd: peerCount + 2,
    peers,
  };
  player.send(message);
}

async function ask(message: ToPlayed): Promise<FromPlayed> {
  const answer = once(player, 'message');
  player.send(message);
  const [received] = (await answer) as [FromPlayed];
  return received;
}
