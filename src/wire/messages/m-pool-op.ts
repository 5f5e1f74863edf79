/** MPoolOp: a pool or one of its snapshots is made or removed, by a library in place of a command. */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MPoolOp extends PaxosServiceMessage {
  readonly fsid: Uuid;
  readonly pool: number;
  /** POOL_OP_*: 0x01 create, 0x02 delete, 0x11 and 0x12 snapshots, 0x21 and 0x22 those that the client manages. */
  readonly op: number;
  readonly snapId: bigint;
  readonly name: string;
  /** -1: the default. */
  readonly crushRule: number;
}

export const MPoolOp = defineMessage<MPoolOp>({
  type: 49,
  name: 'poolop',
  headVersion: 4,
  compatVersion: 2,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    // A user's number that is no longer used stands before the snapshot, and a byte of padding after the name.
    encoder.u32(body.pool).u32(body.op).u64(0n).u64(body.snapId).string(body.name);
    encoder.u8(0).i16(body.crushRule);
  },
  decode(decoder, { version }) {
    const prefix = decodePaxosPrefix(decoder);
    const fsid = decodeUuid(decoder, 'fsid');
    const pool = decoder.u32('pool');
    const op = decoder.u32('op');
    decoder.u64('auid');
    const snapId = decoder.u64('snapId');
    const name = decoder.string('name');
    if (version >= 3) decoder.u8('padding');
    return {
      ...prefix,
      fsid,
      pool,
      op,
      snapId,
      name,
      crushRule: version >= 4 ? decoder.i16('crushRule') : -1,
    };
  },
});
