/**
 * AUTH_BAD_METHOD: the acceptor cannot go on with the method or modes it was offered and lists those it
 * would take. The connector may try again on the same connection.
 */
import { defineControlFrame, readU32List, u32ListByteLength, writeU32List } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface AuthBadMethod {
  /** The method that was refused. */
  readonly method: number;
  /** A negative errno. */
  readonly result: number;
  readonly allowedMethods: readonly number[];
  readonly allowedModes: readonly number[];
}

export const authBadMethodFrame = defineControlFrame<AuthBadMethod>({
  tag: Tag.AuthBadMethod,
  byteLength: (value) => 8 + u32ListByteLength(value.allowedMethods) + u32ListByteLength(value.allowedModes),
  write(encoder, value) {
    encoder.u32(value.method).i32(value.result);
    writeU32List(encoder, value.allowedMethods);
    writeU32List(encoder, value.allowedModes);
  },
  read: (decoder) => ({
    method: decoder.u32('method'),
    result: decoder.i32('result'),
    allowedMethods: readU32List(decoder, 'allowedMethods'),
    allowedModes: readU32List(decoder, 'allowedModes'),
  }),
});
