import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { OutgoingQueue } from '../../src/messenger/outgoing-queue.ts';

const test = suite('outgoing queue');

test('an empty one answers undefined', () => {
  const queue = new OutgoingQueue<string>();
  queue.clear();
  assert.equal(queue.length, 0);
  assert.equal(queue.bytes, 0);
  assert.equal(queue.peek(), undefined);
  assert.equal(queue.shift(), undefined);
  assert.equal(queue.length, 0);
});

test('the highest priority first, in the order of arrival inside one', () => {
  const queue = new OutgoingQueue<string>();
  queue.push(127, 1, 'default 1');
  queue.push(127, 2, 'default 2');
  queue.push(196, 4, 'high 1');
  queue.push(63, 8, 'low');
  queue.push(65535, 16, 'highest');
  queue.push(196, 32, 'high 2');
  queue.push(127, 64, 'default 3');
  queue.push(0, 128, 'lowest');
  assert.equal(queue.length, 8);
  assert.equal(queue.bytes, 255);
  const out: [string | undefined, number][] = [];
  while (queue.length > 0) out.push([queue.shift(), queue.bytes]);
  assert.deepEqual(out, [
    ['highest', 239],
    ['high 1', 235],
    ['high 2', 203],
    ['default 1', 202],
    ['default 2', 200],
    ['default 3', 136],
    ['low', 128],
    ['lowest', 0],
  ]);
});

test('an empty queue takes on any next priority', () => {
  const queue = new OutgoingQueue<number>();
  for (const priority of [127, 255, 3, 127]) {
    queue.push(priority, 1, priority);
    assert.equal(queue.peek(), priority);
    assert.equal(queue.shift(), priority);
    assert.equal(queue.peek(), undefined);
  }
});

test('is a stable sort by priority, for any order of calls', () => {
  const operation = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('push' as const),
        priority: fc.oneof(fc.constantFrom(0, 63, 127, 196, 255), fc.nat(65535)),
        bytes: fc.nat(1 << 20),
      }),
    },
    { weight: 5, arbitrary: fc.constant({ kind: 'shift' as const }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'clear' as const }, { kind: 'drain' as const }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const queue = new OutgoingQueue<number>();
      let model: { item: number; priority: number; bytes: number }[] = [];
      const shift = () => {
        const highest = Math.max(...model.map(({ priority }) => priority));
        const index = model.findIndex(({ priority }) => priority === highest);
        return index < 0 ? undefined : model.splice(index, 1)[0]!.item;
      };
      let items = 0;
      for (const step of operations) {
        if (step.kind === 'push') {
          queue.push(step.priority, step.bytes, items);
          model.push({ item: items++, priority: step.priority, bytes: step.bytes });
        } else if (step.kind === 'shift') {
          const next = queue.peek();
          assert.equal(queue.shift(), next);
          assert.equal(shift(), next);
        } else if (step.kind === 'clear') {
          queue.clear();
          model = [];
        } else {
          while (queue.length > 0) assert.equal(queue.shift(), shift());
        }
        assert.equal(queue.length, model.length);
        assert.equal(
          queue.bytes,
          model.reduce((sum, { bytes }) => sum + bytes, 0),
        );
      }
      while (model.length > 0) assert.equal(queue.shift(), shift());
      assert.equal(queue.shift(), undefined);
    }),
    { numRuns: 300 },
  );
});

test('a priority that is not a whole number is refused, and nothing is added', () => {
  const queue = new OutgoingQueue<number>();
  for (const priority of [Number.NaN, -1, 0.5, Infinity]) {
    assert.throws(() => queue.push(priority, 1, 1), /priority is a whole number/);
  }
  assert.equal(queue.length, 0);
  assert.equal(queue.bytes, 0);
  assert.equal(queue.shift(), undefined);
});

test.run();
