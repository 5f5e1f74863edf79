/**
 * CLIENT_IDENT: the connector opens a new session and says who it is and whom it means. The acceptor
 * refuses a target that is not one of its own addresses, nonce included.
 */
import { decodeEntityAddr, type EntityAddr, encodeEntityAddr, entityAddrByteLength } from '../entity-addr.ts';
import {
  decodeEntityAddrVec,
  type EntityAddrVec,
  encodeEntityAddrVec,
  entityAddrVecByteLength,
} from '../entity-addrvec.ts';
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

/** Bits of `flags` in CLIENT_IDENT and SERVER_IDENT. */
export const IdentFlag = {
  /** The connection is dropped on error; nothing is kept or replayed. The acceptor's word counts. */
  Lossy: 1n,
  /** Ours, and no word that Ceph knows (it looks at its own bit only): see shared-memory.ts. */
  SharedMemory: 1n << 40n,
} as const;

export interface ClientIdent {
  /** The connector's own addresses. */
  readonly addrs: EntityAddrVec;
  /** The address that was dialled. */
  readonly targetAddr: EntityAddr;
  /** Number of the connector's entity name: the osd id, or a client's global id. Signed. */
  readonly gid: bigint;
  readonly globalSeq: bigint;
  readonly featuresSupported: bigint;
  readonly featuresRequired: bigint;
  readonly flags: bigint;
  /** Random and not zero when the connector's policy keeps sessions, else 0. */
  readonly clientCookie: bigint;
}

export const clientIdentFrame = defineControlFrame<ClientIdent>({
  tag: Tag.ClientIdent,
  byteLength: (value) => entityAddrVecByteLength(value.addrs) + entityAddrByteLength(value.targetAddr) + 48,
  write(encoder, value) {
    encodeEntityAddrVec(encoder, value.addrs);
    encodeEntityAddr(encoder, value.targetAddr);
    encoder.i64(value.gid).u64(value.globalSeq);
    encoder.u64(value.featuresSupported).u64(value.featuresRequired);
    encoder.u64(value.flags).u64(value.clientCookie);
  },
  read: (decoder) => ({
    addrs: decodeEntityAddrVec(decoder, 'addrs'),
    targetAddr: decodeEntityAddr(decoder, 'targetAddr'),
    gid: decoder.i64('gid'),
    globalSeq: decoder.u64('globalSeq'),
    featuresSupported: decoder.u64('featuresSupported'),
    featuresRequired: decoder.u64('featuresRequired'),
    flags: decoder.u64('flags'),
    clientCookie: decoder.u64('clientCookie'),
  }),
});
