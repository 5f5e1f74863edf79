/**
 * A frame of msgr2.1, in memory and as it is on the wire in crc mode (msgr2.rst "frame format"):
 *
 *      ┌──────────┬───────────┬─────────┬───────────┬───────────┬───────────┬──────────┐
 *      │ preamble │ segment 0 │ u32 crc │ segment 1 │ segment 2 │ segment 3 │ epilogue │
 *      │ 32 bytes │           │ of it   │           │           │           │ 13 bytes │
 *      └──────────┴───────────┴─────────┴───────────┴───────────┴───────────┴──────────┘
 *                   no crc when empty      no epilogue when there is one segment only
 *
 * Control frames have one segment, messages a header and up to three more: front, middle, data. What a
 * mode of the stream changes about this stands behind {@link FrameMode}: frame-crc.ts and frame-secure.ts.
 */
import { Buffer } from 'node:buffer';
import { lendBytesMin, segmentCountMax } from '../limits.ts';
import { crc32c, segmentCrcSeed } from './crc32c.ts';
import { Encoder } from './encoder.ts';
import { epilogueBytes, writeEpilogue } from './epilogue.ts';
import { Tag } from './frames/tag.ts';
import {
  encodeMessageHeader,
  MessageFlag,
  type MessageHeader,
  messageHeaderBytes,
} from './message-header.ts';
import { Preamble, preambleBytes, segmentCountOf, segmentLengthAt, writePreamble } from './preamble.ts';

/** Bytes of the checksum behind segment 0. */
export const segmentCrcBytes = 4;

/** Bytes before a message's front: preamble, header and the header's checksum. */
export const messageHeadBytes = preambleBytes + messageHeaderBytes + segmentCrcBytes;

/** What daemons send in the header's `flags`. */
const headerFlags = MessageFlag.Complete | MessageFlag.NoCrc;

/** A message as the frame layer sees it: the sender's fields of the header, and the payload. */
export interface FrameMessage {
  readonly type: number;
  readonly priority: number;
  readonly version: number;
  readonly compatVersion: number;
  readonly tidLow: number;
  readonly tidHigh: number;
  readonly front: Uint8Array;
  readonly middle: Uint8Array;
  readonly data: Uint8Array;
}

export const emptyBytes = Buffer.alloc(0);
export const emptyView = new DataView(new ArrayBuffer(0));

/** The frame a reader is at. One object is filled again and again; its views are valid until the next frame. */
export class Frame {
  readonly preamble = new Preamble();
  /** The late status of a message says that its sender gave it up: not to be looked at further. */
  aborted = false;
  /** Holds segment 0 at `headStart`. */
  head: Buffer = emptyBytes;
  headView: DataView = emptyView;
  headStart = 0;
  /** Holds segments 1 to 3, each at its place in `starts`. */
  body: Buffer = emptyBytes;
  /** By segment; those that are empty, and segment 0, mean nothing. */
  readonly starts: number[] = new Array<number>(segmentCountMax).fill(0);

  get tag(): number {
    return this.preamble.tag;
  }

  /** Lets go of the memory that the segments lie in. */
  release(): void {
    this.head = emptyBytes;
    this.headView = emptyView;
    this.headStart = 0;
    this.body = emptyBytes;
    this.starts.fill(0);
  }

  /** Segment 0: a control frame's payload, a message's header. */
  payload(): Buffer {
    return this.head.subarray(this.headStart, this.headStart + this.preamble.lengths[0]!);
  }

  /** Segment 1, 2 or 3 of a message: front, middle, data. */
  segment(index: 1 | 2 | 3): Buffer {
    const start = this.starts[index]!;
    return this.body.subarray(start, start + this.preamble.lengths[index]!);
  }
}

/**
 * How a stream's frames are protected. One object serves one stream: secure mode counts nonces in it, one
 * counter for each direction, so frames must be opened and written in the order of the wire.
 */
