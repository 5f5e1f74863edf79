/** MStatfsReply: `ceph_mon_statfs_reply`, a packed struct: fsid, version, and four counts. */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { defineMessage } from './registry.ts';

export interface MStatfsReply {
  readonly fsid: Uuid;
  readonly version: bigint;
  readonly totalKib: bigint;
  readonly usedKib: bigint;
  readonly availableKib: bigint;
  readonly objectCount: bigint;
}

export const MStatfsReply = defineMessage<MStatfsReply>({
  type: 14,
  name: 'statfs_reply',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodeUuid(encoder, body.fsid);
    encoder.u64(body.version).u64(body.totalKib).u64(body.usedKib);
    encoder.u64(body.availableKib).u64(body.objectCount);
  },
  decode: (decoder) => ({
    fsid: decodeUuid(decoder, 'fsid'),
    version: decoder.u64('version'),
    totalKib: decoder.u64('totalKib'),
    usedKib: decoder.u64('usedKib'),
    availableKib: decoder.u64('availableKib'),
    objectCount: decoder.u64('objectCount'),
  }),
});
