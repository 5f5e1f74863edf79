import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { PrioritizedQueue, type PrioritizedQueueOptions } from '../../src/messenger/prioritized-queue.ts';

const test = suite('prioritized queue');

/** What the tests queue: an item that knows how it was queued. */
interface Item {
  readonly serial: number;
  readonly classId: number;
  readonly priority: number;
  /** Undefined for a strict item. */
  readonly cost?: number;
}

/** The algorithm once more, from the facts, with plain arrays and no thought of speed. */
class Model {
  readonly #options: PrioritizedQueueOptions;
  strict: { priority: number; round: Item[][] }[] = [];
  weighted: { priority: number; round: Item[][]; tokens: number }[] = [];

  constructor(options: PrioritizedQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return [...this.strict, ...this.weighted].flatMap(({ round }) => round.flat()).length;
  }

  add(item: Item): void {
    const list: { priority: number; round: Item[][]; tokens: number }[] | typeof this.strict =
      item.cost === undefined ? this.strict : this.weighted;
    let subQueue = list.find(({ priority }) => priority === item.priority);
    if (subQueue === undefined) {
      subQueue = { priority: item.priority, round: [], tokens: 0 } as (typeof this.weighted)[number];
      list.push(subQueue as (typeof this.weighted)[number]);
      list.sort((a, b) => a.priority - b.priority);
    }
    const members = subQueue.round.find((queue) => queue[0]!.classId === item.classId);
    if (members === undefined) subQueue.round.push([item]);
    else members.push(item);
  }

  #cost(item: Item): number {
    return Math.min(Math.max(item.cost!, this.#options.minCost), this.#options.maxTokensPerPriority);
  }

  static #take(round: Item[][]): Item {
    const [members, ...others] = round;
    const [item, ...rest] = members!;
    round.splice(0, round.length, ...others, ...(rest.length > 0 ? [rest] : []));
    return item!;
  }

