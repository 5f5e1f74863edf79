/**
 * A dispatcher whose handler runs in worker threads, for work that would hold up the messenger's own.
 *
 *      DispatchQueue ──dispatch──► Lanes ──tasks──► WorkerSlot ──► handle()          in a worker
 *                      (held)        ▲                   │
 *      connection ◄──reply───────────┴──── outcomes ◄────┘
 *
 * Order: messages of one connection are handled one after the other, in the order of their dispatch; a
 * connection is bound to no worker, whichever is free takes its next messages. Bounds: a message stays in the
 * throttles of its messenger and in this dispatcher's until it has its outcome, and full ones stop the
 * reading. Every message that is taken has exactly one outcome:
 *
 *      handled      the handler returned; its reply, if any, was given to the connection
 *      undone       reported to `undone`: the handler failed, or its worker ended
 *      discarded    its connection ended or lost its session first, or the dispatcher was destroyed
 */
import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { ErrorCode, MsgrError } from '../../errors.ts';
import {
  workerBytesMaxDefault,
  workerMessagesMaxDefault,
  workerTaskBytesMax,
  workerTaskMessagesMax,
} from '../../limits.ts';
import { Field, recordFields } from '../../transport/message-batch.ts';
import type { Connection } from '../connection.ts';
import type { DispatchLimits } from '../dispatch-queue.ts';
import type { Dispatcher } from '../dispatcher.ts';
import type { Message, ReceivedMessage } from '../message.ts';
import { Throttle } from '../throttle.ts';
import { type Item, Lanes } from './lanes.ts';
import { Outcome, Progress, packTask, type ResultPart, unpackFailure, unpackReply } from './task.ts';
import type { WorkerSlot } from './worker-slot.ts';

export interface WorkerDispatcherOptions {
  /** The module that exports `handle` (a {@link WorkerHandler}): a file URL or an absolute path. */
  handler: URL | string;
  /** Message types that the workers take; others go on to the next dispatcher. */
  types: Iterable<number>;
  /**
   * Told of every message that was taken and will have no answer, once each, with the reason:
   * ERR_MSGR_HANDLER when the handler failed on this one message, ERR_MSGR_WORKER_LOST when the worker
   * ended while it had it; `cause` says more.
   */
  undone: (messages: readonly ReceivedMessage[], error: MsgrError) => void;
  /** Threads; one less than there are processors when absent, one at least. */
  workers?: number;
  /**
   * Payload bytes taken and without outcome, beyond which connections that bring more are not read from
   * (what was read already is still taken). 32 MiB when absent.
   */
  bytesMax?: number;
  /** The same for the number of messages; 4096 when absent. */
  messagesMax?: number;
  /** Of each worker's JavaScript heap and stack; one that exceeds them ends. Node's own limits when absent. */
  resourceLimits?: ResourceLimits;
  /** A worker that needs longer for one message is ended, in ms; between once and twice that time. Never when absent. */
  handlerTimeoutMs?: number;
  /** Goes to the handler as `context.data`, by structured clone. */
  handlerData?: unknown;
}

/** Totals, and what there is at the moment. taken = handled + undone + discarded + waiting + running. */
export interface WorkerDispatcherCounters {
  messagesTaken: number;
  messagesHandled: number;
  messagesUndone: number;
  messagesDiscarded: number;
  /** Of this moment. */
  messagesWaiting: number;
  /** Of this moment: in a worker. */
  messagesRunning: number;
  /** Of this moment: payload bytes of both. */
  bytesHeld: number;
  /** Tasks given to workers; a task has one message or more. */
  tasks: number;
  /** Threads that ended though nobody asked them to. */
  workersLost: number;
}

/**
 * A task is to keep its worker busy for about this long, in ms: a hop to a worker and back costs 0.1 ms,
 * and what is in a task cannot go to a worker that becomes free.
 */
const taskMs = 10;

let lastTaskId = 0;

export class WorkerDispatcher implements Dispatcher, AsyncDisposable {
  readonly #types: ReadonlySet<number>;
  readonly #undone: WorkerDispatcherOptions['undone'];
  readonly #limits: DispatchLimits;
  readonly #lanes = new Lanes();
  readonly #slots: readonly WorkerSlot[];
  #state: 'open' | 'closing' | 'destroyed' = 'open';
  #isPumpDue = false;
  /** Messages of the next task; follows what the last ones took. */
  #taskMessages = 1;
  #running = 0;
  #taken = 0;
  #handled = 0;
  #undoneCount = 0;
  #discarded = 0;
  #tasks = 0;
  #startFailure: Error | undefined;
  /** Called when nothing waits or runs, or something else happened that a wait may be for. */
  #onChange: () => void = () => {};
  #closed: Promise<void> | undefined;

