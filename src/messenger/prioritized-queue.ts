/**
 * What waits for a DispatchQueue's handler, in the order in which Ceph's PrioritizedQueue lets it go.
 *
 *      strict    255 ─┬─ class 7: a b c          the highest priority that holds anything goes first,
 *                     └─ class 9: d              one item of each class in turn: a d b c
 *                127 ─── class 7: e
 *      ─────────────────────────────────         only when nothing strict is left:
 *      weighted   63 ─┬─ class 7: f   ┐ tokens
 *                     └─ class 9: g   ┘          the lowest priority that can pay goes first,
 *                 10 ─── class 8: h   ─ tokens   else the highest one, on the house
 *
 * Weighted: an item costs its bytes, held between `minCost` and `maxTokensPerPriority`. A priority can pay
 * when its tokens exceed the cost of the item that is next in it. After each weighted item of cost c every
 * weighted priority p that holds anything earns floor(p × c / sum of these priorities) + 1 tokens, up to
 * `maxTokensPerPriority`; so under load each has its share of bytes, p of the sum. A priority that
 * runs empty loses its tokens. (facts: PrioritizedQueue.h)
 *
 * Classes are connections. A class that comes new to a priority goes to the end of its round, where Ceph
 * puts it in the order of class ids: this costs no search, and connections that keep coming with higher
 * ids cannot put off the older ones.
 *
 * Invariants: inside one (class, priority) the order is that of arrival; between two items of a class that
 * always has more, no other class of that priority has two; `strict` and `weighted` hold no empty
 * priority, and the round of a priority no empty class.
 *
 * Cost: constant in items and classes; a binary search over the strict priorities present, a walk
 * over the weighted ones (at most 64 in a DispatchQueue). Emptied parts are kept for reuse, up to a limit.
 */
import { AssertionError } from 'node:assert';
import { Fifo } from './fifo.ts';

/**
 * Slots of emptied classes kept for reuse, 2 MiB of them: enough for 16,384 connections with a few messages
 * each. More are left to the garbage collector.
 */
const spareSlotsMax = 128 * 1024;

/** Of one emptied class: as many messages of 64 bytes as one turn of the event loop brings. */
const keptSlots = 8 * 1024;

/** Emptied priorities kept for reuse; Ceph's messages use about five. */
const sparePrioritiesMax = 16;

export interface PrioritizedQueueOptions {
  /** The least that a weighted item costs, in tokens (bytes): Ceph's `ms_pq_min_cost`. */
  readonly minCost: number;
  /** The most that a weighted item costs and a priority saves up: `ms_pq_max_tokens_per_priority`. */
  readonly maxTokensPerPriority: number;
}

/** The items of one class in one priority; a link in that priority's round. */
class ClassQueue<T> {
  classId = 0;
  readonly items = new Fifo<T>(keptSlots);
  previous: ClassQueue<T> | undefined;
  next: ClassQueue<T> | undefined;
}

/** Emptied classes of all priorities, for reuse. */
class SpareClasses<T> {
  readonly #queues: ClassQueue<T>[] = [];
  #slots = 0;

  take(): ClassQueue<T> {
    const queue = this.#queues.pop();
    if (queue === undefined) return new ClassQueue<T>();
    this.#slots -= queue.items.capacity;
    return queue;
  }

  give(queue: ClassQueue<T>): void {
    if (this.#slots >= spareSlotsMax) return;
    this.#slots += queue.items.capacity;
    this.#queues.push(queue);
  }
}

/** One priority: its classes by id, and in the order of the round, `first` being next. */
class SubQueue<T> {
  priority = 0;
  tokens = 0;
  readonly #spares: SpareClasses<T>;
  readonly #classes = new Map<number, ClassQueue<T>>();
  #first: ClassQueue<T> | undefined;
  #last: ClassQueue<T> | undefined;
  /**
   * The class that ran empty last. It leaves the round but stays in `#classes` until another one runs empty:
   * the usual queue holds one message at a time, of one connection, and needs no change of the map.
   */
  #resting: ClassQueue<T> | undefined;

