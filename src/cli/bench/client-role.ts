/** The sending process: as many messages as the link takes for a time, or one ping after the other. */
import { LatencyRecorder } from '../latency.ts';
import { BenchType, dataByte, type LinkEnds } from './link.ts';
import { type ClientCount, cpuTimeSince } from './samples.ts';

/** Bytes sent between two looks at the clock, and messages at most. */
const burstBytes = 64 * 1024;
const burstCountMax = 256;

export class ClientRole<Connection> {
  readonly #ends: LinkEnds<Connection>;
  #connection: Connection | undefined;
  #onPong: () => void = () => {};
  #onDrain: () => void = () => {};

  constructor(ends: LinkEnds<Connection>) {
    this.#ends = ends;
  }

  async connect(address: string): Promise<void> {
    this.#connection = await this.#ends.connect(address, (type) => {
      if (type === BenchType.Pong) this.#onPong();
    });
    this.#ends.onDrain(this.#connection, () => this.#onDrain());
  }

  /** Sends for `seconds`, pausing only when the link asks for it. */
  throughput(sizeBytes: number, seconds: number): Promise<ClientCount> {
    const ends = this.#ends;
    const connection = this.#connection!;
    const payload = Buffer.alloc(sizeBytes, dataByte);
    const burst = Math.max(1, Math.min(burstCountMax, Math.floor(burstBytes / sizeBytes)));
    return new Promise((resolve) => {
      const finish = this.#begin(0);
      const deadline = performance.now() + seconds * 1000;
      let messages = 0;
      const pump = (): void => {
        while (performance.now() < deadline) {
          for (let index = 0; index < burst; index++) {
            messages++;
            if (!ends.send(connection, BenchType.Data, payload)) return;
          }
        }
        this.#onDrain = () => {};
        resolve(finish(messages));
      };
      this.#onDrain = pump;
      pump();
    });
  }

  /** One ping under way for `seconds`; the next one leaves from the handler of the answer. */
  roundTrips(sizeBytes: number, seconds: number): Promise<ClientCount> {
    const ends = this.#ends;
    const connection = this.#connection!;
    const payload = Buffer.alloc(sizeBytes, dataByte);
    const latency = new LatencyRecorder();
    return new Promise((resolve) => {
      const finish = this.#begin(sizeBytes);
      const deadline = performance.now() + seconds * 1000;
      let sentAt = performance.now();
      this.#onPong = () => {
        const now = performance.now();
        latency.record(now - sentAt);
        if (now >= deadline) {
          resolve({ ...finish(latency.count), rttMs: latency.summary() });
          return;
        }
        sentAt = performance.now();
        ends.send(connection, BenchType.Ping, payload);
      };
      ends.send(connection, BenchType.Ping, payload);
    });
  }

  /** Sends Start; what it returns sends End and says what was done in between. */
  #begin(answerBytes: number): (messages: number) => ClientCount {
    const start = Buffer.alloc(4);
    start.writeUInt32LE(answerBytes);
    this.#ends.send(this.#connection!, BenchType.Start, start);
    const startedAt = performance.now();
    const cpuAtStart = process.cpuUsage();
    return (messages) => {
      const count = { messages, elapsedMs: performance.now() - startedAt, cpu: cpuTimeSince(cpuAtStart) };
      this.#ends.send(this.#connection!, BenchType.End, Buffer.alloc(0));
      return count;
    };
  }
}
