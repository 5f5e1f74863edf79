/** MCommandReply: what an MCommand came to; its output travels in the data segment. */
import { defineMessage } from './registry.ts';

export interface MCommandReply {
  /** 0 or more, or a negative errno. */
  readonly result: number;
  /** For people. */
  readonly status: string;
  /** For programs; may be empty. */
  readonly output: Uint8Array;
}

export const MCommandReply = defineMessage<MCommandReply>({
  type: 98,
  name: 'command_reply',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder, context) {
    encoder.i32(body.result).string(body.status);
    context.data = body.output;
  },
  decode: (decoder, context) => ({
    result: decoder.i32('result'),
    status: decoder.string('status'),
    output: context.data,
  }),
});