  private constructor(options: WorkerDispatcherOptions, Slot: typeof WorkerSlot) {
    const { resourceLimits, handlerData } = options;
    const workers = atLeastOne('workers', options.workers ?? Math.max(1, availableParallelism() - 1));
    const handlerTimeoutMs = options.handlerTimeoutMs ?? 0;
    const handler = moduleUrl(options.handler);
    this.#types = new Set(options.types);
    this.#undone = options.undone;
    this.#limits = {
      bytes: new Throttle({
        name: 'worker bytes',
        max: atLeastOne('bytesMax', options.bytesMax ?? workerBytesMaxDefault),
      }),
      messages: new Throttle({
        name: 'worker messages',
        max: atLeastOne('messagesMax', options.messagesMax ?? workerMessagesMaxDefault),
      }),
    };
    this.#slots = Array.from({ length: workers }, (_, worker) => {
      return new Slot({
        setup: { handler, context: { data: handlerData, worker } },
        resourceLimits,
        handlerTimeoutMs,
        onIdle: () => this.#workerIdle(),
        onStartFailed: (error) => this.#startFailed(error),
      });
    });
  }

  /**
   * Starts the workers and resolves when each has loaded the handler.
   * @throws MsgrError ERR_MSGR_HANDLER when one cannot; ERR_MSGR_INVALID_ARGUMENT
   */
  static async create(options: WorkerDispatcherOptions): Promise<WorkerDispatcher> {
    // Loading piscina takes a while, which is for those who have workers.
    const { WorkerSlot } = await import('./worker-slot.ts');
    const dispatcher = new WorkerDispatcher(options, WorkerSlot);
    await dispatcher.#started();
    return dispatcher;
  }

  counters(): WorkerDispatcherCounters {
    return {
      messagesTaken: this.#taken,
      messagesHandled: this.#handled,
      messagesUndone: this.#undoneCount,
      messagesDiscarded: this.#discarded,
      messagesWaiting: this.#lanes.waiting,
      messagesRunning: this.#running,
      bytesHeld: this.#limits.bytes.current,
      tasks: this.#tasks,
      workersLost: this.#slots.reduce((sum, slot) => sum + slot.threadsEnded, 0),
    };
  }

  // ── As a dispatcher ────────────────────────────────────────────────────────────────────────────

  dispatch(message: ReceivedMessage): boolean {
    if (this.#state !== 'open' || !this.#types.has(message.type)) return false;
    this.#taken++;
    this.#lanes.push(message, message.connection.hold(message.byteLength, this.#limits));
    this.#schedulePump();
    return true;
  }

  handleReset(connection: Connection): void {
    this.#discard(this.#lanes.discard(connection));
  }

  handleRemoteReset(connection: Connection): void {
    this.#discard(this.#lanes.discard(connection));
  }

  // ── End ────────────────────────────────────────────────────────────────────────────────────────

  /** Takes no more messages, waits until those it has have their outcomes, and ends the workers. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Ends the workers at once; what they had and what waited is discarded. Idempotent. */
  async destroy(): Promise<void> {
    this.#state = 'destroyed';
    this.#discard(this.#lanes.removeWaiting());
    await Promise.all(this.#slots.map((slot) => slot.destroy()));
    this.#onChange();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing';
    await this.#until(() => this.#state === 'destroyed' || this.#lanes.waiting + this.#running === 0);
    await this.destroy();
  }

  // ── Tasks ──────────────────────────────────────────────────────────────────────────────────────

  /** Soon, so that what arrived in one turn goes in few tasks. */
  #schedulePump(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    queueMicrotask(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    for (const slot of this.#slots) {
      if (!this.#lanes.hasReady) break;
      if (slot.isIdle) this.#startTask(slot);
    }
    if (this.#lanes.waiting + this.#running === 0) this.#onChange();
  }

  #startTask(slot: WorkerSlot): void {
    // What waits is for all workers.
    const share = Math.ceil(this.#lanes.waiting / this.#slots.length);
    const taken = this.#lanes.take(Math.min(this.#taskMessages, share), workerTaskBytesMax);
    // This side's own markDown gives no reset event.
    const items = taken.filter((item) => {
      if (item.message.connection.state !== 'closed' && !item.lane.isDiscarded) return true;
      this.#running++;
      this.#settle(item, 'discarded');
      return false;
    });
    if (items.length === 0) return this.#schedulePump();
    void this.#runTask(slot, items);
  }

  /** Never rejects. */
  async #runTask(slot: WorkerSlot, items: readonly Item[]): Promise<void> {
    this.#tasks++;
    this.#running += items.length;
    const task = packTask(
      ++lastTaskId,
      items.map((item) => item.message),
    );
    let settled = 0;
    try {
      const { busyMs } = await slot.run(task, (part) => {
        settled += this.#settlePart(items, settled, part);
      });
      this.#adapt(items.length, busyMs);
    } catch (error) {
      this.#taskMessages = 1;
      this.#taskLost(items.slice(settled), Atomics.load(task.progress, Progress.begun) - settled, error);
    }
    this.#pump();
  }

  /** The outcomes of a part; answers how many. */
  #settlePart(items: readonly Item[], first: number, part: ResultPart): number {
    const { records, failures } = part;
    const count = records.length / recordFields;
    let failed = 0;
    for (let index = 0; index < count; index++) {
      const item = items[first + index]!;
      const base = index * recordFields;
      const outcome = records[base + Field.kind];
      if (outcome === Outcome.failed) {
        const cause = unpackFailure(failures[failed++]!);
        this.#settle(item, 'undone');
        this.#report([item], ErrorCode.Handler, `the handler failed: ${cause.message}`, cause);
      } else if (item.lane.isDiscarded) {
        this.#settle(item, 'discarded');
      } else {
        this.#answer(item, outcome === Outcome.reply ? unpackReply(part, base) : undefined);
      }
    }
    return count;
  }

  /** A reply that the connection refuses, as one that is too large, counts as the handler's failure. */
  #answer(item: Item, reply: Message | undefined): void {
    try {
      if (reply !== undefined) item.message.reply(reply);
    } catch (error) {
      this.#settle(item, 'undone');
      this.#report([item], ErrorCode.Handler, 'the reply cannot be sent', error);
      return;
    }
    this.#settle(item, 'handled');
  }

  /**
   * The worker ended before these had their outcome. Those that it had begun are undone; the others go to
   * another worker, unless it began none: then something else than a handler is at fault, and would be again.
   */
  #taskLost(items: readonly Item[], begun: number, cause: unknown): void {
    const undone: Item[] = [];
    for (const [index, item] of items.entries()) {
      const wasBegun = index < begun;
      if (this.#state === 'destroyed' || (item.lane.isDiscarded && !wasBegun)) {
        this.#settle(item, 'discarded');
      } else if (wasBegun || begun <= 0) {
        this.#settle(item, 'undone');
        undone.push(item);
      } else {
        this.#running--;
        this.#lanes.giveBack(item);
      }
    }
    this.#report(undone, ErrorCode.WorkerLost, 'the worker ended before the message was done', cause);
  }

  #settle(item: Item, outcome: 'handled' | 'undone' | 'discarded'): void {
    this.#running--;
    if (outcome === 'handled') this.#handled++;
    else if (outcome === 'undone') this.#undoneCount++;
    else this.#discarded++;
    this.#lanes.settle(item);
    item.release();
  }

  #discard(items: readonly Item[]): void {
    this.#discarded += items.length;
    for (const item of items) item.release();
  }

  /** What the user's callback throws must not reach the accounts here; it is thrown from an empty stack. */
  #report(items: readonly Item[], code: ErrorCode, what: string, cause: unknown): void {
    if (items.length === 0) return;
    const error = new MsgrError(code, what, { cause });
    try {
      this.#undone(
        items.map((item) => item.message),
        error,
      );
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  #adapt(messages: number, busyMs: number): void {
    if (busyMs > taskMs) this.#taskMessages = Math.max(1, this.#taskMessages >>> 1);
    else if (busyMs < taskMs / 2 && messages === this.#taskMessages) {
      this.#taskMessages = Math.min(workerTaskMessagesMax, this.#taskMessages * 2);
    }
  }

  // ── Workers ────────────────────────────────────────────────────────────────────────────────────

  async #started(): Promise<void> {
    const isLoaded = (slot: WorkerSlot): boolean => slot.isLoaded;
    await this.#until(() => this.#startFailure !== undefined || this.#slots.every(isLoaded));
    if (this.#startFailure === undefined) return;
    await this.destroy();
    throw new MsgrError(ErrorCode.Handler, `a worker cannot start: ${this.#startFailure.message}`, {
      cause: this.#startFailure,
    });
  }

  #workerIdle(): void {
    this.#schedulePump();
    this.#onChange();
  }

  /** With no worker left and none to be had, messages would wait without anybody knowing. */
  #startFailed(error: Error): void {
    this.#startFailure ??= error;
    if (this.#state !== 'destroyed' && !this.#slots.some((slot) => slot.isLoaded)) {
      const items = this.#lanes.removeWaiting();
      this.#undoneCount += items.length;
      for (const item of items) item.release();
      this.#report(items, ErrorCode.WorkerLost, 'no worker can be started', error);
    }
    this.#onChange();
  }

  async #until(condition: () => boolean): Promise<void> {
    const previous = this.#onChange;
    await new Promise<void>((resolve) => {
      this.#onChange = () => {
        previous();
        if (condition()) resolve();
      };
      this.#onChange();
    });
  }
}

function atLeastOne(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new MsgrError(ErrorCode.InvalidArgument, `${name} must be a whole number from 1 up, not ${value}`);
}

function moduleUrl(handler: URL | string): string {
  if (handler instanceof URL) return handler.href;
  if (handler.startsWith('file:')) return handler;
  if (isAbsolute(handler)) return pathToFileURL(handler).href;
  throw new MsgrError(
    ErrorCode.InvalidArgument,
    `handler must be a file URL or an absolute path, not ${handler}`,
  );
}
