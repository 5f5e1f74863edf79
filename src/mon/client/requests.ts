/**
 * Questions to the monitor that wait for an answer. They outlive sessions: all that are not answered are
 * sent again, in the order they were asked in and with the same ids, when the next session stands. So a
 * question may reach the monitors more than once, as with Ceph's own client: one that changes something
 * is carried out again when only its answer was lost.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { monRequestBytesMax, monRequestsMax } from '../../limits.ts';
import type { Message } from '../../messenger/message.ts';
import type { RequestOptions } from '../../messenger/requests.ts';
import type { Clock } from '../../transport/clock.ts';

/** How a question is asked. */
export interface MonRequestInit<Reply> {
  /** For errors: `mon command 'osd tree'`. */
  readonly what: string;
  /** Payload bytes that it holds while it waits. */
  readonly bytes: number;
  /** The message type that may answer. */
  readonly replyType: number;
  /** Makes the message; called for each session that it is sent in. Undefined: it goes another way. */
  readonly message?: (tid: bigint) => Message;
  /** Makes a result of the answer, or throws. */
  readonly read: (reply: Reply) => unknown;
  /** It was answered, given up or timed out. */
  readonly onEnd?: () => void;
}

interface Pending {
  readonly tid: bigint;
  // biome-ignore lint/suspicious/noExplicitAny: the table holds questions of every kind.
  readonly init: MonRequestInit<any>;
  settle(result: { reply: unknown } | { error: unknown }): void;
}

export interface MonRequestsInit {
  readonly clock: Clock;
  /** Makes the message and sends it, if there is a session. */
  send(make: () => Message): void;
  /** Added to a timeout's error: why there is no session, if there is none. */
  excuse(): MsgrError | undefined;
}

export class MonRequests {
  readonly #init: MonRequestsInit;
  readonly #pending = new Map<bigint, Pending>();
  #bytes = 0;
  #lastTid = 0n;

  constructor(init: MonRequestsInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Whether the present session owes an answer. */
  get isAnswerDue(): boolean {
    for (const { init } of this.#pending.values()) if (init.message !== undefined) return true;
    return false;
  }

  /**
   * Asks, and resolves with what `read` makes of the answer. Rejects with what `read` throws, with
   * ERR_MSGR_TIMEOUT or ERR_MSGR_ABORTED as the options say, ERR_MSGR_OVERLOADED when too many wait, and
   * with the error given to {@link rejectAll}. `started` is told the id.
   */
  start<Reply, Result>(
    init: MonRequestInit<Reply> & { readonly read: (reply: Reply) => Result },
    options: RequestOptions,
    started?: (tid: bigint) => void,
  ): Promise<Result> {
    const { signal, timeoutMs } = options;
    const { clock } = this.#init;
    if (signal?.aborted) return Promise.reject(aborted(init.what, signal));
    if (this.#pending.size >= monRequestsMax || this.#bytes + init.bytes > monRequestBytesMax) {
      const reason = `${this.#pending.size} requests of ${this.#bytes} bytes wait for the monitors already`;
      return Promise.reject(new MsgrError(ErrorCode.Overloaded, `${init.what}: ${reason}`));
    }
    return new Promise((resolve, reject) => {
      const tid = ++this.#lastTid;
      let timer: unknown;
      const onAbort = (): void => pending.settle({ error: aborted(init.what, signal!) });
      const pending: Pending = {
        tid,
        init,
        settle: (result) => {
          if (!this.#pending.delete(tid)) return;
          this.#bytes -= init.bytes;
          clock.clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          init.onEnd?.();
          if ('error' in result) return reject(result.error);
          try {
            resolve(init.read(result.reply as Reply) as Result);
          } catch (error) {
            reject(error);
          }
        },
      };
      if (timeoutMs !== undefined && timeoutMs > 0) {
        timer = clock.setTimeout(
          () => pending.settle({ error: this.#timedOut(init.what, timeoutMs) }),
          timeoutMs,
        );
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(tid, pending);
      this.#bytes += init.bytes;
      started?.(tid);
      this.#send(pending);
    });
  }

  /** True when the message of this type answers a question that waits. */
  settle(tid: bigint, replyType: number, reply: unknown): boolean {
    const pending = this.#pending.get(tid);
    if (pending === undefined || pending.init.replyType !== replyType) return false;
    pending.settle({ reply });
    return true;
  }

  reject(tid: bigint, error: MsgrError): void {
    this.#pending.get(tid)?.settle({ error });
  }

  /** A new session stands: everything is asked again. */
  resendAll(): void {
    for (const pending of [...this.#pending.values()]) this.#send(pending);
  }

  rejectAll(error: MsgrError): void {
    for (const { settle } of [...this.#pending.values()]) settle({ error });
  }

  #send({ init: { message }, tid }: Pending): void {
    if (message !== undefined) this.#init.send(() => message(tid));
  }

  #timedOut(what: string, timeoutMs: number): MsgrError {
    const excuse = this.#init.excuse();
    const reason = `${what}: no answer within ${timeoutMs} ms`;
    return excuse === undefined
      ? new MsgrError(ErrorCode.Timeout, reason)
      : new MsgrError(ErrorCode.Timeout, `${reason} (${excuse.message})`, { cause: excuse });
  }
}

function aborted(what: string, signal: AbortSignal): MsgrError {
  return new MsgrError(ErrorCode.Aborted, `${what}: aborted`, { cause: signal.reason });
}
