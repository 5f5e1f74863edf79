/**
 * The sending process: as many messages as the link takes for a time, over one connection or many, or pings with
 * so many of them under way.
 */
import { Buffer } from 'node:buffer';
import { BenchType, dataByte, type LinkEnds } from './link.ts';
import { peakBytes, resetPeak } from './memory.ts';
import { makePayloads, type PayloadKind } from './payloads.ts';
import { RoundTripRecorder } from './round-trip-times.ts';
import { type ClientCount, cpuTimeSince, type RequestTask, type StreamTask } from './samples.ts';

/** Bytes sent between two looks at the clock, and messages at most. */
const burstBytes = 64 * 1024;
const burstCountMax = 256;
/** With several connections: what each one sends before the next one's turn. The same however many there are. */
const turnCount = 16;
/** Handshakes under way at once. */
const connectingMax = 64;

interface Link<Connection> {
  readonly connection: Connection;
  /** `send` asked for it, and no drain has come yet. */
  isPaused: boolean;
}

export class ClientRole<Connection> {
  readonly #ends: LinkEnds<Connection>;
  readonly #links: Link<Connection>[] = [];
  readonly #times = new RoundTripRecorder();
  #payloads: { sizeBytes: number; kind: PayloadKind; list: readonly Buffer[] } | undefined;
  #onStarted: () => void = () => {};
  #onPong: () => void = () => {};
  #onDrain: () => void = () => {};

  constructor(ends: LinkEnds<Connection>) {
    this.#ends = ends;
  }

  /** Opens connections until there are `count`. */
  async connect(address: string, count = 1): Promise<void> {
    while (this.#links.length < count) {
      const more = Math.min(connectingMax, count - this.#links.length);
      await Promise.all(Array.from({ length: more }, () => this.#connectOne(address)));
    }
  }

  /** Sends for `seconds`, pausing only when the link asks for it. */
  async throughput(task: StreamTask): Promise<ClientCount> {
    const { sizeBytes, seconds, payloads: kind = 'hot', active = 1 } = task;
    const payloads = this.#payloadsOf(sizeBytes, kind);
    const finish = await this.#begin(0, active);
    const deadline = performance.now() + seconds * 1000;
    const messages =
      active === 1
        ? await this.#streamOne(payloads, deadline)
        : await this.#streamMany(payloads, deadline, active);
    return finish(messages);
  }

  /** Keeps `depth` pings under way for `seconds`; the next one leaves from the handler of an answer. */
  async roundTrips(task: RequestTask): Promise<ClientCount> {
    const { sizeBytes, seconds, depth = 1 } = task;
    const payload = Buffer.alloc(sizeBytes, dataByte);
    const finish = await this.#begin(sizeBytes, 1);
    await this.#ping(payload, depth, performance.now() + seconds * 1000, this.#links[0]!.connection);
    return { ...finish(this.#times.count), rttMs: this.#times.takeSummary() };
  }

  /** A stream over the first connection and, all along, one ping after the other over the second one. */
  async soak(task: StreamTask): Promise<ClientCount> {
    const { sizeBytes, seconds, payloads: kind = 'hot' } = task;
    const finish = await this.#begin(pingBytes, 2);
    const deadline = performance.now() + seconds * 1000;
    const [messages] = await Promise.all([
      this.#streamOne(this.#payloadsOf(sizeBytes, kind), deadline),
      this.#ping(Buffer.alloc(pingBytes, dataByte), 1, deadline, this.#links[1]!.connection),
    ]);
    return { ...finish(messages), rttMs: this.#times.takeSummary() };
  }

  /** Kept for the next run, so that a soak's memory is the messenger's and not that of 16 MiB a slice. */
  #payloadsOf(sizeBytes: number, kind: PayloadKind): readonly Buffer[] {
    if (this.#payloads?.sizeBytes !== sizeBytes || this.#payloads.kind !== kind) {
      this.#payloads = { sizeBytes, kind, list: makePayloads(sizeBytes, kind) };
    }
    return this.#payloads.list;
  }

  async #connectOne(address: string): Promise<void> {
    const connection = await this.#ends.connect(address, (type) => {
      if (type === BenchType.Pong) this.#onPong();
      else if (type === BenchType.Started) this.#onStarted();
    });
    const link = { connection, isPaused: false };
    this.#links.push(link);
    this.#ends.onDrain(connection, () => {
      link.isPaused = false;
      this.#onDrain();
    });
  }

