/** What acceptors have in common: agreeing on method and mode, and refusing without saying why. */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { type EntityAuthName, EntityType, entityTypeName } from '../../wire/entity-name.ts';
import type { AuthRequest } from '../../wire/frames/auth-request.ts';
import { AuthMethod, type AuthReply, ConnectionMode } from '../auth.ts';
import { pickConnectionMode } from '../connection-modes.ts';
import { Errno } from '../errno.ts';
import { modeNames } from './agreement.ts';

/** Bytes of the secret that secure mode's keys are cut from; crc mode has none. */
const secureSecretBytes = 64;

export function connectionSecretBytes(mode: ConnectionMode): number {
  return mode === ConnectionMode.Secure ? secureSecretBytes : 0;
}

/** @throws MsgrError ERR_MSGR_AUTH with EOPNOTSUPP */
export function agreeOnMode(request: AuthRequest, allowed: readonly ConnectionMode[]): ConnectionMode {
  const errno = Errno.EOPNOTSUPP;
  if (request.method !== AuthMethod.Cephx) {
    throw new MsgrError(ErrorCode.Auth, `method ${request.method} where cephx is required`, { errno });
  }
  const mode = pickConnectionMode(request.preferredModes, allowed);
  if (mode !== undefined) return mode;
  throw new MsgrError(
    ErrorCode.Auth,
    `the peer offers mode ${modeNames(request.preferredModes)}, and ${modeNames(allowed)} is allowed`,
    { errno },
  );
}

/**
 * Whoever greets as a daemon gets a daemon's policy and is believed more, so it must prove to be one.
 * Daemons do greet as clients. @throws MsgrError ERR_MSGR_AUTH
 */
export function checkGreeting(peerType: number, name: EntityAuthName): void {
  if (peerType === EntityType.Client || peerType === name.type) return;
  throw new MsgrError(ErrorCode.Auth, `${name} greets as if it were a ${entityTypeName(peerType)}`);
}

/** Turns errors into AUTH_BAD_METHOD, whatever the peer sent. It is told an error number and no more. */
export class Refusals {
  readonly #modes: readonly ConnectionMode[];
  #last: MsgrError | undefined;

  constructor(modes: readonly ConnectionMode[]) {
    this.#modes = modes;
  }

  /** The reason of the last refusal, for logs. */
  get last(): MsgrError | undefined {
    return this.#last;
  }

  /** `method`: the one that the peer asked for. */
  guard(method: number, body: () => AuthReply): AuthReply {
    try {
      const reply = body();
      this.#last = undefined;
      return reply;
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.#last = error;
      return {
        kind: 'refused',
        method,
        result: -(error.errno ?? Errno.EACCES),
        allowedMethods: [AuthMethod.Cephx],
        allowedModes: [...this.#modes],
      };
    }
  }
}
