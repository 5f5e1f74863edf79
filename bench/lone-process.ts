/** A process that does one part of the work by itself, for as long as it is told (aead-process.ts, objects-process.ts). */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CliError } from '../src/cli/cli-error.ts';

export interface LoneTask {
  readonly seconds: number;
}

/** It takes a `LoneTask`, answers with a `Count`, and ends when its parent closes the channel. */
export class LoneProcess<Count> {
  readonly #child: ChildProcess;
  readonly #name: string;

  /** `name` is what it measures, for errors. */
  constructor(name: string, script: URL, words: readonly string[] = []) {
    this.#name = name;
    this.#child = fork(fileURLToPath(script), words);
  }

  async run(task: LoneTask): Promise<Count> {
    const exited = once(this.#child, 'exit').then(([code]) => {
      throw new CliError(`the process that measures ${this.#name} ended with exit code ${code}`);
    });
    exited.catch(() => {});
    this.#child.send(task);
    const [count] = (await Promise.race([once(this.#child, 'message'), exited])) as [Count];
    return count;
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  }
}

/** In that process: does `work` on demand. */
export function serveParent<Count>(work: (task: LoneTask) => Count): void {
  if (process.send === undefined) return;
  process.once('disconnect', () => process.exit(0));
  process.on('message', (task: LoneTask) => process.send!(work(task)));
}
