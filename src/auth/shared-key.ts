/**
 * Authentication with a key that both ends were given beforehand. This method is msgr2's own and no part of
 * Ceph: no Ceph daemon knows it. It is for services that talk to each other without a monitor.
 *
 *      connector                                         acceptor
 *      AUTH_REQUEST       modes, name, nonce         ─►
 *                                                    ◄─  AUTH_REPLY_MORE    name, nonce
 *      AUTH_REQUEST_MORE  proof of the connector     ─►
 *                                                    ◄─  AUTH_DONE          mode, proof of the acceptor
 *
 * Both nonces are 32 fresh random bytes, so no proof is good for a second connection. A proof is
 * HMAC-SHA256 over the role and everything both have said (method, modes, names, nonces); that of the
 * acceptor also covers the mode that it chose. Keys come from HKDF-SHA256 (RFC 5869): one for the proofs, and
 * for each connection a session key, which signs the whole handshake (AUTH_SIGNATURE), and the connection
 * secret of secure mode, both salted with the hash of what was said.
 *
 * Whoever holds the key may take any name. Who learns the key later can read recorded connections: there is
 * no forward secrecy, as there is none in cephx. In crc mode the handshake is protected, what follows is not.
 */
import {
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { ErrorCode, MsgrError } from '../errors.ts';
import { Decoder } from '../wire/decoder.ts';
import { encodeWith } from '../wire/encoder.ts';
import { decodeEntityAuthName, EntityAuthName, encodeEntityAuthName } from '../wire/entity-name.ts';
import type { AuthBadMethod } from '../wire/frames/auth-bad-method.ts';
import type { AuthRequest } from '../wire/frames/auth-request.ts';
import {
  type AuthClient,
  type AuthOutcome,
  type AuthProvider,
  type AuthReply,
  type AuthServer,
  ConnectionMode,
} from './auth.ts';
import { type RandomBytes, systemRandomBytes } from './cephx/random.ts';
import { pickConnectionMode } from './connection-modes.ts';
import { Errno, errnoText } from './errno.ts';

/** Method number on the wire: "msg2", far above those that Ceph gives out. */
export const sharedKeyMethod = 0x6d73_6732;

export interface SharedKeyOptions {
  /** Who this side is to its peers: `client.billing`, `osd.3`. */
  readonly name: string;
  /** At least 16 bytes, the same at both ends, from `crypto.randomBytes(32)`: never a password. */
  readonly key: Uint8Array;
  /**
   * Connection modes, most wanted first; default `['secure']`. The first of the connector's that the
   * acceptor has too is taken. In `crc` mode frames are checked for damage and may be read and altered by
   * whoever is on the way.
   */
  readonly modes?: readonly ('secure' | 'crc')[];
}

/**
 * Authentication with a key that both ends have. Give it to `Messenger.create({ auth })` on both sides.
 *
 * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT`: a key below 16 bytes, a name that is none, or no mode.
 */
export function authSharedKey(options: SharedKeyOptions): AuthProvider {
  return sharedKeyProvider(options, systemRandomBytes);
}

/** The same with nonces from elsewhere, for simulations that must repeat. */
export function sharedKeyProvider(options: SharedKeyOptions, random: RandomBytes): AuthProvider {
  const keyholder = new Keyholder(options, random);
  return {
    client: () => new SharedKeyClient(keyholder),
    server: () => new SharedKeyServer(keyholder),
  };
}

const version = 1;
const keyBytesMin = 16;
const nonceBytes = 32;
/** Of an id in a peer's name, which may come to stand in texts. */
const idBytesMax = 256;
const proofBytes = 32;
const sessionKeyBytes = 32;
const connectionSecretBytes = 64;
const label = 'msgr2 shared key 1';

const modeNumbers: Readonly<Record<string, ConnectionMode>> = {
  secure: ConnectionMode.Secure,
  crc: ConnectionMode.Crc,
};

/** One end's part in the opening. */
interface Opening {
  readonly name: EntityAuthName;
  readonly nonce: Uint8Array;
}

/** What one side has over all of its connections. */
class Keyholder {
  readonly name: EntityAuthName;
  readonly modes: readonly ConnectionMode[];
  readonly #key: KeyObject;
  readonly #proofKey: KeyObject;
  readonly #random: RandomBytes;

  constructor({ name, key, modes = ['secure'] }: SharedKeyOptions, random: RandomBytes) {
    if (!(key instanceof Uint8Array) || key.length < keyBytesMin) {
      const given = key instanceof Uint8Array ? `${key.length} bytes` : typeof key;
      throw invalid(`the shared key must be at least ${keyBytesMin} random bytes, not ${given}`);
    }
    this.name = EntityAuthName.parse(name);
    this.modes = modes.map((mode) => modeNumbers[mode] ?? badModes(modes));
    if (modes.length === 0) badModes(modes);
    this.#key = createSecretKey(key);
    this.#proofKey = createSecretKey(this.#derive('', `${label}: proof`, proofBytes));
    this.#random = random;
  }

  /** This side's opening of a new connection. */
  open(): Opening {
    return { name: this.name, nonce: this.#random(nonceBytes) };
  }

  prove(role: 'connector' | 'acceptor', said: Uint8Array): Buffer {
    return createHmac('sha256', this.#proofKey).update(`${label}: ${role}`).update(said).digest();
  }

  /** In constant time. */
  isProof(proof: Uint8Array, role: 'connector' | 'acceptor', said: Uint8Array): boolean {
    return proof.length === proofBytes && timingSafeEqual(proof, this.prove(role, said));
  }

  /** The keys of one connection. */
  agree(said: Uint8Array, connectionMode: ConnectionMode): AuthOutcome {
    const salt = createHash('sha256').update(said).digest();
    const bytes = this.#derive(salt, `${label}: session`, sessionKeyBytes + connectionSecretBytes);
    return {
      globalId: 0n,
      connectionMode,
      sessionKey: bytes.subarray(0, sessionKeyBytes),
      ...(connectionMode === ConnectionMode.Secure
        ? { connectionSecret: bytes.subarray(sessionKeyBytes) }
        : {}),
    };
  }

  #derive(salt: string | Uint8Array, info: string, byteLength: number): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#key, salt, info, byteLength));
  }
}

class SharedKeyClient implements AuthClient {
  readonly #keyholder: Keyholder;
  readonly #opening: Opening;
  /** What both have said, once the acceptor has. */
  #said: Buffer | undefined;

  constructor(keyholder: Keyholder) {
    this.#keyholder = keyholder;
    this.#opening = keyholder.open();
  }

  start(): AuthRequest {
    return {
      method: sharedKeyMethod,
      preferredModes: this.#keyholder.modes,
      payload: encodeOpening(this.#opening),
    };
  }

  handleBadMethod({ result, allowedMethods, allowedModes }: AuthBadMethod): AuthRequest {
    if (result === -Errno.EACCES) {
      throw refused(
        `the peer refuses the proof of ${this.#keyholder.name} with ${errnoText(result)}: ` +
          'check that both ends were given the same key',
      );
    }
    const methods = allowedMethods.join(', ') || 'none';
    throw refused(
      `the peer refuses shared-key authentication with ${errnoText(result)}; it allows methods ${methods} ` +
        `and modes ${modeNames(allowedModes)}, offered were ${modeNames(this.#keyholder.modes)}: ` +
        'check that it has a shared key too, and a mode in common',
    );
  }

  handleReplyMore(payload: Uint8Array): Uint8Array {
    if (this.#said !== undefined) throw refused('the acceptor asks for a second proof');
    const acceptor = decodeOpening(payload, 'authReplyMore');
    this.#said = encodeSaid(this.#keyholder.modes, this.#opening, acceptor);
    return this.#keyholder.prove('connector', this.#said);
  }

  handleDone(globalId: bigint, connectionMode: number, payload: Uint8Array): AuthOutcome {
    const said = this.#said;
    if (said === undefined) throw refused('the acceptor ends the authentication without having opened it');
    const mode = this.#keyholder.modes.find((offered) => offered === connectionMode);
    if (mode === undefined) {
      throw refused(
        `the acceptor chose connection mode ${connectionMode}, offered were ${modeNames(this.#keyholder.modes)}`,
      );
    }
    if (!this.#keyholder.isProof(payload, 'acceptor', encodeChosen(said, globalId, mode))) {
      throw refused(
        "the acceptor's proof does not verify: check that both ends were given the same key, and who answers " +
          'at that address',
      );
    }
    return this.#keyholder.agree(said, mode);
  }
}

class SharedKeyServer implements AuthServer {
  /** Why it refused last. */
  refusal: MsgrError | undefined;
  readonly #keyholder: Keyholder;
  /** A request that was answered with this side's opening. */
  #request:
    | { readonly mode: ConnectionMode; readonly said: Buffer; readonly peer: EntityAuthName }
    | undefined;
  /** A proof was looked at: there is one for each connection. */
  #isDone = false;

  constructor(keyholder: Keyholder) {
    this.#keyholder = keyholder;
  }

  handleRequest({ method, preferredModes, payload }: AuthRequest): AuthReply {
    if (this.#isDone) throw refused('one attempt at the shared key is allowed to a connection');
    if (method !== sharedKeyMethod) {
      return this.#refuse(method, Errno.EOPNOTSUPP, `auth method ${method} is not the shared key's`);
    }
    const mode = pickConnectionMode(preferredModes, this.#keyholder.modes);
    if (mode === undefined) {
      const wanted = modeNames(preferredModes.slice(0, 4));
      return this.#refuse(method, Errno.EOPNOTSUPP, `of connection modes ${wanted} none is allowed`);
    }
    const connector = decodeOpening(payload, 'authRequest');
    const acceptor = this.#keyholder.open();
    this.#request = { mode, said: encodeSaid(preferredModes, connector, acceptor), peer: connector.name };
    return { kind: 'more', payload: encodeOpening(acceptor) };
  }

  handleRequestMore(payload: Uint8Array): AuthReply {
    const request = this.#request;
    if (request === undefined || this.#isDone) throw refused('a proof that was not asked for');
    this.#isDone = true;
    const { mode, said, peer } = request;
    if (!this.#keyholder.isProof(payload, 'connector', said)) {
      return this.#refuse(
        sharedKeyMethod,
        Errno.EACCES,
        `the proof of ${peer} does not verify: check that both ends were given the same key`,
      );
    }
    const outcome = this.#keyholder.agree(said, mode);
    return {
      kind: 'done',
      payload: this.#keyholder.prove('acceptor', encodeChosen(said, outcome.globalId, mode)),
      outcome: { ...outcome, entity: peer.toString() },
    };
  }

  #refuse(method: number, errno: number, why: string): AuthReply {
    this.refusal = refused(why);
    return {
      kind: 'refused',
      method,
      result: -errno,
      allowedMethods: [sharedKeyMethod],
      allowedModes: this.#keyholder.modes,
    };
  }
}

/** u8 version, EntityName, 32 bytes. */
function encodeOpening({ name, nonce }: Opening): Buffer {
  return encodeWith((encoder) => {
    encoder.u8(version);
    encodeEntityAuthName(encoder, name);
    encoder.raw(nonce);
  });
}

function decodeOpening(payload: Uint8Array, frame: string): Opening {
  const decoder = new Decoder(payload, frame);
  const peerVersion = decoder.u8('version');
  if (peerVersion !== version)
    decoder.fail('version', `${peerVersion} of the shared-key method is not known`, 0);
  const name = decodeEntityAuthName(decoder, 'name');
  if (name.id.length > idBytesMax) decoder.fail('name', `is longer than ${idBytesMax} bytes`);
  // A copy: the payload belongs to the receive slab.
  const nonce = Buffer.from(decoder.raw(nonceBytes, 'nonce'));
  decoder.finish();
  return { name, nonce };
}

/** Everything that the two have said; each part tells its own length, so that no two openings have the same bytes. */
function encodeSaid(modes: readonly number[], connector: Opening, acceptor: Opening): Buffer {
  return encodeWith((encoder) => {
    encoder.string(label).u32(sharedKeyMethod);
    encoder.list(modes, (mode) => encoder.u32(mode));
    encoder.buffer(encodeOpening(connector)).buffer(encodeOpening(acceptor));
  });
}

/** The same, and what the acceptor decided. */
function encodeChosen(said: Buffer, globalId: bigint, mode: ConnectionMode): Buffer {
  return encodeWith((encoder) => {
    encoder.buffer(said).u64(globalId).u32(mode);
  });
}

function modeNames(modes: readonly number[]): string {
  const names = modes.map(
    (mode) => Object.keys(modeNumbers).find((name) => modeNumbers[name] === mode) ?? String(mode),
  );
  return names.join(', ') || 'none';
}

function refused(message: string): MsgrError {
  return new MsgrError(ErrorCode.Auth, message);
}

function invalid(message: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message);
}

function badModes(modes: readonly string[]): never {
  throw invalid(`modes must be a list of 'secure' and 'crc', not ${JSON.stringify(modes)}`);
}
