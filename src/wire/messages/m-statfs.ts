/** MStatfs: how full is the cluster, or one pool of it? */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MStatfs extends PaxosServiceMessage {
  readonly fsid: Uuid;
  /** Undefined: all pools. */
  readonly dataPool: bigint | undefined;
}

export const MStatfs = defineMessage<MStatfs>({
  type: 13,
  name: 'statfs',
  headVersion: 2,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder.bool(body.dataPool !== undefined);
    if (body.dataPool !== undefined) encoder.i64(body.dataPool);
  },
  decode(decoder, context) {
    const prefix = decodePaxosPrefix(decoder);
    const fsid = decodeUuid(decoder, 'fsid');
    const hasPool = context.version >= 2 && decoder.bool('hasDataPool');
    return { ...prefix, fsid, dataPool: hasPool ? decoder.i64('dataPool') : undefined };
  },
});
