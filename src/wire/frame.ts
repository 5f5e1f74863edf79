/**
 * A frame of msgr2.1 as it is on the wire, in crc mode (facts 1.4):
 *
 *      ┌──────────┬───────────┬─────────┬───────────┬───────────┬───────────┬──────────┐
 *      │ preamble │ segment 0 │ u32 crc │ segment 1 │ segment 2 │ segment 3 │ epilogue │
 *      │ 32 bytes │           │ of it   │           │           │           │ 13 bytes │
 *      └──────────┴───────────┴─────────┴───────────┴───────────┴───────────┴──────────┘
 *                   no crc when empty      no epilogue when there is one segment only
 *
 * Control frames have one segment, messages a header and up to three more: front, middle, data. What a
 * mode of the stream changes about this stands behind {@link FrameMode}; secure mode will be the second.
 */
import { Buffer } from 'node:buffer';
import { crc32c, segmentCrcSeed } from './crc32c.ts';
import { Encoder } from './encoder.ts';
import { checkEpilogue, epilogueBytes, writeEpilogue } from './epilogue.ts';
import { copiedBytes, FrameSink } from './frame-sink.ts';
import { Tag } from './frames/tag.ts';
import {
  encodeMessageHeader,
  MessageFlag,
  type MessageHeader,
  messageHeaderBytes,
} from './message-header.ts';
import {
  badFrame,
  hex,
  Preamble,
  preambleBytes,
  readPreamble,
  segmentCountOf,
  writePreamble,
} from './preamble.ts';

/** Bytes of the checksum behind segment 0. */
const segmentCrcBytes = 4;

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
  /** Holds segments 1 to 3, one behind the other from `bodyStart`. */
  body: Buffer = emptyBytes;
  bodyStart = 0;

  get tag(): number {
    return this.preamble.tag;
  }

  /** Lets go of the memory that the segments lie in. */
  release(): void {
    this.head = emptyBytes;
    this.headView = emptyView;
    this.headStart = 0;
    this.body = emptyBytes;
    this.bodyStart = 0;
  }

  /** Segment 0: a control frame's payload, a message's header. */
  payload(): Buffer {
    return this.head.subarray(this.headStart, this.headStart + this.preamble.lengths[0]!);
  }

  /** Segment 1, 2 or 3 of a message: front, middle, data. */
  segment(index: 1 | 2 | 3): Buffer {
    const { lengths } = this.preamble;
    let start = this.bodyStart;
    for (let before = 1; before < index; before++) start += lengths[before]!;
    return this.body.subarray(start, start + lengths[index]!);
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
  /** Bytes on the wire of a message with these segments. */
  messageFrameBytes(frontLength: number, middleLength: number, dataLength: number): number;
  /** Bytes of the sink's slab that `writeMessage` fills; large payloads are lent and take none. */
  slabBytesOf(message: FrameMessage): number;
  /** Writes a message's frame; seq and ack seq are u64 in two halves. */
  writeMessage(
    sink: FrameSink,
    message: FrameMessage,
    seqLow: number,
    seqHigh: number,
    ackSeqLow: number,
    ackSeqHigh: number,
  ): void;
  /** A whole control frame. */
  assembleControl(tag: number, payload: Uint8Array): Buffer;
}

