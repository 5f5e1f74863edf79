/**
 * SHARED_MEMORY, ours alone: two messengers of this project that found each other on one host agree to go on
 * through memory that they share. Sent only to a peer whose ident had `IdentFlag.SharedMemory`; what the steps
 * mean is said in src/messenger/shared-memory.ts.
 */
import type { Buffer } from 'node:buffer';
import { decodeEntityAddr, type EntityAddr, encodeEntityAddr, entityAddrByteLength } from '../entity-addr.ts';
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

/** Bytes of the name and of the token of an invitation; native/core/io/shared_link.h has the same. */
export const sharedNameBytes = 16;
export const sharedTokenBytes = 16;

export const SharedMemoryStep = {
  Ask: 1,
  Invite: 2,
  Given: 3,
  /** The last frame of its direction on the socket. */
  Switched: 4,
  Declined: 5,
} as const;
export type SharedMemoryStep = (typeof SharedMemoryStep)[keyof typeof SharedMemoryStep];

export interface SharedMemoryInvitation {
  /** Of the UNIX socket where the acceptor takes the memory. */
  readonly name: Buffer;
  /** Shown there by whoever read this frame. */
  readonly token: Buffer;
  /** The connector's end of the connection as the acceptor sees it: another one when somebody stands between. */
  readonly peerAddr: EntityAddr;
}

export interface SharedMemory {
  /** `SharedMemoryStep`, or a number of a later version. */
  readonly step: number;
  /** With `Invite` only. */
  readonly invitation?: SharedMemoryInvitation;
}

export const sharedMemoryFrame = defineControlFrame<SharedMemory>({
  tag: Tag.SharedMemory,
  byteLength: ({ invitation }) =>
    1 +
    (invitation === undefined
      ? 0
      : sharedNameBytes + sharedTokenBytes + entityAddrByteLength(invitation.peerAddr)),
  write(encoder, { step, invitation }) {
    encoder.u8(step);
    if (invitation === undefined) return;
    encoder.raw(invitation.name).raw(invitation.token);
    encodeEntityAddr(encoder, invitation.peerAddr);
  },
  read(decoder) {
    const step = decoder.u8('step');
    if (step !== SharedMemoryStep.Invite) return { step };
    return {
      step,
      invitation: {
        name: decoder.raw(sharedNameBytes, 'name'),
        token: decoder.raw(sharedTokenBytes, 'token'),
        peerAddr: decodeEntityAddr(decoder, 'peerAddr'),
      },
    };
  },
});
