/**
 * MOSDMarkMeDown: an OSD that stops says so, and waits for the same message back (facts 2.12). Before
 * version 3 the target was an entity_inst_t; before 4 nothing said whether the process is gone for good.
 */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodeOsdTarget, encodeOsdTarget, type OsdTarget } from './osd-target.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** `paxosVersion` is the epoch once more. */
export interface MOSDMarkMeDown extends PaxosServiceMessage, OsdTarget {
  readonly fsid: Uuid;
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
    encodeOsdTarget(encoder, body);
    encoder.u32(body.epoch).bool(body.requestAck).bool(body.downAndDead);
  },
  decode: (decoder, context) => ({
    ...decodePaxosPrefix(decoder),
    fsid: decodeUuid(decoder, 'fsid'),
    ...decodeOsdTarget(decoder, context.version < 3),
    epoch: decoder.u32('epoch'),
    requestAck: decoder.bool('requestAck'),
    downAndDead: context.version >= 4 ? decoder.bool('downAndDead') : false,
  }),
});
