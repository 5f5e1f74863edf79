/**
 * Starts `count` workers with traffic, `atOnce` at a time, and ends each in the way asked for as soon as its
 * traffic runs. Prints how many descriptors were open before and after. Run as a child process: an abort in
 * native code then is a signal that the test sees.
 *
 *     node workers.mjs LIBRARY COUNT AT_ONCE terminate|exit|throw THREADS
 */
import { readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

const [library, count, atOnce, end, threads] = process.argv.slice(2);

function runOne() {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./traffic-worker.mjs', import.meta.url), {
      workerData: { library, end, threads: Number(threads) },
    });
    let isRunning = false;
    worker.on('message', () => {
      isRunning = true;
      if (end === 'terminate') worker.terminate();
    });
    worker.on('error', (error) => {
      if (end !== 'throw' || error.message !== 'thrown on purpose') reject(error);
    });
    worker.on('exit', () => {
      if (isRunning) resolve();
      else reject(new Error('a worker ended before its traffic ran'));
    });
  });
}

const descriptors = () => readdirSync('/proc/self/fd').length;
const tasks = () => readdirSync('/proc/self/task').length;

// The first one makes what the process keeps anyway (the platform's own descriptors).
await runOne();
const before = { descriptors: descriptors(), tasks: tasks() };
let left = Number(count);
await Promise.all(
  Array.from({ length: Number(atOnce) }, async () => {
    while (left-- > 0) await runOne();
  }),
);
console.log(JSON.stringify({ before, after: { descriptors: descriptors(), tasks: tasks() } }));
