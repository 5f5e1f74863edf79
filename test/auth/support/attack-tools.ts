/** What an attacker makes of a ticket: authorizers of every kind. */
import * as assert from 'uvu/assert';
import { AuthMethod, ConnectionMode } from '../../../src/auth/auth.ts';
import { encodeAuthorize, encodeAuthorizerHead } from '../../../src/auth/cephx/authorizer.ts';
import { CryptoKey } from '../../../src/auth/cephx/crypto-key.ts';
import type { HeldTicket } from '../../../src/auth/cephx/held-ticket.ts';
import type { CephxSession } from '../../../src/auth/cephx/session.ts';
import { Errno } from '../../../src/auth/errno.ts';
import { encodeWith } from '../../../src/wire/encoder.ts';
import { expectReply } from '../support/cephx-world.ts';

const modes = [ConnectionMode.Secure, ConnectionMode.Crc];

/** The ticket that a session holds, with what its holder can do with it. */
export function ticketOf(session: CephxSession, service: number): HeldTicket {
  const held = session.snapshot().tickets.find((ticket) => ticket.service === service)!;
  const { type, created, secret } = held.sessionKey;
  return {
    service,
    sessionKey: new CryptoKey(type, created, secret),
    ticket: { secretId: held.secretId, blob: held.blob },
    expires: held.expires,
    renewAfter: held.renewAfter,
  };
}

export interface AuthorizerParts {
  readonly globalId: bigint;
  readonly service?: number;
  readonly ticket: HeldTicket;
  readonly challengePlusOne?: bigint;
  readonly mode?: number;
}

export function authorizer({
  globalId,
  service,
  ticket,
  challengePlusOne,
  mode = 1,
}: AuthorizerParts): Buffer {
  return encodeWith((encoder) => {
    encoder.u8(mode);
    encodeAuthorizerHead(encoder, { globalId, service: service ?? ticket.service, ticket: ticket.ticket });
    encodeAuthorize(encoder, ticket.sessionKey, { nonce: 1n, challengePlusOne });
  });
}

export const request = (payload: Uint8Array) => ({
  method: AuthMethod.Cephx,
  preferredModes: modes,
  payload,
});

/** The acceptor refuses with EACCES and can say why. */
export function refusesRequest(
  server: ReturnType<CephxSession['server']>,
  payload: Uint8Array,
  why: RegExp,
): void {
  const reply = expectReply(server.handleRequest(request(payload)), 'refused');
  assert.is(reply.result, -Errno.EACCES);
  assert.equal(reply.allowedMethods, [AuthMethod.Cephx]);
  assert.match(server.refusal!.message, why);
}
