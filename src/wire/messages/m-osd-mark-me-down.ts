/**
 * MOSDMarkMeDown: an OSD that stops says so, and waits for the same message back (facts 2.12). Before
 * version 3 the target was an entity_inst_t; before 4 nothing said whether the process is gone for good.
 */
import { decodeEntityAddrVec, EntityAddrVec, encodeEntityAddrVec } from '../entity-addrvec.ts';
import { decodeEntityInst } from '../entity-inst.ts';
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** `paxosVersion` is the epoch once more. */
export interface MOSDMarkMeDown extends PaxosServiceMessage {
  readonly fsid: Uuid;
  readonly targetOsd: number;
  readonly targetAddrs: EntityAddrVec;
  readonly epoch: number;
  /** True in the request, false in the answer. */
  readonly requestAck: boolean;
  /** The process ends: its old sessions can be taken for dead at once. */
  readonly downAndDead: boolean;
}

export const MOSDMarkMeDown = defineMessage<MOSDMarkMeDown>({
  type: 74,
  name: 'osd_mark_me_down',
  headVersion: 4,
  compatVersion: 3,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder.i32(body.targetOsd);
    encodeEntityAddrVec(encoder, body.targetAddrs);
    encoder.u32(body.epoch).bool(body.requestAck).bool(body.downAndDead);
  },
  decode(decoder, context) {
    const prefix = decodePaxosPrefix(decoder);
    const fsid = decodeUuid(decoder, 'fsid');
    let target: { targetOsd: number; targetAddrs: EntityAddrVec };
    if (context.version < 3) {
      const inst = decodeEntityInst(decoder, 'target');
      target = {
        targetOsd: Number(BigInt.asIntN(32, inst.name.num)),
        targetAddrs: EntityAddrVec.of(inst.addr),
      };
    } else {
      target = {
        targetOsd: decoder.i32('targetOsd'),
        targetAddrs: decodeEntityAddrVec(decoder, 'targetAddrs'),
      };
    }
    return {
      ...prefix,
      fsid,
      ...target,
      epoch: decoder.u32('epoch'),
      requestAck: decoder.bool('requestAck'),
      downAndDead: context.version >= 4 ? decoder.bool('downAndDead') : false,
    };
  },
});