export interface FrameMode {
  /** Bytes of the first block, which holds the preamble. */
  readonly firstBlockBytes: number;
  /** Bytes that follow the first block. */
  remainingBytes(preamble: Preamble): number;
  /** Reads the preamble from the first block, at `at`. Throws `ERR_MSGR_BAD_FRAME`. */
  openPreamble(bytes: Buffer, view: DataView, at: number, preamble: Preamble): void;
  /** Checks a whole frame at `at` and says in `frame` where its segments are. Throws `ERR_MSGR_BAD_FRAME`. */
  openSegments(bytes: Buffer, view: DataView, at: number, frame: Frame): void;
  /** A whole control frame. */
  assembleControl(tag: number, payload: Uint8Array): Buffer;
  /** Undefined in crc mode: a message's frame goes out as it was written, with its checksums. */
  readonly seal: SealMessage | undefined;
  /**
   * No frame more can be written: a nonce would be used again. The stream must end, and a new one have new
   * keys. Never in crc mode.
   */
  readonly isUsedUp: boolean;
}

/**
 * Adds what goes on the wire for a message's frame, whose memory is not changed and whose checksums are not
 * looked at: the arguments are those of {@link pushPieces}. Answers how many bytes were added.
 */
export type SealMessage = (
  pieces: Uint8Array[],
  bytes: Buffer,
  start: number,
  end: number,
  lentFront: Uint8Array | undefined,
  lentData: Uint8Array | undefined,
) => number;

/**
 * A whole control frame in crc mode. Standalone, because the transcript that AUTH_SIGNATURE signs consists of
 * such frames.
 */
export function assembleControlFrame(tag: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const frame = Buffer.allocUnsafe(preambleBytes + (length > 0 ? length + segmentCrcBytes : 0));
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  writePreamble(frame, view, 0, tag, length, 0, 0, 0);
  if (length > 0) {
    frame.set(payload, preambleBytes);
    view.setUint32(preambleBytes + length, crc32c(segmentCrcSeed, payload), true);
  }
  return frame;
}

/** Bytes on the wire of a message with these segments, in crc mode. */
export function messageFrameBytes(frontLength: number, middleLength: number, dataLength: number): number {
  const payloadBytes = frontLength + middleLength + dataLength;
  const bytes = messageHeadBytes + payloadBytes;
  return payloadBytes > 0 ? bytes + epilogueBytes : bytes;
}

/** True when a front or data of so many bytes is lent: left out of the frame's memory, to go out from its own. */
export function isLent(segmentLength: number): boolean {
  return segmentLength >= lendBytesMin;
}

/** Bytes of memory that a message's frame takes: all but its lent segments. */
export function writtenBytes(frontLength: number, middleLength: number, dataLength: number): number {
  return (
    messageFrameBytes(frontLength, middleLength, dataLength) - lentBytes(frontLength) - lentBytes(dataLength)
  );
}

function lentBytes(segmentLength: number): number {
  return isLent(segmentLength) ? segmentLength : 0;
}

/**
 * Writes a message's frame at `at`, without its lent segments, whose places are {@link messageHeadBytes}
 * from the start (front) and right before the epilogue (data), and without checksums, which only crc mode
 * needs: {@link writeMessageCrcs}. Answers where the frame's memory ends. Sequence numbers are u64 in two
 * halves. `view` and `bytes` are the same memory.
 */
export function writeMessageFrame(
  bytes: Buffer,
  view: DataView,
  at: number,
  message: FrameMessage,
  seqLow: number,
  seqHigh: number,
  ackSeqLow: number,
  ackSeqHigh: number,
): number {
  const { front, middle, data } = message;
  writePreamble(bytes, view, at, Tag.Message, messageHeaderBytes, front.length, middle.length, data.length);
  const start = at + preambleBytes;
  view.setUint32(start, seqLow, true);
  view.setUint32(start + 4, seqHigh, true);
  view.setUint32(start + 8, message.tidLow, true);
  view.setUint32(start + 12, message.tidHigh, true);
  view.setUint16(start + 16, message.type, true);
  view.setUint16(start + 18, message.priority, true);
  view.setUint16(start + 20, message.version, true);
  view.setUint32(start + 22, 0, true);
  view.setUint16(start + 26, 0, true);
  view.setUint32(start + 28, ackSeqLow, true);
  view.setUint32(start + 32, ackSeqHigh, true);
  view.setUint8(start + 36, headerFlags);
  view.setUint16(start + 37, message.compatVersion, true);
  view.setUint16(start + 39, 0, true);
  return writeSegments(bytes, view, at, front, middle, data);
}

/** Takes the acknowledgement out of a written frame, whose header then says 0. Its checksums are to be made anew. */
export function clearAckSeq(view: DataView, at: number): void {
  const start = at + preambleBytes;
  view.setUint32(start + 28, 0, true);
  view.setUint32(start + 32, 0, true);
}

