/** MLogAck: entries up to `last` are in the cluster log. */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { defineMessage } from './registry.ts';

export interface MLogAck {
  readonly fsid: Uuid;
  /** Seq of the last entry kept. */
  readonly last: bigint;
  /** Empty from daemons of this era; very old ones leave it out. */
  readonly channel: string;
}

export const MLogAck = defineMessage<MLogAck>({
  type: 53,
  name: 'log_ack',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodeUuid(encoder, body.fsid);
    encoder.u64(body.last).string(body.channel);
  },
  decode: (decoder) => ({
    fsid: decodeUuid(decoder, 'fsid'),
    last: decoder.u64('last'),
    channel: decoder.remaining === 0 ? '' : decoder.string('channel'),
  }),
});
