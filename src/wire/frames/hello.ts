/**
 * HELLO: the first frame of both sides, sent as soon as the peer's banner has been checked. It says what
 * kind of entity speaks, and at which address it sees the other, which is how a client behind no bound
 * socket learns its own.
 */
import { decodeEntityAddr, type EntityAddr, encodeEntityAddr, entityAddrByteLength } from '../entity-addr.ts';
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface Hello {
  /** EntityType of the sender. */
  readonly entityType: number;
  /** The receiver's address as the sender sees it. */
  readonly peerAddr: EntityAddr;
}

export const helloFrame = defineControlFrame<Hello>({
  tag: Tag.Hello,
  byteLength: (value) => 1 + entityAddrByteLength(value.peerAddr),
  write(encoder, value) {
    encoder.u8(value.entityType);
    encodeEntityAddr(encoder, value.peerAddr);
  },
  read: (decoder) => ({
    entityType: decoder.u8('entityType'),
    peerAddr: decodeEntityAddr(decoder, 'peerAddr'),
  }),
});
