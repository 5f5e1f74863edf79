/**
 * Requests that wait for their reply on one connection, by transaction id.
 *
 * The high half of the ids is random per connection, so that they do not meet the ids of requests that
 * the peer makes on the same connection.
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Clock } from '../transport/clock.ts';
import type { Message, ReceivedMessage } from './message.ts';
import { nonZeroU32, type RandomSource } from './random.ts';
import { type Waiting, WaitingByTid } from './waiting-by-tid.ts';

export interface RequestOptions {
  /** Ends the wait with the signal's reason inside ERR_MSGR_ABORTED; the request itself may have been sent. */
  signal?: AbortSignal;
  /** Ends the wait with ERR_MSGR_TIMEOUT. No limit when absent. */
  timeoutMs?: number;
}

interface Pending extends Waiting {
  readonly resolve: (reply: ReceivedMessage) => void;
  readonly reject: (error: MsgrError) => void;
  readonly timer: unknown;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: (() => void) | undefined;
}

export class RequestTable {
  readonly #clock: Clock;
  readonly #send: (request: Message) => void;
  /** As an i32, like the field it is compared with. */
  readonly #tidHigh: number;
  readonly #pending = new WaitingByTid<Pending>();

  /** `send` is how a request leaves. */
  constructor(
    { clock, random }: { readonly clock: Clock; readonly random: RandomSource },
    send: (request: Message) => void,
  ) {
    this.#clock = clock;
    this.#send = send;
    this.#tidHigh = nonZeroU32(random) | 0;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Gives the message its id, sends it and waits for the reply. Rejects with what `send` throws. */
  start(message: Message, options: RequestOptions): Promise<ReceivedMessage> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return Promise.reject(aborted(signal));
    const tid = this.#pending.nextTid();
    message.tidLow = tid;
    message.tidHigh = this.#tidHigh;
    return new Promise((resolve, reject) => {
      const timer = timeoutMs === undefined ? undefined : this.#failLater(tid, timeoutMs);
      const onAbort = signal && (() => this.#fail(tid, aborted(signal)));
      if (onAbort !== undefined) signal!.addEventListener('abort', onAbort, { once: true });
      this.#pending.add({ tid, resolve, reject, timer, signal, onAbort });
      try {
        this.#send(message);
      } catch (error) {
        this.#take(tid);
        throw error;
      }
    });
  }

  /** True when the message answers a request, which then has it. */
  settle(message: ReceivedMessage): boolean {
    if (message.tidHigh !== this.#tidHigh) return false;
    const pending = this.#take(message.tidLow);
    if (pending === undefined) return false;
    pending.resolve(message);
    return true;
  }

  rejectAll(error: MsgrError): void {
    for (const tid of this.#pending.tids()) this.#fail(tid, error);
  }

  #failLater(tid: number, timeoutMs: number): unknown {
    return this.#clock.setTimeout(
      () => this.#fail(tid, new MsgrError(ErrorCode.Timeout, `no reply within ${timeoutMs} ms`)),
      timeoutMs,
    );
  }

  #fail(tid: number, error: MsgrError): void {
    this.#take(tid)?.reject(error);
  }

  /** It waits no more. */
  #take(tid: number): Pending | undefined {
    const pending = this.#pending.take(tid);
    if (pending === undefined) return undefined;
    const { timer, signal, onAbort } = pending;
    if (timer !== undefined) this.#clock.clearTimeout(timer);
    if (onAbort !== undefined) signal!.removeEventListener('abort', onAbort);
    return pending;
  }
}

function aborted(signal: AbortSignal): MsgrError {
  return new MsgrError(ErrorCode.Aborted, 'the request was aborted', { cause: signal.reason });
}
