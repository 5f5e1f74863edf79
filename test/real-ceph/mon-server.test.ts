/**
 * Our monitor, and real Ceph: its command line, three ceph-osd, rados, and osdmaptool on every map.
 *
 * @timeLimitSeconds 300
 */
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isIn, isUp } from '../../src/maps/osdmap.ts';
import type { Monitor } from '../../src/mon/server/monitor.ts';
import { checkStep } from '../../src/mon/server/store/osd-map-history.ts';
import { CephCluster, type CephClusterOptions, requireCeph } from '../support/ceph-cluster.ts';
import { limited, waitUntil } from '../support/timeout.ts';

const run = promisify(execFile);

interface Context {
  cluster: CephCluster;
}

const patience = { 'osd heartbeat grace': '6', 'osd heartbeat interval': '1', 'mon tick interval': '1' };

/** The real rados, on this cluster. */
async function rados(cluster: CephCluster, ...args: string[]): Promise<string> {
  const { stdout } = await run('timeout', ['40', 'rados', '-c', cluster.confPath, ...args]);
  return stdout;
}

async function untilUp(monitor: () => Monitor, osd: number, up: boolean): Promise<void> {
  const is = (): boolean => isUp(monitor().osdMap, osd) === up;
  await waitUntil(is, 60_000, `osd.${osd} to be ${up ? 'up' : 'down'}`, 50);
}

/** That every epoch leads to the next by its CRCs, and that osdmaptool reads each. */
async function checkMaps(cluster: CephCluster): Promise<void> {
  const { monitor } = cluster;
  const { firstCommitted, lastCommitted } = monitor.osd;
  for (let epoch = firstCommitted; epoch <= lastCommitted; epoch++) {
    if (epoch > firstCommitted) checkStep(monitor.store, epoch);
    const path = join(cluster.folder, `map.${epoch}`);
    writeFileSync(path, monitor.osd.fullMap(epoch)!);
    const { stdout } = await run('osdmaptool', ['--print', path]);
    assert.match(stdout, new RegExp(`^epoch ${epoch}$`, 'm'));
  }
}

