/**
 * What authentication has to say after the handshake: tickets that run out and rotating keys, asked for with
 * MAuth on the session with the monitor. The `AuthSession` knows what is due and when; here it is sent.
 */
import type { AuthSession } from '../../auth/auth.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Message } from '../../messenger/message.ts';
import type { Clock } from '../../transport/clock.ts';
import { MAuth } from '../../wire/messages/m-auth.ts';
import type { MAuthReply } from '../../wire/messages/m-auth-reply.ts';

/**
 * What is due is looked at again after this time at the latest: tickets count by the wall clock, which may be
 * set, and a daemon may refuse one before its time.
 */
const lookAgainMs = 10_000;
/** What is due at once, again and again, must not become a loop. */
const pauseMsMin = 50;
/** A monitor that answers other things but not this is given up. */
const answerMsMax = 30_000;

export interface AuthRenewalInit {
  readonly auth: AuthSession;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  monmapEpoch(): number;
  /** Sends on the present session. */
  send(message: Message): void;
  /** The session is of no use: refused, or not answered. */
  onFailed(error: MsgrError): void;
  /** An answer was taken in. */
  onProgress(): void;
}

export class AuthRenewal {
  readonly #init: AuthRenewalInit;
  #hasSession = false;
  #timer: unknown;
  #answerTimer: unknown;

  constructor(init: AuthRenewalInit) {
    this.#init = init;
  }

  /** Whether the present session owes an answer. */
  get isAnswerDue(): boolean {
    return this.#answerTimer !== undefined;
  }

  /** A session stands. */
  begin(): void {
    this.#hasSession = true;
    this.#askIfDue();
  }

  /** The session is gone. */
  end(): void {
    const { auth, clock } = this.#init;
    this.#hasSession = false;
    clock.clearTimeout(this.#timer);
    if (this.#answerTimer === undefined) return;
    clock.clearTimeout(this.#answerTimer);
    this.#answerTimer = undefined;
    auth.abandonRequest();
  }

  handleReply({ globalId, payload, result }: MAuthReply): void {
    const { auth, clock, onFailed, onProgress } = this.#init;
    if (this.#answerTimer === undefined) return;
    clock.clearTimeout(this.#answerTimer);
    this.#answerTimer = undefined;
    try {
      auth.handleReply({ result, globalId, payload });
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      return onFailed(error);
    }
    onProgress();
    if (this.#hasSession) this.#askIfDue();
  }

  #askIfDue(): void {
    const { auth, clock, monmapEpoch, onFailed, send, wallClock } = this.#init;
    clock.clearTimeout(this.#timer);
    const payload = auth.nextRequest(wallClock());
    if (payload !== undefined) {
      this.#answerTimer = clock.setTimeout(() => {
        const reason = `the monitor did not answer an authentication request within ${answerMsMax} ms`;
        onFailed(new MsgrError(ErrorCode.Timeout, reason));
      }, answerMsMax);
      send(Message.of(MAuth, { protocol: auth.protocol, payload, monmapEpoch: monmapEpoch() }));
      return;
    }
    const { nextDue } = auth;
    if (nextDue === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.min(Math.max(nextDue - wallClock(), pauseMsMin), lookAgainMs);
    this.#timer = clock.setTimeout(() => this.#askIfDue(), waitMs);
  }
}
