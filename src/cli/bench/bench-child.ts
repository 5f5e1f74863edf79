/** The parent's handle of one bench process (child.ts): calls with answers over the channel of `fork`. */
import { type ChildProcess, fork } from 'node:child_process';
import { moduleBeside } from '../../module-beside.ts';
import { CliError } from '../cli-error.ts';

export interface ChildCall {
  readonly id: number;
  readonly call: string;
  readonly args: readonly unknown[];
}

/** An answer to a call, or a sign of progress. */
export interface ChildAnswer {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: string;
  /** Messages the server has so far. */
  readonly progress?: number;
}

/** One end of what is measured, a process of its own; bench/ has some that are no JavaScript. */
export interface BenchEnd {
  /** Resolves when the process can be called. */
  readonly ready: Promise<void>;
  readonly pid: number | undefined;
  onProgress: ((messages: number) => void) | undefined;
  /** Rejects with the process's own words, when it ends, or after `limitMs`. */
  call<Value>(call: string, args: readonly unknown[], limitMs: number): Promise<Value>;
  end(): Promise<void>;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The id under which a child says that it is ready, or why not. */
export const readyId = 0;
const startLimitMs = 20_000;
/** A process that does not end when told is killed. */
const endLimitMs = 5_000;

export class BenchChild implements BenchEnd {
  readonly #role: string;
  readonly #process: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #lastId = readyId;
  readonly #exited: Promise<void>;
  readonly ready: Promise<void>;
  onProgress: ((messages: number) => void) | undefined;

  /** The child runs under the same loader as this process: tsx from the sources, none where it is compiled. */
  constructor(role: 'server' | 'client' | 'both', moduleUrl: string, options: unknown) {
    this.#role = role;
    const script = moduleBeside('./child', import.meta.url);
    const child = fork(script, [role, moduleUrl, JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#process = child;
    child.on('message', (answer: ChildAnswer) => this.#receive(answer));
    child.on('error', (error) => this.#fail(error.message));
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#fail(`ended early (${signal ?? `exit code ${code}`})`);
        resolve();
      });
    });
    this.ready = this.#await(readyId, 'to start', startLimitMs) as Promise<void>;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  call<Value>(call: string, args: readonly unknown[], limitMs: number): Promise<Value> {
    const id = ++this.#lastId;
    const answer = this.#await(id, `'${call}'`, limitMs);
    if (this.#process.connected) this.#process.send({ id, call, args } satisfies ChildCall);
    else this.#fail('has ended');
    return answer as Promise<Value>;
  }

  /** Closes the channel, upon which the child ends. */
  async end(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), endLimitMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #await(id: number, what: string, limitMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CliError(`the ${this.#role} process has no answer to ${what} after ${limitMs / 1000} s`));
      }, limitMs);
      const settled = <T>(body: (value: T) => void): ((value: T) => void) => {
        return (value) => {
          clearTimeout(timer);
          this.#pending.delete(id);
          body(value);
        };
      };
      this.#pending.set(id, { resolve: settled(resolve), reject: settled(reject) });
    });
  }

  #receive(answer: ChildAnswer): void {
    if (answer.progress !== undefined) this.onProgress?.(answer.progress);
    if (answer.id === undefined) return;
    const pending = this.#pending.get(answer.id);
    if (answer.error === undefined) pending?.resolve(answer.value);
    else pending?.reject(new CliError(`the ${this.#role} process: ${answer.error}`));
  }

  #fail(reason: string): void {
    for (const pending of [...this.#pending.values()]) {
      pending.reject(new CliError(`the ${this.#role} process ${reason}`));
    }
  }
}
