/**
 * Ceph's fault injection as far as it is the messenger's: delays. (Sockets that break are the transport's,
 * `ms_inject_socket_failures`.) Nothing here runs unless an option asks for it.
 *
 *      ms_inject_internal_delays     handshakes stand still at the steps of interceptor.ts
 *      ms_inject_delay_type          received messages of these peers ("client osd") arrive late:
 *      ms_inject_delay_probability     so many of them,
 *      ms_inject_delay_max             up to so many seconds, in their order
 */
import type { Options } from '../options.ts';
import type { Clock } from '../transport/clock.ts';
import { entityTypeName } from '../wire/entity-name.ts';
import { Fifo } from './fifo.ts';
import { type Interceptor, InterceptStep } from './interceptor.ts';
import type { ReceivedMessage } from './message.ts';
import { fraction, type RandomSource } from './random.ts';

/** What of a messenger the faults depend on. */
interface Injected {
  readonly options: Options;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Holds each step of a handshake for up to `ms_inject_internal_delays` seconds; undefined when that is 0. */
export function internalDelays({ options, clock, random }: Injected): Interceptor | undefined {
  const maxMs = options.ms_inject_internal_delays * 1000;
  if (maxMs === 0) return undefined;
  return (_subject, step) => {
    if (step === InterceptStep.HandleMessage) return 'continue';
    return new Promise((resolve) => {
      clock.setTimeout(() => resolve('continue'), fraction(random) * maxMs);
    });
  };
}

interface Delayed {
  readonly message: ReceivedMessage;
  readonly dueMs: number;
}

/** Received messages of one connection that wait for their time; those behind a late one wait with it. */
export class DelayedDelivery {
  readonly #injected: Injected;
  readonly #deliver: (message: ReceivedMessage) => void;
  readonly #queue = new Fifo<Delayed>();
  #timer: unknown;

  /** One for a connection to peers of this type; undefined when their messages are not delayed. */
  static forPeer(
    peerType: number,
    injected: Injected,
    deliver: (message: ReceivedMessage) => void,
  ): DelayedDelivery | undefined {
    const { ms_inject_delay_probability, ms_inject_delay_type } = injected.options;
    if (ms_inject_delay_probability === 0 || !ms_inject_delay_type.includes(entityTypeName(peerType))) {
      return undefined;
    }
    return new DelayedDelivery(injected, deliver);
  }

  private constructor(injected: Injected, deliver: (message: ReceivedMessage) => void) {
    this.#injected = injected;
    this.#deliver = deliver;
  }

  add(message: ReceivedMessage): void {
    const { clock, options, random } = this.#injected;
    const { ms_inject_delay_max, ms_inject_delay_probability } = options;
    const isLate = fraction(random) < ms_inject_delay_probability;
    const delayMs = isLate ? fraction(random) * ms_inject_delay_max * 1000 : 0;
    this.#queue.push({ message, dueMs: clock.nowMs() + delayMs }, 0);
    if (this.#timer === undefined) this.#arm();
  }

  /** The connection ended, or its session did: nothing of it is delivered any more. */
  discard(): void {
    this.#queue.clear();
    if (this.#timer !== undefined) this.#injected.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const head = this.#queue.peek();
    if (head === undefined) return;
    const { clock } = this.#injected;
    this.#timer = clock.setTimeout(
      () => {
        this.#timer = undefined;
        this.#queue.shift();
        this.#deliver(head.message);
        if (this.#timer === undefined) this.#arm();
      },
      Math.max(0, head.dueMs - clock.nowMs()),
    );
  }
}
