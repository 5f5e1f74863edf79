/** Heartbeat networks in worker threads, with real sockets. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nativeAvailable } from '../../../src/native.ts';
import type { WorkerHost } from '../../../src/osd/network/worker-host.ts';
import {
  closeAll,
  counterOf,
  networkNames,
  publish,
  type SmallOsd,
  type SmallOsdInit,
  startOsd,
  until,
  untilHealthy,
} from './small-cluster.ts';

// A worker that runs from TypeScript takes a second of CPU to start: as few as show it.
const isLong = process.env.MSGR2_LONG === '1';
const transports = [
  ...(nativeAvailable() ? (['async'] as const) : []),
  ...(isLong || !nativeAvailable() ? (['simple'] as const) : []),
];

/** osd.0 in workers, osd.1 in this thread. */
async function startMixed(init: Partial<SmallOsdInit> = {}): Promise<SmallOsd[]> {
  const { transport = 'simple' } = init;
  return await Promise.all([
    startOsd({ id: 0, kind: 'worker', ...init }),
    startOsd({ id: 1, kind: 'inThread', transport }),
  ]);
}

for (const transport of transports) {
  test(`${transport}: main stands still for 10 s: pings leave and are answered, nobody is accused, it says so`, async () => {
    const osds = await Promise.all([0, 1].map((id) => startOsd({ id, kind: 'worker', transport })));
    try {
      publish(osds);
      await untilHealthy(osds);
      const before = osds.map((osd) =>
        networkNames.map((network) => counterOf(osd, network, 'repliesReceived')),
      );
      // Twice the grace: without threads of their own everybody would be given up.
      const endMs = performance.now() + 10_000;
      while (performance.now() < endMs);
      await until(() => osds.every(({ slow }) => slow.some(({ loop }) => loop === 'main')));
      // One batch more of each network.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      for (const [index, osd] of osds.entries()) {
        for (const [at, network] of networkNames.entries()) {
          const answers = counterOf(osd, network, 'repliesReceived') - before[index]![at]!;
          // One peer, a ping at least every 1.4 s.
          assert.ok(answers >= 6, `osd.${osd.id} ${network} heard ${answers} answers`);
          assert.ok(osd.heartbeat.metrics().networks[network].lagMsMax < 2000, 'its own loop ran on');
        }
        assert.equal(osd.failures, []);
        assert.ok(osd.slow.some(({ loop, lagMs }) => loop === 'main' && lagMs > 8000));
        assert.ok(osd.heartbeat.peers().every(({ isHealthy }) => isHealthy));
      }
    } finally {
      await closeAll(osds);
    }
  });
}

test('a worker that dies is replaced at the same address, and nobody is accused', async () => {
  const osds = await startMixed();
  try {
    publish(osds);
    await untilHealthy(osds);
    const host = osds[0]!.hosts.back as WorkerHost;
    await host.threads[0]!.terminate();
    await until(() => osds[0]!.died.length > 0);
    assert.equal(osds[0]!.died, ['back']);
    assert.not(osds[0]!.heartbeat.peers()[0]!.isHealthy, 'nothing is known of that network any more');
    await untilHealthy(osds);
    assert.equal(
      osds.map(({ failures }) => failures.filter(({ flags }) => flags === 1)),
      [[], []],
    );
    assert.equal(osds[0]!.addrsChanged, []);
    assert.is(osds[0]!.heartbeat.metrics().networks.back.restarts, 1);
  } finally {
    await closeAll(osds);
  }
});

test('rebind: another port and nonce, as another incarnation', async () => {
  const osds = await startMixed();
  try {
    publish(osds);
    await untilHealthy(osds);
    const before = osds[0]!.addrs;
    osds[0]!.addrs = await osds[0]!.heartbeat.rebind(new Set());
    for (const network of networkNames) {
      const [old, now] = [before[network].front!, osds[0]!.addrs[network].front!];
      assert.is(now.host, old.host);
      assert.is.not(now.port, old.port);
      assert.is(now.nonce, old.nonce + 1_000_000);
    }
    const map = publish(osds, 11, [0]);
    assert.equal(osds[1]!.heartbeat.heartbeatPeers(), []);
    publish(osds, map.epoch + 1);
    await untilHealthy(osds);
  } finally {
    await closeAll(osds);
  }
});

test('each network dials from the address of its NIC, by its device, on its CPU', async () => {
  if (!nativeAvailable()) return;
  const host = { socketOptions: { device: 'lo', bindAddressNoPort: true }, cpu: 0 };
  const osds = await startMixed({ transport: 'async', host });
  try {
    publish(osds);
    await untilHealthy(osds);
    const { client, server } = await osds[0]!.hosts.front.counters();
    assert.is(client.connectionsOpen, 1);
    assert.is(server.connectionsOpen, 1);
    assert.ok(client.messagesSent > 0 && server.messagesReceived > 0);
  } finally {
    await closeAll(osds);
  }
});

test('an address that cannot be bound fails the start, and nothing is left running', async () => {
  const options = { ms_bind_retry_count: 0 };
  let error: unknown;
  try {
    // 127.0.1.310 is none.
    await startOsd({ id: 300, kind: 'worker', options });
  } catch (caught) {
    error = caught;
  }
  assert.instance(error, Error);
});

test('in this thread: a standstill excuses the peers, and is told', async () => {
  const osds = await Promise.all([0, 1].map((id) => startOsd({ id, kind: 'inThread' })));
  try {
    publish(osds);
    await untilHealthy(osds);
    const endMs = performance.now() + 7000;
    while (performance.now() < endMs);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const osd of osds) {
      assert.equal(osd.failures, []);
      assert.ok(osd.slow.some(({ loop }) => loop === 'back') && osd.slow.some(({ loop }) => loop === 'main'));
      assert.ok(osd.heartbeat.peers().every(({ isHealthy }) => isHealthy));
      for (const { networks } of osd.heartbeat.peers()) {
        assert.ok(networks.back!.lastRttMs < 1000, 'what waited in a socket is no latency');
      }
    }
  } finally {
    await closeAll(osds);
  }
});

test('a peer’s process ends: its connections are refused, and that is told once', async () => {
  const osds = await Promise.all([0, 1, 2].map((id) => startOsd({ id, kind: 'inThread' })));
  try {
    publish(osds);
    await untilHealthy(osds);
    await osds[2]!.heartbeat.close();
    await until(() => osds[0]!.failures.length > 0 && osds[1]!.failures.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    for (const osd of osds.slice(0, 2)) {
      assert.is(osd.failures.length, 1, 'two networks, refused again and again: one report');
      const [failure] = osd.failures;
      assert.is(failure!.targetOsd, 2);
      assert.is(failure!.flags, 3, 'immediate and failed');
      assert.is(failure!.failedForSeconds, 6, 'grace and a second');
    }
  } finally {
    await closeAll(osds);
  }
});

test.run();
