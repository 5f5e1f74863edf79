/** A client and its monitors in virtual time: what outlives a session, and what the user is told. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noneSession } from '../../../src/auth/none.ts';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { monRequestsMax, monWaitingMessagesMax } from '../../../src/limits.ts';
import { OsdState } from '../../../src/maps/states.ts';
import { Message, type ReceivedMessage } from '../../../src/messenger/message.ts';
import { Messenger } from '../../../src/messenger/messenger.ts';
import { MonCommandError } from '../../../src/mon/client/command-error.ts';
import { MonClient } from '../../../src/mon/client/mon-client.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { EntityAuthName } from '../../../src/wire/entity-name.ts';
import { MMgrMap } from '../../../src/wire/messages/m-mgr-map.ts';
import { MMonCommand } from '../../../src/wire/messages/m-mon-command.ts';
import { MMonGetVersion } from '../../../src/wire/messages/m-mon-get-version.ts';
import { MMonMap } from '../../../src/wire/messages/m-mon-map.ts';
import { MPing } from '../../../src/wire/messages/m-ping.ts';
import { fixtureMessages } from '../../support/captures.ts';
import { clientHost, FakeCluster } from '../support/fake-cluster.ts';

async function rejection(promise: Promise<unknown>): Promise<MsgrError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MsgrError) return error;
    throw error;
  }
  throw new Error('it did not reject');
}

/** Reads OSDMaps in the background. */
function follow(client: MonClient, from?: number): { epochs: number[]; end: Promise<void> } {
  const epochs: number[] = [];
  const read = async (): Promise<void> => {
    for await (const { epoch } of client.osdMaps(from === undefined ? {} : { from })) epochs.push(epoch);
  };
  return { epochs, end: read() };
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('three monitors are asked at once, one is kept', async () => {
  await using cluster = await FakeCluster.start();
  const client = cluster.client();
  const events: string[] = [];
  client.on('session', ({ name, rank }) => events.push(`session ${name} ${rank}`));
  client.on('monmap', ({ epoch }) => events.push(`monmap ${epoch}`));
  client.on('config', (config) => events.push(`config ${[...config]}`));
  cluster.config.set('debug_ms', '1');
  assert.is(client.fsid, undefined);
  assert.is(client.currentMon, undefined);
  await cluster.settle(client.connect());
  await cluster.pass(100);

  const { name, rank } = client.currentMon!;
  assert.equal(events, ['monmap 1', `session ${name} ${rank}`, 'config debug_ms,1']);
  assert.equal([...client.config], [['debug_ms', '1']]);
  assert.is(String(client.fsid), String(cluster.fsid));
  assert.is(client.monMap!.epoch, 1);
  assert.ok(client.globalId > 0n);
  assert.is(client.messenger.connections().length, 1);
  assert.is(cluster.monitors.filter(({ connections }) => connections.size === 1).length, 1);
  assert.is(cluster.monitor(name).connections.size, 1);
  await client.connect();
});

test('a command and its answer, with input and output', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const client = await cluster.connected();
  const command = { prefix: 'osd setcrushmap', format: 'json' };
  const answer = await cluster.settle(client.command(command, { input: Buffer.from('!') }));
  assert.equal(answer, { code: 0, status: '', output: Buffer.from('a: osd setcrushmap!') });

  const error = await cluster.settle(rejection(client.command({ prefix: 'refuse me' })));
  assert.ok(error instanceof MonCommandError);
  assert.not(new MsgrError(ErrorCode.Timeout, 'no') instanceof MonCommandError);
  assert.equal(
    [error.code, error.errno, error.errnoName, error.status, error.output.toString()],
    [ErrorCode.MonCommand, 22, 'EINVAL', 'no such thing', 'a: refuse me'],
  );
  assert.is(error.message, "'refuse me': EINVAL: no such thing");

  for (const wrong of [{ prefix: '' }, {} as { prefix: string }, { prefix: 'x', n: 1n }]) {
    assert.is((await rejection(client.command(wrong))).code, ErrorCode.InvalidArgument);
  }
});

test('commands before connect begin the search', async () => {
  await using cluster = await FakeCluster.start();
  const client = cluster.client();
  assert.is((await cluster.settle(client.command({ prefix: 'status' }))).code, 0);
});

