/** The networks' real messengers over the in-memory network, on virtual time: bytes, connections, resets. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authNone } from '../../../src/auth/none.ts';
import { resolveOptions } from '../../../src/options.ts';
import { heartbeatOptionsOf } from '../../../src/osd/heartbeat/heartbeat-options.ts';
import { type NetworkName, networkNames } from '../../../src/osd/heartbeat/network-protocol.ts';
import { OsdHeartbeat } from '../../../src/osd/heartbeat/osd-heartbeat.ts';
import { InThreadHost } from '../../../src/osd/network/in-thread-host.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../../src/transport/memory/memory-network.ts';
import { Random } from '../../../src/transport/memory/random.ts';
import { EntityAuthName } from '../../../src/wire/entity-name.ts';
import type { MOSDFailure } from '../../../src/wire/messages/m-osd-failure.ts';
import { counterOf, publish, type SmallOsd } from './small-cluster.ts';

const options = resolveOptions();

async function start(network: MemoryNetwork, id: number): Promise<SmallOsd> {
  const random = new Random(network.random.next());
  const hosts = {} as Record<NetworkName, InThreadHost>;
  const first = network.createTransport({ address: addressOf('back', id) });
  for (const name of networkNames) {
    const transport = name === 'back' ? first : network.createTransport({ address: addressOf(name, id) });
    hosts[name] = new InThreadHost({
      network: name,
      whoami: id,
      nonce: 1 + id,
      bindAddr: `v2:${addressOf(name, id)}:0`,
      options,
      auth: authNone(EntityAuthName.parse(`osd.${id}`)),
      transport,
      clock: transport.clock,
      startMs: 0,
      startWallMs: 0,
      random: () => random.float(),
      messengerRandom: {
        u32: () => random.next(),
        u64: () => (BigInt(random.next()) << 32n) | BigInt(random.next()),
      },
    });
  }
  const failures: MOSDFailure[] = [];
  const log: string[] = [];
  const heartbeat = new OsdHeartbeat({
    whoami: id,
    options: heartbeatOptionsOf(options),
    clock: first.clock,
    random: () => random.float(),
    networks: hosts,
    pgPeers: () => [],
    hooks: {
      sendFailure: (failure) => failures.push(failure),
      subscribeNextMap() {},
      log: (_, line) => log.push(line),
    },
  });
  const starting = heartbeat.start();
  await network.runAsync(network.clock.nowMs() + 10);
  const addrs = await starting;
  return { id, heartbeat, hosts, failures, slow: [], log, died: [], addrsChanged: [], addrs };
}

function addressOf(network: NetworkName, id: number): string {
  return `10.${network === 'front' ? 1 : 2}.0.${10 + id}`;
}

async function startAll(seed: number, faults = {}): Promise<{ network: MemoryNetwork; osds: SmallOsd[] }> {
  const network = createMemoryNetwork({ seed, faults });
  const osds: SmallOsd[] = [];
  for (let id = 0; id < 4; id++) osds.push(await start(network, id));
  publish(osds);
  await network.runAsync(network.clock.nowMs() + 30_000);
  return { network, osds };
}

const run = (network: MemoryNetwork, ms: number): Promise<void> =>
  network.runAsync(network.clock.nowMs() + ms);

test('bytes in pieces: everybody hears everybody on both networks', async () => {
  const { osds } = await startAll(1, { partialRead: 0.3, partialWrite: 0.3, latencyMs: [0.1, 20] });
  for (const osd of osds) {
    assert.is(osd.heartbeat.peers().length, 3);
    assert.ok(
      osd.heartbeat.peers().every(({ isHealthy, networks }) => isHealthy && networks.back!.state === 'up'),
    );
    assert.equal(osd.failures, []);
  }
});

test('a path that is cut is reported within grace + interval; one that heals is taken back', async () => {
  const { network, osds } = await startAll(2);
  for (const [from, to] of [
    ['*', addressOf('back', 3)],
    [addressOf('back', 3), '*'],
  ] as const) {
    network.partition(from, to);
  }
  await run(network, 26_000);
  for (const osd of osds.slice(0, 3)) {
    assert.equal(
      osd.failures.map(({ targetOsd, flags }) => [targetOsd, flags]),
      [[3, 1]],
    );
    assert.ok(
      osd.log.some((line) => /^heartbeat_check: no reply from .* osd\.3 since back .* front /.test(line)),
    );
    assert.equal(
      osd.heartbeat.faults().map(({ network, owner }) => [network, owner]),
      [['back', 3]],
    );
  }
  assert.equal(
    osds[3]!.heartbeat.faults().map(({ isOwn, separated }) => [isOwn, separated]),
    [[true, [0, 1, 2]]],
  );
  network.healAll();
  await run(network, 15_000);
  for (const osd of osds.slice(0, 3)) {
    assert.equal(
      osd.failures.map(({ flags }) => flags),
      [1, 0],
    );
    assert.equal(osd.heartbeat.faults(), []);
  }
});

test('connections that are reset, again and again, are opened again, and nobody is accused', async () => {
  const { network, osds } = await startAll(3);
  for (let round = 0; round < 20; round++) {
    network.resetConnections();
    await run(network, 3000);
  }
  for (const osd of osds) {
    assert.ok(counterOf(osd, 'back', 'resets') >= 30);
    assert.equal(osd.failures, []);
    assert.ok(osd.heartbeat.peers().every(({ isHealthy }) => isHealthy));
  }
});

test('bits that flip cost connections, never the OSD', async () => {
  const { network, osds } = await startAll(4, { corrupt: 0.05 });
  await run(network, 60_000);
  network.faults.corrupt = 0;
  await run(network, 10_000);
  assert.ok(network.injected.corruptions > 20);
  for (const osd of osds) assert.ok(osd.heartbeat.peers().every(({ isHealthy }) => isHealthy));
});

test.run();
