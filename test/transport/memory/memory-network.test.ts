/** The in-memory network: what it promises, each of its faults, and lossless sessions through all of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../../src/errors.ts';
import type { MemoryFaults } from '../../../src/transport/memory/faults.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../../src/transport/memory/memory-network.ts';
import { Random } from '../../../src/transport/memory/random.ts';
import { Recorder } from '../recorder.ts';
import { type SimulatedPair, simulatePair } from './session-simulation.ts';

const test = suite('memory network');

const farAddress = { family: 4, host: '10.0.0.2', port: 6800 } as const;

/** Sends in rounds while the network runs, then lets it come to rest without faults. */
function exchange(
  network: MemoryNetwork,
  { near, far }: SimulatedPair,
  rounds: number,
  sizeMax: number,
): void {
  for (let round = 0; round < rounds; round++) {
    near.send(3, sizeMax);
    far.send(2, sizeMax);
    network.run(network.clock.nowMs() + 7);
  }
  Object.assign(network.faults, { reset: 0, corrupt: 0, refuse: 0, clog: 0 });
  network.healAll();
  network.run(network.clock.nowMs() + 10_000);
}

function assertComplete({ near, far }: SimulatedPair, seed: number): void {
  const told = `seed ${seed}`;
  assert.equal(near.violations, [], told);
  assert.equal(far.violations, [], told);
  assert.is(far.received, near.sent, told);
  assert.is(near.received, far.sent, told);
  assert.is(near.channel.unackedBytes, 0, told);
  assert.is(far.channel.unackedBytes, 0, told);
}

/** Faults of a seed: each may be absent, rare or frequent. */
function swarm(seed: number): Partial<MemoryFaults> {
  const random = new Random(seed ^ 0x5eed);
  const rate = (max: number) => (random.chance(0.3) ? 0 : random.float() * max);
  return {
    latencyMs: [0.01, 0.01 + random.float() * 5],
    partialRead: rate(1),
    partialWrite: rate(0.8),
    reset: rate(0.05),
    corrupt: rate(0.05),
    refuse: rate(0.2),
    clog: rate(0.1),
    clogMsMax: 200,
  };
}

test('one seed, one run: the same events, the same faults', async () => {
  const run = async (seed: number) => {
    const network = createMemoryNetwork({ seed, faults: swarm(3) });
    const pair = await simulatePair(network);
    exchange(network, pair, 40, 3000);
    return { events: network.clock.eventCount, injected: network.injected, closes: pair.near.closes };
  };
  const first = await run(11);
  assert.equal(await run(11), first);
  assert.not.equal(await run(12), first);
});

test('no fault, nothing injected', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const pair = await simulatePair(network);
  exchange(network, pair, 20, 100_000);
  assertComplete(pair, 1);
  assert.is(
    Object.values(network.injected).reduce((sum, count) => sum + count),
    0,
  );
  assert.is(pair.near.closes, 0);
});

test('sessions lose nothing, double nothing and keep the order, whatever the seed', async () => {
  const seeds = Number(process.env.MSGR2_SIMULATION_SEEDS ?? 300);
  let injected = 0;
  let closes = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const network = createMemoryNetwork({ seed, faults: swarm(seed) });
    const pair = await simulatePair(network);
    exchange(network, pair, 30, 2500);
    assertComplete(pair, seed);
    closes += pair.near.closes;
    for (const count of Object.values(network.injected)) injected += count;
  }
  assert.ok(closes > seeds, `${closes} connections were lost`);
  assert.ok(injected > 10 * seeds, `${injected} faults were injected`);
});

test('canary: an end that forgets what it received is caught', async () => {
  const network = createMemoryNetwork({ seed: 5, faults: { reset: 0.05 } });
  const pair = await simulatePair(network, (far) => far.channel.resetInSeq());
  exchange(network, pair, 60, 2500);
  assert.ok(network.injected.resets > 0);
  assert.ok(pair.far.violations.length > 0);
});

test('a connection cut at every byte, in each direction, costs nothing', async () => {
  const bytesOf = async (direction: 'c2s' | 's2c') => {
    const network = createMemoryNetwork({ seed: 1 });
    const pair = await simulatePair(network);
    exchange(network, pair, 3, 60);
    const { bytesSent } = (direction === 'c2s' ? pair.near : pair.far).channel.counters();
    return bytesSent;
  };
  for (const direction of ['c2s', 's2c'] as const) {
    const total = await bytesOf(direction);
    assert.ok(total > 500);
    for (let afterBytes = 0; afterBytes <= total; afterBytes++) {
      const network = createMemoryNetwork({ seed: afterBytes });
      const pair = await simulatePair(network);
      network.planReset({ direction, afterBytes });
      exchange(network, pair, 3, 60);
      assertComplete(pair, afterBytes);
      // The last frames of the run without a cut may be acknowledgements, which a cut makes superfluous.
      if (afterBytes < total / 2) assert.is(network.injected.resets, 1, `${direction} ${afterBytes}`);
    }
  }
});

