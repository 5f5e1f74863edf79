/**
 * An authorizer: how the holder of a ticket proves to a service that it is the holder, and the service that
 * it can open the ticket.
 *
 *      client                                         service
 *      ticket, {nonce} ─────────────────────────►
 *                     ◄─────────────────────────  {challenge}
 *      ticket, {nonce, challenge + 1} ───────────►
 *                     ◄─────────────────────────  {nonce + 1, connection secret}
 *
 * All in braces is sealed under the ticket's session key. Without the challenge a recorded authorizer could
 * be played again (CVE-2018-1128).
 */
import type { Decoder } from '../../wire/decoder.ts';
import { type Encoder, encodeWith } from '../../wire/encoder.ts';
import type { CryptoKey } from './crypto-key.ts';
import { KeyUsage } from './key-usage.ts';
import { seal, structVersion, unseal, unsealField } from './sealed.ts';
import { decodeTicketBlob, encodeTicketBlob, type TicketBlob } from './ticket-blob.ts';

/** The part in the clear. Its first byte is the mode of an auth payload, the caller's to write and read. */
export interface AuthorizerHead {
  readonly globalId: bigint;
  /** `EntityType` of the service that the ticket is for. */
  readonly service: number;
  readonly ticket: TicketBlob;
}

/** `CephXAuthorize`. */
export interface Authorize {
  readonly nonce: bigint;
  /** The service's challenge plus one; undefined before it sent one. */
  readonly challengePlusOne: bigint | undefined;
}

/** `CephXAuthorizeReply`. */
export interface AuthorizeReply {
  readonly noncePlusOne: bigint;
  /** Empty in crc mode. */
  readonly connectionSecret: Uint8Array;
}

export function encodeAuthorizerHead(encoder: Encoder, head: AuthorizerHead): void {
  encoder.u64(head.globalId).u32(head.service);
  encodeTicketBlob(encoder, head.ticket);
}

export function decodeAuthorizerHead(decoder: Decoder): AuthorizerHead {
  return {
    globalId: decoder.u64('globalId'),
    service: decoder.u32('service'),
    ticket: decodeTicketBlob(decoder, 'ticket'),
  };
}

/** Follows the head. */
export function encodeAuthorize(encoder: Encoder, sessionKey: CryptoKey, value: Authorize): void {
  const sealed = seal(sessionKey, KeyUsage.Authorize, (inner) => {
    inner.u8(2).u64(value.nonce);
    inner.bool(value.challengePlusOne !== undefined).u64(value.challengePlusOne ?? 0n);
  });
  encoder.buffer(sealed);
}

export function decodeAuthorize(decoder: Decoder, sessionKey: CryptoKey): Authorize {
  return unsealField(decoder, 'authorize', sessionKey, KeyUsage.Authorize, (inner) => {
    const version = structVersion(inner);
    const nonce = inner.u64('nonce');
    if (version < 2) return { nonce, challengePlusOne: undefined };
    const hasChallenge = inner.bool('hasChallenge');
    const challengePlusOne = inner.u64('challengePlusOne');
    return { nonce, challengePlusOne: hasChallenge ? challengePlusOne : undefined };
  });
}

/** AUTH_REPLY_MORE's payload: the ciphertext alone. */
export function sealAuthorizeChallenge(sessionKey: CryptoKey, challenge: bigint): Buffer {
  return seal(sessionKey, KeyUsage.AuthorizeChallenge, (inner) => void inner.u8(1).u64(challenge));
}

export function unsealAuthorizeChallenge(sessionKey: CryptoKey, payload: Uint8Array): bigint {
  return unseal(sessionKey, KeyUsage.AuthorizeChallenge, payload, 'authorizeChallenge', (inner) => {
    structVersion(inner);
    return inner.u64('serverChallenge');
  });
}

/** AUTH_DONE's payload. */
export function encodeAuthorizeReply(sessionKey: CryptoKey, reply: AuthorizeReply): Buffer {
  const hasSecret = reply.connectionSecret.byteLength > 0;
  const sealed = seal(sessionKey, KeyUsage.AuthorizeReply, (inner) => {
    inner.u8(hasSecret ? 2 : 1).u64(reply.noncePlusOne);
    if (hasSecret) inner.buffer(reply.connectionSecret);
  });
  return encodeWith((encoder) => encoder.buffer(sealed));
}

export function decodeAuthorizeReply(decoder: Decoder, sessionKey: CryptoKey): AuthorizeReply {
  return unsealField(decoder, 'authorizeReply', sessionKey, KeyUsage.AuthorizeReply, (inner) => {
    const version = structVersion(inner);
    const noncePlusOne = inner.u64('noncePlusOne');
    const connectionSecret = version >= 2 ? inner.buffer('connectionSecret') : new Uint8Array(0);
    return { noncePlusOne, connectionSecret };
  });
}
