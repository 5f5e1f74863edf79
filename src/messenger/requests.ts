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

export interface RequestOptions {
  /** Ends the wait with the signal's reason inside ERR_MSGR_ABORTED; the request itself may have been sent. */
  signal?: AbortSignal;
  /** Ends the wait with ERR_MSGR_TIMEOUT. No limit when absent. */
  timeoutMs?: number;
}

interface Pending {
  settle(reply: ReceivedMessage | undefined, error: MsgrError | undefined): void;
}

export class RequestTable {
  readonly #clock: Clock;
  /** As an i32, like the field it is compared with. */
  readonly #tidHigh: number;
  #tidLow = 0;
  readonly #pending = new Map<number, Pending>();

  constructor({ clock, random }: { readonly clock: Clock; readonly random: RandomSource }) {
    this.#clock = clock;
    this.#tidHigh = nonZeroU32(random) | 0;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Gives the message its id, sends it and waits for the reply. */
  start(message: Message, options: RequestOptions, send: () => void): Promise<ReceivedMessage> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      this.#tidLow = (this.#tidLow + 1) | 0;
      const tidLow = this.#tidLow;
      message.tidLow = tidLow;
      message.tidHigh = this.#tidHigh;
      let timer: unknown;
      const onAbort = (): void => pending.settle(undefined, aborted(signal!));
      const pending: Pending = {
        settle: (reply, error) => {
          this.#pending.delete(tidLow);
          if (timer !== undefined) this.#clock.clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          if (reply) resolve(reply);
          else reject(error);
        },
      };
      if (timeoutMs !== undefined) {
        timer = this.#clock.setTimeout(
          () =>
            pending.settle(undefined, new MsgrError(ErrorCode.Timeout, `no reply within ${timeoutMs} ms`)),
          timeoutMs,
        );
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(tidLow, pending);
      send();
    });
  }

  /** True when the message answers a request, which then has it. */
  settle(message: ReceivedMessage): boolean {
    if (message.tidHigh !== this.#tidHigh) return false;
    const pending = this.#pending.get(message.tidLow);
    if (pending === undefined) return false;
    pending.settle(message, undefined);
    return true;
  }

  rejectAll(error: MsgrError): void {
    for (const pending of [...this.#pending.values()]) pending.settle(undefined, error);
  }
}

function aborted(signal: AbortSignal): MsgrError {
  return new MsgrError(ErrorCode.Aborted, 'the request was aborted', { cause: signal.reason });
}
