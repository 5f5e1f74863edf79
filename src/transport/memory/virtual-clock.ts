/**
 * Time that stands still until somebody steps it. Every event of a simulation is in its queue, ordered by
 * time and, at the same time, by when it was put there: a run depends on nothing else.
 *
 *      setTimeout / setImmediate ──► heap of (time, order) ──step()──► now = time; callback()
 */
import type { Clock } from '../clock.ts';

interface Event {
  readonly timeMs: number;
  readonly order: number;
  /** Undefined when cancelled: it stays in the heap until its time. */
  callback: (() => void) | undefined;
}

export class VirtualClock implements Clock {
  /** Called when an event is put into an empty queue; for whoever wants to step by himself. */
  onWork: (() => void) | undefined;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #order = 0;
  #eventCount = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  /** Events that ran so far: the same in two runs of one seed. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Events that are still to run; walks the queue, so for the end of a test. */
  get pendingCount(): number {
    return this.#heap.filter((event) => event.callback !== undefined).length;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const event: Event = { timeMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#push(event);
    if (this.#heap.length === 1) this.onWork?.();
    return event;
  }

  clearTimeout(handle: unknown): void {
    if (handle !== undefined) (handle as Event).callback = undefined;
  }

  setImmediate(callback: () => void): void {
    this.setTimeout(callback, 0);
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    return this.#stepUntil(Number.POSITIVE_INFINITY);
  }

  /**
   * Runs every event up to `untilMs`, at which time the clock then stands; no more than `eventsMax`, for
   * a simulation that may go round in circles.
   */
  run(untilMs: number, eventsMax = Number.POSITIVE_INFINITY): void {
    for (let events = 0; this.#stepUntil(untilMs); ) if (++events >= eventsMax) return;
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /**
   * As `run`, for a simulation that has promises in it: what waits for a promise that an event settled runs
   * before the next event.
   */
  async runAsync(untilMs: number): Promise<void> {
    await drainMicrotasks();
    while (this.#stepUntil(untilMs)) await drainMicrotasks();
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  #stepUntil(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.timeMs > untilMs) return false;
      this.#pop();
      const { callback } = next;
      if (callback === undefined) continue;
      this.#nowMs = next.timeMs;
      this.#eventCount++;
      callback();
      return true;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  /** Removes the first event. */
  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
}

/** Node runs its next-tick queue after the microtasks, those that they queue included. */
function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
