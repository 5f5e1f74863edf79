/** MGetPoolStats: what is in these pools? */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MGetPoolStats extends PaxosServiceMessage {
  readonly fsid: Uuid;
  readonly pools: readonly string[];
}

export const MGetPoolStats = defineMessage<MGetPoolStats>({
  type: 58,
  name: 'get_pool_stats',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder.list(body.pools, (pool) => encoder.string(pool));
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    fsid: decodeUuid(decoder, 'fsid'),
    pools: decoder.list('pools', 4, (index) => decoder.string(String(index))),
  }),
});
