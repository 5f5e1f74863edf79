/** In which order monitors are asked. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { MonInfo } from '../../../src/maps/mon-map.ts';
import { Monitors, monitorText } from '../../../src/mon/client/monitors.ts';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

async function monitorsOf(mons: number, changes: Record<string, Partial<MonInfo>> = {}) {
  await using cluster = await FakeCluster.start({ mons });
  const monitors = new Monitors();
  monitors.setMap(cluster.makeMonMap(1, changes));
  return { monitors, random: cluster.random };
}

const names = (batch: readonly { name: string }[]): string => batch.map(({ name }) => name).join('');

test('a sweep asks each monitor once, no more at a time than allowed, in an order that changes', async () => {
  const { monitors, random } = await monitorsOf(5);
  const orders = new Set<string>();
  for (let sweep = 0; sweep < 50; sweep++) {
    monitors.startSweep();
    const batches = [monitors.nextBatch(3, random), monitors.nextBatch(3, random)];
    assert.equal(
      batches.map(({ length }) => length),
      [3, 2],
    );
    assert.is([...batches.map(names).join('')].sort().join(''), 'abcde');
    assert.not(monitors.hasMore);
    assert.equal(monitors.nextBatch(3, random), []);
    orders.add(batches.map(names).join(''));
  }
  assert.ok(orders.size > 10, `${orders.size} orders in 50 sweeps`);
  monitors.startSweep();
  assert.is(monitors.nextBatch(0, random).length, 5, '0 is all');
});

test('lower priorities first, weights within them', async () => {
  const { monitors, random } = await monitorsOf(5, {
    a: { priority: 10 },
    b: { priority: 10 },
    c: { priority: 20, weight: 90 },
    d: { priority: 20, weight: 10 },
    e: { priority: 20, weight: 0 },
  });
  const firstOfLater = { c: 0, d: 0, e: 0 };
  for (let sweep = 0; sweep < 1000; sweep++) {
    monitors.startSweep();
    assert.is([...names(monitors.nextBatch(3, random))].sort().join(''), 'ab');
    const later = names(monitors.nextBatch(3, random));
    assert.is(later[2], 'e', 'what weighs nothing comes last');
    firstOfLater[later[0] as 'c']++;
  }
  assert.ok(firstOfLater.c > 850 && firstOfLater.c < 945, `c came first ${firstOfLater.c} of 1000 times`);
});

test('a monitor that lost us a session is asked after the others, until it is forgiven', async () => {
  const { monitors, random } = await monitorsOf(3);
  const [a, b] = monitors.ofMap;
  monitors.blame(a!);
  const sweep = (): string[] => {
    monitors.startSweep();
    const batches: string[] = [];
    while (monitors.hasMore) batches.push([...names(monitors.nextBatch(0, random))].sort().join(''));
    return batches;
  };
  assert.equal(sweep(), ['bc', 'a']);
  monitors.blame(b!);
  monitors.blame(b!);
  assert.equal(sweep(), ['c', 'a', 'b']);
  monitors.forgive();
  assert.equal(sweep(), ['abc']);
});

test("mon_host's addresses serve before there is a map, and after all of the map's", async () => {
  const { monitors: mapped, random } = await monitorsOf(2);
  const monitors = new Monitors();
  const seeds = ['v2:10.0.0.1:3300', 'v2:10.9.9.9:3300'].map((text) => EntityAddr.parse(text));
  monitors.setSeeds(seeds);
  assert.equal(monitors.nextBatch(0, random).map(monitorText).sort(), [
    'v2:10.0.0.1:3300/0',
    'v2:10.9.9.9:3300/0',
  ]);
  monitors.setMap(mapped.map!);
  assert.equal(monitors.nextBatch(0, random).map(monitorText).sort(), [
    'mon.a at v2:10.0.0.1:3300/0',
    'mon.b at v2:10.0.0.2:3300/0',
  ]);
  assert.equal(monitors.nextBatch(0, random).map(monitorText), ['v2:10.9.9.9:3300/0']);
});

test('monitors of msgr1 alone are not asked', async () => {
  const { monitors } = await monitorsOf(3, {
    b: { publicAddrs: EntityAddrVec.parse('v1:10.0.0.2:6789') },
    c: { publicAddrs: EntityAddrVec.parse('[v1:10.0.0.3:6789,v2:10.0.0.3:3300]') },
  });
  assert.is(names(monitors.ofMap), 'ac');
  assert.is(String(monitors.ofMap[1]!.target), 'v2:10.0.0.3:3300/0');
});

test.run();
