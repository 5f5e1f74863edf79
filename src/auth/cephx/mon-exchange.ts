/**
 * The proof that a client gives to a monitor and the tickets it gets for it: the second round of the
 * handshake, and the same once more inside a session when the AUTH ticket is renewed.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import { EntityType } from '../../wire/entity-name.ts';
import { errnoText } from '../errno.ts';
import { challengeProof, encodeAuthenticate } from './challenge.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { HeldTicket } from './held-ticket.ts';
import { KeyUsage } from './key-usage.ts';
import { type RandomBytes, randomU64 } from './random.ts';
import { decodeResponseHeader, RequestType } from './request.ts';
import { unsealField } from './sealed.ts';
import { emptyTicketBlob } from './ticket-blob.ts';
import { decodeTicketGrants, type TicketGrant } from './ticket-grant.ts';

export interface ProofRequest {
  readonly key: CryptoKey;
  readonly serverChallenge: bigint;
  /** The AUTH ticket held so far. */
  readonly oldTicket: HeldTicket | undefined;
  /** `EntityType` bits of the services that tickets are wanted for. */
  readonly otherKeys: number;
  readonly random: RandomBytes;
}

export function encodeProofRequest(request: ProofRequest): Buffer {
  const { key, serverChallenge, oldTicket, otherKeys, random } = request;
  const clientChallenge = randomU64(random);
  return encodeWith((encoder) => {
    encoder.u16(RequestType.AuthSessionKey);
    encodeAuthenticate(encoder, {
      clientChallenge,
      proof: challengeProof(key, serverChallenge, clientChallenge),
      oldTicket: oldTicket?.ticket ?? emptyTicketBlob,
      otherKeys,
    });
  });
}

export interface ProofAnswer {
  readonly auth: TicketGrant;
  /** Tickets for the services that were asked for. */
  readonly others: readonly TicketGrant[];
  /** Empty in crc mode, and inside a session. */
  readonly connectionSecret: Uint8Array;
}

/** @throws MsgrError ERR_MSGR_AUTH or ERR_MSGR_MALFORMED */
export function decodeProofAnswer(
  payload: Uint8Array,
  key: CryptoKey,
  oldTicket: HeldTicket | undefined,
): ProofAnswer {
  const decoder = new Decoder(payload, 'authAnswer');
  checkResponse(decoder, RequestType.AuthSessionKey);
  const [auth, ...more] = decodeTicketGrants(decoder, key, () => oldTicket?.sessionKey);
  if (auth?.service !== EntityType.Auth || more.length > 0) {
    throw new MsgrError(ErrorCode.Auth, 'the monitor answers with other tickets than the one for itself');
  }
  const { sessionKey } = auth;
  // Monitors before Nautilus send no more.
  const sealedSecret = decoder.remaining === 0 ? new Uint8Array(0) : decoder.buffer('connectionSecret');
  const others = decoder.remaining === 0 ? new Uint8Array(0) : decoder.buffer('extraTickets');
  return {
    auth,
    others:
      others.byteLength === 0 ? [] : decodeTicketGrants(new Decoder(others, 'extraTickets'), sessionKey),
    connectionSecret: openConnectionSecret(sealedSecret, sessionKey),
  };
}

function openConnectionSecret(bytes: Uint8Array, sessionKey: CryptoKey): Uint8Array {
  if (bytes.byteLength === 0) return bytes;
  return unsealField(
    new Decoder(bytes, 'authAnswer'),
    'connectionSecret',
    sessionKey,
    KeyUsage.AuthConnectionSecret,
    (inner) => inner.buffer('secret'),
  );
}

/** @throws MsgrError ERR_MSGR_AUTH when the answer is to another request, or a refusal. */
export function checkResponse(decoder: Decoder, type: RequestType): void {
  const header = decodeResponseHeader(decoder);
  if (header.type !== type) {
    throw new MsgrError(
      ErrorCode.Auth,
      `the monitor answers request 0x${header.type.toString(16)}, which was not made`,
    );
  }
  if (header.status !== 0) {
    throw new MsgrError(ErrorCode.Auth, `the monitor refuses with ${errnoText(header.status)}`, {
      errno: Math.abs(header.status),
    });
  }
}
