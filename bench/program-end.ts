/**
 * One end that is a program in C++ (bench/peers/native/harness.h has the other half of what is said here): tasks
 * go in as lines of words, counts come back as lines of JSON, in the order of the tasks.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { BenchEnd } from '../src/cli/bench/bench-child.ts';
import type { RequestTask, StreamTask } from '../src/cli/bench/samples.ts';
import { CliError } from '../src/cli/cli-error.ts';

interface Waiter {
  resolve(line: unknown): void;
  reject(error: Error): void;
}

export class ProgramEnd implements BenchEnd {
  readonly #path: string;
  readonly #role: 'server' | 'client';
  /** The way of reading or polling, as the program calls it. */
  readonly #way: string;
  #process: ChildProcessByStdio<Writable, Readable, null> | undefined;
  readonly #lines: unknown[] = [];
  readonly #waiters: Waiter[] = [];
  #failure: Error | undefined;
  readonly ready: Promise<void> = Promise.resolve();
  onProgress: ((messages: number) => void) | undefined;

  /** Starts with its first call: a client has to know the address then. */
  constructor(role: 'server' | 'client', path: string, way: string) {
    this.#role = role;
    this.#path = path;
    this.#way = way;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async call<Value>(call: string, args: readonly unknown[], limitMs: number): Promise<Value> {
    const value = await this.#answer(call, args, limitMs);
    return value as Value;
  }

  async end(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async #answer(call: string, args: readonly unknown[], limitMs: number): Promise<unknown> {
    switch (call) {
      case 'listen': {
        this.#start([]);
        return ((await this.#nextLine(limitMs)) as { listening: string }).listening;
      }
      case 'connect': {
        const [address, count] = args as [string, number];
        if (count !== 1) throw new CliError('this peer has one connection');
        this.#start([address]);
        return undefined;
      }
      case 'count':
        return this.#nextLine(limitMs);
      case 'throughput': {
        const { sizeBytes, seconds, payloads = 'hot' } = args[0] as StreamTask;
        this.#process!.stdin.write(`throughput ${sizeBytes} ${seconds} ${payloads}\n`);
        return this.#nextLine(limitMs);
      }
      case 'roundTrips': {
        const { sizeBytes, seconds, depth = 1 } = args[0] as RequestTask;
        this.#process!.stdin.write(`roundTrips ${sizeBytes} ${seconds} ${depth}\n`);
        return this.#nextLine(limitMs);
      }
      default:
        throw new CliError(`a program has no '${call}'`);
    }
  }

  #start(words: readonly string[]): void {
    const child = spawn(this.#path, [this.#role, this.#way, ...words], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#process = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const value: unknown = JSON.parse(line);
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#lines.push(value);
      else waiter.resolve(value);
    });
    // Its end says the same with a reason.
    child.stdin.on('error', () => {});
    child.once('error', (error) => this.#fail(error.message));
    child.once('exit', (code, signal) => this.#fail(`ended early (${signal ?? `exit code ${code}`})`));
  }

  #nextLine(limitMs: number): Promise<unknown> {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift());
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(`has no answer after ${limitMs / 1000} s`), limitMs);
      const settled = <T>(body: (value: T) => void): ((value: T) => void) => {
        return (value) => {
          clearTimeout(timer);
          body(value);
        };
      };
      this.#waiters.push({ resolve: settled(resolve), reject: settled(reject) });
    });
  }

  #fail(reason: string): void {
    this.#failure = new CliError(`the ${this.#role} process ${reason}`);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
  }
}
