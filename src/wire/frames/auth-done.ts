/** AUTH_DONE: the acceptor is satisfied; both sides install the connection mode that it names. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface AuthDone {
  /** The connector's cluster-wide number; monitors give it, others echo it or say 0. */
  readonly globalId: bigint;
  /** 1 crc, 2 secure. */
  readonly connectionMode: number;
  /** The method's own bytes: with cephx the session key and the connection secret. */
  readonly payload: Uint8Array;
}

export const authDoneFrame = defineControlFrame<AuthDone>({
  tag: Tag.AuthDone,
  byteLength: (value) => 16 + value.payload.byteLength,
  write: (encoder, value) => void encoder.u64(value.globalId).u32(value.connectionMode).buffer(value.payload),
  read: (decoder) => ({
    globalId: decoder.u64('globalId'),
    connectionMode: decoder.u32('connectionMode'),
    payload: decoder.buffer('payload'),
  }),
});
