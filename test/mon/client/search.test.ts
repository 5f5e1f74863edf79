/** Hunting in virtual time: how fast a monitor is found, when one is given up, and how hard it is tried. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { AuthMethod, type AuthProvider, ConnectionMode } from '../../../src/auth/auth.ts';
import { authNone } from '../../../src/auth/none.ts';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { EntityAuthName } from '../../../src/wire/entity-name.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import { FakeCluster } from '../support/fake-cluster.ts';

async function rejection(promise: Promise<unknown>): Promise<MsgrError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MsgrError) return error;
    throw error;
  }
  throw new Error('it did not reject');
}

/** mon_client_hunt_interval. */
const huntMs = 3000;

/** Monitors that refuse whom `isRefusing` says, with EACCES. */
function refusing(isRefusing: () => boolean): AuthProvider {
  const none = authNone(EntityAuthName.parse('mon.a'));
  return {
    client: (type, addr) => none.client(type, addr),
    server: (type) => {
      if (!isRefusing()) return none.server(type);
      const refuse = () => ({
        kind: 'refused' as const,
        method: AuthMethod.None,
        result: -13,
        allowedMethods: [AuthMethod.Cephx],
        allowedModes: [ConnectionMode.Crc],
      });
      return { handleRequest: refuse, handleRequestMore: refuse };
    },
  };
}

test('dead monitors cost no interval: the next batch follows as soon as all of one are refused', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    await using cluster = await FakeCluster.start({ mons: 6, seed });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await cluster.monitor(name).kill();
    const client = cluster.client({ options: { mon_client_hunt_parallel: 2 } });
    const startMs = cluster.network.clock.nowMs();
    await cluster.settle(client.connect());
    assert.is(client.currentMon!.name, 'f');
    assert.ok(cluster.network.clock.nowMs() - startMs < 500);
  }
});

test('silent monitors cost an interval for each batch', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    await using cluster = await FakeCluster.start({ mons: 6, seed });
    for (const name of ['a', 'b', 'c', 'd', 'e']) cluster.monitor(name).pause();
    const client = cluster.client({ options: { mon_client_hunt_parallel: 2 } });
    const startMs = cluster.network.clock.nowMs();
    await cluster.settle(client.connect());
    assert.is(client.currentMon!.name, 'f');
    assert.ok(cluster.network.clock.nowMs() - startMs < 3 * huntMs);
  }
});

test('a killed monitor is replaced at once, with questions under way or without', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  await cluster.pass(huntMs);
  const killed = cluster.monitorOf(client);
  const lostMs = cluster.network.clock.nowMs();
  await killed.kill();
  await cluster.until(
    () => client.currentMon !== undefined && client.currentMon.name !== killed.name,
    'another',
  );
  assert.ok(cluster.network.clock.nowMs() - lostMs < 500);
});

test('a paused monitor is replaced within three intervals when a question is under way', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    await using cluster = await FakeCluster.start({ seed });
    const client = await cluster.connected();
    await cluster.pass(5000);
    const pausedMs = cluster.network.clock.nowMs();
    const paused = cluster.monitorOf(client);
    paused.pause();
    const asked = client.command({ prefix: 'status' });
    await cluster.settle(asked);
    assert.ok(cluster.network.clock.nowMs() - pausedMs < 2.5 * huntMs);
    assert.is.not(client.currentMon!.name, paused.name);
    assert.is(cluster.commands.length, 1);
  }
});

test('so is one that was busy answering until then, whenever it stops', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    await using cluster = await FakeCluster.start({ seed });
    const client = await cluster.connected();
    let answered = 0;
    let isOver = false;
    const work = (async () => {
      while (!isOver) {
        await client.command({ prefix: 'status' });
        answered++;
        await new Promise<void>((resolve) => cluster.network.clock.setTimeout(resolve, 20));
      }
    })();
    await cluster.pass(5000 + seed * 157);
    const paused = cluster.monitorOf(client);
    const pausedMs = cluster.network.clock.nowMs();
    const before = answered;
    assert.ok(before > 100);
    paused.pause();
    await cluster.until(() => answered > before + 1, 'answers of another');
    assert.ok(cluster.network.clock.nowMs() - pausedMs < 2.5 * huntMs);
    isOver = true;
    await cluster.settle(work);
  }
});

