/**
 * SERVER_IDENT: the acceptor grants the session. The connector refuses it unless the address that it
 * dialled is among `addrs`.
 */
import {
  decodeEntityAddrVec,
  type EntityAddrVec,
  encodeEntityAddrVec,
  entityAddrVecByteLength,
} from '../entity-addrvec.ts';
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface ServerIdent {
  /** All of the acceptor's addresses. */
  readonly addrs: EntityAddrVec;
  /** Number of the acceptor's entity name. Signed. */
  readonly gid: bigint;
  readonly globalSeq: bigint;
  readonly featuresSupported: bigint;
  readonly featuresRequired: bigint;
  /** `IdentFlag` bits; the acceptor decides whether the connection is lossy. */
  readonly flags: bigint;
  /** Random and not zero when the acceptor keeps the session, else 0. */
  readonly serverCookie: bigint;
}

export const serverIdentFrame = defineControlFrame<ServerIdent>({
  tag: Tag.ServerIdent,
  byteLength: (value) => entityAddrVecByteLength(value.addrs) + 48,
  write(encoder, value) {
    encodeEntityAddrVec(encoder, value.addrs);
    encoder.i64(value.gid).u64(value.globalSeq);
    encoder.u64(value.featuresSupported).u64(value.featuresRequired);
    encoder.u64(value.flags).u64(value.serverCookie);
  },
  read: (decoder) => ({
    addrs: decodeEntityAddrVec(decoder, 'addrs'),
    gid: decoder.i64('gid'),
    globalSeq: decoder.u64('globalSeq'),
    featuresSupported: decoder.u64('featuresSupported'),
    featuresRequired: decoder.u64('featuresRequired'),
    flags: decoder.u64('flags'),
    serverCookie: decoder.u64('serverCookie'),
  }),
});
