/** The cluster that the other tests stand on: it boots, it answers, and it leaves nothing behind. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephCluster, requireCeph } from '../support/ceph-cluster.ts';
import { isRunning } from '../support/processes.ts';
import { limited, waitUntil, withTimeout } from '../support/timeout.ts';

if (requireCeph('test/house/ceph-cluster')) {
  test(
    'boots a monitor and two OSDs, answers, stops, leaves nothing',
    limited(90_000, async () => {
      const cluster = await CephCluster.start({ osds: 2 });
      const pids = [...cluster.pids.values()];
      try {
        assert.is(pids.length, 3);
        assert.ok(pids.every(isRunning));

        const status = JSON.parse(await cluster.ceph('-s', '--format', 'json'));
        assert.is(status.fsid, cluster.fsid);
        assert.is(status.osdmap.num_up_osds, 2);
        const tree = await cluster.ceph('osd', 'tree');
        assert.match(tree, /osd\.0\s+up/);
        assert.match(tree, /osd\.1\s+up/);

        const addresses = await cluster.addrsOf(1);
        const nonce = addresses.public.split('/')[1];
        assert.match(addresses.public, new RegExp(`^v2:${cluster.frontIp(1)}:\\d+/\\d+$`));
        assert.match(addresses.hbFront, new RegExp(`^v2:${cluster.frontIp(1)}:\\d+/${nonce}$`));
        assert.match(addresses.cluster, new RegExp(`^v2:${cluster.backIp(1)}:\\d+/${nonce}$`));
        assert.match(addresses.hbBack, new RegExp(`^v2:${cluster.backIp(1)}:\\d+/${nonce}$`));
        assert.is(new Set(Object.values(addresses)).size, 4);
        assert.ok(existsSync(cluster.osdLog(1)));

        await cluster.killOsd(1);
        assert.not.ok(cluster.pids.has('osd.1'));
        await cluster.startOsd(1);
        const again = await cluster.addrsOf(1);
        assert.is.not(again.public.split('/')[1], nonce);

        await cluster.pauseOsd(0);
        const stat = readFileSync(`/proc/${cluster.pids.get('osd.0')}/status`, 'utf8');
        assert.match(stat, /^State:\s*T/m);
        pids.push(...cluster.pids.values());
      } finally {
        await cluster.stop();
      }
      assert.not.ok(pids.some(isRunning), 'a daemon outlived its cluster');
      assert.not.ok(existsSync(cluster.folder));
    }),
  );

  test(
    'cephx in secure mode: three monitors find their quorum, an OSD comes up with its own key',
    limited(90_000, async () => {
      await using cluster = await CephCluster.start({ mons: 3, osds: 1, auth: 'cephx', mode: 'secure' });
      assert.is(cluster.monAddrs.length, 3);
      const quorum = JSON.parse(await cluster.ceph('quorum_status', '--format', 'json'));
      assert.equal(quorum.quorum_names, ['a', 'b', 'c']);
      const key = await cluster.ceph('auth', 'get-key', 'osd.0');
      assert.ok(readFileSync(cluster.keyringPath('osd.0'), 'utf8').includes(key.trim()));
      assert.is((await cluster.osdDump()).osds[0]!.up, 1);
    }),
  );

  test(
    'a failed command throws with what the command said',
    limited(90_000, async () => {
      await using cluster = await CephCluster.start();
      try {
        await cluster.ceph('no', 'such', 'command');
        assert.unreachable();
      } catch (error) {
        assert.match(String(error), /no valid command found|EINVAL/);
      }
    }),
  );

  test(
    'no daemon outlives a test process that is killed',
    limited(90_000, async () => {
      const script = new URL('../support/hold-cluster.ts', import.meta.url).pathname;
      const holder = spawn(process.execPath, ['--import', 'tsx', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(holder, 'exit');
      try {
        const [line] = await withTimeout(
          once(createInterface(holder.stdout!), 'line'),
          60_000,
          'the held cluster',
        );
        const { pids, folder } = JSON.parse(line) as { pids: number[]; folder: string };
        assert.is(pids.length, 2);
        assert.ok(pids.every(isRunning));
        holder.kill('SIGKILL');
        await exited;
        await waitUntil(() => !pids.some(isRunning), 10_000, 'the daemons to die with their test');

        // The folder has nobody to remove it but the next cluster, this run's or another's.
        await (await CephCluster.start()).stop();
        assert.not.ok(existsSync(folder));
      } finally {
        holder.kill('SIGKILL');
      }
    }),
  );
}

test.run();
