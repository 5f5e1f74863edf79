/**
 * A process that does one part of the work by itself, for as long as it is told (aead-process.ts, objects-process.ts).
 *
 *      in: { seconds }       out: { done, seconds, cpu }
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type CpuTime, cpuTimeSince } from '../src/cli/bench/samples.ts';
import { CliError } from '../src/cli/cli-error.ts';

interface LoneTask {
  readonly seconds: number;
}

export interface LoneCount {
  /** Bytes, objects: what the process counts. */
  readonly done: number;
  readonly seconds: number;
  readonly cpu: CpuTime;
}

/** Of the time that is measured, before it and unmeasured. */
const warmUpShare = 0.5;

export class LoneProcess {
  readonly #child: ChildProcess;
  readonly #name: string;

  /** `name` is what it measures, for errors. */
  constructor(name: string, script: URL, words: readonly string[] = []) {
    this.#name = name;
    this.#child = fork(fileURLToPath(script), words);
  }

  /** After a warm-up. */
  async measure(seconds: number): Promise<LoneCount> {
    await this.#run({ seconds: seconds * warmUpShare });
    return this.#run({ seconds });
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  }

  async #run(task: LoneTask): Promise<LoneCount> {
    const exited = once(this.#child, 'exit').then(([code]) => {
      throw new CliError(`the process that measures ${this.#name} ended with exit code ${code}`);
    });
    exited.catch(() => {});
    this.#child.send(task);
    const [count] = (await Promise.race([once(this.#child, 'message'), exited])) as [LoneCount];
    return count;
  }
}

/** In that process, which ends when its parent closes the channel. `work` does a little, and says how much. */
export function serveParent(work: () => number): void {
  if (process.send === undefined) return;
  process.once('disconnect', () => process.exit(0));
  process.on('message', ({ seconds }: LoneTask) => process.send!(measure(work, seconds)));
}

function measure(work: () => number, seconds: number): LoneCount {
  const startedAt = performance.now();
  const cpuAtStart = process.cpuUsage();
  let done = 0;
  while (performance.now() < startedAt + seconds * 1000) done += work();
  return { done, seconds: (performance.now() - startedAt) / 1000, cpu: cpuTimeSince(cpuAtStart) };
}
