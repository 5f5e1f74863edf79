/** What a secret can do, whatever its type: the seam between cephx and its ciphers. */
import type { KeyObject } from 'node:crypto';
import { Aes128Cipher } from './aes128-cipher.ts';
import { Aes256kCipher } from './aes256k-cipher.ts';
import { KeyType } from './key-type.ts';

export interface CipherKey {
  encrypt(plain: Uint8Array, usage: number): Buffer;
  /** Undefined when `sealed` was not made with this key, or not for this usage, or was altered. */
  decrypt(sealed: Uint8Array, usage: number): Buffer | undefined;
}

/** Undefined for types that encrypt nothing. */
export function cipherKey(type: number, secret: KeyObject): CipherKey | undefined {
  switch (type) {
    case KeyType.Aes:
      return new Aes128Cipher(secret);
    case KeyType.Aes256k:
      return new Aes256kCipher(secret);
    default:
      return undefined;
  }
}
