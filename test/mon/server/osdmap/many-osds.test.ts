/** A hundred OSDs at our monitor at once; scripts/mon-osds.ts is the form with a thousand. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Monitor } from '../../../../src/mon/server/monitor.ts';
import { testTransports } from '../../../support/messengers.ts';
import { withTimeout } from '../../../support/timeout.ts';
import { makeRoom, repeated, Swarm } from './swarm.ts';

const hosts = 20;
const perHost = 5;
const timeoutMs = 60_000;

test('all boot at once and are up; a fifth fails at once, and everybody is told once', async () => {
  const transport = testTransports()[0]!;
  const none = { auth_cluster_required: 'none', auth_service_required: 'none', auth_client_required: 'none' };
  const monitor = await Monitor.start({ publicAddr: 'v2:127.88.255.1:0', transport, options: none });
  try {
    await makeRoom(monitor, hosts, perHost);
    const mon = String(monitor.publicAddrs);
    const swarm = await Swarm.start({ mon, fsid: monitor.fsid, count: hosts * perHost, transport });
    try {
      await withTimeout(swarm.bootAll(), timeoutMs, 'all to be up');
      const epochs = monitor.osdMap.epoch - 2;
      assert.ok(epochs <= 10, `${epochs} epochs for a hundred boots`);
      assert.is(swarm.map!.osdWeight.filter((weight) => weight > 0).length, 100, 'all are in');

      const before = monitor.osdMap.epoch;
      const victims = swarm.members.slice(0, 20);
      await withTimeout(swarm.fail(victims, perHost), timeoutMs, 'the failed ones to be down');
      const after = monitor.osdMap.epoch;
      assert.ok(after - before <= 3, `${after - before} epochs for twenty failures`);
      for (const { epochs: told, osd } of swarm.members.slice(20)) {
        assert.equal(repeated(told), [], `osd.${osd} was told something twice`);
        assert.is(told.at(-1), after);
      }
    } finally {
      await swarm[Symbol.asyncDispose]();
    }
  } finally {
    await monitor.close();
  }
});

test.run();
