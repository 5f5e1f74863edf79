/**
 * The end of a loop turn, where everything that was put off happens at once: channels with something to
 * hand out hand it out, then channels with something to write write it, in one system call each.
 *
 * What becomes due while the turn's end runs waits for the next one, except writes: a handler's answer
 * leaves in the turn in which it was given. A handler that throws stops nothing: the rest runs in the next
 * turn.
 */

/** What a channel is to its turn. The flags are the turn's own marks; nobody else changes them. */
export interface TurnMember {
  deliveryDue: boolean;
  flushDue: boolean;
  /** Fires events. */
  deliver(): void;
  /** Writes to the socket; fires no event. */
  flush(): void;
}

export class Turn {
  readonly #defer: (run: () => void) => void;
  #deliveries: TurnMember[] = [];
  #flushes: TurnMember[] = [];
  #scheduled = false;

  /** `defer` calls back at the end of the turn: `setImmediate`, or the simulation's queue. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer;
  }

  scheduleDelivery(member: TurnMember): void {
    if (member.deliveryDue) return;
    member.deliveryDue = true;
    this.#deliveries.push(member);
    this.#schedule();
  }

  scheduleFlush(member: TurnMember): void {
    if (member.flushDue) return;
    member.flushDue = true;
    this.#flushes.push(member);
    this.#schedule();
  }

  /** Writes what waits, now. */
  flush(): void {
    const flushes = this.#flushes;
    if (flushes.length === 0) return;
    this.#flushes = [];
    for (const member of flushes) {
      member.flushDue = false;
      member.flush();
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(this.#run);
  }

  readonly #run = (): void => {
    this.#scheduled = false;
    const deliveries = this.#deliveries;
    this.#deliveries = [];
    let next = 0;
    try {
      while (next < deliveries.length) {
        const member = deliveries[next++]!;
        member.deliveryDue = false;
        member.deliver();
      }
    } finally {
      // A handler threw: those behind it have their turn later.
      for (; next < deliveries.length; next++) this.#deliveries.push(deliveries[next]!);
      if (this.#deliveries.length > 0) this.#schedule();
      this.flush();
    }
  };
}
