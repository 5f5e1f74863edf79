/**
 * One worker thread and whoever replaces it: a piscina of one thread, because only so is it known which
 * task a thread had when it ended, and what it had done of it.
 *
 *      starting ──handler loaded──► loaded ──the thread ended: piscina makes another──┐
 *         ▲ └──cannot start──► resting                                                │
 *         │                       │ restMs, doubling to restMsMax                     │
 *         └───────────────────────┴───────────────────────────────────────────────────┘
 *      any ──destroy()──► destroyed
 *
 * A task is given to piscina in `loaded` only, so none ever waits in its queue, where nobody would hear of
 * it if no thread could be started. No AbortSignal is used: it ends threads, and other tasks' with them.
 */
import type { ResourceLimits } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { threadModule } from '../../thread-module.ts';
import { Progress, type ResultPart, type Task, type TaskSummary } from './task.ts';
import type { WorkerSetup } from './worker-entry.ts';

export interface WorkerSlotInit {
  readonly setup: WorkerSetup;
  readonly resourceLimits: ResourceLimits | undefined;
  /** One message may take this long, in ms (up to twice, as it is looked at so often); 0 is no limit. */
  readonly handlerTimeoutMs: number;
  /** The worker can take a task. */
  onIdle(): void;
  /** The worker could not be started; it will be tried again. */
  onStartFailed(error: Error): void;
}

type SlotState = 'starting' | 'loaded' | 'resting' | 'destroyed';

interface Running {
  readonly task: Task;
  readonly onPart: (part: ResultPart) => void;
  parts: number;
  /** Called at each part, and when the slot is destroyed. */
  onChange: () => void;
}

const restMsMin = 100;
const restMsMax = 10_000;

const entry = threadModule('worker-entry', import.meta.url);

export class WorkerSlot {
  readonly #init: WorkerSlotInit;
  #state: SlotState = 'starting';
  #pool: Piscina<Task | undefined, TaskSummary>;
  #running: Running | undefined;
  #restMs = restMsMin;
  #restTimer: NodeJS.Timeout | undefined;
  #threadsEnded = 0;

  constructor(init: WorkerSlotInit) {
    this.#init = init;
    this.#pool = this.#start();
  }

  /** It can have a task. */
  get isIdle(): boolean {
    return this.#state === 'loaded' && this.#running === undefined;
  }

  get isLoaded(): boolean {
    return this.#state === 'loaded';
  }

  /** Threads that ended against the dispatcher's will. */
  get threadsEnded(): number {
    return this.#threadsEnded;
  }

  /**
   * Idle only. Calls `onPart` for each part of the outcomes, and resolves after the last one. Rejects when
   * the thread ended, after `onPart` had all that was sent before the end; `task.progress` then tells the rest.
   */
  async run(task: Task, onPart: (part: ResultPart) => void): Promise<TaskSummary> {
    const running: Running = { task, onPart, parts: 0, onChange: () => {} };
    this.#running = running;
    const stopWatch = this.#watch(task);
    let summary: TaskSummary;
    try {
      const transferList = [task.records.buffer, task.slab];
      summary = await this.#pool.run(task, { name: 'run', transferList });
      await this.#partsArrived(running, summary.parts);
    } catch (error) {
      await this.#partsArrived(running, Atomics.load(task.progress, Progress.posted));
      throw error;
    } finally {
      stopWatch();
      this.#running = undefined;
    }
    return summary;
  }

  /** Ends the thread; a task in it rejects. Resolves when the thread is gone. */
  async destroy(): Promise<void> {
    this.#state = 'destroyed';
    clearTimeout(this.#restTimer);
    this.#running?.onChange();
    await this.#pool.destroy();
  }

  #start(): Piscina<Task | undefined, TaskSummary> {
    const { setup, resourceLimits } = this.#init;
    const pool = new Piscina<Task | undefined, TaskSummary>({
      ...entry,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With atomics a worker sleeps between tasks, and timers and sockets of its handler with it.
      atomics: 'disabled',
      recordTiming: false,
      workerData: setup,
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    });
    // Errors of a thread without a task; its end is told by workerDestroy as well.
    let lastError: Error | undefined;
    pool.on('error', (error: Error) => {
      lastError = error;
    });
    pool.on('message', (part: ResultPart) => this.#received(part));
    pool.on('workerDestroy', () => {
      if (this.#pool !== pool || this.#state === 'resting' || this.#state === 'destroyed') return;
      this.#threadsEnded++;
      const wasLoaded = this.#state === 'loaded';
      this.#state = 'starting';
      // Later, as piscina replaces the thread and tells its error after this event.
      if (wasLoaded) queueMicrotask(() => this.#load(pool));
      else {
        setImmediate(() =>
          this.#startFailed(pool, lastError ?? new Error('the thread ended while it started')),
        );
      }
    });
    this.#load(pool);
    return pool;
  }

  /** Asks the thread to import the handler; this is its first task. */
  #load(pool: Piscina<Task | undefined, TaskSummary>): void {
    pool.run(undefined, { name: 'load' }).then(
      () => {
        if (this.#pool !== pool || this.#state !== 'starting') return;
        this.#restMs = restMsMin;
        this.#state = 'loaded';
        if (this.#running === undefined) this.#init.onIdle();
      },
      (error: Error) => this.#startFailed(pool, error),
    );
  }

  #startFailed(pool: Piscina<Task | undefined, TaskSummary>, error: Error): void {
    if (this.#pool !== pool || this.#state !== 'starting') return;
    this.#state = 'resting';
    void pool.destroy();
    this.#restTimer = setTimeout(() => {
      this.#state = 'starting';
      this.#pool = this.#start();
    }, this.#restMs).unref();
    this.#restMs = Math.min(this.#restMs * 2, restMsMax);
    this.#init.onStartFailed(error);
  }

  #received(part: ResultPart): void {
    const running = this.#running;
    // Of a task that was given up: its messages have been reported.
    if (running === undefined || running.task.id !== part.task) return;
    running.parts++;
    running.onPart(part);
    running.onChange();
  }

  /** What a thread has sent arrives even after its end; but the end, by another way, may be heard of first. */
  #partsArrived(running: Running, count: number): Promise<void> {
    return new Promise((resolve) => {
      running.onChange = () => {
        if (running.parts >= count || this.#state === 'destroyed') resolve();
      };
      running.onChange();
    });
  }

  /** Ends the thread when one message takes too long. */
  #watch(task: Task): () => void {
    const { handlerTimeoutMs } = this.#init;
    if (handlerTimeoutMs === 0) return () => {};
    let begunBefore = -1;
    const timer = setInterval(() => {
      const begun = Atomics.load(task.progress, Progress.begun);
      if (begun === begunBefore && this.#state === 'loaded') void this.#pool.threads[0]?.terminate();
      begunBefore = begun;
    }, handlerTimeoutMs).unref();
    return () => clearInterval(timer);
  }
}
