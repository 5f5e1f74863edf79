/**
 * Key type aes: AES-128-CBC with a constant IV and PKCS#7 padding. Equal plaintexts have equal ciphertexts,
 * and nothing tells an altered ciphertext from a good one but the magic number at its beginning.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import type { CipherKey } from './cipher-key.ts';

const algorithm = 'aes-128-cbc';
const keyBytes = 16;
const blockBytes = 16;
/** `CEPH_AES_IV` of ceph_fs.h. */
const iv = Buffer.from('cephsageyudagreg');

export class Aes128Cipher implements CipherKey {
  readonly #key: KeyObject;

  /** Of a longer secret the first 16 bytes are taken. */
  constructor(secret: KeyObject) {
    const isExact = secret.symmetricKeySize === keyBytes;
    this.#key = isExact ? secret : createSecretKey(secret.export().subarray(0, keyBytes));
  }

  encrypt(plain: Uint8Array): Buffer {
    const cipher = createCipheriv(algorithm, this.#key, iv);
    return Buffer.concat([cipher.update(plain), cipher.final()]);
  }

  decrypt(sealed: Uint8Array): Buffer | undefined {
    if (sealed.byteLength === 0 || sealed.byteLength % blockBytes !== 0) return undefined;
    const decipher = createDecipheriv(algorithm, this.#key, iv);
    const plain = decipher.update(sealed);
    try {
      return Buffer.concat([plain, decipher.final()]);
    } catch {
      // The padding is wrong.
      return undefined;
    }
  }
}
