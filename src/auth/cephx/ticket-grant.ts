/**
 * What a monitor answers to who may have tickets: for each, the session key under the holder's key, and the
 * ticket itself.
 *
 *      u8 1, u32 count, then for each ticket
 *        u32 service, u8 1
 *        enc(u8 1, CryptoKey session key, utime validity)        under the holder's key
 *        u8 encrypted
 *          0: bufferlist(CephXTicketBlob)
 *          1: enc(bufferlist(CephXTicketBlob))                   under the session key that it replaces
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { type Encoder, encodeWith } from '../../wire/encoder.ts';
import { entityTypeName } from '../../wire/entity-name.ts';
import { decodeUtime, encodeUtime, type Utime } from '../../wire/utime.ts';
import { type CryptoKey, decodeCryptoKey, encodeCryptoKey } from './crypto-key.ts';
import { KeyUsage } from './key-usage.ts';
import { seal, structVersion, unsealField } from './sealed.ts';
import { copyTicketBlob, decodeTicketBlob, encodeTicketBlob, type TicketBlob } from './ticket-blob.ts';

/** One ticket with what its holder needs to use it. */
export interface TicketGrant {
  /** `EntityType` of the service. */
  readonly service: number;
  readonly sessionKey: CryptoKey;
  readonly ticket: TicketBlob;
  /** How long it is good from now on. */
  readonly validity: Utime;
}

/** Service, version, two lengths and the flag. */
const grantBytesMin = 4 + 1 + 4 + 1 + 4;

/** `oldSessionKey` hides the tickets from who listens; given when the holder showed the ticket it replaces. */
export function encodeTicketGrants(
  encoder: Encoder,
  grants: readonly TicketGrant[],
  holderKey: CryptoKey,
  oldSessionKey?: CryptoKey,
): void {
  encoder.u8(1);
  encoder.list(grants, ({ service, sessionKey, ticket, validity }) => {
    encoder.u32(service).u8(1);
    const forHolder = seal(holderKey, KeyUsage.TicketSessionKey, (inner) => {
      inner.u8(1);
      encodeCryptoKey(inner, sessionKey);
      encodeUtime(inner, validity);
    });
    encoder.buffer(forHolder);
    const blob = encodeWith((inner) => encodeTicketBlob(inner, ticket));
    encoder.bool(oldSessionKey !== undefined);
    if (oldSessionKey === undefined) encoder.buffer(blob);
    else encoder.buffer(seal(oldSessionKey, KeyUsage.TicketBlob, (inner) => inner.buffer(blob)));
  });
}

/**
 * `oldSessionKey`: the session key of the ticket of that service which the holder showed, if it showed one.
 * @throws MsgrError ERR_MSGR_AUTH when they are sealed with another key, ERR_MSGR_MALFORMED
 */
export function decodeTicketGrants(
  decoder: Decoder,
  holderKey: CryptoKey,
  oldSessionKey: (service: number) => CryptoKey | undefined = () => undefined,
): TicketGrant[] {
  structVersion(decoder);
  return decoder.list('tickets', grantBytesMin, () => {
    const service = decoder.u32('service');
    structVersion(decoder);
    const held = unsealField(decoder, 'sessionKey', holderKey, KeyUsage.TicketSessionKey, decodeHolderPart);
    const ticket = decoder.bool('encrypted')
      ? unsealField(
          decoder,
          'ticket',
          requireKey(oldSessionKey(service), service),
          KeyUsage.TicketBlob,
          (d) => d.buffer('blob'),
        )
      : decoder.buffer('ticket');
    return { service, ...held, ticket: copyTicketBlob(decodeTicketBlob(new Decoder(ticket), 'ticket')) };
  });
}

function decodeHolderPart(decoder: Decoder): { sessionKey: CryptoKey; validity: Utime } {
  structVersion(decoder);
  return { sessionKey: decodeCryptoKey(decoder, 'sessionKey'), validity: decodeUtime(decoder, 'validity') };
}

function requireKey(key: CryptoKey | undefined, service: number): CryptoKey {
  if (key !== undefined) return key;
  throw new MsgrError(
    ErrorCode.Auth,
    `the monitor encrypted the ticket for ${entityTypeName(service)} as if an older one had been shown`,
  );
}
