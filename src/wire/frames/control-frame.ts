/**
 * What all control frames share. A control frame has one segment, whose bytes are the fields one after
 * the other; this is the codec of that segment. Preamble, CRCs and encryption belong to the frame layer.
 *
 * Bytes after the last known field are ignored, as Ceph ignores them: a newer peer may append fields.
 * They are therefore not written again. Decoded buffers are views into the payload and live as long as
 * it does; a caller that keeps one past the frame's end copies it.
 */
import type { Buffer } from 'node:buffer';
import { Decoder } from '../decoder.ts';
import { Encoder } from '../encoder.ts';
import { type Tag, tagName } from './tag.ts';

export interface ControlFrame<T> {
  readonly tag: Tag;
  /** Ceph's spelling: `CLIENT_IDENT`. */
  readonly name: string;
  /** The segment's bytes, `byteLength(value)` of them. */
  encode(value: T): Buffer;
  /** @throws MsgrError `ERR_MSGR_MALFORMED` that names the field, such as `CLIENT_IDENT.addrs`. */
  decode(payload: Uint8Array): T;
  byteLength(value: T): number;
}

/** What a frame's file says about it. */
export interface ControlFrameDefinition<T> {
  readonly tag: Tag;
  readonly write: (encoder: Encoder, value: T) => void;
  readonly read: (decoder: Decoder) => T;
  /** A number when the frame always has that many bytes. */
  readonly byteLength: number | ((value: T) => number);
}

export function defineControlFrame<T>(definition: ControlFrameDefinition<T>): ControlFrame<T> {
  const { tag, write, read } = definition;
  const name = tagName(tag);
  const fixed = definition.byteLength;
  const byteLength = typeof fixed === 'number' ? (): number => fixed : fixed;
  return Object.freeze({
    tag,
    name,
    byteLength,
    encode(value: T): Buffer {
      const encoder = new Encoder(byteLength(value));
      write(encoder, value);
      return encoder.take();
    },
    decode(payload: Uint8Array): T {
      return read(new Decoder(payload, name));
    },
  });
}

/** Bytes of a `vector<u32>`. */
export function u32ListByteLength(values: readonly number[]): number {
  return 4 + 4 * values.length;
}

export function writeU32List(encoder: Encoder, values: readonly number[]): void {
  encoder.list(values, (value) => encoder.u32(value));
}

export function readU32List(decoder: Decoder, field: string): number[] {
  return decoder.list(field, 4, (index) => decoder.u32(String(index)));
}
