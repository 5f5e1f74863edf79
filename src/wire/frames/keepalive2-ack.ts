/** KEEPALIVE2_ACK: the answer to KEEPALIVE2, sent at once. */
import { decodeUtime, encodeUtime, type Utime, utimeBytes } from '../utime.ts';
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface Keepalive2Ack {
  /** The stamp of the KEEPALIVE2 that is answered. */
  readonly timestamp: Utime;
}

export const keepalive2AckFrame = defineControlFrame<Keepalive2Ack>({
  tag: Tag.Keepalive2Ack,
  byteLength: utimeBytes,
  write: (encoder, value) => encodeUtime(encoder, value.timestamp),
  read: (decoder) => ({ timestamp: decodeUtime(decoder, 'timestamp') }),
});
