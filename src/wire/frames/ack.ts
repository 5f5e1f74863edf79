/** ACK: messages up to and including `seq` have been received and need not be kept. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface Ack {
  /** Seq of the last message received. */
  readonly seq: bigint;
}

export const ackFrame = defineControlFrame<Ack>({
  tag: Tag.Ack,
  byteLength: 8,
  write: (encoder, value) => void encoder.u64(value.seq),
  read: (decoder) => ({ seq: decoder.u64('seq') }),
});
