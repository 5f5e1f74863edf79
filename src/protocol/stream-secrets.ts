/**
 * Secure mode's keys, cut from the connection secret.
 *
 *      0  16  AES-128 key, both directions
 *     16  12  nonce A: the connector receives with it
 *     28  12  nonce B: the acceptor receives with it
 *     40  24  unused
 */
import { inspect } from 'node:util';
import { type AuthOutcome, ConnectionMode } from '../auth/auth.ts';
import { ErrorCode, MsgrError } from '../errors.ts';

/** Keys of secure mode (AES-128-GCM) for one end of a byte stream. */
export interface StreamSecrets {
  /** 16 bytes, the same in both directions. */
  readonly key: Uint8Array;
  /** 12 bytes each: a fixed u32 and a counting u64, little-endian. */
  readonly receiveNonce: Uint8Array;
  readonly sendNonce: Uint8Array;
}

const keyBytes = 16;
const nonceBytes = 12;
const secretBytesMin = keyBytes + 2 * nonceBytes;

/** Shows nothing of what it holds to `inspect`, `JSON.stringify` or a template string. */
class HiddenSecrets implements StreamSecrets {
  readonly #key: Uint8Array;
  readonly #receiveNonce: Uint8Array;
  readonly #sendNonce: Uint8Array;

  constructor(key: Uint8Array, receiveNonce: Uint8Array, sendNonce: Uint8Array) {
    this.#key = key;
    this.#receiveNonce = receiveNonce;
    this.#sendNonce = sendNonce;
  }

  get key(): Uint8Array {
    return this.#key;
  }

  get receiveNonce(): Uint8Array {
    return this.#receiveNonce;
  }

  get sendNonce(): Uint8Array {
    return this.#sendNonce;
  }

  toString(): string {
    return 'StreamSecrets { hidden }';
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** Undefined in crc mode. */
export function streamSecrets(
  outcome: AuthOutcome,
  role: 'connector' | 'acceptor',
): StreamSecrets | undefined {
  if (outcome.connectionMode === ConnectionMode.Crc) return undefined;
  if (outcome.connectionMode !== ConnectionMode.Secure) {
    throw new MsgrError(ErrorCode.Auth, `connection mode ${outcome.connectionMode} is not known`);
  }
  const secret = outcome.connectionSecret;
  if (secret === undefined || secret.byteLength < secretBytesMin) {
    throw new MsgrError(
      ErrorCode.Auth,
      `secure mode needs a connection secret of ${secretBytesMin} bytes, ${secret?.byteLength ?? 0} were agreed`,
    );
  }
  // Copies, of a Buffer too: the secret may be wiped.
  const piece = (start: number, end: number) => new Uint8Array(secret.subarray(start, end));
  const nonceA = piece(keyBytes, keyBytes + nonceBytes);
  const nonceB = piece(keyBytes + nonceBytes, secretBytesMin);
  const isConnector = role === 'connector';
  return new HiddenSecrets(piece(0, keyBytes), isConnector ? nonceA : nonceB, isConnector ? nonceB : nonceA);
}