function testsOf(title: string, options: CephClusterOptions): void {
  const tests = suite<Context>(`our monitor and real Ceph, ${title}`);
  tests.before(async (context) => {
    context.cluster = await CephCluster.start({
      ...options,
      monitor: 'ours',
      osds: 3,
      conf: { ...patience, 'osd pool default size': '3', 'osd pool default pg num': '8' },
    });
  });
  tests.after(({ cluster }) => cluster?.stop());

  tests(
    'ceph -s, mon dump, osd dump, osd tree and health answer what the monitor knows',
    limited(60_000, async ({ cluster }) => {
      const status = await cluster.ceph('-s');
      assert.ok(status.includes(`id:     ${cluster.fsid}`), status);
      assert.match(status, /osd: 3 osds: 3 up .*, 3 in/);
      const monMap = JSON.parse(await cluster.ceph('mon', 'dump', '--format', 'json'));
      assert.is(monMap.fsid, cluster.fsid);
      assert.equal(monMap.quorum, [0]);
      const dump = await cluster.osdDump();
      assert.equal(
        dump.osds.map(({ osd, up }) => [osd, up]),
        [0, 1, 2].map((osd) => [osd, 1]),
      );
      const tree = await cluster.ceph('osd', 'tree');
      for (const osd of [0, 1, 2]) assert.match(tree, new RegExp(`osd\\.${osd} +up`));
    }),
  );

  tests(
    'a pool is made, its groups become active, and an object comes back',
    limited(90_000, async ({ cluster }) => {
      await cluster.ceph('osd', 'pool', 'create', 'data', '8');
      const path = join(cluster.folder, 'object');
      writeFileSync(path, 'one object\n');
      await rados(cluster, '-p', 'data', 'put', 'one', path);
      assert.is(await rados(cluster, '-p', 'data', 'get', 'one', '-'), 'one object\n');
      const placed = JSON.parse(await cluster.ceph('osd', 'map', 'data', 'one', '--format', 'json'));
      assert.equal([...placed.acting].sort(), [0, 1, 2]);
      for (const flag of ['set', 'unset']) await cluster.ceph('osd', flag, 'nodown');
    }),
  );

  tests(
    'ceph -w shows what is logged; what has no manager or no snapshots is answered all the same',
    limited(60_000, async ({ cluster }) => {
      const watching = spawn('timeout', ['30', 'ceph', '-c', cluster.confPath, '-w']);
      let seen = '';
      watching.stdout.setEncoding('utf8').on('data', (text: string) => {
        seen += text;
      });
      await waitUntil(() => seen.includes('pgs:'), 30_000, 'ceph -w to begin', 50);
      await waitUntil(
        async () => {
          cluster.monitor.log.warn('something to be seen');
          return seen.includes('[WRN] something to be seen');
        },
        20_000,
        'ceph -w to show it',
        300,
      );
      watching.kill();
      const refused = await rados(cluster, '-p', 'data', 'mksnap', 'one').catch((error) => error.stderr);
      assert.match(refused, /Operation not supported/);
      assert.match(await rados(cluster, 'df'), /total_objects +0/);
    }),
  );

  tests(
    'options of the configuration database reach running OSDs',
    limited(60_000, async ({ cluster }) => {
      await cluster.ceph('config', 'set', 'osd', 'osd_max_backfills', '7');
      const seen = async (): Promise<boolean> => {
        const answer = (await cluster.daemon('osd.1', 'config get', { var: 'osd_max_backfills' })) as object;
        return Object.values(answer)[0] === '7';
      };
      await waitUntil(seen, 20_000, 'osd.1 to have it', 100);
      const dump = JSON.parse(await cluster.ceph('config', 'dump', '--format', 'json'));
      assert.equal(
        dump.map(({ section, name, value }: Record<string, string>) => [section, name, value]),
        [['osd', 'osd_max_backfills', '7']],
      );
    }),
  );

  if (options.auth === 'cephx') {
    tests(
      'an entity that is made has its caps, at the monitor and at OSDs, and none of them once it is gone',
      limited(90_000, async ({ cluster }) => {
        const grants = ['mon', 'allow r', 'osd', 'allow r pool=data'];
        const keyring = await cluster.ceph('auth', 'get-or-create', 'client.bob', ...grants);
        writeFileSync(cluster.keyringPath('client.bob'), keyring, { mode: 0o600 });
        const asBob = (...args: string[]): Promise<string> => rados(cluster, '-n', 'client.bob', ...args);
        assert.is(await asBob('-p', 'data', 'get', 'one', '-'), 'one object\n');
        const path = join(cluster.folder, 'object');
        const put = await asBob('-p', 'data', 'put', 'three', path).catch((error) => error.stderr);
        assert.match(put, /Operation not permitted/);
        const command = await cluster.ceph('-n', 'client.bob', 'osd', 'set', 'noout').catch(String);
        assert.match(command, /EACCES|access denied/);
        await cluster.ceph('auth', 'rm', 'client.bob');
        const gone = await asBob('lspools').catch((error) => error.stderr);
        // What rados says of a ceph-mon that refuses it, too.
        assert.match(gone, /failed to fetch mon config/);
      }),
    );
  }

  tests(
    'an OSD that is killed is marked down by what its peers report, and boots again',
    limited(120_000, async ({ cluster }) => {
      const monitor = (): Monitor => cluster.monitor;
      await cluster.killOsd(1);
      await untilUp(monitor, 1, false);
      await cluster.startOsd(1);
      await untilUp(monitor, 1, true);
      assert.ok(isIn(monitor().osdMap, 1));
    }),
  );

  tests(
    'an OSD that stands still past the grace is marked down, and comes back by itself',
    limited(120_000, async ({ cluster }) => {
      const monitor = (): Monitor => cluster.monitor;
      await cluster.pauseOsd(2);
      await untilUp(monitor, 2, false);
      cluster.resumeOsd(2);
      await untilUp(monitor, 2, true);
      assert.is(await rados(cluster, '-p', 'data', 'get', 'one', '-'), 'one object\n');
    }),
  );

  tests(
    'restarted, it has the same maps, and its OSDs and clients go on',
    limited(120_000, async ({ cluster }) => {
      const before = cluster.monitor.osdMap.epoch;
      await cluster.stopOurs();
      await cluster.startOurs();
      assert.ok(cluster.monitor.osdMap.epoch >= before);
      assert.is(await rados(cluster, '-p', 'data', 'get', 'one', '-'), 'one object\n');
      // A change after the restart reaches the OSDs.
      await cluster.ceph('osd', 'pool', 'create', 'after', '8');
      const path = join(cluster.folder, 'object');
      await rados(cluster, '-p', 'after', 'put', 'two', path);
      assert.is(await rados(cluster, '-p', 'after', 'get', 'two', '-'), 'one object\n');
    }),
  );

  tests(
    'osdmaptool reads every map, and each incremental leads to the next one',
    limited(120_000, async ({ cluster }) => {
      await checkMaps(cluster);
    }),
  );
  tests.run();
}

if (requireCeph('our monitor and real Ceph')) {
  testsOf('auth none', {});
  testsOf('cephx in secure mode', { auth: 'cephx', mode: 'secure' });
}