test('a paused monitor that nobody waits for is replaced after mon_client_ping_timeout', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const reasons: string[] = [];
  client.on('sessionLost', (_, { message }) => reasons.push(message));
  await cluster.pass(60_000);
  assert.equal(reasons, [], 'keepalives are answered');
  cluster.monitorOf(client).pause();
  await cluster.pass(29_000);
  assert.equal(reasons, []);
  await cluster.pass(31_000);
  assert.is(reasons.length, 1);
  assert.match(reasons[0]!, /^no answer to keepalives for \d+ s \(mon_client_ping_timeout 30 s\)$/);
  assert.ok(client.currentMon);
});

test('a monitor that lives but cannot answer, for want of a quorum, is waited for', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const mine = cluster.monitorOf(client);
  mine.isInQuorum = false;
  let losses = 0;
  client.on('sessionLost', () => losses++);
  const asked = client.command({ prefix: 'status' });
  await cluster.pass(120_000);
  assert.is(losses, 0);
  mine.joinQuorum();
  assert.is((await cluster.settle(asked)).output.toString(), `${mine.name}: status`);
});

test('a client that stood still itself does not blame its monitor', async () => {
  await using cluster = await FakeCluster.start();
  const transport = cluster.network.createTransport({ address: '10.0.1.7' });
  const client = await cluster.connected({ transport, clock: transport.clock });
  let losses = 0;
  client.on('sessionLost', () => losses++);
  for (const standstillMs of [2000, 5000, 45_000, 100_000]) {
    const asked = client.command({ prefix: 'status' });
    transport.pause();
    await cluster.pass(standstillMs);
    transport.resume();
    await cluster.settle(asked);
    await cluster.pass(20_000);
  }
  assert.is(losses, 0);
});

test('without monitors: ever longer intervals up to the multiple, shorter again after a good session', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const client = await cluster.connected();
  await cluster.pass(60_000);
  const [monitor] = cluster.monitors;
  const failedMs: number[] = [];
  client.on('huntFailed', () => failedMs.push(cluster.network.clock.nowMs()));
  await monitor!.kill();
  await cluster.pass(300_000);
  const gaps = failedMs.slice(1).map((ms, index) => ms - failedMs[index]!);
  assert.ok(gaps.length >= 8, `${gaps.length} sweeps in five minutes`);
  for (const [index, gap] of gaps.entries()) {
    assert.ok(gap >= huntMs && gap <= 10 * huntMs + 500, `${gap}`);
    if (index > 0) assert.ok(gap >= gaps[index - 1]!);
  }
  assert.ok(gaps.at(-1)! >= 10 * huntMs);
  await monitor!.restart();
  await cluster.settle(client.connect(), 31_000);
  await cluster.pass(200_000);
  await monitor!.kill();
  failedMs.length = 0;
  await cluster.pass(20_000);
  assert.ok(failedMs[1]! - failedMs[0]! < 3 * huntMs);
});

test('a monitor that hangs up at once is not asked in a loop, and others are preferred', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const client = await cluster.connected();
  let sessions = 0;
  client.on('session', () => {
    sessions++;
    cluster.monitors[0]!.hangUp();
  });
  cluster.monitors[0]!.hangUp();
  await cluster.pass(60_000);
  assert.ok(sessions > 5 && sessions < 40, `${sessions} sessions in a minute`);

  await using healthy = await FakeCluster.start({ mons: 3 });
  const another = await healthy.connected();
  const bad = healthy.monitorOf(another);
  const names: string[] = [];
  another.on('session', ({ name }) => {
    names.push(name);
    if (name === bad.name) bad.hangUp();
  });
  bad.hangUp();
  await healthy.pass(60_000);
  assert.is(names.length, 1);
  assert.is.not(names[0], bad.name);
});

test('lower priorities in the map are asked first', async () => {
  await using cluster = await FakeCluster.start({
    monitors: { a: { priority: 9 }, b: { priority: 1 }, c: { priority: 9 } },
  });
  const client = await cluster.connected();
  await cluster.pass(60_000);
  for (let round = 0; round < 3; round++) {
    const mine = cluster.monitorOf(client);
    await mine.kill();
    await cluster.settle(client.command({ prefix: 'status' }));
    if (round > 0) assert.is(client.currentMon!.name === 'b', mine.name !== 'b');
    await mine.restart();
    // Long enough to be forgiven.
    await cluster.pass(60_000);
  }
});

