/** Clients that show an OSD whatever ticket a test gives them, and what the OSD says of that on its own side. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { AuthProvider } from '../../src/auth/auth.ts';
import { CephxAuthorizerClient } from '../../src/auth/cephx/authorizer-client.ts';
import { CryptoKey } from '../../src/auth/cephx/crypto-key.ts';
import type { HeldTicket } from '../../src/auth/cephx/held-ticket.ts';
import { systemRandomBytes } from '../../src/auth/cephx/random.ts';
import type { CephxSession } from '../../src/auth/cephx/session.ts';
import { connectionModes } from '../../src/auth/connection-modes.ts';
import type { MsgrError } from '../../src/errors.ts';
import type { Connection, ConnectionState } from '../../src/messenger/connection.ts';
import type { AcceptFailedEvent } from '../../src/messenger/diagnostics.ts';
import type { Messenger } from '../../src/messenger/messenger.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { resolveOptions } from '../../src/options.ts';
import type { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityType } from '../../src/wire/entity-name.ts';
import { Messengers, type TestTransport } from './messengers.ts';
import { withTimeout } from './timeout.ts';

/** What a client has to show, and to prove that it may. */
export interface Shown {
  readonly globalId: bigint;
  readonly ticket: HeldTicket;
}

/** The ticket that a session holds for a service. */
export function shownTicket(session: CephxSession, service: number): Shown {
  const { globalId, tickets } = session.snapshot();
  const held = tickets.find((ticket) => ticket.service === service);
  if (held === undefined) throw new Error(`no ticket for service ${service} is held`);
  const { type, created, secret } = held.sessionKey;
  const { blob, expires, renewAfter, secretId } = held;
  const sessionKey = new CryptoKey(type, created, secret);
  return { globalId, ticket: { service, sessionKey, ticket: { secretId, blob }, expires, renewAfter } };
}

export function withBlob({ globalId, ticket }: Shown, blob: Uint8Array): Shown {
  return { globalId, ticket: { ...ticket, ticket: { ...ticket.ticket, blob } } };
}

/** One bit of the blob changed. */
export function withFlippedBit(shown: Shown, bit: number): Shown {
  const blob = Buffer.from(shown.ticket.ticket.blob);
  blob[bit >> 3]! ^= 1 << (bit & 7);
  return withBlob(shown, blob);
}

/** The connector's side of one attempt, in the modes that a client has by default. */
export function authorizerClient(shown: Shown): CephxAuthorizerClient {
  return new CephxAuthorizerClient({
    service: shown.ticket.service,
    modes: connectionModes(resolveOptions(), EntityType.Client, EntityType.Osd),
    random: systemRandomBytes,
    credentials: () => shown,
    onRefused: () => {},
  });
}

/** Connects once with that ticket. Resolves with the refusal, or undefined when it was let in. */
export async function showTicket(
  transport: TestTransport,
  target: EntityAddr,
  shown: Shown,
): Promise<MsgrError | undefined> {
  await using all = new Messengers(transport);
  const auth: AuthProvider = {
    client: () => authorizerClient(shown),
    server: () => {
      throw new Error('a client accepts nobody');
    },
  };
  const { messenger } = all.client({ name: 'client.4711', auth });
  messenger.setDefaultPolicy(Policy.lossyClient());
  const connection = messenger.getConnection(target, { peerType: EntityType.Osd });
  // Awaited: the messenger must live until then.
  return await withTimeout(firstOutcome(connection), 20_000, `an answer of ${target}`);
}

/** How the first attempt of a connection ends. */
function firstOutcome(connection: Connection): Promise<MsgrError | undefined> {
  return new Promise((resolve) => {
    connection.on('state', (state: ConnectionState, cause) => {
      if (state === 'open') resolve(undefined);
      else if (state !== 'connecting') resolve(cause);
    });
  });
}

/** Why messengers refused whom they refused, in the order in which it happened. */
export class AcceptFailures implements Disposable {
  readonly #messenger: Messenger;
  readonly #errors: MsgrError[] = [];
  #wake: (() => void) | undefined;

  constructor(messenger: Messenger) {
    this.#messenger = messenger;
    subscribe('msgr2:accept:failed', this.#onFailed);
  }

  readonly #onFailed = (event: unknown): void => {
    const { error, messenger } = event as AcceptFailedEvent;
    if (messenger !== this.#messenger) return;
    this.#errors.push(error);
    this.#wake?.();
  };

  /** The next one that was not asked for yet. */
  async next(): Promise<MsgrError> {
    const isThere = new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#errors.length > 0) resolve();
    });
    await withTimeout(isThere, 20_000, `${this.#messenger.label} to refuse somebody`);
    return this.#errors.shift()!;
  }

  /** Refusals that nobody asked for. */
  get left(): number {
    return this.#errors.length;
  }

  [Symbol.dispose](): void {
    unsubscribe('msgr2:accept:failed', this.#onFailed);
  }
}
