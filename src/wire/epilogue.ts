/**
 * The epilogue: 13 bytes behind the segments of a frame that has more than one (facts 1.4, 1.7).
 *
 * ```
 *  0 u8 late status      1 u32 crc of segment 1      5 u32 of segment 2      9 u32 of segment 3
 * ```
 *
 * There are always three checksums. One of a segment that is not counted is 0, one of an empty segment
 * that is counted is the seed.
 */

import { crc32c, segmentCrcSeed } from './crc32c.ts';
import { badFrame, hex, type Preamble } from './preamble.ts';

export const epilogueBytes = 13;

/** Low nibble of the late status; the high one is reserved and sent as 0. */
export const LateStatus = {
  /** The sender gave up in the middle of the frame; the segments mean nothing. */
  Aborted: 0x1,
  Complete: 0xe,
} as const;

const lateStatusMask = 0xf;

/** Writes 13 bytes at `at`; a checksum is that of its segment, or 0 when the segment is not counted. */
export function writeEpilogue(view: DataView, at: number, crc1: number, crc2: number, crc3: number): void {
  view.setUint8(at, LateStatus.Complete);
  view.setUint32(at + 1, crc1, true);
  view.setUint32(at + 5, crc2, true);
  view.setUint32(at + 9, crc3, true);
}

/**
 * Checks segments 1 and up, which begin at `segmentsStart` and end at the epilogue.
 * Answers whether the frame is complete; false means that its sender aborted it.
 *
 * @throws MsgrError `ERR_MSGR_BAD_FRAME`: a checksum, or a late status that is neither.
 */
export function checkEpilogue(
  bytes: Uint8Array,
  view: DataView,
  segmentsStart: number,
  preamble: Preamble,
): boolean {
  const { lengths, segmentCount } = preamble;
  const epilogueStart = segmentsStart + lengths[1]! + lengths[2]! + lengths[3]!;
  let at = segmentsStart;
  for (let index = 1; index < segmentCount; index++) {
    const end = at + lengths[index]!;
    const crc = view.getUint32(epilogueStart + index * 4 - 3, true);
    const computed = crc32c(segmentCrcSeed, bytes, at, end);
    if (crc !== computed) {
      throw badFrame(`epilogue.crc[${index}]`, `is ${hex(crc)}, computed ${hex(computed)}`);
    }
    at = end;
  }
  return isComplete(view.getUint8(epilogueStart));
}

/**
 * Reads a late status; false means that the sender aborted the frame.
 *
 * @throws MsgrError `ERR_MSGR_BAD_FRAME` when it is neither.
 */
export function isComplete(lateStatus: number): boolean {
  switch (lateStatus & lateStatusMask) {
    case LateStatus.Complete:
      return true;
    case LateStatus.Aborted:
      return false;
    default:
      throw badFrame('epilogue.lateStatus', `is ${hex(lateStatus)}, neither complete nor aborted`);
  }
}
