/** AUTH_REQUEST: the connector names an authentication method and makes its first move in it. */
import { defineControlFrame, readU32List, u32ListByteLength, writeU32List } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface AuthRequest {
  /** 1 none, 2 cephx. */
  readonly method: number;
  /** Connection modes, most wanted first: 1 crc, 2 secure. */
  readonly preferredModes: readonly number[];
  /** The method's own bytes. */
  readonly payload: Uint8Array;
}

export const authRequestFrame = defineControlFrame<AuthRequest>({
  tag: Tag.AuthRequest,
  byteLength: (value) => 8 + u32ListByteLength(value.preferredModes) + value.payload.byteLength,
  write(encoder, value) {
    encoder.u32(value.method);
    writeU32List(encoder, value.preferredModes);
    encoder.buffer(value.payload);
  },
  read: (decoder) => ({
    method: decoder.u32('method'),
    preferredModes: readU32List(decoder, 'preferredModes'),
    payload: decoder.buffer('payload'),
  }),
});
