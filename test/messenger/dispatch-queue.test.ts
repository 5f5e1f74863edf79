/** What a dispatcher holds stays in the throttles; full throttles stop the reading, and whoever makes room restarts it. */
import { AssertionError } from 'node:assert';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import { messageOverheadBytes } from '../../src/limits.ts';
import { type DispatchLimits, DispatchQueue } from '../../src/messenger/dispatch-queue.ts';
import type { Dispatcher } from '../../src/messenger/dispatcher.ts';
import { Message, type ReceivedMessage } from '../../src/messenger/message.ts';
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { Throttle } from '../../src/messenger/throttle.ts';
import { resolveOptions } from '../../src/options.ts';
import { type Clock, systemClock } from '../../src/transport/clock.ts';
import { Messengers, testTransports } from '../support/messengers.ts';
import { waitUntil, withTimeout } from '../support/timeout.ts';

const type = 0x2000;
const bytes = 100;

/** Holds every message until the test lets it go. */
class Holder implements Dispatcher {
  readonly messages: ReceivedMessage[] = [];
  readonly releases: (() => void)[] = [];
  readonly #limits: DispatchLimits | undefined;

  constructor(limits?: DispatchLimits) {
    this.#limits = limits;
  }

  dispatch(message: ReceivedMessage): boolean {
    this.messages.push(message);
    this.releases.push(message.connection.hold(message.byteLength, this.#limits));
    return true;
  }

  /** Lets everything go that it holds, again and again, until `count` messages have come. */
  async drain(count: number): Promise<void> {
    await waitUntil(
      () => {
        for (const release of this.releases.splice(0)) release();
        return this.messages.length >= count;
      },
      10_000,
      `${count} messages`,
      1,
    );
    for (const release of this.releases.splice(0)) release();
  }
}

const numbered = (id: number, byteLength = bytes): Message => {
  const data = Buffer.alloc(byteLength);
  data.writeUInt32LE(id);
  return new Message({ type, data });
};
const idsOf = (messages: readonly ReceivedMessage[]): number[] =>
  messages.map((message) => message.data.readUInt32LE());
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('what went through the queue is counted, and how long it waited', () => {
  let nowMs = 10;
  const turns: (() => void)[] = [];
  const clock: Clock = {
    nowMs: () => nowMs,
    setImmediate: (callback) => turns.push(callback),
    setTimeout: () => assert.unreachable('the queue has no timers'),
    clearTimeout: () => assert.unreachable('the queue has no timers'),
  };
  const queue = new DispatchQueue(resolveOptions({}), clock);
  const seen: string[] = [];
  queue.enqueueEvent(() => {
    seen.push('first');
    queue.enqueueEvent(() => seen.push('made by the first'));
  });
  queue.enqueueEvent(() => seen.push('second'));
  assert.equal([queue.length, queue.dispatched, turns.length], [2, 0, 1]);
  assert.equal(seen, [], 'nothing is dispatched from inside an enqueue');
  nowMs = 35;
  turns.shift()!();
  assert.equal(seen, ['first', 'second', 'made by the first']);
  assert.equal([queue.length, queue.dispatched], [0, 3]);
  assert.is(queue.waitedSeconds, 0.05, '25 ms for each of the first two, none for the third');
});

test('a stopped queue dispatches nothing, and keeps nothing', () => {
  const turns: (() => void)[] = [];
  const clock: Clock = { ...systemClock, setImmediate: (callback) => turns.push(callback) };
  const queue = new DispatchQueue(resolveOptions({}), clock);
  const seen: string[] = [];
  queue.enqueueEvent(() => {
    seen.push('first');
    queue.stop();
    queue.enqueueEvent(() => seen.push('after the stop'));
  });
  queue.enqueueEvent(() => seen.push('second'));
  for (const turn of turns) turn();
  assert.equal(seen, ['first']);
  assert.is(queue.length, 0);
});

for (const transport of testTransports()) {
  const check = (name: string, body: (all: Messengers) => Promise<void>): void => {
    test(`${transport}: ${name}`, () => {
      const run = async (): Promise<void> => {
        await using all = new Messengers(transport);
        await body(all);
      };
      return withTimeout(run(), 60_000, name);
    });
  };

  check('a held message stays in all its throttles, once, until it is let go', async (all) => {
    const throttlerBytes = new Throttle({ name: 'policy bytes', max: 10_000 });
    const throttlerMessages = new Throttle({ name: 'policy messages', max: 100 });
    const limits = {
      bytes: new Throttle({ name: 'own bytes', max: 10_000 }),
      messages: new Throttle({ name: 'own messages', max: 100 }),
    };
    const levels = (): number[] => [
      server.messenger.dispatchQueue.throttle.current,
      throttlerBytes.current,
      limits.bytes.current,
      throttlerMessages.current,
      limits.messages.current,
    ];
    const server = await all.server({ name: 'osd.0' });
    server.messenger.setDefaultPolicy(Policy.losslessPeer({ throttlerBytes, throttlerMessages }));
    const holder = new Holder(limits);
    server.messenger.addDispatcherHead(holder);
    const client = all.client({ name: 'osd.1' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    for (const id of range(3)) connection.send(numbered(id));
    await waitUntil(() => holder.messages.length === 3, 20_000, 'three messages');
    const cost = bytes + messageOverheadBytes;
    assert.equal(levels(), [3 * cost, 300, 300, 3, 3]);
    holder.releases[1]!();
    holder.releases[1]!();
    assert.equal(levels(), [2 * cost, 200, 200, 2, 2], 'the second call does nothing');
    connection.markDown();
    await server.recorder.untilEvent('accept');
    server.messenger.markDownAll();
    assert.equal(levels(), [2 * cost, 200, 200, 2, 2], 'held beyond the end of the connection');
    for (const release of holder.releases) release();
    assert.equal(levels(), [0, 0, 0, 0, 0]);
    assert.throws(
      () => holder.messages[0]!.connection.hold(1),
      (error: Error) => error instanceof AssertionError,
    );
  });

  check('a throttle of two messengers restarts the reading in both', async (all) => {
    const throttlerMessages = new Throttle({ name: 'shared', max: 1 });
    const policy = Policy.losslessPeer({ throttlerMessages });
    const servers = await Promise.all(range(2).map((id) => all.server({ name: `osd.${id}` })));
    const holders = servers.map(({ messenger }) => {
      const holder = new Holder();
      messenger.setDefaultPolicy(policy);
      messenger.addDispatcherHead(holder);
      return holder;
    });
    const client = all.client({ name: 'osd.9' });
    const count = 20;
    // The first holds the whole budget, so the second stops though it holds nothing that could be let go.
    client.messenger.send(numbered(0), servers[0]!.messenger.myAddrs);
    await waitUntil(() => holders[0]!.messages.length === 1, 20_000, 'the first message');
    for (const id of range(count)) client.messenger.send(numbered(id), servers[1]!.messenger.myAddrs);
    await waitUntil(() => servers[1]!.messenger.counters().throttleWaits === 1, 20_000, 'the stop');
    for (const release of holders[1]!.releases.splice(0)) release();
    holders[0]!.releases[0]!();
    await holders[1]!.drain(count);
    assert.equal(idsOf(holders[1]!.messages), range(count));
    assert.is(throttlerMessages.current, 0);
  });

  for (const side of ['accepted', 'connected'] as const) {
    check(`a ${side} connection that is stopped reconnects, and goes on when there is room`, async (all) => {
      const options = { ms_dispatch_throttle_bytes: bytes, ms_connection_ready_timeout: 20 };
      const server = await all.server({ name: 'osd.0', options });
      const client = all.client({ name: 'client.1', options });
      server.messenger.setDefaultPolicy(Policy.statefulServer());
      client.messenger.setDefaultPolicy(Policy.losslessClient());
      const connection = client.messenger.getConnection(server.messenger.myAddrs) as PeerConnection;
      await client.recorder.untilEvent('connect');
      await server.recorder.untilEvent('accept');
      const accepted = server.messenger.connections()[0] as PeerConnection;
      const stopped = side === 'accepted' ? server : client;
      const sender = side === 'accepted' ? connection : accepted;
      const holder = new Holder();
      stopped.messenger.addDispatcherHead(holder);
      sender.send(numbered(0));
      await waitUntil(() => holder.messages.length === 1, 20_000, 'the first message');
      assert.is(stopped.messenger.counters().throttleWaits, 1);
      const count = 50;
      // Far more than what a socket reads at once, behind a handshake or before it is stopped.
      for (const id of range(count).slice(1)) sender.send(numbered(id, 256 * 1024));
      for (const round of [2, 3]) {
        connection.fault(new MsgrError(ErrorCode.Socket, 'pulled by the test'));
        await client.recorder.untilEvent('connect', round, 15_000);
        await server.recorder.untilEvent('accept', round);
      }
      assert.ok(holder.messages.length < count / 2, `${holder.messages.length} came through`);
      await holder.drain(count);
      assert.equal(idsOf(holder.messages), range(count));
      assert.is(stopped.messenger.counters().dispatchThrottleBytes, 0);
    });
  }
}

test.run();
