/**
 *     node --import tsx scripts/osd-beside-ceph.ts [--minutes 10]
 *
 * Ten minutes of our OSD beside two real ones at Ceph's own defaults (a ping every 0.5 to 6 s, grace 20 s),
 * without authentication and with cephx in secure mode at the same time: nobody is reported in either
 * direction, nobody goes down, and all measure each other on both networks. Then each way in which an OSD
 * goes, with how long it took until the map said so: of a real one and of ours, to compare.
 * Exits with 1 when one of it is not so. Needs Ceph 16's daemons.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { CephCluster, requireCeph } from '../test/support/ceph-cluster.ts';
import { Msgr2Osd } from '../test/support/msgr2-osd.ts';
import {
  failureReports,
  leaveLab,
  monLines,
  monLogEnd,
  type PingEntry,
  pingEntries,
  untilMonLine,
  untilUp,
} from '../test/support/osd-lab.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);
const ids = [0, 1, 2] as const;
const ourId = 2;
const patienceMs = 90_000;

async function pingTable(cluster: CephCluster): Promise<PingEntry[]> {
  return (await Promise.all(ids.map((id) => pingEntries(cluster, id)))).flat();
}

function lineOf(entry: PingEntry): string {
  const { average, last } = entry;
  const averages = [average['1min'], average['5min'], average['15min']]
    .map((ms) => ms.toFixed(2))
    .join(' / ');
  return `osd.${entry['from osd']} → osd.${entry['to osd']} ${entry.interface.padEnd(5)} average ${averages} ms, last ${last} ms`;
}

/** From the deed to the map that has it down, in seconds. */
async function timeDown(cluster: CephCluster, osd: number, deed: () => Promise<unknown>): Promise<string> {
  const since = performance.now();
  await deed();
  await untilUp(cluster, osd, 0, patienceMs);
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

async function live(auth: 'none' | 'cephx'): Promise<void> {
  const say = (text: string): void => console.log(`${auth}: ${text}`);
  const secure = auth === 'cephx' ? { mode: 'secure' as const } : {};
  await using cluster = await CephCluster.start({ osds: 2, auth, ...secure });
  await using _lab = { [Symbol.asyncDispose]: () => leaveLab(cluster) };
  await using ours = await Msgr2Osd.start(cluster, ourId, { auth });
  const from = await monLogEnd(cluster);
  say(`${minutes} minutes begin at ${new Date().toISOString()}`);
  await new Promise((resolve) => setTimeout(resolve, minutes * 60_000));

  const entries = await pingTable(cluster);
  for (const entry of entries) say(lineOf(entry));
  const reports = await failureReports(cluster, from);
  say(`failures reported in ${minutes} minutes: ${reports.length}`);
  say(`osd.2, perf dump: ${JSON.stringify(await ours.admin('perf dump'))}`);
  assert.deepEqual(reports, []);
  assert.deepEqual(await monLines(cluster, /marked (itself )?down/, from), []);
  if (minutes >= 2) assert.equal(entries.length, 12, 'three OSDs measure two others on two networks');
  assert.deepEqual(
    entries.filter(({ last }) => last <= 0 || last > 1000),
    [],
  );
  say((await cluster.ceph('osd', 'tree')).trimEnd());

  say(`real osd.1 killed (-9): down after ${await timeDown(cluster, 1, () => cluster.killOsd(1))}`);
  await cluster.startOsd(1);
  await untilUp(cluster, 1, 1);
  say(`our osd.2 killed (-9): down after ${await timeDown(cluster, ourId, () => ours.end('SIGKILL'))}`);
  ours.run();
  await ours.untilActive();
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  say(`our osd.2 stands still: down after ${await timeDown(cluster, ourId, () => ours.pause())}`);
  ours.resume();
  const back = performance.now();
  await untilUp(cluster, ourId, 1, patienceMs);
  say(`our osd.2 goes on: up again after ${((performance.now() - back) / 1000).toFixed(1)} s`);
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  await cluster.daemon('osd.0', 'config set', { var: 'osd_heartbeat_grace', val: ['100000'] });
  const silent = await monLogEnd(cluster);
  const took = await timeDown(cluster, 1, () => cluster.pauseOsd(1));
  say(`real osd.1 stands still, only ours may report: down after ${took}`);
  say(await untilMonLine(cluster, /osd\.1 reported failed by osd\.2/, silent));
  say(await untilMonLine(cluster, /osd\.1 failed \(/, silent));
  cluster.resumeOsd(1);
  say(`our osd.2 on SIGTERM: down after ${await timeDown(cluster, ourId, () => ours.end('SIGTERM'))}`);
}

if (!requireCeph('scripts/osd-beside-ceph')) process.exit(1);
await Promise.all([live('none'), live('cephx')]);
