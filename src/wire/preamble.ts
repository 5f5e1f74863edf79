/**
 * The preamble: the first 32 bytes of every frame (facts 1.2).
 *
 * ```
 *  0 u8 tag      1 u8 segment count      2 four times { u32 length, u16 alignment }
 * 26 u8 flags   27 u8 reserved          28 u32 crc32c of bytes 0 to 27, seed 0
 * ```
 *
 * Lengths are the segments' own, without padding. Trailing empty segments are not counted, and their
 * descriptors are zero; empty segments in the middle stay. A preamble is believed only after its checksum
 * and every length in it have been compared with the limits: nothing is allocated before.
 */
import type { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../errors.ts';
import { controlPayloadBytesMax, segmentCountMax } from '../limits.ts';
import { crc32c } from './crc32c.ts';
import { Tag, tagName } from './frames/tag.ts';
import { messageHeaderBytes } from './message-header.ts';

export const preambleBytes = 32;

const descriptorsOffset = 2;
const descriptorBytes = 6;
const flagsOffset = 26;
const crcOffset = 28;

/** Bytes to which a receiver may align a segment's buffer; a hint, the same in every frame of a daemon. */
const segmentAlignments = [8, 8, 8, 4096] as const;

/** What a preamble says. One object is read into again and again. */
export class Preamble {
  tag = 0;
  segmentCount = 0;
  /** Bytes of each segment; 0 for those that are not counted. */
  readonly lengths: number[] = new Array<number>(segmentCountMax).fill(0);
}

/** The error of every broken framing rule: `field` names what broke it, the message its value. */
export function badFrame(field: string, reason: string, offset?: number): MsgrError {
  return new MsgrError(ErrorCode.BadFrame, `bad frame: ${field} ${reason}`, {
    field,
    ...(offset === undefined ? {} : { offset }),
  });
}

/** Segments on the wire: up to the last one that holds anything, at least one. */
export function segmentCountOf(length1: number, length2: number, length3: number): number {
  return length3 > 0 ? 4 : length2 > 0 ? 3 : length1 > 0 ? 2 : 1;
}

/** Writes 32 bytes at `at`. `view` and `bytes` are the same memory. */
export function writePreamble(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  tag: number,
  length0: number,
  length1: number,
  length2: number,
  length3: number,
): void {
  const segmentCount = segmentCountOf(length1, length2, length3);
  view.setUint8(at, tag);
  view.setUint8(at + 1, segmentCount);
  writeDescriptor(view, at, 0, length0, segmentCount);
  writeDescriptor(view, at, 1, length1, segmentCount);
  writeDescriptor(view, at, 2, length2, segmentCount);
  writeDescriptor(view, at, 3, length3, segmentCount);
  view.setUint16(at + flagsOffset, 0, true);
  view.setUint32(at + crcOffset, crc32c(0, bytes, at, at + crcOffset), true);
}

/** The length of a segment in a preamble that this side wrote at `at`. */
export function segmentLengthAt(bytes: Buffer, at: number, index: number): number {
  return bytes.readUInt32LE(at + descriptorsOffset + index * descriptorBytes);
}

function writeDescriptor(view: DataView, at: number, index: number, length: number, count: number): void {
  const start = at + descriptorsOffset + index * descriptorBytes;
  view.setUint32(start, length, true);
  view.setUint16(start + 4, index < count ? segmentAlignments[index]! : 0, true);
}

/**
 * Reads the 32 bytes at `at` into `preamble`. Alignments are hints and flags belong to a compression that
 * is never negotiated: neither is looked at, as Ceph does.
 *
 * @throws MsgrError `ERR_MSGR_BAD_FRAME`: checksum, segment count, or an empty last segment.
 */
export function readPreamble(bytes: Uint8Array, view: DataView, at: number, preamble: Preamble): void {
  const crc = view.getUint32(at + crcOffset, true);
  const computed = crc32c(0, bytes, at, at + crcOffset);
  if (crc !== computed)
    throw badFrame('preamble.crc', `is ${hex(crc)}, computed ${hex(computed)}`, crcOffset);
  const segmentCount = view.getUint8(at + 1);
  if (segmentCount < 1 || segmentCount > segmentCountMax) {
    throw badFrame('preamble.numSegments', `is ${segmentCount}, 1 to ${segmentCountMax} are allowed`, 1);
  }
  preamble.tag = view.getUint8(at);
  preamble.segmentCount = segmentCount;
  const { lengths } = preamble;
  for (let index = 0; index < segmentCountMax; index++) {
    const offset = descriptorsOffset + index * descriptorBytes;
    lengths[index] = index < segmentCount ? view.getUint32(at + offset, true) : 0;
  }
  if (segmentCount > 1 && lengths[segmentCount - 1] === 0) {
    throw badFrame('preamble.numSegments', `is ${segmentCount}, but the last segment is empty`, 1);
  }
}

/**
 * Compares a preamble with what its tag allows. A tag without a name is a control frame like any other:
 * whether it may come at all is for those to say who know the protocol's state.
 *
 * @throws MsgrError `ERR_MSGR_BAD_FRAME`: a length above its limit, a second segment in a control frame, or
 * a message whose first segment is not a header.
 */
export function checkPreambleLimits(preamble: Preamble, messageBytesMax: number): void {
  const { tag, segmentCount, lengths } = preamble;
  if (tag === Tag.Message) {
    if (lengths[0] !== messageHeaderBytes) {
      throw badFrame(
        'preamble.segments[0].length',
        `is ${lengths[0]}, a message header has ${messageHeaderBytes}`,
        2,
      );
    }
    const messageBytes = lengths[1]! + lengths[2]! + lengths[3]!;
    if (messageBytes > messageBytesMax) {
      throw badFrame('preamble.segments', `hold ${messageBytes} bytes, the limit is ${messageBytesMax}`, 2);
    }
    return;
  }
  if (segmentCount !== 1) {
    throw badFrame('preamble.numSegments', `is ${segmentCount}, ${tagName(tag)} has one segment`, 1);
  }
  if (lengths[0]! > controlPayloadBytesMax) {
    throw badFrame(
      'preamble.segments[0].length',
      `is ${lengths[0]}, the limit of ${tagName(tag)} is ${controlPayloadBytesMax}`,
      2,
    );
  }
}

/** A checksum as people write it: `0x0000002a`. */
export function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
