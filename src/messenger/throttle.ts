/**
 * A budget of bytes or of messages: whoever takes from it gives back later, and who finds too little left
 * waits for its turn. Ceph's Throttle, without threads: nothing here blocks.
 *
 * What passes (Ceph's rule):
 *
 *      amount <= max    current + amount <= max
 *      amount >  max    current <= max             one too large for the budget is let in all the same,
 *                                                  else it would never pass; current may then exceed max
 *      max = 0          always; `current` is still counted
 *
 * A refusal therefore means that somebody holds something, and so that a release is to come: nobody who
 * waits is forgotten. Those who come while others wait are refused, else small amounts would pass a
 * large one for ever.
 *
 * Waiters are called in the order in which they came, one after the other, from inside the call that made
 * room: `release`, or the cancel of the one in front. A waiter that releases does not start a second round
 * inside the first. A waiter is called once and takes by itself, with `tryTake`; when that is refused it
 * waits anew, at the end.
 *
 *      if (!throttle.tryTake(bytes)) {
 *        channel.pause();
 *        cancel = throttle.onAvailable(() => channel.resume(), bytes);
 *      }
 */
import { AssertionError } from 'node:assert';

export interface ThrottleOptions {
  /** What is counted and for whom, for messages and counters: `osd-client-bytes`. */
  readonly name: string;
  /** The budget, in the unit of the amounts; 0 is no limit. */
  readonly max: number;
}

interface Waiter {
  readonly callback: () => void;
  readonly amount: number;
  /** Counts up; tells those who waited before a release from those who came during its round. */
  readonly ticket: number;
  isWaiting: boolean;
  previous: Waiter | undefined;
  next: Waiter | undefined;
}

function checkAmount(name: string, amount: number): void {
  if (Number.isSafeInteger(amount) && amount >= 0) return;
  throw new AssertionError({
    message: `throttle ${name}: an amount is a whole number from 0 up, not ${amount}`,
  });
}

export class Throttle {
  readonly name: string;
  /** 0 is no limit. */
  readonly max: number;
  #current = 0;
  #waits = 0;
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #tickets = 0;
  /** The last ticket that the present round serves. */
  #roundEnd = 0;
  #isInRound = false;

  constructor(options: ThrottleOptions) {
    checkAmount(options.name, options.max);
    this.name = options.name;
    this.max = options.max;
  }

  /** Taken and not given back. */
  get current(): number {
    return this.#current;
  }

  /** How often `tryTake` was refused since the start. */
  get waits(): number {
    return this.#waits;
  }

  /** Takes `amount` and answers true, or answers false: then wait with `onAvailable`. */
  tryTake(amount: number): boolean {
    checkAmount(this.name, amount);
    // A waiter that is being called takes before those behind it. With nothing taken nobody need wait.
    const isBehindOthers = this.#first !== undefined && !this.#isInRound && this.#current > 0;
    if (isBehindOthers || this.#mustWait(amount)) {
      this.#waits++;
      return false;
    }
    this.#current += amount;
    return true;
  }

  /** Takes `amount` though it exceeds the budget: for what is in memory already and must be accounted for. */
  take(amount: number): void {
    checkAmount(this.name, amount);
    this.#current += amount;
  }

  /**
   * Gives `amount` back and calls the waiters for whom there is now room. What a waiter throws is thrown
   * from here after the others were called; the amount is given back in any case.
   * @throws AssertionError when more is given back than was taken.
   */
  release(amount: number): void {
    checkAmount(this.name, amount);
    if (amount > this.#current) {
      throw new AssertionError({
        message: `throttle ${this.name}: ${amount} released, but only ${this.#current} taken`,
        actual: amount,
        expected: this.#current,
        operator: '<=',
      });
    }
    this.#current -= amount;
    if (this.#first !== undefined) this.#callWaiters();
  }

  /**
   * Calls `callback` once, when all who waited before were called and there is room for `amount` (by
   * default for anything at all). With room and nobody waiting it is called before this returns, unless a
   * waiter asks: it is then called after the next release.
   * @returns what cancels the wait; calling it late or twice does nothing.
   */
  onAvailable(callback: () => void, amount = 1): () => void {
    checkAmount(this.name, amount);
    const waiter: Waiter = {
      callback,
      amount,
      ticket: ++this.#tickets,
      isWaiting: true,
      previous: this.#last,
      next: undefined,
    };
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.next = waiter;
    this.#last = waiter;
    if (!this.#isInRound) this.#callWaiters();
    return () => {
      const wasFirst = this.#first === waiter;
      if (!waiter.isWaiting) return;
      this.#remove(waiter);
      // Those behind may need less than the one that left.
      if (wasFirst && this.#first !== undefined) this.#callWaiters();
    };
  }

  #mustWait(amount: number): boolean {
    if (this.max === 0) return false;
    return amount > this.max ? this.#current > this.max : this.#current + amount > this.max;
  }

  /** One round: those who wait now, in order, as far as there is room. A release in it extends it. */
  #callWaiters(): void {
    this.#roundEnd = this.#tickets;
    if (this.#isInRound) return;
    this.#isInRound = true;
    let failure: { readonly error: unknown } | undefined;
    for (;;) {
      const waiter = this.#first;
      if (waiter === undefined || waiter.ticket > this.#roundEnd || this.#mustWait(waiter.amount)) break;
      this.#remove(waiter);
      try {
        waiter.callback();
      } catch (error) {
        failure ??= { error };
      }
    }
    this.#isInRound = false;
    if (failure !== undefined) throw failure.error;
  }

  #remove(waiter: Waiter): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    waiter.isWaiting = false;
    waiter.previous = undefined;
    waiter.next = undefined;
  }
}
