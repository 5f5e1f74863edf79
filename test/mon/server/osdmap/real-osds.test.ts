/**
 * Real ceph-osd daemons at our monitor: they boot, create a pool's groups, store an object; one freezes and
 * comes back, one stops, stays away until it is out, and returns; one is killed. And `osdmaptool` reads every map that
 * was written meanwhile.
 */
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isIn, isUp, type OSDMap } from '../../../../src/maps/osdmap.ts';
import { makePool, PoolType, poolFlag } from '../../../../src/maps/pool.ts';
import { CephCluster, requireCeph } from '../../../support/ceph-cluster.ts';
import { waitUntil } from '../../../support/timeout.ts';
import { makeRoom } from './swarm.ts';

const run = promisify(execFile);
const osds = [0, 1, 2];
const pool = 1;
const timeoutMs = 30_000;
const conf = {
  'public addr': '127.0.0.1',
  'cluster addr': '127.0.0.1',
  // Where they hang is set by the test.
  'osd crush update on start': 'false',
  'osd class update on start': 'false',
  'osd heartbeat interval': '1',
  'osd heartbeat grace': '4',
  'mon osd min down reporters': '2',
  'mon osd down out interval': '3',
  'mon tick interval': '1',
};

let cluster: CephCluster;
const map = (): OSDMap => cluster.monitor!.osdMap;
const until = (condition: () => boolean, what: string): Promise<unknown> =>
  waitUntil(() => condition() || undefined, timeoutMs, what);
const said = (pattern: RegExp): boolean =>
  cluster.monitor!.log.entries.some(({ message }) => pattern.test(message));

const real = suite('real OSDs at our monitor');

if (requireCeph('real OSDs at our monitor')) {
  real.before(async () => {
    cluster = await CephCluster.start({ monitor: 'ours', conf });
    await makeRoom(cluster.monitor!, 3, 1);
    for (const osd of osds) {
      await mkdir(join(cluster.folder, `osd.${osd}`));
      const mkfs = ['--mkfs', '--osd-uuid', randomUUID(), '--no-mon-config'];
      await run('ceph-osd', ['-c', cluster.confPath, '-i', String(osd), ...mkfs]);
    }
  });
  real.after(() => cluster?.stop());

  real('three boot, and are up and in', async () => {
    await Promise.all(osds.map((osd) => cluster.startOsd(osd)));
    for (const osd of osds) {
      assert.ok(isUp(map(), osd) && isIn(map(), osd));
      assert.is(cluster.monitor!.osd.metadata(osd)?.get('ceph_release'), 'pacific');
    }
  });

  real('a new pool is created by them, and keeps what is put into it', async () => {
    const { pendingOsdMap: pending } = cluster.monitor!;
    const flags = poolFlag('hashpspool') | poolFlag('creating');
    pending.changePool(pool, makePool({ type: PoolType.replicated, size: 2, pgNum: 16, flags }));
    pending.change.newPoolNames.set(pool, 'data');
    pending.change.newPoolMax = pool;
    await cluster.monitor!.propose();
    await until(() => (map().pools.get(pool)!.flags & poolFlag('creating')) === 0n, 'the pool to be created');

    const content = randomBytes(100_000);
    const [path, copy] = [join(cluster.folder, 'object'), join(cluster.folder, 'copy')];
    await writeFile(path, content);
    const rados = ['-c', cluster.confPath, '-p', 'data'];
    await run('rados', [...rados, 'put', 'object', path], { timeout: timeoutMs });
    await run('rados', [...rados, 'get', 'object', copy], { timeout: timeoutMs });
    await run('cmp', [path, copy]);
  });

  real('one that is frozen is reported after the grace, and comes back as one that lagged', async () => {
    await cluster.pauseOsd(1);
    await until(() => !isUp(map(), 1), 'osd.1 to be down');
    assert.ok(
      said(
        /^osd\.1 failed \(root=default,host=host1\) \(2 reporters from different host after .* >= grace 4/,
      ),
    );
    cluster.resumeOsd(1);
    await until(() => isUp(map(), 1), 'osd.1 to be up');
    assert.ok(map().osdXinfo[1]!.laggyProbability > 0);
  });

  real('one that stops says so, goes out, and comes in again with its boot', async () => {
    await cluster.killOsd(2, 'SIGTERM');
    await until(() => !isUp(map(), 2), 'osd.2 to be down');
    assert.ok(said(/^osd\.2 marked itself down/));
    await until(() => !isIn(map(), 2), 'osd.2 to be out');
    assert.ok(said(/^Marking osd\.2 out \(has been down for \d+ seconds\)/));
    await cluster.startOsd(2);
    await until(() => isUp(map(), 2) && isIn(map(), 2), 'osd.2 to be back');
  });

  real('one that is killed is refused by both others, which is enough', async () => {
    await cluster.killOsd(0, 'SIGKILL');
    await until(() => !isUp(map(), 0), 'osd.0 to be down');
    assert.ok(
      said(/^osd\.0 failed \(root=default,host=host0\) \(connection refused reported by osd\.[12]\)/),
    );
    assert.is(map().osdXinfo[0]!.deadEpoch, map().osdInfo[0]!.downAt);
  });

  real('osdmaptool reads every map, and finds what we do', async () => {
    const { osd } = cluster.monitor!;
    for (let epoch = osd.firstCommitted; epoch <= osd.lastCommitted; epoch++) {
      const path = join(cluster.folder, `osdmap.${epoch}`);
      await writeFile(path, osd.fullMap(epoch)!);
      const { stdout } = await run('osdmaptool', ['--print', path]);
      assert.match(stdout, new RegExp(`^epoch ${epoch}$`, 'm'));
    }
  });
}

real.run();