test('a corrupted byte closes the connection with ERR_MSGR_BAD_FRAME', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const { far, near } = await simulatePair(network);
  network.run(10);
  const codes: string[] = [];
  far.onReconnect = () => codes.push('closed');
  const onClosed = far.onClosed.bind(far);
  far.onClosed = (error) => {
    codes.push(error.code);
    onClosed(error);
  };
  network.faults.corrupt = 1;
  near.send(1, 100);
  network.run(11);
  assert.equal(codes, [ErrorCode.BadFrame, 'closed']);
});

test('a one-way partition holds one direction only, and healing loses nothing', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const pair = await simulatePair(network);
  network.run(10);
  network.partition('10.0.0.1', '10.0.0.2');
  pair.near.send(5, 100);
  pair.far.send(5, 100);
  network.run(1000);
  assert.is(pair.far.received, 0);
  assert.is(pair.near.received, 5);
  assert.is(pair.near.closes, 0);
  network.heal('10.0.0.1', '10.0.0.2');
  network.run(2000);
  assertComplete(pair, 1);
});

test('a connection attempt into a partition waits for it to heal', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  network.partition('*', '10.0.0.2');
  const pair = await simulatePair(network);
  pair.near.send(1, 10);
  network.run(500);
  assert.is(pair.near.channel.remoteAddress, undefined);
  network.heal('*', '10.0.0.2');
  network.run(1000);
  assertComplete(pair, 1);
});

test('a close behind a partition is heard of when it heals', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const { near, far } = await simulatePair(network);
  near.onReconnect = undefined;
  network.run(10);
  network.partition('10.0.0.2', '10.0.0.1');
  far.channel.disconnect();
  network.run(100);
  assert.is(near.closes, 0);
  network.healAll();
  network.run(200);
  assert.is(near.closes, 1);
});

test('a paused process does nothing; what was sent to it arrives when it resumes', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const pair = await simulatePair(network);
  network.run(10);
  pair.far.transport.pause();
  pair.near.send(20, 1000);
  network.run(1000);
  assert.is(pair.far.received, 0);
  assert.ok(pair.near.channel.unackedBytes > 0);
  pair.far.transport.resume();
  network.run(2000);
  assertComplete(pair, 1);
});

test('a paused receiver fills the pipe, and the sender is told to wait', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const { near, far } = await simulatePair(network);
  network.run(10);
  far.channel.pauseReading();
  for (let round = 0; round < 100; round++) near.send(10, 10_000);
  network.run(100);
  assert.ok(near.channel.queuedBytes > 1024 * 1024);
  far.channel.resumeReading();
  network.run(5000);
  assert.is(near.channel.queuedBytes, 0);
  assert.is(far.received, 1000);
});

test('refused: nobody listens, or the fault says so', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const transport = network.createTransport({ address: '10.0.0.1' });
  const dial = () => {
    const events = new Recorder();
    events.call(() => transport.createChannel(events).connect(farAddress, {}));
    network.run(network.clock.nowMs() + 10);
    return events.events.map((event) => (event.kind === 'closed' ? event.error.code : event.kind));
  };
  assert.equal(dial(), [ErrorCode.Refused]);
  await network.createTransport().listen(farAddress, {}, (channel) => {
    channel.handler = new Recorder();
  });
  assert.equal(dial(), ['open']);
  network.faults.refuse = 1;
  assert.equal(dial(), [ErrorCode.Refused]);
  assert.is(network.injected.refusals, 1);
});

test('resetConnections ends both ends with ERR_MSGR_SOCKET', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const { near, far } = await simulatePair(network);
  near.onReconnect = undefined;
  network.run(10);
  network.resetConnections('10.0.0.2', '*');
  network.run(20);
  assert.is(near.closes, 1);
  assert.is(far.closes, 1);
});

test('local addresses: the transport’s own, or the one asked for', async () => {
  const network = createMemoryNetwork({ seed: 1 });
  const transport = network.createTransport({ address: '10.0.0.1' });
  const seen: (string | undefined)[] = [];
  await network.createTransport().listen(farAddress, {}, (channel) => {
    channel.handler = new Recorder();
    seen.push(channel.remoteAddress?.host);
  });
  transport.createChannel(new Recorder()).connect(farAddress, {});
  const localAddress = { family: 4, host: '10.0.9.1', port: 0 } as const;
  transport.createChannel(new Recorder()).connect(farAddress, { localAddress });
  network.run(10);
  assert.equal(seen, ['10.0.0.1', '10.0.9.1']);
});

test.run();
