/**
 * What is inside a ticket, for the service alone: who its holder is, what it may do, until when, and the
 * session key that the holder has as well. Sealed under one of the service's rotating secrets.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { type Encoder, encodeWith } from '../../wire/encoder.ts';
import { decodeEntityAuthName, type EntityAuthName, encodeEntityAuthName } from '../../wire/entity-name.ts';
import { decodeUtime, encodeUtime, type Utime, utimeCompare } from '../../wire/utime.ts';
import { type CryptoKey, decodeCryptoKey, encodeCryptoKey } from './crypto-key.ts';
import { KeyUsage } from './key-usage.ts';
import { seal, structVersion, unseal } from './sealed.ts';

/** `AuthTicket`. */
export interface AuthTicket {
  readonly name: EntityAuthName;
  readonly globalId: bigint;
  readonly created: Utime;
  readonly expires: Utime;
  /** What the holder may do at this service, in Ceph's words: `allow *`; undefined when nothing is said. */
  readonly caps: string | undefined;
}

/** `CephXServiceTicketInfo`. */
export interface TicketInfo {
  readonly ticket: AuthTicket;
  readonly sessionKey: CryptoKey;
}

const ticketInfoVersion = 1;
const authTicketVersion = 2;
const capsInfoVersion = 1;
/** `CEPH_AUTH_UID_DEFAULT`: the only value there is. */
const auidDefault = 0xffff_ffff_ffff_ffffn;

export function sealTicketInfo(serviceSecret: CryptoKey, info: TicketInfo): Buffer {
  return seal(serviceSecret, KeyUsage.TicketInfo, (encoder) => encodeTicketInfo(encoder, info));
}

/**
 * Opens a ticket's blob and checks that its fields can be true.
 * @throws MsgrError ERR_MSGR_AUTH or ERR_MSGR_MALFORMED
 */
export function unsealTicketInfo(serviceSecret: CryptoKey, blob: Uint8Array): TicketInfo {
  const info = unseal(serviceSecret, KeyUsage.TicketInfo, blob, 'ticket', decodeTicketInfo);
  checkPlausible(info);
  return info;
}

export function encodeTicketInfo(encoder: Encoder, { ticket, sessionKey }: TicketInfo): void {
  encoder.u8(ticketInfoVersion).u8(authTicketVersion);
  encodeEntityAuthName(encoder, ticket.name);
  encoder.u64(ticket.globalId).u64(auidDefault);
  encodeUtime(encoder, ticket.created);
  encodeUtime(encoder, ticket.expires);
  encoder.u8(capsInfoVersion).bool(false);
  const { caps } = ticket;
  encoder.buffer(caps === undefined ? new Uint8Array(0) : encodeWith((inner) => inner.string(caps)));
  encoder.u32(0);
  encodeCryptoKey(encoder, sessionKey);
}

export function decodeTicketInfo(decoder: Decoder): TicketInfo {
  const version = structVersion(decoder);
  const ticket = decodeAuthTicket(decoder);
  const sessionKey = decodeCryptoKey(decoder, 'sessionKey');
  // Nothing may hide behind the fields of a version that is known.
  if (version === ticketInfoVersion) decoder.finish();
  return { ticket, sessionKey };
}

function decodeAuthTicket(decoder: Decoder): AuthTicket {
  structVersion(decoder);
  const name = decodeEntityAuthName(decoder, 'name');
  const globalId = decoder.u64('globalId');
  const auidAt = decoder.position;
  if (decoder.u64('auid') !== auidDefault) decoder.fail('auid', 'no monitor makes such a ticket', auidAt);
  const created = decodeUtime(decoder, 'created');
  const expires = decodeUtime(decoder, 'expires');
  structVersion(decoder);
  // Never set by a monitor, and one changed bit away for who can alter a ticket of key type aes.
  if (decoder.bool('allowAll')) decoder.fail('allowAll', 'no monitor makes such a ticket');
  const caps = decodeCaps(decoder.buffer('caps'));
  decoder.u32('flags');
  return { name, globalId, created, expires, caps };
}

/** An encoded string, or nothing at all. */
function decodeCaps(bytes: Buffer): string | undefined {
  if (bytes.byteLength === 0) return undefined;
  const decoder = new Decoder(bytes, 'caps');
  const caps = decoder.string('text');
  // A shortened text would take restrictions away: `allow rwx pool=x` without its end.
  decoder.finish();
  return caps;
}

/** A session key is made together with its ticket, in this order; monitors take far less than this. */
const sessionKeyDelayMaxSeconds = 300;
const nanosecondsMax = 1_000_000_000;

/**
 * Key type aes has no integrity: an altered block shows as random bytes in some field. The names and
 * times of a ticket are checked against each other, so that most such tickets are found out; Ceph does the
 * same from 19.2.6 on.
 */
function checkPlausible({ ticket, sessionKey }: TicketInfo): void {
  const { created, expires } = ticket;
  const keyDelay = sessionKey.created.sec - created.sec;
  if (
    created.nsec > nanosecondsMax ||
    expires.nsec > nanosecondsMax ||
    utimeCompare(created, expires) >= 0 ||
    utimeCompare(sessionKey.created, created) < 0 ||
    keyDelay > sessionKeyDelayMaxSeconds
  ) {
    throw new MsgrError(ErrorCode.Auth, 'a ticket whose times contradict each other: it was altered');
  }
}
