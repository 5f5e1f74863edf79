/**
 * The acceptor's side of a daemon that is no monitor, for one accepted connection; drawn in authorizer.ts.
 * The challenge is always demanded and is good for one answer.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import type { AuthRequest } from '../../wire/frames/auth-request.ts';
import {
  AuthMethod,
  type AuthReply,
  type AuthServer,
  type ConnectionMode,
  outcomeWithKeys,
} from '../auth.ts';
import { isAuthorizerMode } from '../payload-mode.ts';
import { encodeAuthorizeReply, sealAuthorizeChallenge } from './authorizer.ts';
import type { CipherPolicy } from './cipher-policy.ts';
import { type OpenedAuthorizer, openAuthorizer, type ServiceSecrets } from './open-authorizer.ts';
import { type RandomBytes, randomU64 } from './random.ts';
import { agreeOnMode, checkGreeting, connectionSecretBytes, Refusals } from './refusals.ts';
import { equalU64, plusOne } from './u64.ts';

export interface AuthorizerServerInit {
  /** `EntityType` that the peer's HELLO named. */
  readonly peerType: number;
  readonly modes: readonly ConnectionMode[];
  readonly secrets: ServiceSecrets;
  readonly ciphers: CipherPolicy;
  readonly random: RandomBytes;
  /** Wall clock in ms. */
  readonly now: () => number;
}

interface Challenge {
  readonly value: bigint;
  readonly mode: ConnectionMode;
  /** The ticket that was shown; another one may not take its place. */
  readonly shown: OpenedAuthorizer;
}

export class CephxAuthorizerServer implements AuthServer {
  readonly #init: AuthorizerServerInit;
  readonly #refusals: Refusals;
  #challenge: Challenge | undefined;

  constructor(init: AuthorizerServerInit) {
    this.#init = init;
    this.#refusals = new Refusals(init.modes);
  }

  get refusal(): MsgrError | undefined {
    return this.#refusals.last;
  }

  handleRequest(request: AuthRequest): AuthReply {
    this.#challenge = undefined;
    return this.#refusals.guard(request.method, () => {
      const { modes, random } = this.#init;
      const mode = agreeOnMode(request, modes);
      const shown = this.#open(request.payload);
      const value = randomU64(random);
      this.#challenge = { value, mode, shown };
      return { kind: 'more', payload: sealAuthorizeChallenge(shown.sessionKey, value) };
    });
  }

  handleRequestMore(payload: Uint8Array): AuthReply {
    const challenge = this.#challenge;
    this.#challenge = undefined;
    return this.#refusals.guard(AuthMethod.Cephx, () => {
      if (challenge === undefined) throw new MsgrError(ErrorCode.Auth, 'an answer without a challenge');
      const { authorize, head, sessionKey, ticket } = this.#open(payload);
      const shown = challenge.shown.head.ticket;
      if (shown.secretId !== head.ticket.secretId || Buffer.compare(shown.blob, head.ticket.blob) !== 0) {
        throw new MsgrError(ErrorCode.Auth, 'the challenge is answered with another ticket');
      }
      if (authorize.challengePlusOne === undefined) {
        throw new MsgrError(ErrorCode.Auth, 'the challenge is not answered');
      }
      if (!equalU64(authorize.challengePlusOne, plusOne(challenge.value))) {
        throw new MsgrError(
          ErrorCode.Auth,
          'the challenge of another connection is answered: an authorizer played again',
        );
      }
      const connectionSecret = this.#init.random(connectionSecretBytes(challenge.mode));
      const facts = {
        globalId: ticket.globalId,
        connectionMode: challenge.mode,
        entity: String(ticket.name),
        ...(ticket.caps === undefined ? {} : { caps: ticket.caps }),
      };
      const noncePlusOne = plusOne(authorize.nonce);
      return {
        kind: 'done',
        payload: encodeAuthorizeReply(sessionKey, { noncePlusOne, connectionSecret }),
        outcome: outcomeWithKeys(facts, sessionKey.secret.export(), connectionSecret),
      };
    });
  }

  #open(payload: Uint8Array): OpenedAuthorizer {
    const { ciphers, now, peerType, secrets } = this.#init;
    const decoder = new Decoder(Uint8Array.from(payload), 'authorizer');
    const mode = decoder.u8('mode');
    if (!isAuthorizerMode(mode)) decoder.fail('mode', `${mode} is no authorizer (1 to 9)`, 0);
    const opened = openAuthorizer(decoder, secrets, now());
    ciphers.require(opened.sessionKey, `the session key of ${opened.ticket.name}`);
    checkGreeting(peerType, opened.ticket.name);
    return opened;
  }
}
