/**
 * Points in a connection's life at which a test may look, hold, fail or stop it; the numbers are Ceph's,
 * so that its race tests can be told step by step. Unset, a point costs one comparison.
 */
import type { Acceptor } from './acceptor.ts';
import type { PeerConnection } from './peer-connection.ts';

export const InterceptStep = {
  StartClientBannerExchange: 1,
  StartServerBannerExchange: 2,
  BannerExchangeConnecting: 3,
  BannerExchangeAccepting: 4,
  SendClientIdentity: 11,
  SendServerIdentity: 12,
  SendReconnect: 13,
  SendReconnectOk: 14,
  Ready: 15,
  /** A message was received; a failure here is one of the socket right behind it. */
  HandleMessage: 16,
  SessionRetry: 18,
} as const;
export type InterceptStep = (typeof InterceptStep)[keyof typeof InterceptStep];

/** `continue`; `fail`: as if the socket broke here; `stop`: the connection ends, with a reset event. */
export type InterceptAction = 'continue' | 'fail' | 'stop';

/** Whose step it is: an accepted stream is an `Acceptor` until its ident made it a connection. */
export type InterceptSubject = PeerConnection | Acceptor;

/** A promise holds the connection at the step until it resolves. */
export type Interceptor = (
  subject: InterceptSubject,
  step: InterceptStep,
) => InterceptAction | Promise<InterceptAction>;

/** What can happen at a step. */
export interface InterceptOutcome {
  proceed(): void;
  fail(): void;
  stop(): void;
  /** False when what was held has been overtaken meanwhile, and nothing is to be done. */
  isCurrent(): boolean;
}

/** Asks the interceptor, if there is one, and does what it says: now, or when its promise resolves. */
export function intercept(
  interceptor: Interceptor | undefined,
  subject: InterceptSubject,
  step: InterceptStep,
  outcome: InterceptOutcome,
): void {
  if (interceptor === undefined) return outcome.proceed();
  const act = (action: InterceptAction): void => {
    if (action === 'continue') outcome.proceed();
    else if (action === 'fail') outcome.fail();
    else outcome.stop();
  };
  const action = interceptor(subject, step);
  if (typeof action === 'string') return act(action);
  void action.then((resolved) => {
    if (outcome.isCurrent()) act(resolved);
  });
}