test('refused by authentication: connect fails with the reason, and may be tried again', async () => {
  let isRefusing = true;
  await using cluster = await FakeCluster.start({ auth: refusing(() => isRefusing) });
  const client = cluster.client();
  const waiting = rejection(client.command({ prefix: 'status' }));
  const startMs = cluster.network.clock.nowMs();
  const error = await cluster.settle(rejection(client.connect()));
  assert.ok(cluster.network.clock.nowMs() - startMs < 500, 'nobody else is left to ask');
  assert.is(error.code, ErrorCode.Auth);
  assert.match(error.message, /^no session with a monitor: .*v2:10\.0\.0\.1:3300\/0: .*EACCES/);
  assert.is((await waiting).code, ErrorCode.Auth);
  await cluster.pass(100_000);
  assert.is(client.messenger.connections().length, 0, 'nothing is tried any more');
  isRefusing = false;
  await cluster.settle(client.connect());
});

test('refused later: what waits is told so each round; it goes on when they change their minds', async () => {
  let isRefusing = false;
  await using cluster = await FakeCluster.start({ auth: refusing(() => isRefusing) });
  const client = await cluster.connected();
  isRefusing = true;
  for (const monitor of cluster.monitors) monitor.hangUp();
  const error = await cluster.settle(rejection(client.command({ prefix: 'status' })), 20_000);
  assert.is(error.code, ErrorCode.Auth);
  isRefusing = false;
  assert.is((await cluster.settle(client.command({ prefix: 'status' }), 40_000)).code, 0);
});

test('one monitor that refuses while another is slow to come does not decide', async () => {
  let accepted = 0;
  await using cluster = await FakeCluster.start({ mons: 2, auth: refusing(() => accepted++ % 2 === 0) });
  const client = cluster.client();
  await cluster.settle(client.connect());
  assert.ok(client.currentMon);
});

test('monitors of another cluster are refused by name of both', async () => {
  await using cluster = await FakeCluster.start();
  const other = Uuid.random();
  const client = cluster.client({ fsid: other });
  const error = await cluster.settle(rejection(client.connect()));
  assert.is(error.code, ErrorCode.PeerMismatch);
  assert.match(
    error.message,
    new RegExp(`of cluster ${cluster.fsid}, not of ${other}: check mon_host and fsid`),
  );
});

test('nobody there: connect fails when its time is up, with the reason of each; the search then ends', async () => {
  await using cluster = await FakeCluster.start({ mons: 2 });
  await cluster.monitor('a').kill();
  cluster.monitor('b').pause();
  const client = cluster.client();
  const error = await cluster.settle(rejection(client.connect({ timeoutMs: 4000 })));
  assert.is(error.code, ErrorCode.Timeout);
  assert.match(error.message, /^not connected within 4000 ms: no session with a monitor: /);
  assert.match(error.message, /v2:10\.0\.0\.1:3300\/0: .*refused/i);
  await cluster.pass(20_000);
  assert.is(client.messenger.connections().length, 0);
  const abort = new AbortController();
  const aborted = rejection(client.connect({ signal: abort.signal }));
  abort.abort();
  assert.is((await aborted).code, ErrorCode.Aborted);
});

test('names are looked up anew for each sweep, and not waited for when the map knows monitors', async () => {
  await using cluster = await FakeCluster.start({ mons: 2 });
  let answer: string | undefined;
  const asked: string[] = [];
  const lookup = async (name: string): Promise<{ address: string }[]> => {
    asked.push(name);
    if (answer === undefined) throw new Error(`${name} is unknown`);
    return [{ address: answer }];
  };
  const client = cluster.client({ monHost: 'mons.example', lookup });
  const error = await cluster.settle(rejection(client.connect({ timeoutMs: 4000 })));
  assert.match(error.message, /monitor host mons\.example is not found: mons\.example is unknown/);
  answer = '10.0.0.1';
  await cluster.settle(client.connect());
  assert.ok(asked.length >= 2);

  const stuck = cluster.client({ monHost: 'mons.example', lookup });
  await cluster.settle(stuck.connect());
  answer = undefined;
  await cluster.pass(huntMs);
  await cluster.monitorOf(stuck).kill();
  await cluster.settle(stuck.command({ prefix: 'status' }), 1000);
});

test.run();