  #dropEmpty(): void {
    this.strict = this.strict.filter(({ round }) => round.length > 0);
    this.weighted = this.weighted.filter(({ round }) => round.length > 0);
  }

  next(): Item | undefined {
    const strict = this.strict.at(-1);
    if (strict !== undefined) {
      const item = Model.#take(strict.round);
      this.#dropEmpty();
      return item;
    }
    if (this.weighted.length === 0) return undefined;
    const paying = this.weighted.find(({ round, tokens }) => this.#cost(round[0]![0]!) < tokens);
    const served = paying ?? this.weighted.at(-1)!;
    const item = Model.#take(served.round);
    const cost = this.#cost(item);
    if (paying !== undefined) paying.tokens -= cost;
    this.#dropEmpty();
    const sum = this.weighted.reduce((total, { priority }) => total + priority, 0);
    if (sum > 0) {
      for (const subQueue of this.weighted) {
        subQueue.tokens += Math.floor((subQueue.priority * cost) / sum) + 1;
        subQueue.tokens = Math.min(subQueue.tokens, this.#options.maxTokensPerPriority);
      }
    }
    return item;
  }

  remove(classId: number): Item[] {
    const removed: Item[] = [];
    for (const { round } of [...[...this.strict].reverse(), ...[...this.weighted].reverse()]) {
      const index = round.findIndex((queue) => queue[0]!.classId === classId);
      if (index >= 0) removed.push(...round.splice(index, 1)[0]!);
    }
    this.#dropEmpty();
    return removed;
  }
}

function add(queue: PrioritizedQueue<Item>, item: Item): void {
  if (item.cost === undefined) queue.enqueueStrict(item.classId, item.priority, item);
  else queue.enqueue(item.classId, item.priority, item.cost, item);
}

function drain<T>(queue: PrioritizedQueue<T>): T[] {
  const items: T[] = [];
  while (queue.length > 0) items.push(queue.dequeue() as T);
  return items;
}

// Small numbers, so that costs, tokens and their limits meet often.
const options = fc.record({
  minCost: fc.integer({ min: 0, max: 8 }),
  maxTokensPerPriority: fc.integer({ min: 1, max: 40 }),
});
const classId = fc.nat(5);
const strictItem = fc.record({ classId, priority: fc.constantFrom(64, 127, 196, 255, 65535) });
const weightedItem = fc.record({ classId, priority: fc.constantFrom(0, 1, 3, 10, 63), cost: fc.nat(60) });
const newItem = fc.oneof(strictItem, weightedItem, weightedItem);
const cephOptions: PrioritizedQueueOptions = { minCost: 65536, maxTokensPerPriority: 16777216 };

test('does as the model does, for any order of calls', () => {
  const operation = fc.oneof(
    { weight: 6, arbitrary: newItem.map((item) => ({ kind: 'add' as const, item })) },
    { weight: 5, arbitrary: fc.constant({ kind: 'dequeue' as const }) },
    { weight: 1, arbitrary: classId.map((id) => ({ kind: 'remove' as const, id })) },
  );
  fc.assert(
    fc.property(options, fc.array(operation, { maxLength: 200, size: 'max' }), (chosen, operations) => {
      const queue = new PrioritizedQueue<Item>(chosen);
      const model = new Model(chosen);
      let serial = 0;
      for (const step of operations) {
        if (step.kind === 'add') {
          const item = { ...step.item, serial: serial++ };
          add(queue, item);
          model.add(item);
        } else if (step.kind === 'dequeue') {
          assert.deepEqual(queue.dequeue(), model.next());
        } else {
          assert.deepEqual(queue.removeByClass(step.id), model.remove(step.id));
        }
        assert.equal(queue.length, model.length);
      }
      while (model.length > 0) assert.deepEqual(queue.dequeue(), model.next());
      assert.equal(queue.dequeue(), undefined);
    }),
    { numRuns: 500 },
  );
});

test('keeps the order of arrival inside a class and priority, and loses nothing', () => {
  const step = fc.oneof(newItem, newItem, fc.constant('dequeue' as const));
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 150, size: 'max' }), (chosen, steps) => {
      const queue = new PrioritizedQueue<Item>(chosen);
      const out: Item[] = [];
      let serial = 0;
      for (const one of steps) {
        if (one !== 'dequeue') add(queue, { ...one, serial: serial++ });
        else if (queue.length > 0) out.push(queue.dequeue()!);
      }
      out.push(...drain(queue));
      assert.deepEqual(
        out.map((item) => item.serial).sort((a, b) => a - b),
        Array.from({ length: serial }, (_, index) => index),
      );
      const lastSerials = new Map<string, number>();
      for (const item of out) {
        const key = `${item.classId}/${item.priority}`;
        assert.ok((lastSerials.get(key) ?? -1) < item.serial, `${key} out of order`);
        lastSerials.set(key, item.serial);
      }
    }),
  );
});

test('strict items go first, highest priority first, also those that come late', () => {
  fc.assert(
    fc.property(
      fc.array(newItem, { maxLength: 40 }),
      fc.array(newItem, { maxLength: 40 }),
      (before, after) => {
        const queue = new PrioritizedQueue<Item>(cephOptions);
        const waiting: Item[] = [];
        const take = () => {
          const item = queue.dequeue()!;
          const highest = Math.max(
            ...waiting.filter((one) => one.cost === undefined).map((one) => one.priority),
          );
          if (highest > -Infinity) assert.equal(item.cost === undefined && item.priority, highest);
          waiting.splice(waiting.indexOf(item), 1);
        };
        for (const [serial, item] of [...before, ...after].entries()) {
          const numbered = { ...item, serial };
          add(queue, numbered);
          waiting.push(numbered);
          if (serial >= before.length) take();
        }
        while (queue.length > 0) take();
        assert.equal(waiting.length, 0);
      },
    ),
  );
});

