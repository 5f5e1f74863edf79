/** Checks the proof that a client gives to a monitor, and answers it with tickets. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import { type EntityAuthName, EntityType } from '../../wire/entity-name.ts';
import { Errno } from '../errno.ts';
import { type Authenticate, challengeProof, decodeAuthenticate } from './challenge.ts';
import { CryptoKey } from './crypto-key.ts';
import { KeyType } from './key-type.ts';
import { KeyUsage } from './key-usage.ts';
import type { MonAuthContext } from './mon-auth.ts';
import { openTicket } from './open-authorizer.ts';
import { encodeResponseHeader, RequestType } from './request.ts';
import { seal } from './sealed.ts';
import { encodeTicketGrants } from './ticket-grant.ts';
import { equalU64 } from './u64.ts';

/** Who a client says it is, and what it was challenged with. */
export interface Claim {
  readonly name: EntityAuthName;
  /** 0: it wants a new one. */
  readonly globalId: bigint;
  readonly serverChallenge: bigint;
}

export interface ProvenClaim {
  readonly globalId: bigint;
  /** What it may do at monitors. */
  readonly caps: string;
  /** Of the AUTH ticket. */
  readonly sessionKey: CryptoKey;
  /** The answer: header, tickets, connection secret. */
  readonly payload: Buffer;
}

/** Stands in for the key of who is not known, so that the check takes as long. */
const nobodysKey = CryptoKey.generate(KeyType.Aes);

/** `connectionSecret`: empty in crc mode and inside a session. @throws MsgrError ERR_MSGR_AUTH or ERR_MSGR_MALFORMED */
export function answerProof(
  context: MonAuthContext,
  claim: Claim,
  decoder: Decoder,
  connectionSecret: Uint8Array,
): ProvenClaim {
  const request = decodeAuthenticate(decoder);
  const { keys, ciphers, tickets } = context;
  const auth = keys.entity(claim.name);
  const expected = challengeProof(auth?.key ?? nobodysKey, claim.serverChallenge, request.clientChallenge);
  if (!equalU64(request.proof, expected) || auth === undefined) {
    throw new MsgrError(
      ErrorCode.Auth,
      auth === undefined ? `${claim.name} is not known` : `the proof of ${claim.name} is of another key`,
    );
  }
  ciphers.require(auth.key, `the key of ${claim.name}`);
  const oldSessionKey = checkOldTicket(context, claim, request);
  const caps = auth.caps.get('mon');
  if (caps === undefined || caps === '') {
    throw new MsgrError(ErrorCode.Auth, `${claim.name} has no caps for monitors`);
  }
  const globalId = claim.globalId === 0n ? context.assignGlobalId() : claim.globalId;
  const holder = { name: claim.name, globalId, auth };
  const grant = tickets.make(EntityType.Auth, holder)!;
  const { sessionKey } = grant;
  const payload = encodeWith((encoder) => {
    encodeResponseHeader(encoder, { type: RequestType.AuthSessionKey, status: 0 });
    encodeTicketGrants(encoder, [grant], auth.key, oldSessionKey);
    if (request.otherKeys === 0) return;
    encoder.buffer(sealConnectionSecret(sessionKey, connectionSecret));
    const others = tickets.makeAll(request.otherKeys, holder);
    encoder.buffer(
      others.length === 0
        ? new Uint8Array(0)
        : encodeWith((inner) => encodeTicketGrants(inner, others, sessionKey)),
    );
  });
  return { globalId, caps, sessionKey, payload };
}

function sealConnectionSecret(sessionKey: CryptoKey, secret: Uint8Array): Buffer {
  return encodeWith((encoder) =>
    encoder.buffer(seal(sessionKey, KeyUsage.AuthConnectionSecret, (inner) => inner.buffer(secret))),
  );
}

/**
 * The session key of the ticket that is shown. Who wants a new global id shows none; who has one must show
 * the ticket that it came with.
 */
function checkOldTicket(
  { keys, options, now }: MonAuthContext,
  { name, globalId }: Claim,
  { oldTicket, version }: Authenticate,
): CryptoKey | undefined {
  const isShown = oldTicket.blob.byteLength > 0;
  if (globalId === 0n) {
    if (!isShown) return undefined;
    throw new MsgrError(ErrorCode.Auth, 'a ticket is shown for a global id that is not asked for', {
      errno: Errno.EINVAL,
    });
  }
  if (!isShown) {
    // Clients before version 3 come back without it.
    if (options.auth_allow_insecure_global_id_reclaim && version < 3) return undefined;
    throw new MsgrError(ErrorCode.Auth, `${name} asks for global id ${globalId} without its ticket`);
  }
  const { ticket, sessionKey } = openTicket(EntityType.Auth, oldTicket, keys, now());
  if (ticket.globalId !== globalId || !ticket.name.equals(name)) {
    throw new MsgrError(
      ErrorCode.Auth,
      `${name} asks for global id ${globalId} with the ticket of ${ticket.name}, ${ticket.globalId}`,
    );
  }
  return sessionKey;
}
