/**
 * MMonGetPurgedSnaps: an OSD asks, before it boots, which snapshots were purged in a range of epochs, so
 * that it can look for what was left of them.
 */
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MMonGetPurgedSnaps extends PaxosServiceMessage {
  readonly start: number;
  readonly last: number;
}

export const MMonGetPurgedSnaps = defineMessage<MMonGetPurgedSnaps>({
  type: 76,
  name: 'mon_get_purged_snaps',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.u32(body.start).u32(body.last);
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    start: decoder.u32('start'),
    last: decoder.u32('last'),
  }),
});
