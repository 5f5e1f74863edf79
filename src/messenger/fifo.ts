/**
 * First in, first out, for items that carry a weight each (a cost in tokens, a size in bytes).
 *
 *      slots   │ · │ · │ c │ d │ e │ · │ · │ · │      capacity: a power of two, so that
 *                        ▲ head      ▲ head + length   the index wraps by a mask
 *
 * Nothing is allocated per item: two parallel arrays serve as one ring, which doubles when full. An empty
 * ring has no slots before its first item, and gives up those beyond `keptSlots` when it runs empty, so
 * that a connection which once had a long queue does not hold its memory for ever.
 * A slot forgets its item when the item leaves: items hold views into receive slabs.
 */

/** Slots of a new ring: most queues never hold more. */
const firstSlots = 8;

/** Slots that an emptied ring may keep unless its owner says otherwise, 4 KiB of them; a longer one starts afresh. */
const keptSlotsDefault = 256;

export class Fifo<T> {
  readonly #keptSlots: number;
  #items: (T | undefined)[] = [];
  #weights: number[] = [];
  #head = 0;
  #length = 0;

  constructor(keptSlots = keptSlotsDefault) {
    this.#keptSlots = keptSlots;
  }

  get length(): number {
    return this.#length;
  }

  /** Slots in use and free, for tests and for memory accounts. */
  get capacity(): number {
    return this.#items.length;
  }

  push(item: T, weight: number): void {
    if (this.#length === this.#items.length) this.#grow();
    const at = (this.#head + this.#length) & (this.#items.length - 1);
    this.#items[at] = item;
    this.#weights[at] = weight;
    this.#length++;
  }

  /** The oldest item, which leaves the queue; undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const at = this.#head;
    const item = this.#items[at];
    this.#items[at] = undefined;
    this.#head = (at + 1) & (this.#items.length - 1);
    this.#length--;
    if (this.#length === 0) this.#trim();
    return item;
  }

  /** The oldest item, which stays; undefined when there is none. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#head];
  }

  /** Weight of the oldest item; 0 when there is none. */
  get frontWeight(): number {
    return this.#length === 0 ? 0 : (this.#weights[this.#head] as number);
  }

  clear(): void {
    for (let index = 0; index < this.#length; index++) {
      this.#items[(this.#head + index) & (this.#items.length - 1)] = undefined;
    }
    this.#length = 0;
    this.#trim();
  }

  #trim(): void {
    this.#head = 0;
    if (this.#items.length <= this.#keptSlots) return;
    this.#items = [];
    this.#weights = [];
  }

  #grow(): void {
    const from = this.#items.length;
    const items = new Array<T | undefined>(from === 0 ? firstSlots : from * 2).fill(undefined);
    const weights = new Array<number>(items.length).fill(0);
    for (let index = 0; index < this.#length; index++) {
      const at = (this.#head + index) & (from - 1);
      items[index] = this.#items[at];
      weights[index] = this.#weights[at] as number;
    }
    this.#items = items;
    this.#weights = weights;
    this.#head = 0;
  }
}
