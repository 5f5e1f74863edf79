/**
 * Who waits for a reply, by the low half of the transaction id. Ids are counted up, and an id's slot is its
 * lowest bits; one whose slot is taken, by somebody who has waited long, is passed over.
 *
 *      slots   │ 8 │   │ 2 │ 3 │   │   │   │   │      2 and 3 still wait, 8 came last: then comes 9,
 *                0   1   2   3   4   5   6   7        and when that was answered 12
 *
 * Not a Map: one that gains and loses entries all the time gets new tables again and again, and V8 links each
 * old one to the next. Once a table has grown old, all that follow it live until a full collection, with
 * what was in them: requests, replies and the slabs behind those.
 */

export interface Waiting {
  /** i32 */
  readonly tid: number;
}

const slotsMin = 16;
/** So many are kept when nobody waits. */
const slotsKept = 1024;

export class WaitingByTid<Entry extends Waiting> {
  /** A power of two of them, at most half of them taken; none before the first entry. */
  #slots: (Entry | undefined)[] = [];
  #size = 0;
  #lastTid: number;

  /** The first id is the one after `lastTid`, an i32. */
  constructor(lastTid = 0) {
    this.#lastTid = lastTid;
  }

  get size(): number {
    return this.#size;
  }

  /** The id of the next entry. */
  nextTid(): number {
    if (2 * (this.#size + 1) > this.#slots.length) this.#resize(Math.max(slotsMin, 2 * this.#slots.length));
    const mask = this.#slots.length - 1;
    do this.#lastTid = (this.#lastTid + 1) | 0;
    while (this.#slots[this.#lastTid & mask] !== undefined);
    return this.#lastTid;
  }

  /** `entry` has the id that `nextTid` gave last. */
  add(entry: Entry): void {
    this.#slots[entry.tid & (this.#slots.length - 1)] = entry;
    this.#size++;
  }

  /** The entry of that id, which waits no more. */
  take(tid: number): Entry | undefined {
    const slot = tid & (this.#slots.length - 1);
    const entry = this.#slots[slot];
    if (entry === undefined || entry.tid !== tid) return undefined;
    this.#slots[slot] = undefined;
    if (--this.#size === 0 && this.#slots.length > slotsKept) this.#slots = [];
    return entry;
  }

  /** Ids of all that wait, oldest first. */
  tids(): number[] {
    const age = (tid: number): number => (this.#lastTid - tid) >>> 0;
    const tids = this.#slots.flatMap((entry) => (entry === undefined ? [] : [entry.tid]));
    return tids.sort((left, right) => age(right) - age(left));
  }

  /** To more slots: ids that had different ones have different ones again. */
  #resize(count: number): void {
    const entries = this.#slots;
    this.#slots = new Array<Entry | undefined>(count).fill(undefined);
    for (const entry of entries) if (entry !== undefined) this.#slots[entry.tid & (count - 1)] = entry;
  }
}
