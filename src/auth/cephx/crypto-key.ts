/**
 * CryptoKey: a typed secret, as keyrings hold it in base64 and as it travels inside tickets.
 *
 *      0   2  type
 *      2   8  created (utime)
 *     10   2  length of the secret
 *     12   n  secret
 *
 * The secret is kept in a KeyObject, outside of JavaScript's memory: it appears in no heap snapshot, and
 * nothing that prints a CryptoKey prints it.
 */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Decoder } from '../../wire/decoder.ts';
import { type Encoder, encodeWith } from '../../wire/encoder.ts';
import { decodeUtime, encodeUtime, type Utime, utimeNow } from '../../wire/utime.ts';
import { type CipherKey, cipherKey } from './cipher-key.ts';
import { type KeyType, keyTypeName, secretBytesOf } from './key-type.ts';

/** Longest secret that Ceph's kernel client takes; none of the types has more. */
const secretBytesMax = 32;

export class CryptoKey {
  /** One of {@link KeyType}. */
  readonly type: number;
  readonly created: Utime;
  /** May be sent to another thread, where `new CryptoKey(type, created, secret)` makes the key again. */
  readonly secret: KeyObject;
  #cipher: CipherKey | undefined;

  constructor(type: number, created: Utime, secret: KeyObject) {
    this.type = type;
    this.created = created;
    this.secret = secret;
  }

  static generate(type: KeyType, created: Utime = utimeNow()): CryptoKey {
    return new CryptoKey(type, created, createSecretKey(randomBytes(secretBytesOf[type])));
  }

  /**
   * Reads what a keyring's `key = ` holds.
   * @throws MsgrError ERR_MSGR_INVALID_ARGUMENT; the text is not in the message.
   */
  static parse(base64: string): CryptoKey {
    const text = base64.trim();
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) {
      throw new MsgrError(ErrorCode.InvalidArgument, 'a key must be base64, as ceph-authtool prints it');
    }
    try {
      return decodeCryptoKey(new Decoder(Buffer.from(text, 'base64')), 'key');
    } catch (cause) {
      if (!(cause instanceof MsgrError)) throw cause;
      throw new MsgrError(ErrorCode.InvalidArgument, `a key that is no cephx key: ${cause.message}`);
    }
  }

  /** The reverse of {@link parse}: this is the secret, for keyring files. */
  toBase64(): string {
    return encodeWith((encoder) => encodeCryptoKey(encoder, this)).toString('base64');
  }

  /** Whether both are the same secret of the same type; in constant time. */
  equals(other: CryptoKey): boolean {
    return this.type === other.type && this.secret.equals(other.secret);
  }

  encrypt(plain: Uint8Array, usage: number): Buffer {
    return this.#usable().encrypt(plain, usage);
  }

  /**
   * `what` names the sealed thing in the error.
   * @throws MsgrError ERR_MSGR_AUTH when it was sealed with another key or was altered.
   */
  decrypt(sealed: Uint8Array, usage: number, what: string): Buffer {
    const plain = this.#usable().decrypt(sealed, usage);
    if (plain === undefined) throw cannotOpen(what);
    return plain;
  }

  /** 32 bytes. */
  hmacSha256(...pieces: readonly Uint8Array[]): Buffer {
    const hmac = createHmac('sha256', this.secret);
    for (const piece of pieces) hmac.update(piece);
    return hmac.digest();
  }

  toString(): string {
    return `CryptoKey(${keyTypeName(this.type)}, secret not shown)`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }

  #usable(): CipherKey {
    this.#cipher ??= cipherKey(this.type, this.secret);
    if (this.#cipher === undefined) {
      throw new MsgrError(ErrorCode.Auth, `a key of type ${keyTypeName(this.type)} encrypts nothing`);
    }
    return this.#cipher;
  }
}

/** One error for every way in which something sealed does not open: a peer learns nothing from it. */
export function cannotOpen(what: string): MsgrError {
  return new MsgrError(ErrorCode.Auth, `${what} does not open: it was sealed with another key, or altered`);
}

export function encodeCryptoKey(encoder: Encoder, key: CryptoKey): void {
  const secret = key.secret.export();
  encoder.u16(key.type);
  encodeUtime(encoder, key.created);
  encoder.u16(secret.byteLength).raw(secret);
}

export function decodeCryptoKey(decoder: Decoder, field: string): CryptoKey {
  return decoder.within(field, () => {
    const at = decoder.position;
    const type = decoder.u16('type');
    const least = secretBytesOf[type as KeyType];
    if (least === undefined) decoder.fail('type', `${type} is no type of key`, at);
    const created = decodeUtime(decoder, 'created');
    const lengthAt = decoder.position;
    const length = decoder.u16('length');
    if (length < least || length > secretBytesMax) {
      decoder.fail('length', `${length} bytes, ${least} to ${secretBytesMax} are right`, lengthAt);
    }
    return new CryptoKey(type, created, createSecretKey(decoder.raw(length, 'secret')));
  });
}
