/** A monitor on a long history: its start reads no more of it than of a short one, and its ticks trim it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Monitor } from '../../../../src/mon/server/monitor.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import { checkStep } from '../../../../src/mon/server/store/osd-map-history.ts';
import { waitUntil } from '../../../support/timeout.ts';
import { addEpochs } from '../support/long-history.ts';

class CountingStore extends MemoryStore {
  reads = 0;

  override get(prefix: string, key: string): Uint8Array | undefined {
    if (prefix === 'osdmap') this.reads++;
    return super.get(prefix, key);
  }
}

const options = {
  auth_cluster_required: 'none',
  auth_service_required: 'none',
  auth_client_required: 'none',
  mon_tick_interval: 1,
};

async function started(store: MemoryStore): Promise<Monitor> {
  return Monitor.start({ store, publicAddr: 'v2:127.0.0.1:0', transport: 'simple', options });
}

test('a start reads as much of 2000 epochs as of 10', async () => {
  const reads: number[] = [];
  for (const epochs of [10, 2000]) {
    const store = new CountingStore();
    await (await started(store)).close();
    await addEpochs(store, epochs);
    store.reads = 0;
    const monitor = await started(store);
    assert.is(monitor.osdMap.epoch, epochs);
    reads.push(store.reads);
    await monitor.close();
  }
  assert.is(reads[1], reads[0]);
});

test('ticks trim down to mon_min_osdmap_epochs, and what is left still fits', async () => {
  const store = new MemoryStore();
  await (await started(store)).close();
  await addEpochs(store, 1600);
  const monitor = await started(store);
  // 1100 may go, in steps of some hundreds as Ceph takes them; fewer than 250 stay where they are.
  await waitUntil(() => monitor.osd.firstCommitted > 1600 - 500 - 250, 20_000, 'the history to be trimmed');
  const { firstCommitted } = monitor.osd;
  assert.ok(firstCommitted <= 1100, `${firstCommitted}`);
  assert.is(monitor.osd.fullMap(firstCommitted - 1), undefined);
  for (let epoch = firstCommitted + 1; epoch <= 1600; epoch++) checkStep(store, epoch);
  const kept = [...store.keys('osdmap')].filter((key) => key.startsWith('full_'));
  assert.is(kept.length, 1600 - firstCommitted + 1);
  await monitor.close();
  const again = await started(store);
  assert.is(again.osd.firstCommitted, firstCommitted);
  await again.close();
});

test.run();