/** The mode without encryption: every segment is followed by, or has in the epilogue, its checksum. */
export const crcMode: FrameMode = Object.freeze({
  firstBlockBytes: preambleBytes,

  remainingBytes({ lengths, segmentCount }: Preamble): number {
    const head = lengths[0]! > 0 ? lengths[0]! + segmentCrcBytes : 0;
    return segmentCount === 1 ? head : head + lengths[1]! + lengths[2]! + lengths[3]! + epilogueBytes;
  },

  openPreamble: readPreamble,

  openSegments(bytes: Buffer, view: DataView, at: number, frame: Frame): void {
    const { preamble } = frame;
    const headLength = preamble.lengths[0]!;
    const headStart = at + preambleBytes;
    const headEnd = headStart + headLength;
    frame.head = bytes;
    frame.headView = view;
    frame.headStart = headStart;
    frame.body = bytes;
    frame.bodyStart = headEnd;
    if (headLength > 0) {
      const crc = view.getUint32(headEnd, true);
      const computed = crc32c(segmentCrcSeed, bytes, headStart, headEnd);
      if (crc !== computed) throw badFrame('segments[0].crc', `is ${hex(crc)}, computed ${hex(computed)}`);
      frame.bodyStart += segmentCrcBytes;
    }
    frame.aborted = preamble.segmentCount > 1 && !checkEpilogue(bytes, view, frame.bodyStart, preamble);
  },

  messageFrameBytes(frontLength: number, middleLength: number, dataLength: number): number {
    const payloadBytes = frontLength + middleLength + dataLength;
    const bytes = preambleBytes + messageHeaderBytes + segmentCrcBytes + payloadBytes;
    return payloadBytes > 0 ? bytes + epilogueBytes : bytes;
  },

  slabBytesOf({ front, middle, data }: FrameMessage): number {
    return (
      preambleBytes +
      messageHeaderBytes +
      segmentCrcBytes +
      copiedBytes(front) +
      copiedBytes(middle) +
      copiedBytes(data) +
      epilogueBytes
    );
  },

  writeMessage(
    sink: FrameSink,
    message: FrameMessage,
    seqLow: number,
    seqHigh: number,
    ackSeqLow: number,
    ackSeqHigh: number,
  ): void {
    const { bytes, view, at } = sink;
    const { front, middle, data } = message;
    writePreamble(bytes, view, at, Tag.Message, messageHeaderBytes, front.length, middle.length, data.length);
    const headStart = at + preambleBytes;
    writeHeader(view, headStart, message, seqLow, seqHigh, ackSeqLow, ackSeqHigh);
    finishMessage(sink, headStart + messageHeaderBytes, front, middle, data);
  },

  assembleControl: assembleControlFrame,
});

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

/**
 * A whole message frame in crc mode, in pieces: payloads of `lendBytesMin` and more are the caller's own
 * memory, everything else is copied. For tools and tests; channels write into a sink of their own.
 */
export function assembleMessageFrame(
  header: MessageHeader,
  front: Uint8Array,
  middle: Uint8Array,
  data: Uint8Array,
): Buffer[] {
  const sink = new FrameSink(
    preambleBytes +
      messageHeaderBytes +
      segmentCrcBytes +
      copiedBytes(front) +
      copiedBytes(middle) +
      copiedBytes(data) +
      epilogueBytes,
  );
  const { bytes, view } = sink;
  writePreamble(bytes, view, 0, Tag.Message, messageHeaderBytes, front.length, middle.length, data.length);
  const encoder = new Encoder(messageHeaderBytes);
  encodeMessageHeader(encoder, header);
  bytes.set(encoder.peek(), preambleBytes);
  finishMessage(sink, preambleBytes + messageHeaderBytes, front, middle, data);
  return sink.finish().map((piece) => Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
}

/** Everything behind the header, which ends at `headEnd`. */
function finishMessage(
  sink: FrameSink,
  headEnd: number,
  front: Uint8Array,
  middle: Uint8Array,
  data: Uint8Array,
): void {
  const { bytes, view } = sink;
  view.setUint32(headEnd, crc32c(segmentCrcSeed, bytes, headEnd - messageHeaderBytes, headEnd), true);
  sink.at = headEnd + segmentCrcBytes;
  const segmentCount = segmentCountOf(front.length, middle.length, data.length);
  if (segmentCount === 1) return;
  sink.put(front);
  if (segmentCount > 2) sink.put(middle);
  if (segmentCount > 3) sink.put(data);
  writeEpilogue(
    view,
    sink.at,
    crc32c(segmentCrcSeed, front),
    segmentCount > 2 ? crc32c(segmentCrcSeed, middle) : 0,
    segmentCount > 3 ? crc32c(segmentCrcSeed, data) : 0,
  );
  sink.at += epilogueBytes;
}

/** ceph_msg_header2 in place, for the path of every message; a test compares it with `encodeMessageHeader`. */
function writeHeader(
  view: DataView,
  at: number,
  message: FrameMessage,
  seqLow: number,
  seqHigh: number,
  ackSeqLow: number,
  ackSeqHigh: number,
): void {
  view.setUint32(at, seqLow, true);
  view.setUint32(at + 4, seqHigh, true);
  view.setUint32(at + 8, message.tidLow, true);
  view.setUint32(at + 12, message.tidHigh, true);
  view.setUint16(at + 16, message.type, true);
  view.setUint16(at + 18, message.priority, true);
  view.setUint16(at + 20, message.version, true);
  view.setUint32(at + 22, 0, true);
  view.setUint16(at + 26, 0, true);
  view.setUint32(at + 28, ackSeqLow, true);
  view.setUint32(at + 32, ackSeqHigh, true);
  view.setUint8(at + 36, headerFlags);
  view.setUint16(at + 37, message.compatVersion, true);
  view.setUint16(at + 39, 0, true);
}
