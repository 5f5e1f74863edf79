/** MMonCommand: a command as the `ceph` tool sends it; an input file travels in the data segment. */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MMonCommand extends PaxosServiceMessage {
  readonly fsid: Uuid;
  /** One string of JSON: `{"prefix": "osd tree", "format": "json"}`. */
  readonly command: readonly string[];
  /** Input of the command; may be empty. */
  readonly input: Uint8Array;
}

export const MMonCommand = defineMessage<MMonCommand>({
  type: 50,
  name: 'mon_command',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder, context) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder.list(body.command, (part) => encoder.string(part));
    context.data = body.input;
  },
  decode: (decoder, context) => ({
    ...decodePaxosPrefix(decoder),
    fsid: decodeUuid(decoder, 'fsid'),
    command: decoder.list('command', 4, (index) => decoder.string(String(index))),
    input: context.data,
  }),
});
