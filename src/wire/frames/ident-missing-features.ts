/** IDENT_MISSING_FEATURES: the acceptor requires features that the connector has not. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface IdentMissingFeatures {
  /** The bits that are missing. */
  readonly features: bigint;
}

export const identMissingFeaturesFrame = defineControlFrame<IdentMissingFeatures>({
  tag: Tag.IdentMissingFeatures,
  byteLength: 8,
  write: (encoder, value) => void encoder.u64(value.features),
  read: (decoder) => ({ features: decoder.u64('features') }),
});
