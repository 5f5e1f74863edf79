/**
 * WAIT: both sides dialled each other, and the acceptor's own attempt goes first. The frame has no
 * payload, hence no segment CRC: 32 bytes in all in crc mode.
 */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export type Wait = Readonly<Record<string, never>>;

const wait: Wait = Object.freeze({});

export const waitFrame = defineControlFrame<Wait>({
  tag: Tag.Wait,
  byteLength: 0,
  write: () => {},
  read: () => wait,
});
