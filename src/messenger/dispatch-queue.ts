/**
 * The queue between the wire and the dispatchers, for messages that are not fast-dispatched and for all
 * events. At or above priority 64 order is strict; below it is weighted by cost; inside one priority the
 * connections take turns. Events are of the highest priority and of no connection, so that a connection's
 * end never overtakes its beginning, and discarding a connection's messages leaves its events.
 *
 * Memory in the queue is throttled (`ms_dispatch_throttle_bytes`: payload and what a message costs beside
 * it), and payload bytes and messages by the policy's own throttles: a
 * connection that finds no room is not read from until there is some. A dispatcher that queues on its own
 * holds what it took: the message stays in its throttles until the dispatcher is done with it.
 */
import { AssertionError } from 'node:assert';
import { messageOverheadBytes } from '../limits.ts';
import type { Clock } from '../transport/clock.ts';
import { throwLater } from './dispatcher-chain.ts';
import { Priority, type ReceivedMessage } from './message.ts';
import type { PeerConnection } from './peer-connection.ts';
import { PrioritizedQueue } from './prioritized-queue.ts';
import { ReadingGate } from './reading-gate.ts';
import { Throttle } from './throttle.ts';

/**
 * Hands a message to the dispatchers; to those behind the one that threw when it `goesOn`.
 * @throws what a dispatcher throws.
 */
export type DispatchMessage = (message: ReceivedMessage, goesOn: boolean) => void;

/** A message for `run`, or an event, which has none. */
interface Entry {
  readonly run: DispatchMessage;
  readonly message: ReceivedMessage | undefined;
  readonly connection: PeerConnection | undefined;
  readonly bytes: number;
  readonly arrivedMs: number;
}

export interface DispatchQueueOptions {
  readonly ms_dispatch_throttle_bytes: number;
  readonly ms_pq_max_tokens_per_priority: number;
  readonly ms_pq_min_cost: number;
}

/** Budgets of a dispatcher that queues: bytes and messages that it took and is not done with. */
export interface DispatchLimits {
  readonly bytes: Throttle;
  readonly messages: Throttle;
}

/**
 * Entries handled before the event loop gets its turn: more than the sockets bring in one turn of theirs, so
 * that a queue whose handlers are quick stays short, and what is in it young. Old messages cost the garbage
 * collector several times what it costs to dispatch them.
 */
const entriesPerTurnMax = 64 * 1024;
/** And the time after which it gets it anyway, in ms. */
const turnMsMax = 5;
const clockCheckMask = 15;
const eventClass = 0;

export class DispatchQueue {
  readonly throttle: Throttle;
  readonly #queue: PrioritizedQueue<Entry>;
  readonly #clock: Clock;
  readonly #gate = new ReadingGate();
  /** The entry that is with the dispatchers; still there when one of them has thrown. */
  #running: Entry | undefined;
  /** The same until a dispatcher holds it. */
  #inHand: Entry | undefined;
  /** Entries taken in this turn. */
  #turnCount = 0;
  #isScheduled = false;
  #isStopped = false;
  /** When the first of the entries came that arrived since the last turn: the time of them all. */
  #arrivalMs = 0;
  #dispatched = 0;
  #waitedMs = 0;

