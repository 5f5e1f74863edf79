/**
 * `CompatSet`: which on-disk features a store has, in three groups by what a reader without one may do:
 * read and write, read only, nothing.
 *
 * Each group is written as a u64 mask and a map from feature id to name. Bit n of the mask stands for
 * feature n; bit 0 is used in memory only and travels as 0.
 */
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

/** Feature names by id, ids 1 to 63. */
export type FeatureSet = ReadonlyMap<bigint, string>;

export interface CompatSet {
  readonly compat: FeatureSet;
  readonly roCompat: FeatureSet;
  readonly incompat: FeatureSet;
}

/** u64 mask and u32 count, three times. */
export const compatSetBytesMin = 36;

export const compatSetEmpty: CompatSet = Object.freeze({
  compat: new Map(),
  roCompat: new Map(),
  incompat: new Map(),
});

function encodeFeatureSet(encoder: Encoder, features: FeatureSet): void {
  let mask = 0n;
  for (const id of features.keys()) mask |= 1n << id;
  encoder.u64(mask).map(
    features,
    (id) => encoder.u64(id),
    (name) => encoder.string(name),
  );
}

/** The mask only repeats the ids, so it is not kept. */
function decodeFeatureSet(decoder: Decoder, field: string): FeatureSet {
  return decoder.within(field, () => {
    decoder.u64('mask');
    return decoder.map(
      'names',
      12,
      () => {
        const at = decoder.position;
        const id = decoder.u64('id');
        if (id < 1n || id > 63n) decoder.fail('id', `must be 1 to 63, not ${id}`, at);
        return id;
      },
      () => decoder.string('name'),
    );
  });
}

export function encodeCompatSet(encoder: Encoder, set: CompatSet): void {
  encodeFeatureSet(encoder, set.compat);
  encodeFeatureSet(encoder, set.roCompat);
  encodeFeatureSet(encoder, set.incompat);
}

export function decodeCompatSet(decoder: Decoder, field: string): CompatSet {
  return decoder.within(field, () => ({
    compat: decodeFeatureSet(decoder, 'compat'),
    roCompat: decodeFeatureSet(decoder, 'roCompat'),
    incompat: decodeFeatureSet(decoder, 'incompat'),
  }));
}
