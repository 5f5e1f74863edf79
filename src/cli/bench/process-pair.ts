/**
 * Two processes with a link between them, and the measurements on it. The parent only directs: it holds no
 * end of the link, so what it does (a live line, a table) disturbs neither.
 */
import { CliError } from '../cli-error.ts';
import { BenchChild } from './bench-child.ts';
import {
  type ClientCount,
  type RoundTripSample,
  roundTripSample,
  type ServerCount,
  type ThroughputSample,
  throughputSample,
} from './samples.ts';

/** Messages that arrived so far in the present measurement. */
export type ProgressListener = (messages: number) => void;

/** Before each measurement the same runs unmeasured, for the just-in-time compiler: this part of its time. */
const warmUpShare = 0.25;
const warmUpSecondsMax = 0.5;
/** How much longer than it was told a measurement may take before the pair counts as stuck. */
const graceMs = 20_000;

export class ProcessPair implements AsyncDisposable {
  readonly #server: BenchChild;
  readonly #client: BenchChild;

  private constructor(moduleUrl: string, options: unknown) {
    this.#server = new BenchChild('server', moduleUrl, options);
    this.#client = new BenchChild('client', moduleUrl, options);
  }

  /**
   * Starts both processes and connects them.
   * @param moduleUrl a `LinkModule` (link.ts); `options` for it must survive JSON.
   */
  static async start(moduleUrl: string, options: unknown): Promise<ProcessPair> {
    const pair = new ProcessPair(moduleUrl, options);
    try {
      await Promise.all([pair.#server.ready, pair.#client.ready]);
      const address = await pair.#server.call<string>('listen', [], graceMs);
      await pair.#client.call<void>('connect', [address], graceMs);
      return pair;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  /** @throws CliError when not every message arrived. */
  async throughput(
    sizeBytes: number,
    seconds: number,
    onProgress?: ProgressListener,
  ): Promise<ThroughputSample> {
    await this.#run('throughput', sizeBytes, warmUpSeconds(seconds));
    const { server, client } = await this.#run('throughput', sizeBytes, seconds, onProgress);
    if (server.messages !== client.messages) {
      throw new CliError(`${client.messages} messages were sent and ${server.messages} arrived`);
    }
    return throughputSample(sizeBytes, server, client);
  }

  async roundTrips(
    sizeBytes: number,
    seconds: number,
    onProgress?: ProgressListener,
  ): Promise<RoundTripSample> {
    await this.#run('roundTrips', sizeBytes, warmUpSeconds(seconds));
    const { server, client } = await this.#run('roundTrips', sizeBytes, seconds, onProgress);
    if (server.pings !== client.messages) {
      throw new CliError(`${server.pings} pings arrived and ${client.messages} were answered`);
    }
    return roundTripSample(sizeBytes, server, client);
  }

  async close(): Promise<void> {
    await Promise.all([this.#server.end(), this.#client.end()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(
    call: 'throughput' | 'roundTrips',
    sizeBytes: number,
    seconds: number,
    onProgress?: ProgressListener,
  ): Promise<{ server: ServerCount; client: ClientCount }> {
    this.#server.onProgress = onProgress;
    const limitMs = seconds * 1000 + graceMs;
    try {
      const [server, client] = await Promise.all([
        this.#server.call<ServerCount>('count', [], limitMs),
        this.#client.call<ClientCount>(call, [sizeBytes, seconds], limitMs),
      ]);
      return { server, client };
    } finally {
      this.#server.onProgress = undefined;
    }
  }
}

function warmUpSeconds(seconds: number): number {
  return Math.min(warmUpSecondsMax, seconds * warmUpShare);
}