test('commands under way when a session ends are asked again, same ids, same order, none lost', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const first = cluster.monitorOf(client);
  const unanswered: bigint[] = [];
  first.onMessage = (message) => {
    if (message.type === MMonCommand.type) unanswered.push(message.tid);
    return message.type === MMonCommand.type || message.type === MMonGetVersion.type;
  };
  const asked = range(1, 20).map((n) => client.command({ prefix: `command ${n}` }));
  const version = client.getVersion('osdmap');
  await cluster.pass(100);
  assert.is(unanswered.length, 20);
  const lost: string[] = [];
  client.on('sessionLost', ({ name }) => lost.push(name));
  await first.kill();
  const answers = await cluster.settle(Promise.all(asked));

  const second = client.currentMon!.name;
  assert.equal(lost, [first.name]);
  assert.is.not(second, first.name);
  assert.equal(
    answers.map(({ output }) => output.toString()),
    range(1, 20).map((n) => `${second}: command ${n}`),
  );
  assert.equal(
    cluster.commands.map(({ tid }) => tid),
    unanswered,
  );
  assert.equal(await cluster.settle(version), { newest: 10n, oldest: 10n });
});

test('without an answer: a time limit, an aborted signal, a closed client; each says what it was', async () => {
  await using cluster = await FakeCluster.start({ mons: 2 });
  const client = await cluster.connected({ options: { rados_mon_op_timeout: 20 } });
  for (const monitor of cluster.monitors) monitor.isInQuorum = false;

  const late = await cluster.settle(rejection(client.command({ prefix: 'status' }, { timeoutMs: 500 })));
  assert.is(late.code, ErrorCode.Timeout);
  assert.is(late.message, "mon command 'status': no answer within 500 ms");
  const byOption = rejection(client.getVersion('osdmap'));
  await cluster.pass(19_000);
  const abort = new AbortController();
  const aborted = rejection(client.command({ prefix: 'status' }, { signal: abort.signal, timeoutMs: 0 }));
  abort.abort(new Error('enough'));
  assert.equal(
    [(await aborted).code, ((await aborted).cause as Error).message],
    [ErrorCode.Aborted, 'enough'],
  );
  assert.is(
    (await rejection(client.command({ prefix: 's' }, { signal: abort.signal }))).code,
    ErrorCode.Aborted,
  );
  assert.is((await cluster.settle(byOption, 2000)).code, ErrorCode.Timeout);

  for (const monitor of cluster.monitors) await monitor.kill();
  const alone = await cluster.settle(rejection(client.command({ prefix: 'status' }, { timeoutMs: 5000 })));
  assert.is(alone.code, ErrorCode.Timeout);
  assert.match(
    alone.message,
    /^mon command 'status': no answer within 5000 ms \(no session with a monitor: /,
  );
  for (const { address, name } of cluster.monitors) {
    assert.ok(alone.message.includes(`mon.${name} at ${address}/0: `), alone.message);
  }

  const closed = rejection(client.command({ prefix: 'status' }));
  const maps = follow(client);
  await cluster.pass(100);
  await cluster.settle(client.close());
  assert.is((await closed).code, ErrorCode.Closed);
  await maps.end;
  assert.is((await rejection(client.command({ prefix: 'status' }))).code, ErrorCode.Closed);
  assert.is((await rejection(client.connect())).code, ErrorCode.Closed);
  assert.throws(
    () => client.send(Message.of(MPing, {})),
    (error: MsgrError) => error.code === ErrorCode.Closed,
  );
});

test('more than may wait is refused at once; an answer makes room', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const client = await cluster.connected();
  cluster.monitor('a').isInQuorum = false;
  const waiting = range(1, monRequestsMax).map(() => client.command({ prefix: 'status' }));
  assert.is((await rejection(client.command({ prefix: 'status' }))).code, ErrorCode.Overloaded);
  await cluster.pass(1000);
  cluster.monitor('a').joinQuorum();
  await cluster.settle(Promise.all(waiting));
  await cluster.settle(client.command({ prefix: 'status' }));
  const huge = { input: new Uint8Array(65 * 1024 * 1024) };
  assert.is((await rejection(client.command({ prefix: 'status' }, huge))).code, ErrorCode.Overloaded);
});

test('messages of a daemon wait for a session, in order and bounded; what had left is not sent again', async () => {
  await using cluster = await FakeCluster.start({ mons: 2 });
  const client = cluster.client();
  const arrived: string[] = [];
  for (const monitor of cluster.monitors) {
    monitor.onMessage = (message) => {
      if (message.type !== 0x900) return false;
      arrived.push(message.data.toString());
      return true;
    };
  }
  const send = (text: string): boolean => client.send(new Message({ type: 0x900, data: Buffer.from(text) }));
  assert.not(send('1'));
  send('2');
  await cluster.settle(client.connect());
  assert.ok(send('3'));
  await cluster.pass(100);
  assert.equal(arrived, ['1', '2', '3']);
  for (const monitor of cluster.monitors) await monitor.kill();
  await cluster.pass(100);
  for (let n = 0; n < monWaitingMessagesMax; n++) send(`late ${n}`);
  assert.throws(
    () => send('one more'),
    (error: MsgrError) => error.code === ErrorCode.Overloaded,
  );
  for (const monitor of cluster.monitors) await monitor.restart();
  await cluster.until(() => arrived.length === 3 + monWaitingMessagesMax, 'all of them arrived');
  assert.is(arrived[3], 'late 0');
  assert.is(arrived.at(-1), `late ${monWaitingMessagesMax - 1}`);
});

