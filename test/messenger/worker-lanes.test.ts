/** Lanes against the plainest model: one list per connection, under any order of what can happen to them. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../src/messenger/connection.ts';
import type { ReceivedMessage } from '../../src/messenger/message.ts';
import { type Item, Lanes } from '../../src/messenger/workers/lanes.ts';

interface Sent {
  connection: Connection;
  id: number;
  byteLength: number;
}

const connections = Array.from({ length: 4 }, (_, index) => ({ index }) as unknown as Connection);
const sentOf = (item: Item): Sent => item.message as unknown as Sent;

/** Runs the commands; both sides must agree after each. */
class Model {
  readonly lanes = new Lanes();
  /** What waits, per connection, oldest first. */
  readonly waiting = new Map<Connection, Sent[]>(connections.map((connection) => [connection, []]));
  readonly tasks: Item[][] = [];
  #lastId = 0;

  push(at: number, byteLength: number): void {
    const connection = connections[at]!;
    const message: Sent = { connection, id: ++this.#lastId, byteLength };
    this.waiting.get(connection)!.push(message);
    this.lanes.push(message as unknown as ReceivedMessage, () => {});
  }

  take(messagesMax: number, bytesMax: number): void {
    const busy = new Set(this.tasks.flat().flatMap((item) => (item.lane.isDiscarded ? [] : [item.lane])));
    const ready = connections.filter(
      (connection) =>
        this.waiting.get(connection)!.length > 0 && ![...busy].some((lane) => lane.connection === connection),
    );
    assert.is(this.lanes.hasReady || ready.length === 0, true, 'a connection that could go is not ready');
    const items = this.lanes.take(messagesMax, bytesMax);
    assert.is(items.length > 0, ready.length > 0);
    assert.ok(items.length <= messagesMax);
    const bytes = items.reduce((sum, item) => sum + sentOf(item).byteLength, 0);
    assert.ok(items.length <= 1 || bytes <= bytesMax);
    for (const item of items) {
      const { connection, id } = sentOf(item);
      assert.ok(ready.includes(connection), 'a connection is in two tasks');
      assert.is(this.waiting.get(connection)!.shift()!.id, id, 'out of order');
    }
    const runs = items.map((item) => item.lane).filter((lane, index, all) => lane !== all[index - 1]);
    assert.is(new Set(runs).size, runs.length, 'the messages of a lane stand in a row');
    if (items.length > 0) this.tasks.push(items);
  }

  /** A task ends after `done` of its messages; the rest, if any, was not begun. */
  end(at: number, done: number): void {
    if (this.tasks.length === 0) return;
    const [items] = this.tasks.splice(at % this.tasks.length, 1) as [Item[]];
    const back: Item[] = [];
    for (const [index, item] of items.entries()) {
      if (index < done || item.lane.isDiscarded) this.lanes.settle(item);
      else {
        this.lanes.giveBack(item);
        back.push(item);
      }
    }
    for (const item of back.reverse()) this.waiting.get(sentOf(item).connection)!.unshift(sentOf(item));
  }

  discard(at: number): void {
    const removed = this.lanes.discard(connections[at]!);
    assert.equal(
      removed.map((item) => sentOf(item).id),
      this.waiting
        .get(connections[at]!)!
        .splice(0)
        .map(({ id }) => id),
    );
  }

  check(): void {
    const waiting = [...this.waiting.values()].flat();
    assert.is(this.lanes.waiting, waiting.length);
  }

  /** Everything goes through in the end. */
  finish(): void {
    for (let turn = 0; this.lanes.waiting > 0; turn++) {
      assert.ok(turn < 10_000, 'something waits for ever');
      this.take(3, 100);
      this.end(0, Number.MAX_SAFE_INTEGER);
      this.check();
    }
    while (this.tasks.length > 0) this.end(0, Number.MAX_SAFE_INTEGER);
    assert.is(this.lanes.removeWaiting().length, 0);
    assert.is(this.lanes.hasReady && this.lanes.take(1, 1).length > 0, false);
  }
}

const at = fc.nat(connections.length - 1);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), at, bytes: fc.nat(60) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('take' as const), count: fc.nat(5), bytes: fc.nat(120) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), at: fc.nat(9), done: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('discard' as const), at }) },
);

test('order, one task per connection, nothing lost: any order of events', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 120 }), (commands) => {
      const model = new Model();
      for (const step of commands) {
        if (step.kind === 'push') model.push(step.at, step.bytes);
        else if (step.kind === 'take') model.take(step.count + 1, step.bytes + 1);
        else if (step.kind === 'end') model.end(step.at, step.done);
        else model.discard(step.at);
        model.check();
      }
      model.finish();
    }),
    { numRuns: 2000 },
  );
});

test('a long lane gives up what was settled, and a connection without messages is forgotten', () => {
  const model = new Model();
  for (let id = 0; id < 5000; id++) model.push(0, 1);
  while (model.lanes.waiting > 0) {
    model.take(256, 1000);
    model.end(0, 1000);
  }
  assert.equal(model.lanes.discard(connections[0]!), []);
  model.finish();
});

test.run();
