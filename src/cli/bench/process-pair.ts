/**
 * Two processes with a link between them, and the measurements on it. The parent only directs: it holds no
 * end of the link, so what it does (a live line, a table) disturbs neither.
 */
import { CliError } from '../cli-error.ts';
import { BenchChild, type BenchEnd } from './bench-child.ts';
import type { GcCount } from './gc-profile.ts';
import type { MemoryUse } from './memory.ts';
import {
  type ClientCount,
  type GcSample,
  type RequestTask,
  type RoundTripSample,
  roundTripSample,
  type ServerCount,
  type StreamTask,
  type ThroughputSample,
  throughputSample,
} from './samples.ts';

/** Messages that arrived so far in the present measurement. */
export type ProgressListener = (messages: number) => void;

/** Before each measurement the same runs unmeasured, for the just-in-time compiler: this part of its time. */
const warmUpShare = 0.5;
const warmUpSecondsMax = 0.5;
/** But the first of its kind on fresh processes takes so much of it: all is interpreted then, and pools are empty. */
const firstWarmUpShare = 3;
const firstWarmUpSecondsMax = 1.5;
/** How much longer than it was told a measurement may take before the pair counts as stuck. */
const graceMs = 20_000;
/** For each handshake, when there are many. */
const connectLimitMs = 20;

type RunCall = 'throughput' | 'roundTrips' | 'soak';

/** Something that both ends hold or have done. */
export interface OfBoth<Value> {
  readonly server: Value;
  readonly client: Value;
}

export class ProcessPair implements AsyncDisposable {
  readonly #server: BenchEnd;
  readonly #client: BenchEnd;
  #address = '';
  readonly #warmCalls = new Set<RunCall>();

  private constructor(server: BenchEnd, client: BenchEnd) {
    this.#server = server;
    this.#client = client;
  }

  /**
   * Starts both processes and connects them.
   * @param moduleUrl a `LinkModule` (link.ts); `options` for it must survive JSON.
   */
  static start(moduleUrl: string, options: unknown): Promise<ProcessPair> {
    return ProcessPair.over(
      new BenchChild('server', moduleUrl, options),
      new BenchChild('client', moduleUrl, options),
    );
  }

  /** One process that is both ends, for a link to itself. */
  static startOne(moduleUrl: string, options: unknown): Promise<ProcessPair> {
    const both = new BenchChild('both', moduleUrl, options);
    return ProcessPair.over(both, both);
  }

  /** Connects two ends that are starting, and owns them. */
  static async over(server: BenchEnd, client: BenchEnd): Promise<ProcessPair> {
    const pair = new ProcessPair(server, client);
    try {
      await Promise.all([server.ready, client.ready]);
      pair.#address = await server.call<string>('listen', [], graceMs);
      await pair.connect(1);
      return pair;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  /** Opens connections until there are `count`. */
  async connect(count: number): Promise<void> {
    await this.#client.call<void>('connect', [this.#address, count], graceMs + connectLimitMs * count);
  }

  /** @throws CliError when not every message arrived. */
  async throughput(task: StreamTask, onProgress?: ProgressListener): Promise<ThroughputSample> {
    await this.#warmUp('throughput', task);
    const { server, client } = await this.#run('throughput', task, onProgress);
    checkArrived(server, client);
    return throughputSample(task, server, client);
  }

  async roundTrips(task: RequestTask, onProgress?: ProgressListener): Promise<RoundTripSample> {
    await this.#warmUp('roundTrips', task);
    const { server, client } = await this.#run('roundTrips', task, onProgress);
    if (server.pings !== client.messages) {
      throw new CliError(`${server.pings} pings arrived and ${client.messages} were answered`);
    }
    return roundTripSample(task, server, client);
  }

  /** One way, with the collectors looked at; its speed is not told, as looking costs some. */
  async collections(task: StreamTask): Promise<GcSample> {
    await this.#warmUp('throughput', task);
    await this.#both<void>('profileGc');
    const { server, client } = await this.#run('throughput', task);
    checkArrived(server, client);
    const counts = await this.#both<GcCount>('gcCount');
    return { sizeBytes: task.sizeBytes, messages: server.messages, ...counts };
  }

  /** One slice of a soak: a stream over one connection, pings beside it over another; no warm-up. */
  async soak(task: StreamTask): Promise<{ stream: ThroughputSample; pings: ClientCount }> {
    const { server, client } = await this.#run('soak', task);
    checkArrived(server, client);
    return { stream: throughputSample(task, server, client), pings: client };
  }

  memoryUse(): Promise<OfBoth<MemoryUse>> {
    return this.#both('memoryUse');
  }

  /** After a full collection on both ends. */
  memoryHeld(): Promise<OfBoth<MemoryUse>> {
    return this.#both('memoryHeld');
  }

  async close(): Promise<void> {
    await Promise.all([this.#server.end(), this.#client.end()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #both<Value>(call: string): Promise<OfBoth<Value>> {
    const [server, client] = await Promise.all([
      this.#server.call<Value>(call, [], graceMs),
      this.#client.call<Value>(call, [], graceMs),
    ]);
    return { server, client };
  }

  async #warmUp(call: RunCall, task: StreamTask | RequestTask): Promise<void> {
    const usual = Math.min(warmUpSecondsMax, task.seconds * warmUpShare);
    const first = Math.min(firstWarmUpSecondsMax, task.seconds * firstWarmUpShare);
    const seconds = this.#warmCalls.has(call) ? usual : first;
    this.#warmCalls.add(call);
    await this.#run(call, { ...task, seconds });
  }

  async #run(
    call: RunCall,
    task: StreamTask | RequestTask,
    onProgress?: ProgressListener,
  ): Promise<{ server: ServerCount; client: ClientCount }> {
    this.#server.onProgress = onProgress;
    const limitMs = task.seconds * 1000 + graceMs;
    try {
      const [server, client] = await Promise.all([
        this.#server.call<ServerCount>('count', [], limitMs),
        this.#client.call<ClientCount>(call, [task], limitMs),
      ]);
      return { server, client };
    } finally {
      this.#server.onProgress = undefined;
    }
  }
}

function checkArrived(server: ServerCount, client: ClientCount): void {
  if (server.messages === client.messages) return;
  throw new CliError(`${client.messages} messages were sent and ${server.messages} arrived`);
}
