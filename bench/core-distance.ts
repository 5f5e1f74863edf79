/**
 * How far this machine's cores are from each other. A hypervisor may run the processors of a virtual machine now on
 * cores that share a cache and now on others, for seconds or a minute: then every byte that one process hands to
 * another takes four times as long, and a figure of that time says nothing beside one of another time. So a figure
 * is taken again when a look before or after it finds the cores apart; each peer's alike.
 */
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

/** Words of the shared memory, a cache line pair each. */
const Word = { go: 0, stop: 32, count: 64, ball: 96 } as const;
const wordCount = 128;
const handoversPerLook = 4_000;
/** The best of so many looks: whatever comes between only makes one longer. */
const looksPerMeasurement = 5;
/** A thread that does not get a core of its own must not hold the other one for longer. */
const lookMsMax = 20;

/** Cores that share a cache take 30 to 75 ns, others 200 and more. */
const apartNs = 150;
const waitMs = 500;
/** For the cores to come back together, of one figure and of a whole run. */
const waitsPerFigureMax = 40;
const waitsMax = 240;
const repeatsPerFigureMax = 2;

const player = `
const { workerData } = require('node:worker_threads');
const words = new Int32Array(workerData);
for (;;) {
  Atomics.wait(words, ${Word.go}, 0);
  const count = words[${Word.count}];
  for (let i = 0; i < count && words[${Word.stop}] === 0; i++) {
    while (Atomics.load(words, ${Word.ball}) !== 2 * i + 1 && Atomics.load(words, ${Word.stop}) === 0);
    Atomics.store(words, ${Word.ball}, 2 * i + 2);
  }
  Atomics.store(words, ${Word.go}, 0);
}`;

export class CoreDistance implements AsyncDisposable {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * wordCount));
  readonly #worker: Worker | undefined;
  #leastNs = Number.POSITIVE_INFINITY;
  #mostNs = 0;
  #waits = 0;
  #repeated = 0;
  #apart = 0;

  constructor() {
    if (availableParallelism() < 2) return;
    this.#worker = new Worker(player, { eval: true, workerData: this.#words.buffer });
    this.#worker.unref();
  }

  /** What `measure` answers, of a time when the cores were near each other, if there is one. */
  async steady<T>(measure: () => Promise<T>): Promise<T> {
    for (let repeats = 0; ; repeats++) {
      await this.#untilNear();
      const figure = await measure();
      if (!this.#areApart()) return figure;
      if (repeats === repeatsPerFigureMax || this.#waits >= waitsMax) {
        this.#apart++;
        return figure;
      }
      this.#repeated++;
    }
  }

  /** For the report; undefined when there is nothing to tell. */
  describe(): string | undefined {
    if (this.#repeated === 0 && this.#apart === 0) return undefined;
    const [least, most] = [this.#leastNs, this.#mostNs].map((ns) => ns.toFixed(0));
    return (
      `The host moved this machine's cores apart for a while (${most} ns from one to the other instead of ` +
      `${least}): ${this.#repeated} figures were taken again, ${this.#apart} are of such a time.`
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate();
  }

  async #untilNear(): Promise<void> {
    for (let waits = 0; waits < waitsPerFigureMax && this.#waits < waitsMax && this.#areApart(); waits++) {
      this.#waits++;
      await setTimeout(waitMs);
    }
  }

  #areApart(): boolean {
    const ns = this.#measure();
    if (ns === undefined) return false;
    this.#leastNs = Math.min(this.#leastNs, ns);
    this.#mostNs = Math.max(this.#mostNs, ns);
    return ns > apartNs;
  }

  /** Nanoseconds from core to core; undefined when no other core could be had. */
  #measure(): number | undefined {
    if (this.#worker === undefined) return undefined;
    let best = Number.POSITIVE_INFINITY;
    for (let look = 0; look < looksPerMeasurement; look++) best = Math.min(best, this.#look());
    return Number.isFinite(best) ? best : undefined;
  }

  #look(): number {
    const words = this.#words;
    const deadline = performance.now() + lookMsMax;
    words[Word.stop] = 0;
    words[Word.count] = handoversPerLook;
    Atomics.store(words, Word.ball, 0);
    Atomics.store(words, Word.go, 1);
    Atomics.notify(words, Word.go);
    let startedAt = 0;
    for (let i = 0; i < handoversPerLook; i++) {
      // The first one waits for the other thread to wake up.
      if (i === 1) startedAt = performance.now();
      Atomics.store(words, Word.ball, 2 * i + 1);
      for (let spins = 1; Atomics.load(words, Word.ball) !== 2 * i + 2; spins++) {
        if (spins % 1024 !== 0 || performance.now() < deadline) continue;
        Atomics.store(words, Word.stop, 1);
        this.#untilIdle();
        return Number.POSITIVE_INFINITY;
      }
    }
    const elapsedNs = (performance.now() - startedAt) * 1e6;
    this.#untilIdle();
    return elapsedNs / (2 * (handoversPerLook - 1));
  }

  #untilIdle(): void {
    const deadline = performance.now() + lookMsMax;
    while (Atomics.load(this.#words, Word.go) !== 0 && performance.now() < deadline);
  }
}
