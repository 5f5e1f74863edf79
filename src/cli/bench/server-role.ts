/** The receiving process: a handler that reads type and payload of every message, counts, and answers pings. */
import { Buffer } from 'node:buffer';
import { BenchType, dataByte, type LinkEnds } from './link.ts';
import { peakBytes, resetPeak } from './memory.ts';
import { cpuTimeSince, type ServerCount } from './samples.ts';

export class ServerRole<Connection> {
  readonly #ends: LinkEnds<Connection>;
  #messages = 0;
  #bytes = 0;
  #pings = 0;
  #firstByteSum = 0;
  #firstAt = 0;
  /** Of the present run: its last End ends it. */
  #endsToCome = 0;
  #cpuAtStart: NodeJS.CpuUsage = process.cpuUsage();
  #pong: Buffer = Buffer.alloc(0);
  /** Counts that nobody has asked for yet, and who asked before there was one. */
  readonly #counts: ServerCount[] = [];
  readonly #askers: ((count: ServerCount) => void)[] = [];

  constructor(ends: LinkEnds<Connection>) {
    this.#ends = ends;
  }

  listen(): Promise<string> {
    return this.#ends.listen((type, payload, connection) => this.#handle(type, payload, connection));
  }

  /** What was counted up to the next End that nobody asked about yet: one call for each run, early or late. */
  count(): Promise<ServerCount> {
    const count = this.#counts.shift();
    if (count !== undefined) return Promise.resolve(count);
    return new Promise((resolve) => this.#askers.push(resolve));
  }

  /** Messages so far in the present run, for the live line. */
  progress(): number {
    return this.#messages + this.#pings;
  }

  #handle(type: number, payload: Uint8Array, connection: Connection): void {
    if (type === BenchType.Data) {
      if (this.#messages === 0) this.#firstAt = performance.now();
      this.#messages++;
      this.#bytes += payload.length;
      this.#firstByteSum += payload[0]!;
    } else if (type === BenchType.Ping) {
      this.#pings++;
      this.#firstByteSum += payload[0]!;
      this.#ends.send(connection, BenchType.Pong, this.#pong);
    } else if (type === BenchType.Start) {
      this.#start(payload);
      this.#ends.send(connection, BenchType.Started, Buffer.alloc(0));
    } else if (type === BenchType.End) {
      if (--this.#endsToCome === 0) this.#end();
    }
  }

  #start(payload: Uint8Array): void {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#pong = Buffer.alloc(view.getUint32(0, true), dataByte);
    this.#endsToCome = view.getUint32(4, true);
    this.#messages = 0;
    this.#bytes = 0;
    this.#pings = 0;
    this.#firstByteSum = 0;
    resetPeak();
    this.#firstAt = performance.now();
    this.#cpuAtStart = process.cpuUsage();
  }

  /** The last End travels behind the last message, so its arrival is the time of that one. */
  #end(): void {
    const elapsedMs = performance.now() - this.#firstAt;
    const cpu = cpuTimeSince(this.#cpuAtStart);
    if (this.#firstByteSum !== (this.#messages + this.#pings) * dataByte) {
      throw new Error('the payloads that arrived are not the ones that were sent');
    }
    const count = {
      messages: this.#messages,
      bytes: this.#bytes,
      pings: this.#pings,
      elapsedMs,
      cpu,
      peakBytes: peakBytes(),
    };
    const asker = this.#askers.shift();
    if (asker === undefined) this.#counts.push(count);
    else asker(count);
  }
}