test('OSDMaps through five failovers: each epoch once and in order, subscribed from where it stood', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const { epochs } = follow(client, 10);
  for (let round = 0; round < 5; round++) {
    for (const osd of [0, 1, 2]) cluster.commit({ newState: new Map([[osd, OsdState.up]]) });
    await cluster.pass(200);
    const monitor = cluster.monitorOf(client);
    await monitor.kill();
    cluster.commit();
    cluster.commit();
    await cluster.settle(client.command({ prefix: 'status' }));
    await monitor.restart();
  }
  await cluster.pass(1000);
  assert.equal(epochs, range(10, 35));
  const starts = cluster.monitors
    .flatMap(({ subscriptions }) => subscriptions)
    .map(({ what }) => Number(what.get('osdmap')?.start ?? -1))
    .filter((start) => start >= 0);
  assert.is(starts.length, 6, 'one request for each session, none for what was not missed');
  assert.ok(starts.every((start) => start <= 36));
});

test('several readers, each from where it wants; the last one ends the subscription', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  for (let n = 0; n < 60; n++) cluster.osdMaps.commit();
  const client = await cluster.connected();
  const newest = follow(client);
  await cluster.pass(100);
  const all = follow(client, 10);
  await cluster.pass(100);
  cluster.commit();
  await cluster.pass(100);
  assert.equal(newest.epochs, [70, 71]);
  assert.equal(all.epochs, range(10, 71));

  const some: number[] = [];
  const few = async (): Promise<void> => {
    for await (const { epoch } of client.osdMaps({ from: 65 })) {
      some.push(epoch);
      if (epoch === 71) break;
    }
  };
  await cluster.settle(few());
  assert.equal(some, range(65, 71));

  const lone = await cluster.connected();
  const abort = new AbortController();
  const one = (async () => {
    for await (const { epoch } of lone.osdMaps({ signal: abort.signal })) some.push(epoch);
  })();
  const ended = rejection(one);
  await cluster.pass(100);
  assert.is(some.at(-1), 71);
  abort.abort();
  assert.is((await cluster.settle(ended)).code, ErrorCode.Aborted);
  await cluster.pass(100);
  const last = cluster.monitor('a').subscriptions.at(-1)!;
  assert.equal([...last.what], [['osdmap', { start: 72n, flags: 1 }]]);
});

test('a trimmed history is entered at its oldest epoch', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  for (let n = 0; n < 20; n++) cluster.osdMaps.commit();
  cluster.osdMaps.oldest = 25;
  const client = await cluster.connected();
  const { epochs } = follow(client, 1);
  await cluster.pass(3000);
  assert.equal(epochs, range(25, 30));
});

test('log entries are kept until acknowledged, over sessions, and are there once', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected({ options: { mon_client_max_log_entries_per_message: 3 } });
  const first = cluster.monitorOf(client);
  first.onMessage = (message) => message.type === 52;
  for (let n = 1; n <= 10; n++) client.log('cluster', 'warn', `entry ${n}`);
  const flushed = client.flushLog();
  await cluster.pass(100);
  assert.is(cluster.log.size, 0);
  await first.kill();
  await cluster.settle(flushed);
  assert.equal(
    [...cluster.log],
    range(1, 10).map((n) => [`client.${client.globalId} ${n}`, `entry ${n}`]),
  );
  await client.flushLog();
  client.log('cluster', 'info', 'by itself');
  await cluster.pass(1100);
  assert.is(cluster.log.size, 11);
});

test('log entries beyond the limit are dropped, and the log says so', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const client = cluster.client();
  for (let n = 0; n < 5000; n++) client.log('cluster', 'debug', `entry ${n}`);
  await cluster.settle(client.connect());
  await cluster.settle(client.flushLog());
  assert.is(cluster.log.size, 4096);
  client.log('cluster', 'debug', 'the next');
  await cluster.settle(client.flushLog());
  assert.equal([...cluster.log.values()].slice(-2), [
    '904 log entries were dropped: no monitor took them',
    'the next',
  ]);
});

