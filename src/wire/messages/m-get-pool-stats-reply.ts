/**
 * MGetPoolStatsReply: pool_stat_t by pool. A monitor without a manager knows of none, so the statistics of a
 * pool are not decoded here: only the answer that has none is read and written.
 */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MGetPoolStatsReply extends PaxosServiceMessage {
  readonly fsid: Uuid;
  /** OSDs count space for each pool apart. */
  readonly isPerPool: boolean;
}

export const MGetPoolStatsReply = defineMessage<MGetPoolStatsReply>({
  type: 59,
  name: 'get_pool_stats_reply',
  headVersion: 2,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder.u32(0).bool(body.isPerPool);
  },
  decode(decoder) {
    const prefix = decodePaxosPrefix(decoder);
    const fsid = decodeUuid(decoder, 'fsid');
    const at = decoder.position;
    const count = decoder.u32('pools');
    if (count !== 0) decoder.fail('pools', `statistics of ${count} pools, which are not read here`, at);
    return { ...prefix, fsid, isPerPool: decoder.remaining > 0 && decoder.bool('isPerPool') };
  },
});
