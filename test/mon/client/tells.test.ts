/** Commands to one monitor by name or rank: over a connection of their own, tried again, given up. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { Message } from '../../../src/messenger/message.ts';
import { MonCommandError } from '../../../src/mon/client/command-error.ts';
import { MCommand } from '../../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../../src/wire/messages/m-command-reply.ts';
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

test('by name, by short name and by rank, also before there is a session', async () => {
  await using cluster = await FakeCluster.start();
  const client = cluster.client();
  const ask = async (target: string | number): Promise<string> => {
    const { output } = await cluster.settle(client.command({ prefix: 'version' }, { target }));
    return output.toString();
  };
  assert.is(await ask('mon.b'), 'b {"prefix":"version"}');
  assert.is(await ask('c'), 'c {"prefix":"version"}');
  assert.is(await ask(0), 'a {"prefix":"version"}');
  await cluster.pass(100);
  assert.is(client.messenger.connections().length, 1, 'their connections are closed');
});

test('who is not in the map is told by name, with who is', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  for (const [target, text] of [
    ['mon.x', /^mon\.x is not in monmap 1, which has mon\.a, mon\.b, mon\.c$/],
    [3, /^the monitor of rank 3 is not in monmap 1/],
  ] as const) {
    const error = await rejection(client.command({ prefix: 'version' }, { target }));
    assert.is(error.code, ErrorCode.InvalidArgument);
    assert.match(error.message, text);
  }
});

test('an errno is the same error as of any command; a reply with another id is not heard', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  cluster.monitor('b').onMessage = (message) => {
    if (message.type !== MCommand.type) return false;
    const reply = { result: -2, status: 'nothing here', output: Buffer.alloc(0) };
    message.connection.send(Message.of(MCommandReply, { ...reply, result: 0 }, { tid: message.tid + 1n }));
    message.connection.send(Message.of(MCommandReply, reply, { tid: message.tid }));
    return true;
  };
  const error = await cluster.settle(rejection(client.command({ prefix: 'version' }, { target: 'b' })));
  assert.ok(error instanceof MonCommandError);
  assert.is(error.message, "'version': ENOENT: nothing here");
});

test('a dead or silent monitor: tried again as often as allowed, then given up; the session is not concerned', async () => {
  for (const end of ['kill', 'pause'] as const) {
    await using cluster = await FakeCluster.start();
    const client = await cluster.connected();
    const other = cluster.monitors.find(({ name }) => name !== client.currentMon!.name)!;
    await other[end]();
    let losses = 0;
    client.on('sessionLost', () => losses++);
    const startMs = cluster.network.clock.nowMs();
    const error = await cluster.settle(
      rejection(client.command({ prefix: 'version' }, { target: other.name })),
    );
    const tookMs = cluster.network.clock.nowMs() - startMs;
    assert.match(
      error.message,
      new RegExp(`^mon\\.${other.name} at .* cannot be asked: no session within 3 s$`),
    );
    assert.ok(tookMs >= 9000 && tookMs < 10_000, `three attempts took ${tookMs} ms`);
    assert.is(losses, 0);
  }
});

test('a connection that breaks before the answer: asked again over another', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const other = cluster.monitors.find(({ name }) => name !== client.currentMon!.name)!;
  let asked = 0;
  other.onMessage = (message) => {
    if (message.type !== MCommand.type || ++asked === 3) return false;
    message.connection.markDown();
    return true;
  };
  await cluster.settle(client.command({ prefix: 'version' }, { target: other.name }));
  assert.is(asked, 3);
});

test('paused after the connection stood: noticed by silence', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  const other = cluster.monitors.find(({ name }) => name !== client.currentMon!.name)!;
  other.onMessage = (message) => {
    if (message.type !== MCommand.type) return false;
    other.pause();
    return true;
  };
  const answer = rejection(client.command({ prefix: 'version' }, { target: other.name }));
  assert.match((await cluster.settle(answer, 30_000)).message, /cannot be asked/);
});

test('time limits, signals and close end it', async () => {
  await using cluster = await FakeCluster.start();
  const client = await cluster.connected();
  cluster.monitor('b').onMessage = ({ type }) => type === MCommand.type;
  const ask = (options: { timeoutMs?: number; signal?: AbortSignal }): Promise<MsgrError> =>
    rejection(client.command({ prefix: 'version' }, { ...options, target: 'b' }));
  assert.is((await cluster.settle(ask({ timeoutMs: 100 }))).code, ErrorCode.Timeout);
  const abort = new AbortController();
  const aborted = ask({ signal: abort.signal });
  const closed = ask({});
  await cluster.pass(100);
  abort.abort();
  assert.is((await aborted).code, ErrorCode.Aborted);
  await client.close();
  assert.is((await closed).code, ErrorCode.Closed);
});

test.run();
