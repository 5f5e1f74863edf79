/** How the store keeps an entity: its key, and its caps by service. */
import { decodeCryptoKey, encodeCryptoKey } from '../../../auth/cephx/crypto-key.ts';
import { structVersion } from '../../../auth/cephx/sealed.ts';
import type { EntityAuth } from '../../../auth/keyring.ts';
import type { Decoder } from '../../../wire/decoder.ts';
import type { Encoder } from '../../../wire/encoder.ts';

export function encodeEntityAuth(encoder: Encoder, { key, caps }: EntityAuth): void {
  encoder.u8(1);
  encodeCryptoKey(encoder, key);
  encoder.map(
    caps,
    (service) => encoder.string(service),
    (cap) => encoder.string(cap),
  );
}

export function decodeEntityAuth(decoder: Decoder): EntityAuth {
  structVersion(decoder);
  const key = decodeCryptoKey(decoder, 'key');
  const caps = decoder.map(
    'caps',
    8,
    () => decoder.string('service'),
    () => decoder.string('cap'),
  );
  return { key, caps };
}
