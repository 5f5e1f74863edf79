/** A ticket in its holder's hands. Times are the holder's wall clock in milliseconds. */
import { utimeToMs } from '../../wire/utime.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { TicketBlob } from './ticket-blob.ts';
import type { TicketGrant } from './ticket-grant.ts';

export interface HeldTicket {
  /** `EntityType` of the service. */
  readonly service: number;
  readonly sessionKey: CryptoKey;
  readonly ticket: TicketBlob;
  readonly expires: number;
  /** When a quarter of its time is left. */
  readonly renewAfter: number;
}

export function holdTicket(grant: TicketGrant, now: number): HeldTicket {
  const validity = utimeToMs(grant.validity);
  const expires = now + validity;
  const { service, sessionKey, ticket } = grant;
  return { service, sessionKey, ticket, expires, renewAfter: expires - validity / 4 };
}
