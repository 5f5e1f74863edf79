/**
 * Key type aes256k: AES256-CTS-HMAC-SHA384-192 of RFC 8009 with cephx's own usage numbers.
 *
 *      ┌───────────────────────────────────────┬────────────┐
 *      │ AES-256-CBC-CTS(Ke, confounder | plain) │ HMAC 24    │   40 bytes longer than the plaintext
 *      └───────────────────────────────────────┴────────────┘
 *                                                 └ HMAC-SHA384(Ki, 16 zero bytes | ciphertext), cut
 *
 * The confounder is 16 random bytes; the IV is zero. Ke and Ki are derived from the secret for each usage
 * (RFC 8009, 3 and 5). Ciphertext stealing is CS3: the last two blocks are always swapped.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { CipherKey } from './cipher-key.ts';

const blockBytes = 16;
const confounderBytes = blockBytes;
const tagBytes = 24;
const encryptionKeyBytes = 32;
const integrityKeyBytes = 24;
const zeroIv = Buffer.alloc(blockBytes);
/** Last byte of the label that keys are derived with. */
const Purpose = { encryption: 0xaa, integrity: 0x55 } as const;

interface UsageKeys {
  readonly encryption: KeyObject;
  readonly integrity: KeyObject;
}

export class Aes256kCipher implements CipherKey {
  readonly #secret: KeyObject;
  readonly #keys = new Map<number, UsageKeys>();

  constructor(secret: KeyObject) {
    this.#secret = secret;
  }

  /** `confounder` is given by tests only. */
  encrypt(plain: Uint8Array, usage: number, confounder: Uint8Array = randomBytes(confounderBytes)): Buffer {
    const { encryption, integrity } = this.#keysFor(usage);
    const ciphertext = encryptCts(encryption, Buffer.concat([confounder, plain]));
    return Buffer.concat([ciphertext, tagOf(integrity, ciphertext)]);
  }

  decrypt(sealed: Uint8Array, usage: number): Buffer | undefined {
    if (sealed.byteLength < confounderBytes + tagBytes) return undefined;
    const { encryption, integrity } = this.#keysFor(usage);
    const ciphertext = sealed.subarray(0, -tagBytes);
    if (!timingSafeEqual(sealed.subarray(-tagBytes), tagOf(integrity, ciphertext))) return undefined;
    return decryptCts(encryption, ciphertext).subarray(confounderBytes);
  }

  #keysFor(usage: number): UsageKeys {
    let keys = this.#keys.get(usage);
    if (keys === undefined) {
      keys = {
        encryption: deriveKey(this.#secret, usage, Purpose.encryption, encryptionKeyBytes),
        integrity: deriveKey(this.#secret, usage, Purpose.integrity, integrityKeyBytes),
      };
      this.#keys.set(usage, keys);
    }
    return keys;
  }
}

/** KDF-HMAC-SHA2 of RFC 8009, 3: one block of HMAC-SHA384 over a counter, the label and the key's bits. */
function deriveKey(secret: KeyObject, usage: number, purpose: number, bytes: number): KeyObject {
  const input = Buffer.alloc(14);
  input.writeUInt32BE(1, 0);
  input.writeUInt32BE(usage, 4);
  input.writeUInt8(purpose, 8);
  input.writeUInt32BE(bytes * 8, 10);
  const derived = createHmac('sha384', secret).update(input).digest();
  return createSecretKey(derived.subarray(0, bytes));
}

function tagOf(integrity: KeyObject, ciphertext: Uint8Array): Buffer {
  return createHmac('sha384', integrity).update(zeroIv).update(ciphertext).digest().subarray(0, tagBytes);
}

/** At least one block. */
function encryptCts(key: KeyObject, plain: Buffer): Buffer {
  const length = plain.byteLength;
  const blocks = Math.ceil(length / blockBytes);
  const cipher = createCipheriv('aes-256-cbc', key, zeroIv).setAutoPadding(false);
  const whole = cipher.update(Buffer.concat([plain], blocks * blockBytes));
  if (blocks === 1) return whole;
  const beforeLast = (blocks - 2) * blockBytes;
  const last = (blocks - 1) * blockBytes;
  return Buffer.concat([
    whole.subarray(0, beforeLast),
    whole.subarray(last),
    whole.subarray(beforeLast, beforeLast + length - last),
  ]);
}

function decryptCts(key: KeyObject, ciphertext: Uint8Array): Buffer {
  const length = ciphertext.byteLength;
  const blocks = Math.ceil(length / blockBytes);
  const decipher = createDecipheriv('aes-256-cbc', key, zeroIv).setAutoPadding(false);
  if (blocks === 1) return decipher.update(ciphertext);
  const beforeLast = (blocks - 2) * blockBytes;
  const last = (blocks - 1) * blockBytes;
  const finalBlock = ciphertext.subarray(beforeLast, last);
  const stolen = ciphertext.subarray(last);
  // What was cut off the block before the last one shows up behind the padding of the last one.
  const missing = createDecipheriv('aes-256-ecb', key, null)
    .setAutoPadding(false)
    .update(finalBlock)
    .subarray(stolen.byteLength);
  const whole = Buffer.concat([ciphertext.subarray(0, beforeLast), stolen, missing, finalBlock]);
  return decipher.update(whole).subarray(0, length);
}
