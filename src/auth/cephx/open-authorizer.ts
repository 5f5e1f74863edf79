/** Opens and checks what a ticket's holder shows: to a daemon when it connects, to a monitor for more tickets. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Decoder } from '../../wire/decoder.ts';
import { entityTypeName } from '../../wire/entity-name.ts';
import { utimeToMs } from '../../wire/utime.ts';
import { type TicketInfo, unsealTicketInfo } from './auth-ticket.ts';
import { type Authorize, type AuthorizerHead, decodeAuthorize, decodeAuthorizerHead } from './authorizer.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { TicketBlob } from './ticket-blob.ts';

/** The secrets that a service's tickets are sealed with. */
export interface ServiceSecrets {
  /** Undefined for a secret that is not held: not yet, not any more, or of another service or cluster. */
  serviceSecret(service: number, secretId: bigint): CryptoKey | undefined;
}

export interface OpenedAuthorizer extends TicketInfo {
  readonly head: AuthorizerHead;
  readonly authorize: Authorize;
}

/** `now`: wall clock in ms. @throws MsgrError ERR_MSGR_AUTH or ERR_MSGR_MALFORMED */
export function openAuthorizer(decoder: Decoder, secrets: ServiceSecrets, now: number): OpenedAuthorizer {
  const head = decodeAuthorizerHead(decoder);
  const info = openTicket(head.service, head.ticket, secrets, now);
  if (info.ticket.globalId !== head.globalId) {
    throw new MsgrError(
      ErrorCode.Auth,
      `the authorizer claims global id ${head.globalId}, and its ticket is for ${info.ticket.globalId}`,
    );
  }
  return { head, ...info, authorize: decodeAuthorize(decoder, info.sessionKey) };
}

/** @throws MsgrError ERR_MSGR_AUTH or ERR_MSGR_MALFORMED */
export function openTicket(
  service: number,
  { secretId, blob }: TicketBlob,
  secrets: ServiceSecrets,
  now: number,
): TicketInfo {
  const secret = secrets.serviceSecret(service, secretId);
  if (secret === undefined) {
    throw new MsgrError(
      ErrorCode.Auth,
      `no secret ${secretId} of service ${entityTypeName(service)} is held for the ticket`,
    );
  }
  const info = unsealTicketInfo(secret, blob);
  if (utimeToMs(info.ticket.expires) <= now) {
    throw new MsgrError(ErrorCode.Auth, `the ticket of ${info.ticket.name} has run out; compare the clocks`);
  }
  return info;
}
