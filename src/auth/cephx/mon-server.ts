/** A monitor's acceptor for one connection; drawn in mon-client.ts. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { encodeWith } from '../../wire/encoder.ts';
import { decodeEntityAuthName } from '../../wire/entity-name.ts';
import type { AuthRequest } from '../../wire/frames/auth-request.ts';
import {
  AuthMethod,
  type AuthReply,
  type AuthServer,
  type ConnectionMode,
  outcomeWithKeys,
} from '../auth.ts';
import { isMonMode } from '../payload-mode.ts';
import { encodeServerChallenge } from './challenge.ts';
import type { MonAuthContext } from './mon-auth.ts';
import { answerProof, type Claim } from './mon-proof.ts';
import { MonRequests } from './mon-requests.ts';
import { randomU64 } from './random.ts';
import { agreeOnMode, checkGreeting, connectionSecretBytes, Refusals } from './refusals.ts';
import { RequestType } from './request.ts';

export class CephxMonServer implements AuthServer {
  readonly #context: MonAuthContext;
  readonly #peerType: number;
  readonly #modes: readonly ConnectionMode[];
  readonly #refusals: Refusals;
  #asked: { readonly claim: Claim; readonly mode: ConnectionMode } | undefined;

  constructor(context: MonAuthContext, peerType: number, modes: readonly ConnectionMode[]) {
    this.#context = context;
    this.#peerType = peerType;
    this.#modes = modes;
    this.#refusals = new Refusals(modes);
  }

  get refusal(): MsgrError | undefined {
    return this.#refusals.last;
  }

  handleRequest(request: AuthRequest): AuthReply {
    this.#asked = undefined;
    return this.#refusals.guard(request.method, () => {
      const mode = agreeOnMode(request, this.#modes);
      const decoder = new Decoder(Uint8Array.from(request.payload), 'authRequest');
      const payloadMode = decoder.u8('mode');
      if (!isMonMode(payloadMode)) {
        decoder.fail('mode', `${payloadMode} is no request to a monitor (10 to 19)`, 0);
      }
      const name = decodeEntityAuthName(decoder, 'name');
      const globalId = decoder.u64('globalId');
      // Who is not known is asked as well: the answer shall not tell one from the other.
      const serverChallenge = randomU64(this.#context.random);
      this.#asked = { mode, claim: { name, globalId, serverChallenge } };
      return { kind: 'more', payload: encodeWith((e) => encodeServerChallenge(e, serverChallenge)) };
    });
  }

  handleRequestMore(payload: Uint8Array): AuthReply {
    const asked = this.#asked;
    this.#asked = undefined;
    return this.#refusals.guard(AuthMethod.Cephx, () => {
      if (asked === undefined) throw new MsgrError(ErrorCode.Auth, 'a proof without a challenge');
      const { claim, mode } = asked;
      const decoder = new Decoder(Uint8Array.from(payload), 'authRequestMore');
      const type = decoder.u16('type');
      if (type !== RequestType.AuthSessionKey) decoder.fail('type', `0x${type.toString(16)} is no proof`, 0);
      checkGreeting(this.#peerType, claim.name);
      const connectionSecret = this.#context.random(connectionSecretBytes(mode));
      const proven = answerProof(this.#context, claim, decoder, connectionSecret);
      const { globalId, caps, sessionKey } = proven;
      const facts = {
        globalId,
        connectionMode: mode,
        entity: String(claim.name),
        caps,
        requests: new MonRequests(this.#context, { ...claim, globalId }),
      };
      const outcome = outcomeWithKeys(facts, sessionKey.secret.export(), connectionSecret);
      return { kind: 'done', payload: proven.payload, outcome };
    });
  }
}