test('a newer monitor map: new monitors are known, and one that is gone is left', async () => {
  await using cluster = await FakeCluster.start({ mons: 3 });
  const client = await cluster.connected();
  const mine = cluster.monitorOf(client);
  const seen: number[] = [];
  client.on('monmap', ({ epoch }) => seen.push(epoch));
  const push = (): void => mine.send(Message.of(MMonMap, { monmap: cluster.monMapBytes() }));
  push();
  cluster.monMap = { ...cluster.makeMonMap(3), ranks: ['c', 'b', 'a'] };
  push();
  await cluster.pass(100);
  cluster.monMap = cluster.makeMonMap(2);
  push();
  await cluster.pass(100);
  assert.equal(seen, [3], 'an older map says nothing');
  assert.is(client.monMap!.epoch, 3);
  assert.is(client.currentMon!.name, mine.name);

  const left = cluster.makeMonMap(4);
  const others = left.ranks.filter((name) => name !== mine.name);
  cluster.monMap = {
    ...left,
    ranks: others,
    monitors: new Map(others.map((name) => [name, left.monitors.get(name)!])),
  };
  const reasons: string[] = [];
  client.on('sessionLost', (_, { message }) => reasons.push(message));
  push();
  await cluster.settle(client.command({ prefix: 'status' }));
  assert.match(reasons[0]!, new RegExp(`^mon\\.${mine.name} at .* is not in monmap 4$`));
  assert.is.not(client.currentMon!.name, mine.name);
});

test('when all monitors have moved, mon_host finds them again', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const client = await cluster.connected({ monHost: 'v2:10.0.0.1:3300' });
  const [a] = cluster.monitors;
  // A map of nowhere, of a high epoch: believed, until nobody answers there.
  const nowhere = cluster.makeMonMap(9, { a: { publicAddrs: EntityAddrVec.parse('v2:10.9.9.9:3300') } });
  const right = cluster.monMap;
  cluster.monMap = nowhere;
  a!.send(Message.of(MMonMap, { monmap: cluster.monMapBytes() }));
  await cluster.pass(100);
  assert.is(client.monMap!.epoch, 9);
  assert.is(client.currentMon, undefined);
  cluster.monMap = right;
  await cluster.settle(client.command({ prefix: 'status' }));
  assert.is(client.monMap!.epoch, 1);
  assert.is(client.currentMon!.name, 'a');
});

test('a given messenger: later dispatchers see the maps, and it is not shut down', async () => {
  await using cluster = await FakeCluster.start({ mons: 1 });
  const transport = cluster.network.createTransport({ address: clientHost });
  const auth = noneSession(EntityAuthName.parse('osd.3'));
  const common = { transport, clock: transport.clock, random: cluster.random };
  const messenger = Messenger.create({ name: 'osd.3', auth, ...common });
  messenger.start();
  const types: number[] = [];
  const client = await cluster.connected({ name: 'osd.3', messenger, auth });
  const daemon = { dispatch: ({ type }: ReceivedMessage) => types.push(type) > 0 };
  client.addDispatcher(daemon);
  const heads: string[] = [];
  client.on('mgrmap', ({ activeName, epoch }) => heads.push(`${epoch} ${activeName}`));
  client.subscribe('osdmap', { start: 10n });
  client.subscribe('mgrmap');
  const [recorded] = fixtureMessages(MMgrMap.type);
  cluster.monitor('a').send(new Message({ type: MMgrMap.type, front: recorded!.front }));
  cluster.monitor('a').send(new Message({ type: 0x901 }));
  await cluster.pass(100);
  assert.equal(types.sort(), [41, 0x704, 0x901].sort());
  assert.is(heads.length, 1);
  const other = Messenger.create({ name: 'osd.3', ...common });
  assert.throws(
    () => cluster.client({ name: 'osd.3', messenger: other, auth }),
    (error: MsgrError) => error.code === ErrorCode.InvalidArgument,
  );
  await other.shutdown();
  await client.close();
  assert.not(messenger.isShutDown);
  await messenger.shutdown();
});

test('arguments that cannot be used are refused before anything is made', () => {
  for (const init of [
    { name: 'client.admin', monHost: '' },
    { name: 'admin', monHost: '10.0.0.1' },
    { name: 'client.admin', monHost: '10.0.0.1', fsid: 'no' },
    { name: 'client.admin', monHost: '10.0.0.1', options: { mon_client_hunt_interval: 0 } },
  ]) {
    assert.throws(
      () => new MonClient(init),
      (error: MsgrError) => error.code === ErrorCode.InvalidArgument,
    );
  }
});

test.run();
