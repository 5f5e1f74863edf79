/**
 * What a connection has yet to send: the highest priority first, in the order of arrival inside one.
 *
 * Nearly every queue is empty or holds one priority. That one is `#top`, which stays in place when it runs
 * empty and takes on the priority of what comes next, so that the common case is a ring and a comparison.
 * Others wait below it, ascending; when `#top` is used up the highest of them takes its place.
 *
 * Invariants: with `length` > 0, `#top` is not empty and has the highest priority; nothing in `#lower` is
 * empty; `bytes` is the sum over all. The queue itself has no limit: its owner compares `bytes` with the
 * high-water mark (`ms_send_high_water_mark`) and says so to the sender.
 */
import { AssertionError } from 'node:assert';
import { Fifo } from './fifo.ts';

/** The items of one priority, each with its bytes. */
class Lane<T> {
  priority: number;
  readonly items = new Fifo<T>();

  constructor(priority: number) {
    this.priority = priority;
  }
}

export class OutgoingQueue<T> {
  #top: Lane<T> | undefined;
  /** Lanes below `#top`, ascending by priority. */
  readonly #lower: Lane<T>[] = [];
  /** One emptied lane, for the next priority that comes beside the first. */
  #spare: Lane<T> | undefined;
  #length = 0;
  #bytes = 0;

  get length(): number {
    return this.#length;
  }

  /** Sum of the bytes given to `push` for what is still here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds an item. `priority` is that of its message header (u16), `bytes` what it counts against the high-water mark. */
  push(priority: number, bytes: number, item: T): void {
    this.#laneFor(priority).items.push(item, bytes);
    this.#length++;
    this.#bytes += bytes;
  }

  /** The item to send next, which leaves the queue; undefined when there is none. */
  shift(): T | undefined {
    const top = this.#top;
    if (top === undefined || this.#length === 0) return undefined;
    this.#bytes -= top.items.frontWeight;
    this.#length--;
    const item = top.items.shift();
    if (top.items.length === 0 && this.#lower.length > 0) {
      this.#spare = top;
      this.#top = this.#lower.pop();
    }
    return item;
  }

  /** The item to send next, which stays; undefined when there is none. */
  peek(): T | undefined {
    return this.#top?.items.peek();
  }

  /** Forgets everything. */
  clear(): void {
    this.#top?.items.clear();
    this.#lower.length = 0;
    this.#length = 0;
    this.#bytes = 0;
  }

  #laneFor(priority: number): Lane<T> {
    const top = this.#top;
    if (top !== undefined && top.priority === priority) return top;
    if (!Number.isInteger(priority) || priority < 0) {
      throw new AssertionError({ message: `a priority is a whole number from 0 up, not ${priority}` });
    }
    if (top === undefined) {
      this.#top = new Lane<T>(priority);
      return this.#top;
    }
    if (this.#length === 0) {
      top.priority = priority;
      return top;
    }
    if (priority > top.priority) {
      this.#lower.push(top);
      this.#top = this.#newLane(priority);
      return this.#top;
    }
    return this.#lowerLaneFor(priority);
  }

  #lowerLaneFor(priority: number): Lane<T> {
    // From the top down: there are few, and the higher ones are the busier.
    let index = this.#lower.length;
    while (index > 0 && this.#lower[index - 1]!.priority > priority) index--;
    const found = this.#lower[index - 1];
    if (found !== undefined && found.priority === priority) return found;
    const lane = this.#newLane(priority);
    this.#lower.splice(index, 0, lane);
    return lane;
  }

  #newLane(priority: number): Lane<T> {
    const lane = this.#spare;
    if (lane === undefined) return new Lane<T>(priority);
    this.#spare = undefined;
    lane.priority = priority;
    return lane;
  }
}