  #streamOne(payloads: readonly Buffer[], deadline: number): Promise<number> {
    const ends = this.#ends;
    const { connection } = this.#links[0]!;
    const burst = burstOf(payloads);
    return new Promise((resolve) => {
      let messages = 0;
      const pump = (): void => {
        while (performance.now() < deadline) {
          const { sent, isPaused } = sendBurst(ends, connection, payloads, messages, burst);
          messages += sent;
          if (isPaused) return;
        }
        this.#onDrain = () => {};
        resolve(messages);
      };
      this.#onDrain = pump;
      pump();
    });
  }

  /** In each turn of the event loop every connection that is not paused sends a few. */
  #streamMany(payloads: readonly Buffer[], deadline: number, active: number): Promise<number> {
    const ends = this.#ends;
    const links = this.#links.slice(0, active);
    const burst = Math.min(turnCount, burstOf(payloads));
    return new Promise((resolve) => {
      let messages = 0;
      let next = 0;
      let isScheduled = false;
      const schedule = (): void => {
        if (isScheduled) return;
        isScheduled = true;
        setImmediate(turn);
      };
      const turn = (): void => {
        isScheduled = false;
        if (performance.now() >= deadline) {
          this.#onDrain = () => {};
          resolve(messages);
          return;
        }
        let sent = false;
        for (const link of links) {
          for (let index = 0; index < burst && !link.isPaused; index++) {
            const payload = payloads[next]!;
            if (++next === payloads.length) next = 0;
            messages++;
            sent = true;
            link.isPaused = !ends.send(link.connection, BenchType.Data, payload);
          }
        }
        if (sent) schedule();
      };
      this.#onDrain = schedule;
      for (const link of links) link.isPaused = false;
      schedule();
    });
  }

  /** Answers come in the order of the pings, so the oldest time under way is that of the answer. */
  #ping(payload: Buffer, depth: number, deadline: number, connection: Connection): Promise<void> {
    const ends = this.#ends;
    const times = this.#times;
    const sentAt = new Float64Array(depth);
    return new Promise((resolve) => {
      let underWay = depth;
      let oldest = 0;
      this.#onPong = () => {
        const now = performance.now();
        times.record(now - sentAt[oldest]!);
        if (now < deadline) {
          sentAt[oldest] = now;
          ends.send(connection, BenchType.Ping, payload);
        } else if (--underWay === 0) {
          resolve();
        }
        if (++oldest === depth) oldest = 0;
      };
      for (let index = 0; index < depth; index++) {
        sentAt[index] = performance.now();
        ends.send(connection, BenchType.Ping, payload);
      }
    });
  }

  /** Sends Start and waits for its answer; what it returns sends End and says what was done in between. */
  async #begin(answerBytes: number, active: number): Promise<(messages: number) => ClientCount> {
    const start = Buffer.alloc(8);
    start.writeUInt32LE(answerBytes, 0);
    start.writeUInt32LE(active, 4);
    const started = new Promise<void>((resolve) => {
      this.#onStarted = resolve;
    });
    this.#ends.send(this.#links[0]!.connection, BenchType.Start, start);
    await started;
    resetPeak();
    const startedAt = performance.now();
    const cpuAtStart = process.cpuUsage();
    return (messages) => {
      const count = { messages, elapsedMs: performance.now() - startedAt, cpu: cpuTimeSince(cpuAtStart) };
      for (const { connection } of this.#links.slice(0, active)) {
        this.#ends.send(connection, BenchType.End, Buffer.alloc(0));
      }
      return { ...count, peakBytes: peakBytes() };
    };
  }
}

/** Of the pings that run beside a soak. */
const pingBytes = 64;

/** Sends up to `count` messages, the first with the payload whose turn it is after `before` others. */
function sendBurst<Connection>(
  ends: LinkEnds<Connection>,
  connection: Connection,
  payloads: readonly Buffer[],
  before: number,
  count: number,
): { sent: number; isPaused: boolean } {
  let next = before % payloads.length;
  for (let sent = 1; sent <= count; sent++) {
    const payload = payloads[next]!;
    if (++next === payloads.length) next = 0;
    if (!ends.send(connection, BenchType.Data, payload)) return { sent, isPaused: true };
  }
  return { sent: count, isPaused: false };
}

function burstOf(payloads: readonly Buffer[]): number {
  return Math.max(1, Math.min(burstCountMax, Math.floor(burstBytes / payloads[0]!.length)));
}
