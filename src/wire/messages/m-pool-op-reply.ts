/** MPoolOpReply: what an MPoolOp came to, and from which OSDMap on it shows. */
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

export interface MPoolOpReply extends PaxosServiceMessage {
  readonly fsid: Uuid;
  /** 0, or a negative errno. */
  readonly result: number;
  readonly epoch: number;
  /** Undefined: none. */
  readonly data: Uint8Array | undefined;
}

export const MPoolOpReply = defineMessage<MPoolOpReply>({
  type: 48,
  name: 'poolop_reply',
  headVersion: 1,
  compatVersion: 1,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeUuid(encoder, body.fsid);
    encoder
      .i32(body.result)
      .u32(body.epoch)
      .bool(body.data !== undefined);
    if (body.data !== undefined) encoder.buffer(body.data);
  },
  decode: (decoder) => ({
    ...decodePaxosPrefix(decoder),
    fsid: decodeUuid(decoder, 'fsid'),
    result: decoder.i32('result'),
    epoch: decoder.u32('epoch'),
    data: decoder.bool('hasData') ? decoder.buffer('data') : undefined,
  }),
});
