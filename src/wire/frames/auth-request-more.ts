/** AUTH_REQUEST_MORE: the connector's answer to AUTH_REPLY_MORE. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface AuthRequestMore {
  /** The method's own bytes. */
  readonly payload: Uint8Array;
}

export const authRequestMoreFrame = defineControlFrame<AuthRequestMore>({
  tag: Tag.AuthRequestMore,
  byteLength: (value) => 4 + value.payload.byteLength,
  write: (encoder, value) => void encoder.buffer(value.payload),
  read: (decoder) => ({ payload: decoder.buffer('payload') }),
});
