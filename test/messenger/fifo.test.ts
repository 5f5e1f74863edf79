import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { Fifo } from '../../src/messenger/fifo.ts';

const test = suite('fifo');

test('an empty one has no slots and answers undefined', () => {
  const fifo = new Fifo<string>();
  assert.equal(fifo.capacity, 0);
  assert.equal(fifo.length, 0);
  assert.equal(fifo.peek(), undefined);
  assert.equal(fifo.shift(), undefined);
  assert.equal(fifo.frontWeight, 0);
  assert.equal(fifo.length, 0);
});

test('is an array with weights, for any order of calls', () => {
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.nat(1000).map((weight) => ({ kind: 'push' as const, weight })) },
    { weight: 4, arbitrary: fc.constant({ kind: 'shift' as const }) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'clear' as const }, { kind: 'drain' as const }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
      const fifo = new Fifo<number>();
      let model: { item: number; weight: number }[] = [];
      let items = 0;
      for (const step of operations) {
        if (step.kind === 'push') {
          fifo.push(items, step.weight);
          model.push({ item: items++, weight: step.weight });
        } else if (step.kind === 'shift') {
          assert.equal(fifo.shift(), model.shift()?.item);
        } else if (step.kind === 'clear') {
          fifo.clear();
          model = [];
        } else {
          while (fifo.length > 0) assert.equal(fifo.shift(), model.shift()?.item);
        }
        assert.equal(fifo.length, model.length);
        assert.equal(fifo.peek(), model[0]?.item);
        assert.equal(fifo.frontWeight, model[0]?.weight ?? 0);
      }
    }),
  );
});

test('grows with its head anywhere in the ring', () => {
  for (let head = 0; head < 8; head++) {
    const fifo = new Fifo<number>();
    for (let item = -head; item < 0; item++) fifo.push(item, 0);
    fifo.push(0, 0);
    for (let item = -head; item < 0; item++) assert.equal(fifo.shift(), item);
    for (let item = 1; item < 20; item++) fifo.push(item, item);
    for (let item = 0; item < 20; item++) {
      assert.equal(fifo.frontWeight, item);
      assert.equal(fifo.shift(), item);
    }
  }
});

test('runs in the same slots for ever when it never holds more', () => {
  const fifo = new Fifo<number>();
  for (let item = 0; item < 5; item++) fifo.push(item, 1);
  const capacity = fifo.capacity;
  for (let item = 5; item < 1000; item++) {
    fifo.push(item, 1);
    assert.equal(fifo.shift(), item - 5);
  }
  assert.equal(fifo.capacity, capacity);
});

test('keeps a usual number of slots when it runs empty, and gives up a long burst', () => {
  const fifo = new Fifo<number>();
  for (let item = 0; item < 256; item++) fifo.push(item, 1);
  while (fifo.length > 0) fifo.shift();
  assert.equal(fifo.capacity, 256);
  for (let item = 0; item < 257; item++) fifo.push(item, 1);
  while (fifo.length > 1) fifo.shift();
  assert.equal(fifo.capacity, 512);
  fifo.shift();
  assert.equal(fifo.capacity, 0);
  for (let item = 0; item < 257; item++) fifo.push(item, 1);
  fifo.clear();
  assert.equal(fifo.capacity, 0);
});

test('holds nothing that has left', async () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const push = (fifo: Fifo<object>, index: number): WeakRef<object> => {
    const item = { index };
    fifo.push(item, 0);
    return new WeakRef(item);
  };
  // In functions of their own: the frame of this one lives on and could hold the last item it saw.
  const queue = new Fifo<object>();
  const shifted = [0, 1, 2, 3].map((index) => push(queue, index));
  const kept = push(queue, 4);
  shifted.forEach(() => {
    queue.shift();
  });
  const emptied = new Fifo<object>();
  const cleared = [0, 1, 2, 3].map((index) => push(emptied, index));
  emptied.clear();
  // A WeakRef holds its target until the job that made it ends.
  await turn();
  collect();
  assert.deepEqual(
    shifted.map((ref) => ref.deref()),
    [undefined, undefined, undefined, undefined],
  );
  assert.deepEqual(
    cleared.map((ref) => ref.deref()),
    [undefined, undefined, undefined, undefined],
  );
  assert.equal(emptied.length, 0);
  assert.deepEqual(kept.deref(), { index: 4 });
  assert.equal(kept.deref(), queue.peek());
});

test.run();
