/** Frames without encryption: every segment is followed by, or has in the epilogue, its checksum. */
import type { Buffer } from 'node:buffer';
import { crc32c, segmentCrcSeed } from './crc32c.ts';
import { checkEpilogue, epilogueBytes } from './epilogue.ts';
import { assembleControlFrame, type Frame, type FrameMode, segmentCrcBytes } from './frame.ts';
import { badFrame, hex, type Preamble, preambleBytes, readPreamble } from './preamble.ts';

/** It counts nothing, so one serves all streams. */
export const crcMode: FrameMode = Object.freeze({
  firstBlockBytes: preambleBytes,

  remainingBytes({ lengths, segmentCount }: Preamble): number {
    const head = lengths[0]! > 0 ? lengths[0]! + segmentCrcBytes : 0;
    return segmentCount === 1 ? head : head + lengths[1]! + lengths[2]! + lengths[3]! + epilogueBytes;
  },

  openPreamble: readPreamble,

  openSegments(bytes: Buffer, view: DataView, at: number, frame: Frame): void {
    const { preamble, starts } = frame;
    const { lengths } = preamble;
    const headStart = at + preambleBytes;
    let end = headStart + lengths[0]!;
    frame.head = bytes;
    frame.headView = view;
    frame.headStart = headStart;
    frame.body = bytes;
    if (lengths[0]! > 0) {
      const crc = view.getUint32(end, true);
      const computed = crc32c(segmentCrcSeed, bytes, headStart, end);
      if (crc !== computed) throw badFrame('segments[0].crc', `is ${hex(crc)}, computed ${hex(computed)}`);
      end += segmentCrcBytes;
    }
    starts[1] = end;
    starts[2] = end + lengths[1]!;
    starts[3] = end + lengths[1]! + lengths[2]!;
    frame.aborted = preamble.segmentCount > 1 && !checkEpilogue(bytes, view, end, preamble);
  },

  assembleControl: assembleControlFrame,
  seal: undefined,
  isUsedUp: false,
});
