/** The scenarios that are no pairs of ends, in small: many connections, heartbeats, the parts by themselves. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { raiseDescriptorsLimit } from '../../bench/descriptors.ts';
import {
  cephAnswerer,
  cpuPerPing,
  daemonAnswerer,
  OsdPings,
  osdPingTable,
  pingCases,
} from '../../bench/osd-pings.ts';
import { descriptorsNeeded, measureConnections } from '../../bench/scenarios/connections.ts';
import { measureMicro } from '../../bench/scenarios/micro.ts';
import { microTasks } from '../../bench/scenarios/micro-tasks.ts';
import { LiveLine } from '../../src/cli/live-line.ts';
import { nativeAvailable } from '../../src/native.ts';
import { requireCeph } from '../support/ceph-cluster.ts';
import { limited } from '../support/timeout.ts';

const live = new LiveLine({ write: () => {} });

if (nativeAvailable()) {
  test(
    'connections: all of them are open, few are busy, and each costs memory',
    limited(60_000, async () => {
      // So many that a send slab more or less does not hide what they hold.
      const plan = { sizeBytes: 100, few: 3, many: 1000, activeShare: 0.01 };
      assert.ok(raiseDescriptorsLimit(descriptorsNeeded(plan)) >= descriptorsNeeded(plan));
      const sample = await measureConnections(plan, 0.05);
      assert.equal([sample.few.active, sample.many.active, sample.open], [3, 10, 1000]);
      assert.ok(sample.few.messages > 0 && sample.many.messages > 0);
      assert.ok(sample.descriptors >= 1000);
      assert.ok(sample.bytesPerConnection.client > 0, `${sample.bytesPerConnection.client}`);
    }),
  );
} else {
  console.log('SKIPPED bench of many connections: the native core is not built');
}

test(
  'the parts by themselves: each takes time, and TypeScript stands beside native',
  limited(60_000, async () => {
    const results = await measureMicro(0.002, live);
    assert.is(results.length, microTasks().length);
    for (const { name, nanoseconds } of results) assert.ok(nanoseconds > 0, name);
    const checksum = results.filter(({ name }) => name === 'CRC-32C of 4 KiB');
    assert.is(checksum.length, nativeAvailable() ? 2 : 1);
  }),
);

if (requireCeph('heartbeats of the bench to a real ceph-osd')) {
  test(
    'heartbeats: every one is answered, by ceph-osd, by msgr2 osd and by messengers, and costs the answerer something',
    limited(100_000, async () => {
      await using pings = await OsdPings.start(live);
      const results = await pings.round({ count: 300, warmUpCount: 100 }, live);
      const titles = new Set(results.map(({ title }) => title));
      for (const title of [cephAnswerer, daemonAnswerer, 'msgr2 simple']) assert.ok(titles.has(title), title);
      assert.is(results.length, pingCases.length * titles.size);
      for (const { summary, title } of results) {
        assert.equal([summary.received, summary.lost], [300, 0], title);
      }
      for (const each of pingCases) assert.ok(cpuPerPing(results, each, daemonAnswerer)! > 0);
      assert.match(osdPingTable(results), /^msgr2 simple +2000 B +64 +0 +[\d.]+ µs/m);
    }),
  );
}

test.run();
