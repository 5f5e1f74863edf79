/** MMonSubscribeAck: sent only to peers without MON_STATEFUL_SUB, which have to renew in time. */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { defineMessage } from './registry.ts';

export interface MMonSubscribeAck {
  /** Seconds until the subscription ends. */
  readonly intervalSeconds: number;
  readonly fsid: Uuid;
}

export const MMonSubscribeAck = defineMessage<MMonSubscribeAck>({
  type: 16,
  name: 'mon_subscribe_ack',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encoder.u32(body.intervalSeconds);
    encodeUuid(encoder, body.fsid);
  },
  decode: (decoder) => ({
    intervalSeconds: decoder.u32('intervalSeconds'),
    fsid: decodeUuid(decoder, 'fsid'),
  }),
});
