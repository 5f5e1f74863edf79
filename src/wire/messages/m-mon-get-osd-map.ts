/** MMonGetOSDMap: asks for ranges of OSDMap epochs, whole or incremental; 0 to 0 asks for none. */
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MMonGetOSDMap extends PaxosServiceMessage {
  readonly fullFirst: number;
  readonly fullLast: number;
  readonly incrementalFirst: number;
  readonly incrementalLast: number;
}

export const MMonGetOSDMap = defineMessage<MMonGetOSDMap>({
  type: 6,
  name: 'mon_get_osdmap',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encoder.u32(body.fullFirst).u32(body.fullLast).u32(body.incrementalFirst).u32(body.incrementalLast);
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    fullFirst: decoder.u32('fullFirst'),
    fullLast: decoder.u32('fullLast'),
    incrementalFirst: decoder.u32('incrementalFirst'),
    incrementalLast: decoder.u32('incrementalLast'),
  }),
});
