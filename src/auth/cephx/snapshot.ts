/**
 * Tickets and rotating keys as plain data that crosses a MessagePort, for the messengers of worker threads.
 * Secrets travel as KeyObjects, which both ends of a port share and which show nothing when printed.
 */
import type { KeyObject } from 'node:crypto';
import type { Utime } from '../../wire/utime.ts';
import type { AuthClient, AuthProvider, AuthServer } from '../auth.ts';
import { CryptoKey } from './crypto-key.ts';
import { RotatingKeys } from './rotating-keys.ts';
import { ServiceAuth, type ServiceAuthInit, type ServiceAuthState } from './service-auth.ts';

/** A CryptoKey without its methods. */
interface KeySnapshot {
  readonly type: number;
  readonly created: Utime;
  readonly secret: KeyObject;
}

/** Made for structured cloning; JSON cannot hold it. */
export interface AuthSnapshot {
  readonly globalId: bigint;
  readonly tickets: readonly {
    readonly service: number;
    readonly sessionKey: KeySnapshot;
    readonly secretId: bigint;
    readonly blob: Uint8Array;
    readonly expires: number;
    readonly renewAfter: number;
  }[];
  readonly rotating:
    | {
        readonly service: number;
        readonly secrets: readonly {
          readonly id: bigint;
          readonly key: KeySnapshot;
          readonly expiration: Utime;
        }[];
        readonly maxId: bigint;
      }
    | undefined;
}

export function takeSnapshot(state: ServiceAuthState): AuthSnapshot {
  const { globalId, tickets, rotating } = state;
  return {
    globalId,
    tickets: [...tickets.values()].map(({ service, sessionKey, ticket, expires, renewAfter }) => ({
      service,
      sessionKey: keySnapshot(sessionKey),
      secretId: ticket.secretId,
      blob: ticket.blob,
      expires,
      renewAfter,
    })),
    rotating: rotating && {
      service: rotating.service,
      secrets: [...rotating.held.secrets].map(([id, { key, expiration }]) => ({
        id,
        key: keySnapshot(key),
        expiration,
      })),
      maxId: rotating.held.maxId,
    },
  };
}

function keySnapshot({ type, created, secret }: CryptoKey): KeySnapshot {
  return { type, created, secret };
}

function stateOf({ globalId, tickets, rotating }: AuthSnapshot): ServiceAuthState {
  return {
    globalId,
    tickets: new Map(
      tickets.map(({ service, sessionKey, secretId, blob, expires, renewAfter }) => [
        service,
        { service, sessionKey: revive(sessionKey), ticket: { secretId, blob }, expires, renewAfter },
      ]),
    ),
    rotating:
      rotating &&
      new RotatingKeys(rotating.service, {
        secrets: new Map(
          rotating.secrets.map(({ id, key, expiration }) => [id, { key: revive(key), expiration }]),
        ),
        maxId: rotating.maxId,
      }),
  };
}

function revive({ type, created, secret }: KeySnapshot): CryptoKey {
  return new CryptoKey(type, created, secret);
}

/** The other end of the port: authenticates towards daemons and accepts them, but speaks to no monitor. */
export class SnapshotAuth implements AuthProvider {
  readonly #auth: ServiceAuth;

  constructor(init: ServiceAuthInit, snapshot: AuthSnapshot) {
    this.#auth = new ServiceAuth(init);
    this.update(snapshot);
  }

  /** A newer snapshot; handshakes under way go on with it. */
  update(snapshot: AuthSnapshot): void {
    this.#auth.state = stateOf(snapshot);
  }

  client(peerType: number): AuthClient {
    return this.#auth.client(peerType);
  }

  server(peerType: number): AuthServer {
    return this.#auth.server(peerType);
  }
}
