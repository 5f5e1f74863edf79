/** MMonCommandAck: what a command came to; its output travels in the data segment. */
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MMonCommandAck extends PaxosServiceMessage {
  /** 0 or more, or a negative errno. */
  readonly result: number;
  /** For people. */
  readonly status: string;
  /** The command that is answered. */
  readonly command: readonly string[];
  /** For programs; may be empty. */
  readonly output: Uint8Array;
}

export const MMonCommandAck = defineMessage<MMonCommandAck>({
  type: 51,
  name: 'mon_command_ack',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder, context) {
    encodePaxosPrefix(encoder, body);
    encoder.i32(body.result).string(body.status);
    encoder.list(body.command, (part) => encoder.string(part));
    context.data = body.output;
  },
  decode: (decoder, context) => ({
    ...decodePaxosPrefix(decoder),
    result: decoder.i32('result'),
    status: decoder.string('status'),
    command: decoder.list('command', 4, (index) => decoder.string(String(index))),
    output: context.data,
  }),
});
