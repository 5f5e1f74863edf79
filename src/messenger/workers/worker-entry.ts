/**
 * What runs in a worker thread: it imports the handler's module and calls it for the messages of one task
 * after the other. piscina calls `load` when the worker starts and `run` for each task.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { recordFields } from '../../transport/message-batch.ts';
import { Progress, ResultWriter, type Task, type TaskSummary } from './task.ts';
import { type WorkerContext, type WorkerHandler, WorkerMessage } from './worker-message.ts';

/** What the dispatcher hands to each worker thread. */
export interface WorkerSetup {
  /** URL of the module that exports `handle`. */
  readonly handler: string;
  readonly context: WorkerContext;
}

/** Outcomes wait this long for company before they are sent, in ms: a reply costs a hop either way. */
const flushMs = 2;

let handler: Promise<WorkerHandler> | undefined;

export async function load(): Promise<void> {
  const { handler: url } = workerData as WorkerSetup;
  handler ??= import(url).then((module: { handle?: unknown }) => {
    if (typeof module.handle !== 'function') throw new TypeError(`${url} exports no function handle`);
    return module.handle as WorkerHandler;
  });
  await handler;
}

/** Sends the outcomes that wait for company; of the task in hand. */
let post = (): void => {};
// A handler that ends the thread, by process.exit or an uncaught error, takes no outcome of others with it.
process.on('exit', () => post());

export async function run(task: Task): Promise<TaskSummary> {
  const { records, slab, peers, progress } = task;
  const { context } = workerData as WorkerSetup;
  const handle = await handler!;
  const results = new ResultWriter(task.id);
  let parts = 0;
  post = () => {
    if (results.count === 0) return;
    const part = results.take();
    parentPort!.postMessage(part, [part.records.buffer, part.slab]);
    // After the post: a part that is counted arrives, even from a worker that ends here.
    Atomics.add(progress, Progress.posted, 1);
    parts++;
  };
  const startedAt = performance.now();
  let now = startedAt;
  let postedAt = startedAt;
  for (let base = 0; base < records.length; base += recordFields) {
    Atomics.add(progress, Progress.begun, 1);
    try {
      const answer = handle(new WorkerMessage(records, base, slab, peers), context);
      results.reply(isThenable(answer) ? await answer : answer);
    } catch (error) {
      results.fail(error);
    }
    now = performance.now();
    if (now - postedAt < flushMs) continue;
    post();
    postedAt = now;
  }
  post();
  return { parts, busyMs: now - startedAt };
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined | null)?.then === 'function';
}
