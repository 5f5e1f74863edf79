/** MAuthReply: the monitor's answer to MAuth. */
import { defineMessage } from './registry.ts';

export interface MAuthReply {
  readonly protocol: number;
  /** 0, or a negative errno. */
  readonly result: number;
  readonly globalId: bigint;
  /** The protocol's own bytes. */
  readonly payload: Uint8Array;
  readonly resultMessage: string;
}

export const MAuthReply = defineMessage<MAuthReply>({
  type: 18,
  name: 'auth_reply',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encoder.u32(body.protocol).i32(body.result).u64(body.globalId);
    encoder.buffer(body.payload).string(body.resultMessage);
  },
  decode: (decoder) => ({
    protocol: decoder.u32('protocol'),
    result: decoder.i32('result'),
    globalId: decoder.u64('globalId'),
    payload: decoder.buffer('payload'),
    resultMessage: decoder.string('resultMessage'),
  }),
});