  constructor(options: DispatchQueueOptions, clock: Clock) {
    this.#clock = clock;
    this.throttle = new Throttle({ name: 'dispatch bytes', max: options.ms_dispatch_throttle_bytes });
    this.#queue = new PrioritizedQueue({
      minCost: options.ms_pq_min_cost,
      maxTokensPerPriority: options.ms_pq_max_tokens_per_priority,
    });
  }

  /** Entries that wait. */
  get length(): number {
    return this.#queue.length;
  }

  /** Messages and events that left the queue for a dispatcher, ever. */
  get dispatched(): number {
    return this.#dispatched;
  }

  /** Seconds that they had waited, all together; counted in turns of the event loop. */
  get waitedSeconds(): number {
    return this.#waitedMs / 1000;
  }

  /** Queues a message; `dispatch` hands it to the dispatchers when its turn comes. */
  enqueueMessage(
    connection: PeerConnection | undefined,
    message: ReceivedMessage,
    dispatch: DispatchMessage,
  ): void {
    if (this.#isStopped) return;
    this.#schedule();
    const bytes = connection === undefined ? 0 : message.byteLength;
    const entry: Entry = { run: dispatch, message, connection, bytes, arrivedMs: this.#arrivalMs };
    if (connection !== undefined) this.#take(connection, bytes);
    const { priority } = message;
    const classId = connection?.id ?? eventClass;
    if (priority >= Priority.Low) this.#queue.enqueueStrict(classId, priority, entry);
    else this.#queue.enqueue(classId, priority, message.byteLength, entry);
  }

  /** Queues an event, ahead of all messages and in order with other events. */
  enqueueEvent(run: () => void): void {
    if (this.#isStopped) return;
    this.#schedule();
    const arrivedMs = this.#arrivalMs;
    const entry: Entry = { run, message: undefined, connection: undefined, bytes: 0, arrivedMs };
    this.#queue.enqueueStrict(eventClass, Priority.Highest, entry);
  }

  /**
   * From inside a dispatcher's `dispatch`: the message in hand stays in its throttles after the return, and
   * is in those of `limits` too, until the function that this gives is called; calling it again does nothing.
   * A full throttle stops the reading of connections that bring more, as ever. Messages of the
   * loopback connection are counted in `limits`, and stop nobody.
   */
  hold(bytes: number, limits?: DispatchLimits): () => void {
    const entry = this.#inHand;
    if (entry === undefined) {
      throw new AssertionError({ message: 'only a message that is being dispatched can be held, once' });
    }
    this.#inHand = undefined;
    if (limits !== undefined) {
      limits.bytes.take(bytes);
      limits.messages.take(1);
      if (entry.connection !== undefined) {
        this.#gate.check(entry.connection, limits.bytes);
        this.#gate.check(entry.connection, limits.messages);
      }
    }
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      limits?.bytes.release(bytes);
      limits?.messages.release(1);
      this.#release(entry);
    };
  }

  /** Drops what the connection has not delivered. */
  discard(connection: PeerConnection): void {
    for (const entry of this.#queue.removeByClass(connection.id)) this.#release(entry);
  }

  /** Nothing is dispatched any more: what waits is dropped, and so is what comes. */
  stop(): void {
    this.#isStopped = true;
    for (let entry = this.#queue.dequeue(); entry !== undefined; entry = this.#queue.dequeue()) {
      this.#release(entry);
    }
  }

  #take(connection: PeerConnection, bytes: number): void {
    const { throttlerBytes, throttlerMessages } = connection.policy;
    this.throttle.take(bytes + messageOverheadBytes);
    throttlerBytes?.take(bytes);
    throttlerMessages?.take(1);
    this.#gate.check(connection, this.throttle);
    this.#gate.check(connection, throttlerBytes);
    this.#gate.check(connection, throttlerMessages);
  }

  #release(entry: Entry): void {
    const { connection, bytes } = entry;
    if (connection === undefined) return;
    const { throttlerBytes, throttlerMessages } = connection.policy;
    this.throttle.release(bytes + messageOverheadBytes);
    throttlerBytes?.release(bytes);
    throttlerMessages?.release(1);
  }

  /** The queue is looked at when this turn of the event loop is over. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#arrivalMs = this.#clock.nowMs();
    this.#clock.setImmediate(() => this.#drain());
  }

  #drain(): void {
    this.#isScheduled = false;
    this.#turnCount = 0;
    const deadline = this.#clock.nowMs() + turnMsMax;
    // One `try` for many entries: handlers are slower inside one (see dispatcher-chain.ts).
    for (let isOver = false; !isOver; ) {
      try {
        this.#runEntries(deadline);
        isOver = true;
      } catch (error) {
        throwLater(error);
      }
    }
    if (this.#queue.length !== 0) this.#schedule();
  }

  /**
   * Until the queue is empty or the turn is over; first what was with a dispatcher that threw.
   * @throws what a dispatcher throws.
   */
  #runEntries(deadline: number): void {
    const interrupted = this.#running;
    if (interrupted !== undefined) {
      if (interrupted.message !== undefined) interrupted.run(interrupted.message, true);
      this.#ran(interrupted);
    }
    let nowMs = this.#clock.nowMs();
    while (this.#turnCount < entriesPerTurnMax) {
      const entry = this.#queue.dequeue();
      if (entry === undefined) return;
      this.#turnCount++;
      this.#dispatched++;
      this.#waitedMs += Math.max(0, nowMs - entry.arrivedMs);
      this.#running = entry;
      this.#inHand = entry;
      entry.run(entry.message!, false);
      this.#ran(entry);
      if ((this.#turnCount & clockCheckMask) !== 0) continue;
      nowMs = this.#clock.nowMs();
      if (nowMs > deadline) return;
    }
  }

  #ran(entry: Entry): void {
    if (this.#inHand === entry) this.#release(entry);
    this.#inHand = undefined;
    this.#running = undefined;
  }
}
