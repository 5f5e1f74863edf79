/**
 * The connector's side towards a monitor, for one attempt.
 *
 *      AUTH_REQUEST(name, global id)        ──►
 *                                           ◄──  AUTH_REPLY_MORE(server challenge)
 *      AUTH_REQUEST_MORE(proof, old ticket) ──►
 *                                           ◄──  AUTH_DONE(tickets, connection secret)
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import { type EntityAuthName, encodeEntityAuthName } from '../../wire/entity-name.ts';
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
import { decodeServerChallenge } from './challenge.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { HeldTicket } from './held-ticket.ts';
import { decodeProofAnswer, encodeProofRequest, type ProofAnswer } from './mon-exchange.ts';
import type { RandomBytes } from './random.ts';

export interface MonClientInit {
  readonly name: EntityAuthName;
  readonly key: CryptoKey;
  readonly modes: readonly ConnectionMode[];
  /** `EntityType` bits of the services that tickets are wanted for. */
  readonly otherKeys: number;
  /** The id and the AUTH ticket of an earlier session, to go on with that id. */
  readonly reclaim: { readonly globalId: bigint; readonly ticket: HeldTicket } | undefined;
  readonly random: RandomBytes;
  /** What the monitor gave counts only when this monitor is chosen. */
  readonly onDone: (result: MonClientResult) => void;
  /** The monitor does not give the global id back. */
  readonly onReclaimRefused: () => void;
}

export interface MonClientResult {
  readonly globalId: bigint;
  readonly answer: ProofAnswer;
  /** The proof that renews the AUTH ticket inside the session is over the same challenge. */
  readonly serverChallenge: bigint;
}

export class CephxMonClient implements AuthClient {
  readonly #init: MonClientInit;
  #serverChallenge: bigint | undefined;

  constructor(init: MonClientInit) {
    this.#init = init;
  }

  start(): AuthRequest {
    const { name, modes, reclaim } = this.#init;
    const payload = encodeWith((encoder) => {
      encoder.u8(PayloadMode.mon);
      encodeEntityAuthName(encoder, name);
      encoder.u64(reclaim?.globalId ?? 0n);
    });
    return { method: AuthMethod.Cephx, preferredModes: [...modes], payload };
  }

  handleBadMethod(refusal: AuthBadMethod): AuthRequest {
    const { name, reclaim } = this.#init;
    const errno = Math.abs(refusal.result);
    if (errno !== Errno.EACCES && errno !== Errno.EPERM) throw refusedMethod(refusal, this.#init.modes);
    if (reclaim !== undefined) this.#init.onReclaimRefused();
    throw new MsgrError(
      ErrorCode.Auth,
      `the monitor refuses ${name} with ${errnoText(errno)}: it does not know this name, or has another key for it` +
        `${reclaim === undefined ? '' : ', or does not give its global id back'}; compare the keyring with \`ceph auth get ${name}\``,
      { errno },
    );
  }

  handleReplyMore(payload: Uint8Array): Uint8Array {
    if (this.#serverChallenge !== undefined) {
      throw new MsgrError(ErrorCode.Auth, 'the monitor sends a second challenge');
    }
    this.#serverChallenge = decodeServerChallenge(new Decoder(payload, 'serverChallenge'));
    const { key, otherKeys, random, reclaim } = this.#init;
    return encodeProofRequest({
      key,
      serverChallenge: this.#serverChallenge,
      oldTicket: reclaim?.ticket,
      otherKeys,
      random,
    });
  }

  handleDone(globalId: bigint, connectionMode: number, payload: Uint8Array): AuthOutcome {
    const serverChallenge = this.#serverChallenge;
    if (serverChallenge === undefined) {
      throw new MsgrError(ErrorCode.Auth, 'the monitor lets this side in without a challenge');
    }
    checkMode(connectionMode, this.#init.modes);
    const { key, reclaim } = this.#init;
    const answer = decodeProofAnswer(payload, key, reclaim?.ticket);
    this.#init.onDone({ globalId, answer, serverChallenge });
    const sessionKey = answer.auth.sessionKey.secret.export();
    return outcomeWithKeys({ globalId, connectionMode }, sessionKey, answer.connectionSecret);
  }
}
