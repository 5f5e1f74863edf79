/**
 * AUTH_NONE: the client says who it is and is believed. Frames stay in crc mode.
 *
 * Payload: u8 mode (10 to a monitor, 1 to every other daemon), EntityName, u64 global id.
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import { Decoder } from '../wire/decoder.ts';
import { encodeWith } from '../wire/encoder.ts';
import type { EntityAddr } from '../wire/entity-addr.ts';
import {
  decodeEntityAuthName,
  type EntityAuthName,
  EntityType,
  encodeEntityAuthName,
} from '../wire/entity-name.ts';
import type { AuthBadMethod } from '../wire/frames/auth-bad-method.ts';
import type { AuthRequest } from '../wire/frames/auth-request.ts';
import {
  type AuthClient,
  AuthMethod,
  type AuthOutcome,
  type AuthProvider,
  type AuthReply,
  type AuthServer,
  type AuthSession,
  ConnectionMode,
} from './auth.ts';
import { Errno, errnoText } from './errno.ts';
import { PayloadMode } from './payload-mode.ts';

class NoneClient implements AuthClient {
  readonly #name: EntityAuthName;
  readonly #peerType: number;
  readonly #globalId: bigint;
  readonly #onDone: ((globalId: bigint) => void) | undefined;

  /** `globalId`: the one that is claimed, 0 asks a monitor for one; `onDone` is told what came of it. */
  constructor(name: EntityAuthName, peerType: number, globalId = 0n, onDone?: (globalId: bigint) => void) {
    this.#name = name;
    this.#peerType = peerType;
    this.#globalId = globalId;
    this.#onDone = onDone;
  }

  start(): AuthRequest {
    const mode = this.#peerType === EntityType.Mon ? PayloadMode.mon : PayloadMode.authorizerMin;
    const payload = encodeWith((encoder) => {
      encoder.u8(mode);
      encodeEntityAuthName(encoder, this.#name);
      encoder.u64(this.#globalId);
    });
    return { method: AuthMethod.None, preferredModes: [ConnectionMode.Crc], payload };
  }

  handleBadMethod(refusal: AuthBadMethod): AuthRequest {
    const allowed = refusal.allowedMethods.join(', ') || 'none';
    throw new MsgrError(
      ErrorCode.Auth,
      `the peer refuses auth method none with ${errnoText(refusal.result)}; it allows methods ${allowed}`,
      { errno: Math.abs(refusal.result) },
    );
  }

  handleReplyMore(): Uint8Array {
    throw new MsgrError(ErrorCode.Auth, 'the peer asks for more in a method that has nothing more to say');
  }

  handleDone(globalId: bigint, connectionMode: number): AuthOutcome {
    if (connectionMode !== ConnectionMode.Crc) {
      throw new MsgrError(
        ErrorCode.Auth,
        `the peer chose connection mode ${connectionMode}, which needs a key`,
      );
    }
    this.#onDone?.(globalId);
    return { globalId, connectionMode };
  }
}

class NoneServer implements AuthServer {
  readonly #assignGlobalId: () => bigint;

  constructor(assignGlobalId: () => bigint) {
    this.#assignGlobalId = assignGlobalId;
  }

  handleRequest(request: AuthRequest): AuthReply {
    if (request.method !== AuthMethod.None || !request.preferredModes.includes(ConnectionMode.Crc)) {
      return {
        kind: 'refused',
        method: request.method,
        result: -Errno.EOPNOTSUPP,
        allowedMethods: [AuthMethod.None],
        allowedModes: [ConnectionMode.Crc],
      };
    }
    const decoder = new Decoder(request.payload, 'authRequest');
    const mode = decoder.u8('mode');
    if (mode < PayloadMode.authorizerMin || mode > PayloadMode.monMax) {
      decoder.fail('mode', `${mode} is neither an authorizer (1 to 9) nor a monitor session (10 to 19)`, 0);
    }
    const name = decodeEntityAuthName(decoder, 'entityName');
    const claimed = decoder.u64('globalId');
    const globalId = claimed === 0n && mode >= PayloadMode.mon ? this.#assignGlobalId() : claimed;
    return {
      kind: 'done',
      payload: new Uint8Array(0),
      outcome: { globalId, connectionMode: ConnectionMode.Crc, entity: name.toString() },
    };
  }

  handleRequestMore(): AuthReply {
    throw new MsgrError(ErrorCode.Auth, 'auth method none has no second round');
  }
}

/**
 * AUTH_NONE for both roles. `name` is who this side says it is; `assignGlobalId` gives ids to those who come
 * without one, from 4097 on when absent.
 */
export function authNone(name: EntityAuthName, assignGlobalId?: () => bigint): AuthProvider {
  let lastGlobalId = 4096n;
  const assign = assignGlobalId ?? (() => ++lastGlobalId);
  return {
    client: (peerType) => new NoneClient(name, peerType),
    server: () => new NoneServer(assign),
  };
}

/**
 * AUTH_NONE as a monitor's client keeps it: there is nothing to renew, and the global id that the first
 * chosen monitor gave is claimed from then on.
 */
class NoneSession implements AuthSession {
  readonly protocol = AuthMethod.None;
  readonly isComplete = true;
  readonly nextDue = Number.POSITIVE_INFINITY;
  readonly #name: EntityAuthName;
  readonly #acceptor: AuthProvider;
  /** What monitors gave that were asked at once, by address; all but one are forgotten. */
  readonly #given = new Map<string, bigint>();
  #globalId = 0n;

  constructor(name: EntityAuthName) {
    this.#name = name;
    this.#acceptor = authNone(name);
  }

  get globalId(): bigint {
    return this.#globalId;
  }

  client(peerType: number, peerAddr?: EntityAddr): AuthClient {
    const onDone = (globalId: bigint): void => {
      if (peerType === EntityType.Mon && peerAddr !== undefined) this.#given.set(peerAddr.key, globalId);
    };
    return new NoneClient(this.#name, peerType, this.#globalId, onDone);
  }

  server(peerType: number): AuthServer {
    return this.#acceptor.server(peerType);
  }

  choose(peerAddr: EntityAddr): void {
    this.#globalId = this.#given.get(peerAddr.key) ?? this.#globalId;
    this.#given.clear();
  }

  nextRequest(): undefined {}

  handleReply(): void {}

  abandonRequest(): void {}
}

/** AUTH_NONE for a monitor's client that calls itself `name`. */
export function noneSession(name: EntityAuthName): AuthSession {
  return new NoneSession(name);
}
