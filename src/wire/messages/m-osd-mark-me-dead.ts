/** MOSDMarkMeDead: an OSD that was marked down says that its former self of `epoch` is dead for certain. */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** `paxosVersion` is the epoch once more. */
export interface MOSDMarkMeDead extends PaxosServiceMessage {
  readonly fsid: Uuid;
  readonly targetOsd: number;
  readonly epoch: number;
}

export const MOSDMarkMeDead = defineMessage<MOSDMarkMeDead>({
  type: 123,
  name: 'osd_mark_me_dead',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder.i32(body.targetOsd).u32(body.epoch);
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    fsid: decodeUuid(decoder, 'fsid'),
    targetOsd: decoder.i32('targetOsd'),
    epoch: decoder.u32('epoch'),
  }),
});