test('round robin: a class that always has more sees no other class go twice in between', () => {
  for (const weighted of [false, true]) {
    // Classes come and go beside class 0, whose backlog never ends.
    const operation = fc.oneof(
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 6 }) },
      { weight: 2, arbitrary: fc.constant('dequeue' as const) },
    );
    fc.assert(
      fc.property(fc.array(operation, { minLength: 20, maxLength: 200, size: 'max' }), (operations) => {
        const queue = new PrioritizedQueue<number>(cephOptions);
        const push = (id: number) =>
          weighted ? queue.enqueue(id, 10, 100, id) : queue.enqueueStrict(id, 127, id);
        push(0);
        push(0);
        let sinceZero = new Set<number>();
        for (const step of operations) {
          if (step !== 'dequeue') {
            push(step);
            continue;
          }
          const id = queue.dequeue()!;
          if (id === 0) {
            push(0);
            sinceZero = new Set();
          } else {
            assert.ok(!sinceZero.has(id), `class ${id} went twice while class 0 waited`);
            sinceZero.add(id);
          }
        }
      }),
    );
  }
});

test('round robin: each of many classes once before any goes again', () => {
  const queue = new PrioritizedQueue<number>(cephOptions);
  for (let id = 0; id < 50; id++) for (let count = 0; count < 3; count++) queue.enqueueStrict(id, 127, id);
  const round = Array.from({ length: 50 }, (_, id) => id);
  assert.deepEqual(drain(queue), [...round, ...round, ...round]);
});

/** Bytes dequeued per priority while every priority always has more. */
function shares(costs: ReadonlyMap<number, number>, dequeues: number): Map<number, number> {
  const queue = new PrioritizedQueue<number>(cephOptions);
  const bytes = new Map<number, number>();
  const push = (priority: number) => queue.enqueue(1, priority, costs.get(priority)!, priority);
  for (const priority of costs.keys()) {
    push(priority);
    push(priority);
  }
  for (let count = 0; count < dequeues; count++) {
    const priority = queue.dequeue()!;
    bytes.set(priority, (bytes.get(priority) ?? 0) + Math.max(costs.get(priority)!, cephOptions.minCost));
    push(priority);
  }
  return bytes;
}

for (const costs of [
  new Map([
    [10, 0],
    [30, 0],
    [60, 0],
  ]),
  // Large and small items: the shares are of bytes, not of items.
  new Map([
    [1, 1 << 20],
    [3, 1 << 16],
    [63, 3 << 18],
  ]),
]) {
  test(`under load the priorities ${[...costs.keys()]} have their shares of bytes`, () => {
    const bytes = shares(costs, 50_000);
    const total = [...bytes.values()].reduce((sum, value) => sum + value);
    const prioritySum = [...costs.keys()].reduce((sum, value) => sum + value);
    for (const priority of costs.keys()) {
      const share = (bytes.get(priority) ?? 0) / total;
      assert.ok(
        Math.abs(share - priority / prioritySum) < 0.005,
        `priority ${priority} had ${share} of the bytes`,
      );
    }
  });
}

test('tokens, step by step', () => {
  const queue = new PrioritizedQueue<string>({ minCost: 10, maxTokensPerPriority: 20 });
  queue.enqueue(1, 1, 10, 'low 1');
  queue.enqueue(1, 1, 10, 'low 2');
  for (let count = 1; count <= 5; count++) queue.enqueue(1, 3, 10, `high ${count}`);
  // Nobody has tokens: the highest goes. Low then earns floor(1 × 10 / 4) + 1 = 3, high 7 + 1 = 8.
  assert.equal(queue.dequeue(), 'high 1'); // low 3, high 8
  assert.equal(queue.dequeue(), 'high 2'); // low 6, high 16, for high could not pay
  assert.equal(queue.dequeue(), 'high 3'); // low 9, high 14: it paid 10 of 16
  assert.equal(queue.dequeue(), 'high 4'); // low 12, high 12
  // Both can pay: the lower goes.
  assert.equal(queue.dequeue(), 'low 1'); // low 12 - 10 + 3 = 5, high 20
  assert.equal(queue.dequeue(), 'high 5');
  assert.equal(queue.dequeue(), 'low 2');
  assert.equal(queue.dequeue(), undefined);
});

