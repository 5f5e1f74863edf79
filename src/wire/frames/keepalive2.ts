/** KEEPALIVE2: asks the peer to show that it is there. */
import { decodeUtime, encodeUtime, type Utime, utimeBytes } from '../utime.ts';
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface Keepalive2 {
  /** Wall clock of the sender, which the peer sends back unchanged. */
  readonly timestamp: Utime;
}

export const keepalive2Frame = defineControlFrame<Keepalive2>({
  tag: Tag.Keepalive2,
  byteLength: utimeBytes,
  write: (encoder, value) => encodeUtime(encoder, value.timestamp),
  read: (decoder) => ({ timestamp: decodeUtime(decoder, 'timestamp') }),
});
