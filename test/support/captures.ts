/**
 * Reads recorded byte streams of a real cluster: the small set beside the tests, and all recordings when
 * they are at hand (MSGR2_CAPTURES, or `../shared/captures` from the repository's root).
 *
 * The frame parser here is its own, apart from src/wire/frame.ts on purpose: it is what that is compared
 * with. It checks every CRC, so that a frame that it yields is surely one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32c } from '../../src/wire/crc32c.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { type MessageHeader, messageHeaderFromBytes } from '../../src/wire/message-header.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** The recordings that are part of the repository. */
export const fixtureCaptures = join(here, '../fixtures/captures');

/** Where all recordings are; undefined when this machine has none. */
export const allCaptures: string | undefined = [
  process.env.MSGR2_CAPTURES,
  join(here, '../../../shared/captures'),
].find((path) => path !== undefined && path !== '' && existsSync(path));

export interface CaptureStream {
  readonly folder: string;
  readonly name: string;
  /** c2s: what the connector sent. */
  readonly direction: 'c2s' | 's2c';
  readonly bytes: Buffer;
}

export interface CaptureFrame {
  readonly tag: number;
  /** As many as the preamble says, empty ones in between included. */
  readonly segments: readonly Buffer[];
  /** The whole frame: preamble, segments, CRCs, epilogue. */
  readonly raw: Buffer;
  /** Where the frame begins in the stream. */
  readonly offset: number;
}

export const bannerBytes = 26;

/** The streams of one folder in the order they were recorded; `match` picks by the name's beginning. */
export function captureStreams(root: string, folder: string, match = ''): CaptureStream[] {
  const names = readdirSync(join(root, folder)).filter(
    (name) => /\.(c2s|s2c)$/.test(name) && name.startsWith(match),
  );
  return names.sort().map((name) => ({
    folder,
    name,
    direction: name.endsWith('.c2s') ? 'c2s' : 's2c',
    bytes: readFileSync(join(root, folder, name)),
  }));
}

function check(
  stream: CaptureStream,
  offset: number,
  what: string,
  seed: number,
  bytes: Buffer,
  crc: number,
) {
  if (crc32c(seed, bytes) !== crc)
    throw new Error(`${stream.folder}/${stream.name} at ${offset}: ${what} CRC differs`);
}

/**
 * The frames after the banner, rev 2.1 in crc mode. A connection that was cut may end in half a frame;
 * that half is left out.
 */
export function* captureFrames(stream: CaptureStream): Generator<CaptureFrame> {
  const { bytes } = stream;
  let offset = bannerBytes;
  while (offset + 32 <= bytes.byteLength) {
    check(
      stream,
      offset,
      'preamble',
      0,
      bytes.subarray(offset, offset + 28),
      bytes.readUInt32LE(offset + 28),
    );
    const count = bytes[offset + 1]!;
    const lengths = [0, 1, 2, 3].map((index) => bytes.readUInt32LE(offset + 2 + 6 * index));
    const segments: Buffer[] = [];
    let at = offset + 32;
    for (let index = 0; index < count; index++) {
      segments.push(bytes.subarray(at, at + lengths[index]!));
      at += lengths[index]!;
      if (index === 0 && lengths[0]! > 0) at += 4;
    }
    if (count > 1) at += 13;
    if (at > bytes.byteLength) return;
    if (lengths[0]! > 0) {
      const crcAt = offset + 32 + lengths[0]!;
      check(stream, offset, 'segment 0', 0xffffffff, segments[0]!, bytes.readUInt32LE(crcAt));
    }
    for (let index = 1; index < count; index++) {
      check(
        stream,
        offset,
        `segment ${index}`,
        0xffffffff,
        segments[index]!,
        bytes.readUInt32LE(at - 16 + 4 * index),
      );
    }
    yield { tag: bytes[offset]!, segments, raw: bytes.subarray(offset, at), offset };
    offset = at;
  }
}

/** A MESSAGE frame taken apart as far as the header. */
export interface CaptureMessage extends MessageHeader {
  readonly front: Buffer;
  readonly middle: Buffer;
  readonly data: Buffer;
  /** Folder, file and offset, for what a failing test says. */
  readonly where: string;
}

const folders = ['none', 'cephx-crc', 'faults'];

/** Every message of one type in the repository's recordings. */
export function fixtureMessages(type: number): CaptureMessage[] {
  const messages: CaptureMessage[] = [];
  const empty = Buffer.alloc(0);
  for (const stream of folders.flatMap((folder) => captureStreams(fixtureCaptures, folder))) {
    for (const { tag, segments, offset } of captureFrames(stream)) {
      if (tag !== Tag.Message) continue;
      const header = messageHeaderFromBytes(segments[0]!);
      if (header.type !== type) continue;
      const [, front = empty, middle = empty, data = empty] = segments;
      messages.push({
        ...header,
        front,
        middle,
        data,
        where: `${stream.folder}/${stream.name} at ${offset}`,
      });
    }
  }
  return messages;
}
