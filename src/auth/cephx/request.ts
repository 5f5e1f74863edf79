/** The heads of what is asked of a monitor and answered by it: in the handshake, and in MAuth later on. */
import type { Decoder } from '../../wire/decoder.ts';
import type { Encoder } from '../../wire/encoder.ts';

/** `CEPHX_GET_*`. */
export const RequestType = {
  /** Prove who you are, get the AUTH ticket and others with it. */
  AuthSessionKey: 0x0100,
  /** Show the AUTH ticket, get tickets for services. */
  PrincipalSessionKey: 0x0200,
  /** The rotating secrets of one's own kind of daemon. */
  RotatingKey: 0x0400,
} as const;
export type RequestType = (typeof RequestType)[keyof typeof RequestType];

/** `CephXResponseHeader`. */
export interface ResponseHeader {
  readonly type: number;
  /** 0, or a negative errno. */
  readonly status: number;
}

export function encodeResponseHeader(encoder: Encoder, header: ResponseHeader): void {
  encoder.u16(header.type).i32(header.status);
}

export function decodeResponseHeader(decoder: Decoder): ResponseHeader {
  return { type: decoder.u16('type'), status: decoder.i32('status') };
}
