/**
 * What an operator and a monitor can do to our OSD daemon, by real daemons: noup, the limit of wrong
 * markdowns, `ceph osd stop`, an identity that is not the map's, a monitor that goes and comes, options
 * from the monitors' database; and a real OSD that only ours may report.
 *
 * @timeLimitSeconds 240
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { Msgr2Osd } from '../support/msgr2-osd.ts';
import {
  failureReports,
  leaveLab,
  monLines,
  monLogEnd,
  osdEntry,
  shortHeartbeats,
  untilLogged,
  untilMeasured,
  untilMonLine,
  untilUp,
} from '../support/osd-lab.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const life = suite<{ cluster: CephCluster; ours: Msgr2Osd }>('msgr2 osd and who rules it');
const ourId = 2;
const graceMs = 4_000;
const reportMs = 5_000;

if (requireCeph('test/real-ceph/osd-life')) {
  life.before(async (context) => {
    context.cluster = await CephCluster.start({ osds: 2, conf: shortHeartbeats });
    await context.cluster.ceph('osd', 'set', 'noup');
    context.ours = await Msgr2Osd.make(context.cluster, ourId);
  });

  life.after(async ({ cluster, ours }) => {
    await ours?.[Symbol.asyncDispose]();
    if (cluster) await leaveLab(cluster);
    await cluster?.stop();
  });

  life(
    'waits while noup is set, and boots when it is cleared',
    limited(60_000, async ({ cluster, ours }) => {
      ours.run();
      await untilLogged(ours, /osdmap NOUP flag is set, waiting for it to clear/);
      assert.is((await osdEntry(cluster, ourId)).up, 0);
      await cluster.ceph('osd', 'unset', 'noup');
      await ours.untilActive();
      await untilUp(cluster, ourId, 1);
    }),
  );

  life(
    'takes options from the monitors’ database, and those of its administrator before them',
    limited(30_000, async ({ cluster, ours }) => {
      const option = async (name: string): Promise<unknown> =>
        ((await ours.admin('config get', { var: name })) as Record<string, unknown>)[name];
      await cluster.ceph('config', 'set', 'osd', 'osd_beacon_report_interval', '60');
      const isSet = async () => (await option('osd_beacon_report_interval')) === '60';
      await waitUntil(isSet, 10_000, 'the option of the monitors', 50);
      await ours.admin('config set', { var: 'osd_beacon_report_interval', val: ['30'] });
      assert.is(await option('osd_beacon_report_interval'), '30');
      assert.is(await option('osd_heartbeat_grace'), '4', 'ceph.conf stands');
    }),
  );

  life(
    'alone in reporting, has a silent real OSD marked down within the grace and an interval',
    limited(60_000, async ({ cluster }) => {
      await untilMeasured(cluster, ourId, 1);
      // The other real one would wait for ever; the monitor and ours have the grace of ceph.conf.
      await cluster.daemon('osd.0', 'config set', { var: 'osd_heartbeat_grace', val: ['100000'] });
      const from = await monLogEnd(cluster);
      await cluster.pauseOsd(1);
      const since = performance.now();
      await untilMonLine(cluster, /osd\.1 failed \(/, from, graceMs + 4 * reportMs);
      const elapsedMs = performance.now() - since;
      const reports = await failureReports(cluster, from);
      assert.ok(reports.some((line) => /osd\.1 reported failed by osd\.2/.test(line)));
      assert.equal(
        reports.filter((line) => / by osd\.0/.test(line)),
        [],
      );
      console.log(`   a silent real OSD was marked down after ${(elapsedMs / 1000).toFixed(1)} s`);
      await untilUp(cluster, 1, 0);
      cluster.resumeOsd(1);
      await untilUp(cluster, 1, 1);
      await cluster.daemon('osd.0', 'config set', { var: 'osd_heartbeat_grace', val: ['4'] });
    }),
  );

  life(
    'goes on through a monitor’s restart, and says again what matters',
    limited(60_000, async ({ cluster, ours }) => {
      const beacons = async (): Promise<number> =>
        ((await ours.admin('perf dump')) as { osd: { beacons: number } }).osd.beacons;
      const before = await beacons();
      await cluster.killMon('a', 'SIGTERM');
      await cluster.startMon('a');
      await cluster.untilQuorum(1);
      await waitUntil(async () => (await beacons()) > before, 30_000, 'a beacon in the new session', 100);
      assert.is((await osdEntry(cluster, ourId)).up, 1);
    }),
  );

  life(
    'ends by itself when it is marked down too often',
    limited(60_000, async ({ cluster, ours }) => {
      await ours.admin('config set', { var: 'osd_max_markdown_count', val: ['1'] });
      await cluster.ceph('osd', 'down', String(ourId));
      await untilLogged(ours, /wrongly marked me down/);
      await untilUp(cluster, ourId, 1);
      const ended = ours.ended(30_000);
      await cluster.ceph('osd', 'down', String(ourId));
      assert.is(await ended, 0);
      assert.match(await ours.log(), /marked down 2 > osd_max_markdown_count 1 in last 600 seconds/);
    }),
  );

  life(
    'waits for the monitor’s word when it is told to end, and for nothing when it is told twice',
    limited(60_000, async ({ cluster, ours }) => {
      ours.run();
      await ours.untilActive();
      await ours.admin('config set', { var: 'osd_mon_shutdown_timeout', val: ['60'] });
      await cluster.pauseMon('a');
      const ended = ours.ended(30_000);
      const goodbyes = async (): Promise<number> =>
        (await ours.log()).split('prepare_to_stop telling mon').length;
      const before = await goodbyes();
      process.kill(ours.pid, 'SIGTERM');
      await waitUntil(async () => (await goodbyes()) > before, 10_000, 'its goodbye', 20);
      process.kill(ours.pid, 'SIGTERM');
      assert.is(await ended, 1);
      cluster.resumeMon('a');
    }),
  );

  life(
    'ends when the administrator stops it in the map',
    limited(60_000, async ({ cluster, ours }) => {
      ours.run();
      await ours.untilActive();
      const from = await monLogEnd(cluster);
      const ended = ours.ended(30_000);
      await cluster.ceph('osd', 'stop', String(ourId));
      assert.is(await ended, 0);
      assert.match(await ours.log(), /map says i am stopped by admin\. shutting down\./);
      assert.equal(await monLines(cluster, /osd\.2 reported/, from), []);
    }),
  );

  life.run();
}
