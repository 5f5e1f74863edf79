/** AUTH_REPLY_MORE: the acceptor's next move in a method of several rounds. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface AuthReplyMore {
  /** The method's own bytes. */
  readonly payload: Uint8Array;
}

export const authReplyMoreFrame = defineControlFrame<AuthReplyMore>({
  tag: Tag.AuthReplyMore,
  byteLength: (value) => 4 + value.payload.byteLength,
  write: (encoder, value) => void encoder.buffer(value.payload),
  read: (decoder) => ({ payload: decoder.buffer('payload') }),
});