  constructor(spares: SpareClasses<T>) {
    this.#spares = spares;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Cost of the item that is next. */
  get frontCost(): number {
    return this.#first === undefined ? 0 : this.#first.items.frontWeight;
  }

  push(classId: number, cost: number, item: T): void {
    let queue = this.#resting;
    if (queue !== undefined && queue.classId === classId) {
      this.#resting = undefined;
      this.#append(queue);
    } else {
      const last = this.#last;
      queue = last?.classId === classId ? last : (this.#classes.get(classId) ?? this.#addClass(classId));
    }
    queue.items.push(item, cost);
  }

  shift(): T | undefined {
    const queue = this.#first;
    if (queue === undefined) return undefined;
    const item = queue.items.shift();
    if (queue.items.length === 0) {
      this.#rest(queue);
    } else if (queue !== this.#last) {
      this.#unlink(queue);
      this.#append(queue);
    }
    return item;
  }

  /** Moves the items of a class to the end of `removed`, oldest first. */
  removeClass(classId: number, removed: T[]): void {
    const queue = this.#classes.get(classId);
    if (queue === undefined || queue === this.#resting) return;
    while (queue.items.length > 0) removed.push(queue.items.shift() as T);
    this.#rest(queue);
  }

  #addClass(classId: number): ClassQueue<T> {
    const queue = this.#spares.take();
    queue.classId = classId;
    this.#classes.set(classId, queue);
    this.#append(queue);
    return queue;
  }

  #rest(queue: ClassQueue<T>): void {
    this.#unlink(queue);
    const rested = this.#resting;
    if (rested !== undefined) {
      this.#classes.delete(rested.classId);
      this.#spares.give(rested);
    }
    this.#resting = queue;
  }

  #append(queue: ClassQueue<T>): void {
    queue.previous = this.#last;
    if (this.#last === undefined) this.#first = queue;
    else this.#last.next = queue;
    this.#last = queue;
  }

  #unlink(queue: ClassQueue<T>): void {
    const { previous, next } = queue;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    queue.previous = undefined;
    queue.next = undefined;
  }
}

/** Where `priority` is in a list that ascends by priority, or where it belongs. */
function positionOf(subQueues: readonly { readonly priority: number }[], priority: number): number {
  let low = 0;
  let high = subQueues.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (subQueues[middle]!.priority < priority) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class PrioritizedQueue<T> {
  readonly #minCost: number;
  readonly #maxTokens: number;
  /** Both ascend by priority. */
  readonly #strict: SubQueue<T>[] = [];
  readonly #weighted: SubQueue<T>[] = [];
  /** Sum of the priorities in `#weighted`. */
  #weightedPrioritySum = 0;
  #length = 0;
  readonly #sparePriorities: SubQueue<T>[] = [];
  readonly #spareClasses = new SpareClasses<T>();

  constructor(options: PrioritizedQueueOptions) {
    this.#minCost = options.minCost;
    this.#maxTokens = options.maxTokensPerPriority;
  }

  /** Items of all classes and priorities, strict and weighted. */
  get length(): number {
    return this.#length;
  }

  /** Adds an item that goes before every weighted one and every strict one of a lower priority. */
  enqueueStrict(classId: number, priority: number, item: T): void {
    this.#subQueue(this.#strict, priority).push(classId, 0, item);
    this.#length++;
  }

  /** Adds a weighted item. `cost` is its bytes, a whole number; what it pays is held within the options' limits. */
  enqueue(classId: number, priority: number, cost: number, item: T): void {
    // The upper limit wins when the two cross, as in Ceph.
    if (cost < this.#minCost) cost = this.#minCost;
    if (cost > this.#maxTokens) cost = this.#maxTokens;
    this.#subQueue(this.#weighted, priority).push(classId, cost, item);
    this.#length++;
  }

  /** The item whose turn it is, which leaves the queue; undefined when there is none. */
  dequeue(): T | undefined {
    if (this.#length === 0) return undefined;
    this.#length--;
    const strict = this.#strict.at(-1);
    if (strict === undefined) return this.#dequeueWeighted();
    const item = strict.shift();
    if (strict.isEmpty) {
      this.#strict.pop();
      this.#recycle(strict);
    }
    return item;
  }

  /**
   * Takes out every item of a class, for a connection that was reset: the strict ones first, highest
   * priority first, oldest first. The other classes keep their places in the round.
   */
  removeByClass(classId: number): T[] {
    const removed: T[] = [];
    for (let index = this.#strict.length - 1; index >= 0; index--) {
      const subQueue = this.#strict[index]!;
      subQueue.removeClass(classId, removed);
      if (!subQueue.isEmpty) continue;
      this.#strict.splice(index, 1);
      this.#recycle(subQueue);
    }
    for (let index = this.#weighted.length - 1; index >= 0; index--) {
      this.#weighted[index]!.removeClass(classId, removed);
      this.#removeWeightedIfEmpty(index);
    }
    this.#length -= removed.length;
    return removed;
  }

  #dequeueWeighted(): T | undefined {
    const highest = this.#weighted.length - 1;
    let index = 0;
    while (index < highest && !canPay(this.#weighted[index]!)) index++;
    const subQueue = this.#weighted[index]!;
    const cost = subQueue.frontCost;
    // The highest priority also goes when nobody can pay; what it has then is not touched.
    if (canPay(subQueue)) subQueue.tokens -= cost;
    const item = subQueue.shift();
    this.#removeWeightedIfEmpty(index);
    this.#earn(cost);
    return item;
  }

  /** Shares out tokens after an item of this cost, to those that still hold something. */
  #earn(cost: number): void {
    const sum = this.#weightedPrioritySum;
    // Ceph gives nothing when priority 0 is all there is.
    if (sum === 0) return;
    for (const subQueue of this.#weighted) {
      const earned = Math.floor((subQueue.priority * cost) / sum) + 1;
      subQueue.tokens = Math.min(subQueue.tokens + earned, this.#maxTokens);
    }
  }

  #removeWeightedIfEmpty(index: number): void {
    const subQueue = this.#weighted[index]!;
    if (!subQueue.isEmpty) return;
    this.#weighted.splice(index, 1);
    this.#weightedPrioritySum -= subQueue.priority;
    this.#recycle(subQueue);
  }

  #recycle(subQueue: SubQueue<T>): void {
    if (this.#sparePriorities.length < sparePrioritiesMax) this.#sparePriorities.push(subQueue);
  }

  /** The sub-queue of a priority, made when that priority holds nothing. */
  #subQueue(subQueues: SubQueue<T>[], priority: number): SubQueue<T> {
    const position = positionOf(subQueues, priority);
    const found = subQueues[position];
    if (found !== undefined && found.priority === priority) return found;
    if (!Number.isInteger(priority) || priority < 0) {
      throw new AssertionError({ message: `a priority is a whole number from 0 up, not ${priority}` });
    }
    const subQueue = this.#sparePriorities.pop() ?? new SubQueue<T>(this.#spareClasses);
    subQueue.priority = priority;
    subQueue.tokens = 0;
    subQueues.splice(position, 0, subQueue);
    if (subQueues === this.#weighted) this.#weightedPrioritySum += priority;
    return subQueue;
  }
}

/** Its tokens exceed the cost of what is next in it; tokens that just equal the cost do not do. */
function canPay(subQueue: SubQueue<unknown>): boolean {
  return subQueue.frontCost < subQueue.tokens;
}
