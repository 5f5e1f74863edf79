/**
 * MOSDFailure: an OSD reports that another one does not answer, or takes such a report back
 * (facts 2.8). Before version 4 the target was an entity_inst_t.
 */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodeOsdTarget, encodeOsdTarget, type OsdTarget } from './osd-target.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** Bits of `flags`; none at all takes a report back. */
export const OSDFailureFlag = {
  Alive: 0,
  Failed: 1,
  /** Known and not inferred from silence: the connection was refused. Sent with `Failed`, as 3. */
  Immediate: 2,
} as const;

/** `paxosVersion` is the epoch once more. */
export interface MOSDFailure extends PaxosServiceMessage, OsdTarget {
  readonly fsid: Uuid;
  /** The reporter's OSDMap epoch. */
  readonly epoch: number;
  /** {@link OSDFailureFlag} bits. */
  readonly flags: number;
  readonly failedForSeconds: number;
}

export const MOSDFailure = defineMessage<MOSDFailure>({
  type: 72,
  name: 'osd_failure',
  headVersion: 4,
  compatVersion: 4,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encodeOsdTarget(encoder, body);
    encoder.u32(body.epoch).u8(body.flags).i32(body.failedForSeconds);
  },
  decode: (decoder, context) => ({
    ...decodePaxosPrefix(decoder),
    fsid: decodeUuid(decoder, 'fsid'),
    ...decodeOsdTarget(decoder, context.version < 4),
    epoch: decoder.u32('epoch'),
    flags: decoder.u8('flags'),
    failedForSeconds: decoder.i32('failedForSeconds'),
  }),
});
