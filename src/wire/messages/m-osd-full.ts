/** MOSDFull: an OSD says how full it is: its bits of nearfull, backfillfull and full in osd_state. */
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** `paxosVersion` is the epoch once more. */
export interface MOSDFull extends PaxosServiceMessage {
  readonly epoch: number;
  /** Bits of osd_state. */
  readonly state: number;
}

export const MOSDFull = defineMessage<MOSDFull>({
  type: 75,
  name: 'osd_full',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.u32(body.epoch).u32(body.state);
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    epoch: decoder.u32('epoch'),
    state: decoder.u32('state'),
  }),
});