test('tokens that equal the cost do not do', () => {
  // Low earns floor(1 × 10 / 3) + 1 = 4 with each high item: 4, 8, then 12 held to 11, which is its cost.
  const queue = new PrioritizedQueue<string>({ minCost: 0, maxTokensPerPriority: 11 });
  queue.enqueue(1, 1, 11, 'low');
  for (let count = 0; count < 5; count++) queue.enqueue(1, 2, 10, 'high');
  assert.deepEqual(drain(queue), ['high', 'high', 'high', 'high', 'high', 'low']);
  queue.enqueue(1, 1, 10, 'low');
  for (let count = 0; count < 5; count++) queue.enqueue(1, 2, 10, 'high');
  // The same tokens, but now they exceed the cost.
  assert.deepEqual(drain(queue), ['high', 'high', 'high', 'low', 'high', 'high']);
});

test('a priority that runs empty loses its tokens', () => {
  const queue = new PrioritizedQueue<string>({ minCost: 10, maxTokensPerPriority: 1000 });
  queue.enqueue(1, 5, 10, 'low');
  for (let count = 0; count < 20; count++) queue.enqueue(1, 6, 10, 'high');
  // Low saves up, and is served at some point; then it is empty.
  while (queue.dequeue() !== 'low');
  queue.enqueue(1, 5, 10, 'low again');
  assert.equal(queue.dequeue(), 'high');
});

test('removes exactly the items of the class, and leaves the order of the others', () => {
  fc.assert(
    fc.property(options, fc.array(newItem, { maxLength: 60 }), classId, (chosen, given, id) => {
      const items = given.map((item, serial) => ({ ...item, serial }));
      const queue = new PrioritizedQueue<Item>(chosen);
      const without = new PrioritizedQueue<Item>(chosen);
      for (const item of items) {
        add(queue, item);
        if (item.classId !== id) add(without, item);
      }
      const removed = queue.removeByClass(id);
      const bySerial = (a: Item, b: Item) => a.serial - b.serial;
      assert.deepEqual(
        [...removed].sort(bySerial),
        items.filter((item) => item.classId === id),
      );
      assert.equal(queue.length, without.length);
      assert.deepEqual(drain(queue), drain(without));
      assert.deepEqual(queue.removeByClass(id), []);
    }),
  );
});

test('removed items come strict first, highest priority first, oldest first', () => {
  const queue = new PrioritizedQueue<string>(cephOptions);
  queue.enqueue(7, 10, 0, 'weighted 10');
  queue.enqueue(7, 63, 0, 'weighted 63');
  queue.enqueueStrict(7, 127, 'strict 127 a');
  queue.enqueueStrict(7, 127, 'strict 127 b');
  queue.enqueueStrict(8, 127, 'other');
  queue.enqueueStrict(7, 255, 'strict 255');
  assert.deepEqual(queue.removeByClass(7), [
    'strict 255',
    'strict 127 a',
    'strict 127 b',
    'weighted 63',
    'weighted 10',
  ]);
  assert.deepEqual(drain(queue), ['other']);
});

test('a priority that is not a whole number is refused, and nothing is added', () => {
  const queue = new PrioritizedQueue<number>(cephOptions);
  for (const priority of [Number.NaN, -1, 1.5, Infinity]) {
    assert.throws(() => queue.enqueueStrict(1, priority, 1), /priority is a whole number/);
    assert.throws(() => queue.enqueue(1, priority, 1, 1), /priority is a whole number/);
  }
  assert.equal(queue.length, 0);
  assert.equal(queue.dequeue(), undefined);
});

test('more classes and priorities than are kept for reuse', () => {
  const queue = new PrioritizedQueue<number>(cephOptions);
  for (let round = 0; round < 2; round++) {
    for (let id = 0; id < 1000; id++) queue.enqueueStrict(id, 64 + (id % 100), id);
    const out = drain(queue);
    assert.equal(out.length, 1000);
    assert.deepEqual(
      out,
      Array.from({ length: 1000 }, (_, id) => id).sort((a, b) => (b % 100) - (a % 100) || a - b),
    );
  }
});

test.run();
