/** MOSDAlive: an OSD asks for its up_thru to be raised, so that its placement groups may go active. */
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** `paxosVersion` is the sender's OSDMap epoch. */
export interface MOSDAlive extends PaxosServiceMessage {
  /** Epoch that up_thru shall reach. */
  readonly want: number;
}

export const MOSDAlive = defineMessage<MOSDAlive>({
  type: 73,
  name: 'osd_alive',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.u32(body.want);
  },
  decode: (decoder) => ({ ...decodePaxosPrefix(decoder), want: decoder.u32('want') }),
});