/** Makes the checksums of the frame that was written to `bytes[at .. end - 1]`. */
export function writeMessageCrcs(
  bytes: Buffer,
  view: DataView,
  at: number,
  end: number,
  lentFront: Uint8Array | undefined,
  lentData: Uint8Array | undefined,
): void {
  const headerEnd = at + preambleBytes + messageHeaderBytes;
  view.setUint32(headerEnd, crc32c(segmentCrcSeed, bytes, at + preambleBytes, headerEnd), true);
  const segmentCount = bytes[at + 1]!;
  if (segmentCount === 1) return;
  const frontLength = segmentLengthAt(bytes, at, 1);
  const frontStart = at + messageHeadBytes;
  const frontEnd = lentFront === undefined ? frontStart + frontLength : frontStart;
  const middleEnd = frontEnd + segmentLengthAt(bytes, at, 2);
  const epilogueStart = end - epilogueBytes;
  writeEpilogue(
    view,
    epilogueStart,
    lentFront === undefined
      ? crc32c(segmentCrcSeed, bytes, frontStart, frontEnd)
      : crc32c(segmentCrcSeed, lentFront),
    segmentCount < 3 ? 0 : crc32c(segmentCrcSeed, bytes, frontEnd, middleEnd),
    segmentCount < 4
      ? 0
      : lentData === undefined
        ? crc32c(segmentCrcSeed, bytes, middleEnd, epilogueStart)
        : crc32c(segmentCrcSeed, lentData),
  );
}

/**
 * A whole message frame in crc mode, in pieces: a front or data of `lendBytesMin` and more is the caller's
 * own memory, everything else is copied. For tools and tests; channels write into slabs of their own.
 */
export function assembleMessageFrame(
  header: MessageHeader,
  front: Uint8Array,
  middle: Uint8Array,
  data: Uint8Array,
): Buffer[] {
  const bytes = Buffer.allocUnsafe(writtenBytes(front.length, middle.length, data.length));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  writePreamble(bytes, view, 0, Tag.Message, messageHeaderBytes, front.length, middle.length, data.length);
  const encoder = new Encoder(messageHeaderBytes);
  encodeMessageHeader(encoder, header);
  bytes.set(encoder.peek(), preambleBytes);
  const end = writeSegments(bytes, view, 0, front, middle, data);
  writeMessageCrcs(bytes, view, 0, end, lentOf(front), lentOf(data));
  const pieces: Uint8Array[] = [];
  pushPieces(pieces, bytes, 0, end, lentOf(front), lentOf(data));
  return pieces.map((piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
}

/** The segment when it is lent, else undefined. */
export function lentOf(segment: Uint8Array): Uint8Array | undefined {
  return isLent(segment.length) ? segment : undefined;
}

/** Adds the pieces of a frame whose memory is `bytes[start .. end - 1]`, in the order of the wire. */
export function pushPieces(
  pieces: Uint8Array[],
  bytes: Uint8Array,
  start: number,
  end: number,
  lentFront: Uint8Array | undefined,
  lentData: Uint8Array | undefined,
): void {
  let from = start;
  if (lentFront !== undefined) {
    const headEnd = start + messageHeadBytes;
    pieces.push(bytes.subarray(from, headEnd), lentFront);
    from = headEnd;
  }
  if (lentData !== undefined) {
    const epilogueStart = end - epilogueBytes;
    if (epilogueStart > from) pieces.push(bytes.subarray(from, epilogueStart));
    pieces.push(lentData);
    from = epilogueStart;
  }
  pieces.push(bytes.subarray(from, end));
}

/** Everything behind the header of the frame at `at`, without checksums; answers where the frame ends. */
function writeSegments(
  bytes: Buffer,
  view: DataView,
  at: number,
  front: Uint8Array,
  middle: Uint8Array,
  data: Uint8Array,
): number {
  let end = at + messageHeadBytes;
  const segmentCount = segmentCountOf(front.length, middle.length, data.length);
  if (segmentCount === 1) return end;
  end = copySegment(bytes, end, front);
  if (segmentCount > 2) {
    bytes.set(middle, end);
    end = copySegment(bytes, end + middle.length, data);
  }
  writeEpilogue(view, end, 0, 0, 0);
  return end + epilogueBytes;
}

function copySegment(bytes: Uint8Array, at: number, segment: Uint8Array): number {
  if (isLent(segment.length)) return at;
  bytes.set(segment, at);
  return at + segment.length;
}
