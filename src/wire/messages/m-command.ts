/**
 * MCommand: a command to one daemon, as `ceph tell` sends it; an input file travels in the data segment.
 * To a monitor it goes over a connection of its own and is answered by that monitor alone.
 */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { defineMessage } from './registry.ts';

export interface MCommand {
  readonly fsid: Uuid;
  /** One string of JSON: `{"prefix": "version"}`. */
  readonly command: readonly string[];
  /** Input of the command; may be empty. */
  readonly input: Uint8Array;
}

export const MCommand = defineMessage<MCommand>({
  type: 97,
  name: 'command',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder, context) {
    encodeUuid(encoder, body.fsid);
    encoder.list(body.command, (part) => encoder.string(part));
    context.data = body.input;
  },
  decode: (decoder, context) => ({
    fsid: decodeUuid(decoder, 'fsid'),
    command: decoder.list('command', 4, (index) => decoder.string(String(index))),
    input: context.data,
  }),
});
