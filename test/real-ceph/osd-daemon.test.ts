/**
 * Our OSD daemon beside real ceph-osd daemons under a real ceph-mon, without authentication and with cephx
 * in secure mode: it boots, is pinged on both networks and pings, reports those that die and is reported
 * when it dies, comes back by itself, and says goodbye. Heartbeats are short here; `osd-ten-minutes` has
 * Ceph's defaults.
 *
 * @timeLimitSeconds 240
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCommand } from '../cli/command-line.ts';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { Msgr2Osd } from '../support/msgr2-osd.ts';
import {
  failureReports,
  leaveLab,
  monLogEnd,
  osdEntry,
  shortHeartbeats,
  untilLogged,
  untilMeasured,
  untilMonLine,
  untilUp,
} from '../support/osd-lab.ts';
import { limited } from '../support/timeout.ts';

interface Beside {
  cluster: CephCluster;
  ours: Msgr2Osd;
}

const ourId = 2;
/** Grace and interval of `shortHeartbeats`, and the seconds between two reports. */
const graceMs = 4_000;
/** Nobody's pings over loopback take this long, on a machine that works for several tests. */
const saneMs = 1_000;

for (const auth of ['none', 'cephx'] as const) {
  const osd = suite<Beside>(`msgr2 osd beside ceph-osd, auth ${auth}`);
  if (!requireCeph(`test/real-ceph/osd-daemon ${auth}`)) break;

  osd.before(async (context) => {
    const secure = auth === 'cephx' ? { mode: 'secure' as const } : {};
    context.cluster = await CephCluster.start({ osds: 2, auth, ...secure, conf: shortHeartbeats });
    context.ours = await Msgr2Osd.start(context.cluster, ourId, { auth });
  });

  osd.after(async ({ cluster, ours }) => {
    await ours?.[Symbol.asyncDispose]();
    if (cluster) await leaveLab(cluster);
    await cluster?.stop();
  });

  osd(
    'boots: up in the tree with weight 0, known by its addresses and by its own name',
    limited(30_000, async ({ cluster, ours }) => {
      await untilUp(cluster, ourId, 1);
      const tree = JSON.parse(await cluster.ceph('osd', 'tree', '--format', 'json'));
      const node = tree.nodes.find(({ id }: { id: number }) => id === ourId);
      assert.is(node.status, 'up');
      assert.is(node.crush_weight, 0);
      assert.match(node.device_class, /^(hdd|ssd)$/);
      const entry = await osdEntry(cluster, ourId);
      assert.is(entry.uuid, ours.uuid);
      const addresses = await cluster.addrsOf(ourId);
      for (const network of ['public', 'hbFront'] as const) {
        assert.ok(addresses[network].includes(cluster.frontIp(ourId)), addresses[network]);
      }
      for (const network of ['cluster', 'hbBack'] as const) {
        assert.ok(addresses[network].includes(cluster.backIp(ourId)), addresses[network]);
      }
      const nonces = new Set(Object.values(addresses).map((text) => text.replace(/.*\//, '')));
      assert.is(nonces.size, 1, 'one nonce for the process');
      const metadata = JSON.parse(await cluster.ceph('osd', 'metadata', String(ourId)));
      assert.match(metadata.ceph_version, /^msgr2 version /);
      assert.is(metadata.osd_objectstore, 'none');
      assert.is(metadata.hb_back_addr, addresses.hbBack);
    }),
  );

  osd(
    'answers an operator, who needs the key of an OSD where there are keys',
    limited(60_000, async ({ cluster }) => {
      const ping = (...identity: string[]) =>
        runCommand(
          'ping',
          `osd.${ourId}`,
          ...['--conf', cluster.confPath, '--count', '3', '-i', '0.05', '-W', '5'],
          ...identity,
        );
      const proven = ['--name', 'osd.0', '--keyring', cluster.keyringPath('osd.0')];
      const run = await ping(...(auth === 'cephx' ? proven : []));
      assert.is(run.code, 0, run.stderr);
      assert.match(run.stdout, auth === 'cephx' ? /secure mode$/m : /crc mode$/m);
      assert.match(run.stdout, / as osd\.0 /);
      const summaries = run.stdout.match(/^3 pings sent, 3 replies, 0 lost \(0%\)$/gm);
      assert.is(summaries?.length, 2, run.stdout);
      if (auth === 'none') return;
      const refused = await ping();
      assert.is(refused.code, 1);
      assert.match(refused.stderr, /refuses the ticket .* or of somebody else than who we say we are/);
    }),
  );

  osd(
    'answers ceph tell: version, options and ping times',
    limited(30_000, async ({ cluster }) => {
      const tell = async (...words: string[]) =>
        JSON.parse(await cluster.ceph('tell', `osd.${ourId}`, ...words));
      assert.match((await tell('version')).version, /^msgr2 version /);
      assert.is((await tell('config', 'get', 'osd_heartbeat_grace')).osd_heartbeat_grace, '4');
      assert.is((await tell('status')).state, 'active');
      await assertRejects(cluster.ceph('tell', `osd.${ourId}`, 'no', 'such', 'command'), /EINVAL|no valid/i);
    }),
  );

  osd(
    'is pinged on both networks by the real ones and pings them, and nobody is reported',
    limited(60_000, async ({ cluster }) => {
      const from = await monLogEnd(cluster);
      for (const [pinger, pinged] of [
        [0, ourId],
        [1, ourId],
        [ourId, 0],
        [ourId, 1],
      ] as const) {
        const entries = await untilMeasured(cluster, pinger, pinged);
        assert.equal(entries.map((entry) => entry.interface).sort(), ['back', 'front']);
        for (const { last, stale } of entries) {
          assert.ok(last > 0 && last < saneMs, `osd.${pinger} measures ${last} ms to osd.${pinged}`);
          assert.not(stale);
        }
      }
      await new Promise((resolve) => setTimeout(resolve, graceMs));
      assert.equal(await failureReports(cluster, from), []);
    }),
  );

  osd(
    'reports a real OSD that was killed',
    limited(40_000, async ({ cluster }) => {
      // The monitor writes down whose report came first; one that is later than the map it made is passed over.
      const letSpeak = (isFast: boolean): Promise<unknown> =>
        cluster.daemon('osd.0', 'config set', {
          var: 'osd_fast_fail_on_connection_refused',
          val: [String(isFast)],
        });
      await letSpeak(false);
      const from = await monLogEnd(cluster);
      await cluster.killOsd(1);
      await untilMonLine(cluster, /osd\.1 reported (immediately )?failed by osd\.2/, from);
      await untilUp(cluster, 1, 0);
      await letSpeak(true);
      await cluster.startOsd(1);
      await untilUp(cluster, 1, 1);
    }),
  );

  osd(
    'is reported when it is killed, and boots again when it is started again',
    limited(60_000, async ({ cluster, ours }) => {
      const from = await monLogEnd(cluster);
      await ours.end('SIGKILL');
      await untilMonLine(cluster, /osd\.2 reported (immediately )?failed by osd\.[01]/, from);
      await untilUp(cluster, ourId, 0);
      ours.run();
      await ours.untilActive();
      await untilUp(cluster, ourId, 1);
    }),
  );

  osd(
    'that stood still past the grace is marked down, and boots again by itself as another incarnation',
    limited(60_000, async ({ cluster, ours }) => {
      await untilMeasured(cluster, 0, ourId, Date.now());
      const before = await cluster.addrsOf(ourId);
      const from = await monLogEnd(cluster);
      await ours.pause();
      await untilMonLine(cluster, /osd\.2 reported failed by osd\.[01]/, from);
      await untilUp(cluster, ourId, 0);
      ours.resume();
      await untilUp(cluster, ourId, 1);
      const after = await cluster.addrsOf(ourId);
      assert.is(after.public, before.public, 'the public server stays where it is');
      for (const network of ['cluster', 'hbBack', 'hbFront'] as const) {
        const [oldPort, oldNonce] = before[network].split(/[:/]/).slice(2).map(Number);
        const [port, nonce] = after[network].split(/[:/]/).slice(2).map(Number);
        assert.is.not(port, oldPort, `${network} has another port`);
        assert.is(nonce, (oldNonce! + 1_000_000) >>> 0);
      }
      await untilLogged(ours, /Monitor daemon marked osd\.2 down, but it is still running/);
      await untilLogged(ours, /map e\d+ wrongly marked me down at e\d+/);
      assert.equal(
        (await failureReports(cluster, from)).filter((line) => / by osd\.2/.test(line)),
        [],
        'it accused nobody of its own standstill',
      );
    }),
  );

  osd(
    'says goodbye on SIGTERM: it is down at once, and nobody had to find out',
    limited(40_000, async ({ cluster, ours }) => {
      const from = await monLogEnd(cluster);
      assert.is(await ours.end('SIGTERM'), 0);
      assert.is((await osdEntry(cluster, ourId)).up, 0, 'down when the process has ended');
      await untilMonLine(cluster, /osd\.2 marked itself down and dead/, from);
      assert.equal(await failureReports(cluster, from), []);
    }),
  );

  osd.run();
}

async function assertRejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const failure = await promise.then(
    () => undefined,
    (error: Error) => error,
  );
  assert.ok(failure !== undefined, 'it should have failed');
  assert.match(failure.message, pattern);
}
