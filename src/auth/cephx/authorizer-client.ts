/** The connector's side towards a daemon that is no monitor, for one attempt; drawn in authorizer.ts. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import { EntityType, entityTypeName } from '../../wire/entity-name.ts';
import type { AuthBadMethod } from '../../wire/frames/auth-bad-method.ts';
import type { AuthRequest } from '../../wire/frames/auth-request.ts';
import {
  type AuthClient,
  AuthMethod,
  type AuthOutcome,
  type ConnectionMode,
  outcomeWithKeys,
} from '../auth.ts';
import { Errno, errnoText } from '../errno.ts';
import { PayloadMode } from '../payload-mode.ts';
import { checkMode, refusedMethod } from './agreement.ts';
import {
  decodeAuthorizeReply,
  encodeAuthorize,
  encodeAuthorizerHead,
  unsealAuthorizeChallenge,
} from './authorizer.ts';
import type { HeldTicket } from './held-ticket.ts';
import { type RandomBytes, randomU64 } from './random.ts';
import { equalU64, plusOne } from './u64.ts';

export interface AuthorizerClientInit {
  /** `EntityType` of the peer. */
  readonly service: number;
  readonly modes: readonly ConnectionMode[];
  readonly random: RandomBytes;
  /** Asked when the handshake gets there; undefined while there is no ticket that is still good. */
  readonly credentials: () => { readonly globalId: bigint; readonly ticket: HeldTicket } | undefined;
  /** The service does not take the ticket. */
  readonly onRefused: (ticket: HeldTicket) => void;
}

export class CephxAuthorizerClient implements AuthClient {
  readonly #init: AuthorizerClientInit;
  readonly #nonce: bigint;
  #held: { readonly globalId: bigint; readonly ticket: HeldTicket } | undefined;
  #wasChallenged = false;

  constructor(init: AuthorizerClientInit) {
    this.#init = init;
    this.#nonce = randomU64(init.random);
  }

  start(): AuthRequest {
    const { credentials, modes, service } = this.#init;
    if (service === EntityType.Any) {
      throw new MsgrError(
        ErrorCode.InvalidArgument,
        'cephx needs to know what kind of peer is dialled: connect with its peerType',
      );
    }
    this.#held = credentials();
    if (this.#held === undefined) {
      throw new MsgrError(
        ErrorCode.Auth,
        `no ticket for ${entityTypeName(service)} is held: the monitor has not given one, or it has run out`,
      );
    }
    return { method: AuthMethod.Cephx, preferredModes: [...modes], payload: this.#authorizer(undefined) };
  }

  handleBadMethod(refusal: AuthBadMethod): AuthRequest {
    const errno = Math.abs(refusal.result);
    if (errno !== Errno.EACCES && errno !== Errno.EPERM) throw refusedMethod(refusal, this.#init.modes);
    const { ticket } = this.#started();
    this.#init.onRefused(ticket);
    throw new MsgrError(
      ErrorCode.Auth,
      `the ${entityTypeName(ticket.service)} refuses the ticket with ${errnoText(errno)}: it is of another ` +
        'cluster, or of somebody else than who we say we are, or the daemon has no secret for it (yet, or any ' +
        'more); compare the clocks',
      { errno },
    );
  }

  handleReplyMore(payload: Uint8Array): Uint8Array {
    const { ticket } = this.#started();
    if (this.#wasChallenged) throw new MsgrError(ErrorCode.Auth, 'the peer sends a second challenge');
    this.#wasChallenged = true;
    return this.#authorizer(plusOne(unsealAuthorizeChallenge(ticket.sessionKey, payload)));
  }

  handleDone(_globalId: bigint, connectionMode: number, payload: Uint8Array): AuthOutcome {
    const { globalId, ticket } = this.#started();
    checkMode(connectionMode, this.#init.modes);
    const reply = decodeAuthorizeReply(new Decoder(payload, 'authDone'), ticket.sessionKey);
    if (!equalU64(reply.noncePlusOne, plusOne(this.#nonce))) {
      throw new MsgrError(ErrorCode.Auth, 'the peer answers another authorizer than the one that was sent');
    }
    const sessionKey = ticket.sessionKey.secret.export();
    return outcomeWithKeys({ globalId, connectionMode }, sessionKey, reply.connectionSecret);
  }

  #authorizer(challengePlusOne: bigint | undefined): Buffer {
    const { globalId, ticket } = this.#started();
    return encodeWith((encoder) => {
      encoder.u8(PayloadMode.authorizerMin);
      encodeAuthorizerHead(encoder, { globalId, service: ticket.service, ticket: ticket.ticket });
      encodeAuthorize(encoder, ticket.sessionKey, { nonce: this.#nonce, challengePlusOne });
    });
  }

  #started(): { readonly globalId: bigint; readonly ticket: HeldTicket } {
    if (this.#held !== undefined) return this.#held;
    throw new MsgrError(ErrorCode.Auth, 'the peer answers before it was asked');
  }
}
