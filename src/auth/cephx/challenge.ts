/**
 * How an entity proves to a monitor that it has its key: the monitor sends a random number, the client
 * adds one of its own and answers with a digest of both under its key.
 */
import type { Decoder } from '../../wire/decoder.ts';
import { type Encoder, encodeWith } from '../../wire/encoder.ts';
import type { CryptoKey } from './crypto-key.ts';
import { KeyType } from './key-type.ts';
import { sealedPlain, structVersion } from './sealed.ts';
import { decodeTicketBlob, encodeTicketBlob, type TicketBlob } from './ticket-blob.ts';

/** `CephXServerChallenge`: u8 1, u64. */
export function encodeServerChallenge(encoder: Encoder, challenge: bigint): void {
  encoder.u8(1).u64(challenge);
}

export function decodeServerChallenge(decoder: Decoder): bigint {
  structVersion(decoder);
  return decoder.u64('serverChallenge');
}

/** `CephXAuthenticate`: the answer. */
export interface Authenticate {
  readonly clientChallenge: bigint;
  /** {@link challengeProof} */
  readonly proof: bigint;
  /** The AUTH ticket held so far; empty at first. Who wants its global id back must show it. */
  readonly oldTicket: TicketBlob;
  /** `EntityType` bits of the services that tickets are wanted for; 0 from clients before Nautilus. */
  readonly otherKeys: number;
  /** Clients before version 3 may leave the old ticket out when they come back. */
  readonly version: number;
}

const authenticateVersion = 3;

export function encodeAuthenticate(encoder: Encoder, value: Omit<Authenticate, 'version'>): void {
  encoder.u8(authenticateVersion).u64(value.clientChallenge).u64(value.proof);
  encodeTicketBlob(encoder, value.oldTicket);
  encoder.u32(value.otherKeys);
}

export function decodeAuthenticate(decoder: Decoder): Authenticate {
  const version = structVersion(decoder);
  return {
    version,
    clientChallenge: decoder.u64('clientChallenge'),
    proof: decoder.u64('proof'),
    oldTicket: decodeTicketBlob(decoder, 'oldTicket'),
    otherKeys: version >= 2 ? decoder.u32('otherKeys') : 0,
  };
}

/**
 * The exclusive or of the whole 64-bit words of a digest of both challenges. For keys of type aes the digest
 * is their ciphertext with its length before it; for others, whose ciphertexts are random, their HMAC-SHA256.
 */
export function challengeProof(key: CryptoKey, serverChallenge: bigint, clientChallenge: bigint): bigint {
  const write = (encoder: Encoder): void => void encoder.u64(serverChallenge).u64(clientChallenge);
  const digest =
    key.type === KeyType.Aes
      ? encodeWith((encoder) => encoder.buffer(key.encrypt(sealedPlain(write), 0)))
      : key.hmacSha256(encodeWith(write));
  let folded = 0n;
  for (let at = 0; at + 8 <= digest.byteLength; at += 8) folded ^= digest.readBigUInt64LE(at);
  return folded;
}
