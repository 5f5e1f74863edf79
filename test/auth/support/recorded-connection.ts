/**
 * A recorded connection with cephx, cut into what its handshake said and what came after. The frames up to
 * AUTH_DONE are in the clear in every mode; from AUTH_SIGNATURE on they are in the mode that was agreed.
 */
import type { FrameReader } from '../../../src/wire/frame-reader.ts';
import { Tag } from '../../../src/wire/frames/tag.ts';
import { bannerBytes, type CaptureFrame, captureFrames, captureStreams } from '../../support/captures.ts';

/** What one side sent. */
export interface RecordedSide {
  readonly bytes: Buffer;
  /** HELLO and the frames of the authentication. */
  readonly clear: readonly CaptureFrame[];
  /** Where AUTH_SIGNATURE begins. */
  readonly clearEnd: number;
}

export interface RecordedConnection {
  /** `cephx-crc/013-…`, for messages of failing tests. */
  readonly where: string;
  readonly connector: RecordedSide;
  readonly acceptor: RecordedSide;
}

const authTags: readonly number[] = [
  Tag.AuthRequest,
  Tag.AuthRequestMore,
  Tag.AuthReplyMore,
  Tag.AuthBadMethod,
  Tag.AuthDone,
];

/** Frames in the clear, as many as there are: the first frame that is none of them ends it. */
function clearFrames(
  frames: Generator<CaptureFrame>,
  isLast: (frames: CaptureFrame[]) => boolean,
): CaptureFrame[] {
  const clear: CaptureFrame[] = [];
  for (const frame of frames) {
    if (frame.tag !== Tag.Hello && !authTags.includes(frame.tag)) break;
    clear.push(frame);
    if (isLast(clear)) break;
  }
  return clear;
}

function sideOf(bytes: Buffer, clear: readonly CaptureFrame[]): RecordedSide {
  const last = clear.at(-1);
  return { bytes, clear, clearEnd: last === undefined ? bannerBytes : last.offset + last.raw.byteLength };
}

/** All connections of a folder that came as far as AUTH_DONE, and how many did not. */
export function recordedConnections(
  root: string,
  folder: string,
): { connections: RecordedConnection[]; unfinished: string[] } {
  const streams = captureStreams(root, folder);
  const connections: RecordedConnection[] = [];
  const unfinished: string[] = [];
  for (const { name, bytes } of streams.filter(({ direction }) => direction === 'c2s')) {
    const where = `${folder}/${name.replace(/\.c2s$/, '')}`;
    const answer = streams.find((other) => other.name === name.replace(/c2s$/, 's2c'))!;
    const accepted = clearFrames(captureFrames(answer), (frames) => frames.at(-1)!.tag === Tag.AuthDone);
    const rounds = accepted.filter(({ tag }) => tag !== Tag.Hello).length;
    const asked = clearFrames(
      captureFrames({ folder, name, direction: 'c2s', bytes }),
      (frames) => frames.length === 1 + rounds,
    );
    if (accepted.at(-1)?.tag !== Tag.AuthDone) unfinished.push(where);
    else {
      connections.push({
        where,
        connector: sideOf(bytes, asked),
        acceptor: sideOf(answer.bytes, accepted),
      });
    }
  }
  return { connections, unfinished };
}

/** The payload of the first frame with this tag in the clear part. */
export function payloadOf(side: RecordedSide, tag: number): Buffer {
  const frame = side.clear.find((candidate) => candidate.tag === tag);
  if (frame === undefined) throw new Error(`no frame with tag ${tag}`);
  return frame.segments[0]!;
}

/** A frame after the handshake, in whatever mode, opened by our own reader. Its bytes are copies. */
export interface OpenedFrame {
  readonly tag: number;
  readonly payload: Buffer;
  readonly front: Buffer;
  readonly middle: Buffer;
  readonly data: Buffer;
}

/** Opens everything from AUTH_SIGNATURE on; a frame that was cut off at the end is left out. */
export function* openedFrames(side: RecordedSide, reader: FrameReader): Generator<OpenedFrame> {
  reader.push(Buffer.from(side.bytes.subarray(side.clearEnd)));
  while (reader.next()) {
    const { frame } = reader;
    const segment = (index: 1 | 2 | 3): Buffer => Buffer.from(frame.segment(index));
    yield {
      tag: frame.tag,
      payload: Buffer.from(frame.payload()),
      front: segment(1),
      middle: segment(2),
      data: segment(3),
    };
  }
}
