/**
 * The messages that wait for a worker or are in one, in a lane for each connection.
 *
 *      lane of a connection    │ a b c │ d e f │        a to c are in a worker, in one task;
 *                                taken   wait           d is given out when c is settled
 *
 * Invariants: a lane has messages in one task at most, so their order is that of arrival; a lane is in
 * `#ready` (or `#postponed`) once when it has messages that wait and none taken, else only when
 * it was emptied meanwhile; a lane that holds
 * nothing is forgotten.
 */
import type { Connection } from '../connection.ts';
import { Fifo } from '../fifo.ts';
import type { ReceivedMessage } from '../message.ts';

/** A message that was taken from the dispatch queue; it leaves its throttles by `release`. */
export interface Item {
  readonly message: ReceivedMessage;
  readonly lane: Lane;
  readonly release: () => void;
}

/** Settled slots at the front that are given up at once, to keep the cost of one low. */
const settledSlotsMax = 1024;

export class Lane {
  readonly connection: Connection;
  /** The connection ended or lost its session: what is in a worker is answered to nobody. */
  isDiscarded = false;
  /** Messages in a worker. */
  taken = 0;
  #items: (Item | undefined)[] = [];
  #head = 0;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get waiting(): number {
    return this.length - this.taken;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** The oldest message that waits; it counts as taken when `take` is called. */
  get next(): Item | undefined {
    return this.#items[this.#head + this.taken];
  }

  take(): void {
    this.taken++;
  }

  /** The oldest taken message has its outcome. */
  settle(): void {
    this.#items[this.#head++] = undefined;
    this.taken--;
    if (this.#head === this.#items.length || this.#head >= settledSlotsMax) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Takes out all that wait, oldest first. */
  removeWaiting(): Item[] {
    return this.#items.splice(this.#head + this.taken) as Item[];
  }
}

export class Lanes {
  readonly #lanes = new Map<Connection, Lane>();
  readonly #ready = new Fifo<Lane>();
  /** The ready lane whose message was too large for the rest of a task: first in the next one. */
  #postponed: Lane | undefined;
  #waiting = 0;

  /** Messages that wait, those behind a message of their lane that is in a worker included. */
  get waiting(): number {
    return this.#waiting;
  }

  get hasReady(): boolean {
    return this.#postponed !== undefined || this.#ready.length !== 0;
  }

  push(message: ReceivedMessage, release: () => void): void {
    const { connection } = message;
    let lane = this.#lanes.get(connection);
    if (lane === undefined) {
      lane = new Lane(connection);
      this.#lanes.set(connection, lane);
    }
    lane.push({ message, lane, release });
    this.#waiting++;
    if (lane.length === 1) this.#ready.push(lane, 0);
  }

  /**
   * Up to `messagesMax` messages and `bytesMax` bytes, one message at least; lane by lane, each of which
   * then has all its messages of the task in a row. Empty when no lane is ready.
   */
  take(messagesMax: number, bytesMax: number): Item[] {
    const items: Item[] = [];
    let bytes = 0;
    while (this.hasReady && items.length < messagesMax && bytes < bytesMax) {
      const lane = this.#postponed ?? this.#ready.shift()!;
      this.#postponed = undefined;
      for (let item = lane.next; item !== undefined; item = lane.next) {
        if (items.length >= messagesMax) break;
        const { byteLength } = item.message;
        if (items.length !== 0 && bytes + byteLength > bytesMax) break;
        lane.take();
        this.#waiting--;
        items.push(item);
        bytes += byteLength;
      }
      // Either it was emptied while it was ready, or its first message does not fit any more.
      if (lane.taken === 0 && lane.waiting !== 0) {
        this.#postponed = lane;
        break;
      }
    }
    return items;
  }

  /** The message has its outcome. Messages of a task are settled in their order. */
  settle({ lane }: Item): void {
    lane.settle();
    this.#afterTask(lane);
  }

  /** The message was not begun and waits again, first in its lane. To be called for all of a lane in a task. */
  giveBack({ lane }: Item): void {
    lane.taken--;
    this.#waiting++;
    this.#afterTask(lane);
  }

  /** Takes out what waits for the connection; what is in a worker is settled by whoever has it. */
  discard(connection: Connection): Item[] {
    const lane = this.#lanes.get(connection);
    if (lane === undefined) return [];
    this.#lanes.delete(connection);
    lane.isDiscarded = true;
    const removed = lane.removeWaiting();
    this.#waiting -= removed.length;
    return removed;
  }

  /** Takes out all that wait, of all connections; the lanes live on. */
  removeWaiting(): Item[] {
    const removed: Item[] = [];
    for (const [connection, lane] of this.#lanes) {
      removed.push(...lane.removeWaiting());
      if (lane.taken === 0) this.#lanes.delete(connection);
    }
    this.#waiting = 0;
    return removed;
  }

  #afterTask(lane: Lane): void {
    if (lane.taken !== 0) return;
    if (lane.waiting !== 0) this.#ready.push(lane, 0);
    else if (!lane.isDiscarded) this.#lanes.delete(lane.connection);
  }
}
