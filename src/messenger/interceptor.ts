/**
 * Points in a connection's life at which a test may look, fail it or stop it; the numbers are Ceph's, so
 * that its race tests can be told step by step. Unset, a point costs one comparison.
 */
import type { Connection } from './connection.ts';

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
  HandleMessage: 16,
  SessionRetry: 18,
} as const;
export type InterceptStep = (typeof InterceptStep)[keyof typeof InterceptStep];

/** `continue`; `fail`: as if the socket broke here; `stop`: the connection ends with a reset event. */
export type InterceptAction = 'continue' | 'fail' | 'stop';

export type Interceptor = (connection: Connection | undefined, step: InterceptStep) => InterceptAction;
