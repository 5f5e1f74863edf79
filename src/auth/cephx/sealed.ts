/**
 * What cephx encrypts: a struct behind a version and a magic number, under a key and for one usage.
 *
 *      0   1  struct_v 1
 *      1   8  magic
 *      9   n  the struct
 *
 * Ceph calls the ciphertext alone `enc_bl`, and `enc` when its length stands before it.
 */
import { Decoder } from '../../wire/decoder.ts';
import { type Encoder, encodeWith } from '../../wire/encoder.ts';
import { type CryptoKey, cannotOpen } from './crypto-key.ts';
import type { KeyUsage } from './key-usage.ts';

/** `AUTH_ENC_MAGIC` of CephxProtocol.h. */
const magic = 0xff009cad8826aa55n;
const sealBytes = 9;

/** The ciphertext, without a length before it. */
export function seal(key: CryptoKey, usage: KeyUsage, write: (encoder: Encoder) => void): Buffer {
  return key.encrypt(sealedPlain(write), usage);
}

/** What {@link seal} encrypts. */
export function sealedPlain(write: (encoder: Encoder) => void): Buffer {
  return encodeWith((encoder) => {
    encoder.u8(1).u64(magic);
    write(encoder);
  });
}

/**
 * Opens what {@link seal} made. `what` names it in errors.
 * @throws MsgrError ERR_MSGR_AUTH when the key is another or a bit was changed, ERR_MSGR_MALFORMED when it
 * opens and does not decode.
 */
export function unseal<T>(
  key: CryptoKey,
  usage: KeyUsage,
  sealed: Uint8Array,
  what: string,
  read: (decoder: Decoder) => T,
): T {
  const plain = key.decrypt(sealed, usage, what);
  // Without an integrity check in the cipher, the magic number is what tells the right key.
  if (plain.byteLength < sealBytes || plain.readBigUInt64LE(1) !== magic) throw cannotOpen(what);
  return read(new Decoder(plain.subarray(sealBytes), what));
}

/** {@link unseal} of what has its length before it. */
export function unsealField<T>(
  decoder: Decoder,
  field: string,
  key: CryptoKey,
  usage: KeyUsage,
  read: (decoder: Decoder) => T,
): T {
  return unseal(key, usage, decoder.buffer(field), field, read);
}

/** A leading version without a length, as all structs of cephx have it. Later versions only append. */
export function structVersion(decoder: Decoder): number {
  const at = decoder.position;
  const version = decoder.u8('struct_v');
  if (version === 0) decoder.fail('struct_v', '0 is no version', at);
  return version;
}
