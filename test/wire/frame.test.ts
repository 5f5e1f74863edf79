/** Frames of real daemons (Ceph 16.2.15) read, written again, and broken in every way the framing rules know. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { MsgrError } from '../../src/errors.ts';
import { controlPayloadBytesMax, lendBytesMin } from '../../src/limits.ts';
import { crc32c, segmentCrcSeed } from '../../src/wire/crc32c.ts';
import {
  assembleControlFrame,
  assembleMessageFrame,
  clearAckSeq,
  lentOf,
  messageFrameBytes,
  pushPieces,
  writeMessageCrcs,
  writeMessageFrame,
  writtenBytes,
} from '../../src/wire/frame.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { type MessageHeader, messageHeaderFromBytes } from '../../src/wire/message-header.ts';
import {
  allCaptures,
  bannerBytes,
  type CaptureStream,
  captureFrames,
  captureStreams,
  fixtureCaptures,
} from '../support/captures.ts';

const test = suite('frame');

const empty = new Uint8Array(0);

/** A recorded stream by the beginning of its name. */
function captured(folder: string, match: string, direction: 'c2s' | 's2c' = 'c2s'): CaptureStream {
  const stream = captureStreams(fixtureCaptures, folder, match).find((one) => one.direction === direction);
  assert.ok(stream !== undefined);
  return stream;
}

interface ReadFrame {
  tag: number;
  raw: Buffer;
  /** Segments 0 to 3. */
  segments: Buffer[];
}

/** Every frame that is whole, copied. */
function readFrames(reader: FrameReader): ReadFrame[] {
  const frames: ReadFrame[] = [];
  while (reader.next()) {
    const { frame } = reader;
    const segments = [frame.payload(), frame.segment(1), frame.segment(2), frame.segment(3)];
    frames.push({
      tag: frame.tag,
      raw: Buffer.from(reader.raw()),
      segments: segments.map((s) => Buffer.from(s)),
    });
  }
  return frames;
}

function parse(bytes: Uint8Array, messageBytesMax?: number): ReadFrame[] {
  const reader = new FrameReader(messageBytesMax);
  reader.push(Buffer.from(bytes));
  return readFrames(reader);
}

function assembleAgain({ tag, segments: [head, front, middle, data] }: ReadFrame): Buffer {
  if (tag !== Tag.Message) return assembleControlFrame(tag, head!);
  return Buffer.concat(assembleMessageFrame(messageHeaderFromBytes(head!), front!, middle!, data!));
}

/** The error of reading `bytes`, which must be a bad frame in `field`. */
function refused(bytes: Uint8Array, field: string, value: string | RegExp, messageBytesMax?: number): void {
  assert.throws(
    () => parse(bytes, messageBytesMax),
    (error: unknown) => {
      assert.ok(error instanceof MsgrError);
      assert.equal(error.code, 'ERR_MSGR_BAD_FRAME');
      assert.equal(error.field, field);
      assert.match(error.message, value instanceof RegExp ? value : new RegExp(`\\b${value}\\b`));
      return true;
    },
  );
}

/** Changes a preamble and gives it a checksum that fits. */
function withPreamble(frame: Buffer, change: (preamble: Buffer) => void): Buffer {
  const changed = Buffer.from(frame);
  change(changed);
  changed.writeUInt32LE(crc32c(0, changed, 0, 28), 28);
  return changed;
}

const header: MessageHeader = {
  seq: 0x0102030405060708n,
  tid: 0x1112131415161718n,
  type: 70,
  priority: 127,
  version: 5,
  dataPrePaddingLength: 0,
  dataOffset: 0,
  ackSeq: 0x2122232425262728n,
  flags: 3,
  compatVersion: 4,
  reserved: 0,
};

function messageFrame(front: Uint8Array, middle: Uint8Array = empty, data: Uint8Array = empty): Buffer {
  return Buffer.concat(assembleMessageFrame(header, front, middle, data));
}

const keepalive = assembleControlFrame(Tag.Keepalive2, Buffer.from('0102030405060708', 'hex'));
const message = messageFrame(Buffer.from('front'), Buffer.from('middle'), Buffer.from('data'));

test('an ACK, byte by byte', () => {
  // From a real OSD: tag 20, one segment of 8 bytes aligned to 8, three empty descriptors, flags, crc; the
  // sequence number; its crc.
  const real = [...captureFrames(captured('faults', '069'))].find((frame) => frame.tag === Tag.Ack);
  const seq = real!.segments[0]!;
  const ack = assembleControlFrame(Tag.Ack, seq);
  assert.equal(ack.toString('hex'), real!.raw.toString('hex'));
  assert.equal(ack.subarray(0, 8).toString('hex'), '1401080000000800');
  assert.equal(ack.subarray(8, 28).toString('hex'), '00'.repeat(20));
  assert.equal(ack.readUInt32LE(28), crc32c(0, ack, 0, 28));
  assert.equal(ack.readUInt32LE(40), crc32c(segmentCrcSeed, ack, 32, 40));
  assert.equal(ack.length, 44);
});

function assertWrittenAgain(stream: CaptureStream): number {
  const where = `${stream.folder}/${stream.name}`;
  const expected = [...captureFrames(stream)];
  const frames = parse(stream.bytes.subarray(bannerBytes));
  assert.equal(frames.length, expected.length, where);
  frames.forEach((frame, index) => {
    const { tag, raw, segments } = expected[index]!;
    assert.equal(frame.tag, tag);
    segments.forEach((segment, at) => {
      assert.equal(frame.segments[at]!.compare(segment), 0, `${where}: segment ${at} of frame ${index}`);
    });
    assert.equal(frame.raw.compare(raw), 0, `${where}: frame ${index}`);
    assert.equal(assembleAgain(frame).compare(raw), 0, `${where}: frame ${index}, tag ${tag}, written again`);
  });
  return frames.length;
}

for (const root of new Set([fixtureCaptures, allCaptures])) {
  for (const folder of ['none', 'cephx-crc', 'faults']) {
    if (root === undefined) continue;
    const kind = root === fixtureCaptures ? 'fixtures' : 'all recordings';
    test(`every frame of ${folder} (${kind}) is written again byte for byte`, () => {
      let count = 0;
      for (const stream of captureStreams(root, folder)) count += assertWrittenAgain(stream);
      assert.ok(count > 10);
    });
  }
}

test('the stream of a real daemon, split at every boundary, gives the same frames', () => {
  const reconnect = captured('faults', '068', 's2c').bytes.subarray(bannerBytes);
  const stream = Buffer.concat([reconnect, message]);
  const whole = parse(stream).map((frame) => frame.raw.toString('hex'));
  for (let cut = 0; cut <= stream.length; cut++) {
    const reader = new FrameReader();
    const frames: ReadFrame[] = [];
    for (const part of [stream.subarray(0, cut), stream.subarray(cut)]) {
      reader.push(Buffer.from(part));
      frames.push(...readFrames(reader));
    }
    assert.deepEqual(
      frames.map((frame) => frame.raw.toString('hex')),
      whole,
    );
    assert.equal(reader.bufferedBytes, 0);
  }
});

test('chunks of any sizes, read at any time, give the same frames', () => {
  const big = Buffer.alloc(40_000, 'x');
  const stream = Buffer.concat([
    captured('faults', '068', 's2c').bytes.subarray(bannerBytes),
    messageFrame(big, empty, big),
    keepalive,
    messageFrame(Buffer.from('last')),
  ]);
  const whole = parse(stream).map((frame) => frame.segments);
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9000 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(sizes, fc.infiniteStream(fc.boolean()), (cuts, readsNow) => {
      const reader = new FrameReader();
      const frames: ReadFrame[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = cuts[turn % cuts.length]!;
        reader.push(Buffer.from(stream.subarray(at, at + size)));
        at += size;
        if (readsNow.next().value) frames.push(...readFrames(reader));
      }
      frames.push(...readFrames(reader));
      assert.deepEqual(
        frames.map((frame) => frame.segments),
        whole,
      );
      assert.equal(reader.bufferedBytes, 0);
    }),
    { numRuns: 60 },
  );
});

test('bytes before the first frame are taken as they are', () => {
  const reader = new FrameReader();
  reader.push(Buffer.from('ceph '));
  assert.equal(reader.takeBytes(8), undefined);
  reader.push(Buffer.concat([Buffer.from('v2\n'), keepalive]));
  assert.equal(reader.takeBytes(8)?.toString(), 'ceph v2\n');
  assert.equal(readFrames(reader).length, 1);
});

test('truncated at every byte: no frame and no error', () => {
  for (const frame of [keepalive, message, assembleControlFrame(Tag.Wait, empty)]) {
    for (let length = 0; length < frame.length; length++) {
      assert.equal(parse(frame.subarray(0, length)).length, 0);
    }
    assert.equal(parse(frame).length, 1);
  }
});

test('one changed bit anywhere is noticed, or changes nothing that is read', () => {
  const whole = JSON.stringify(parse(message)[0]!.segments);
  for (let bit = 0; bit < message.length * 8; bit++) {
    const changed = Buffer.from(message);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    try {
      const frames = parse(changed);
      assert.equal(frames.length, 1, `bit ${bit}`);
      // Only the reserved high nibble of the late status is not protected.
      assert.equal(bit >> 3, message.length - 13, `bit ${bit}`);
      assert.equal(JSON.stringify(frames[0]!.segments), whole);
    } catch (error) {
      assert.ok(error instanceof MsgrError, String(error));
      assert.equal(error.code, 'ERR_MSGR_BAD_FRAME');
    }
  }
});

test('sizes on the wire', () => {
  // As in Ceph's own table: header, front, middle, data of 41 / 101 / 202 / 303 bytes.
  assert.equal(
    messageFrame(new Uint8Array(101), new Uint8Array(202), new Uint8Array(303)).length,
    32 + 45 + 606 + 13,
  );
  assert.equal(messageFrame(empty).length, 32 + 45);
  assert.equal(messageFrame(empty, empty, new Uint8Array(1)).length, 32 + 45 + 1 + 13);
  assert.equal(assembleControlFrame(Tag.Wait, empty).length, 32);
  assert.equal(assembleControlFrame(Tag.SessionReset, new Uint8Array(1)).length, 37);
  for (const lengths of [
    [0, 0, 0],
    [1, 0, 0],
    [0, 2, 0],
    [0, 0, 3],
    [4, 5, 6],
  ] as const) {
    const [front, middle, data] = lengths.map((length) => new Uint8Array(length)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    assert.equal(
      messageFrameBytes(lengths[0], lengths[1], lengths[2]),
      messageFrame(front, middle, data).length,
    );
  }
});

test('empty segments: trailing ones are not counted, one in the middle has the seed as checksum', () => {
  const frame = messageFrame(empty, empty, Buffer.from('d'));
  assert.equal(frame[1], 4);
  const epilogue = frame.subarray(-13);
  assert.equal(epilogue[0], 0x0e);
  assert.equal(epilogue.readUInt32LE(1), 0xffffffff);
  assert.equal(epilogue.readUInt32LE(5), 0xffffffff);
  const two = messageFrame(Buffer.from('f'));
  assert.equal(two[1], 2);
  assert.equal(two.subarray(-8).toString('hex'), '00'.repeat(8));
  assert.equal(two.subarray(14, 26).toString('hex'), '00'.repeat(12));
});

test('segment count 0 and above 4', () => {
  for (const count of [0, 5, 6, 127, 255]) {
    const changed = withPreamble(message, (preamble) => preamble.writeUInt8(count, 1));
    refused(changed, 'preamble.numSegments', String(count));
  }
});

test('an empty last segment', () => {
  const changed = withPreamble(message, (preamble) => preamble.writeUInt32LE(0, 20));
  refused(changed, 'preamble.numSegments', /last segment is empty/);
});

test('a control frame with a second segment', () => {
  const changed = withPreamble(message, (preamble) => preamble.writeUInt8(Tag.Hello, 0));
  refused(changed, 'preamble.numSegments', /HELLO has one segment/);
});

test('every tag: one segment is handed out, but a MESSAGE without its header refused', () => {
  for (let tag = 0; tag < 256; tag++) {
    const frame = assembleControlFrame(tag, Buffer.alloc(8));
    if (tag === Tag.Message) refused(frame, 'preamble.segments[0].length', '8');
    else assert.equal(parse(frame)[0]!.tag, tag);
  }
});

test('a message whose header is not 41 bytes', () => {
  for (const length of [...Array(41).keys(), 42, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const changed = withPreamble(message, (preamble) => preamble.writeUInt32LE(length, 2));
    refused(changed, 'preamble.segments[0].length', String(length));
  }
});

test('length fields at their boundaries: refused before a byte is awaited', () => {
  const messageBytesMax = 1000;
  for (const length of [controlPayloadBytesMax + 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const control = withPreamble(keepalive, (preamble) => preamble.writeUInt32LE(length, 2)).subarray(0, 32);
    refused(control, 'preamble.segments[0].length', String(length));
    for (const at of [8, 14, 20]) {
      const changed = withPreamble(message, (preamble) => preamble.writeUInt32LE(length, at)).subarray(0, 32);
      refused(changed, 'preamble.segments', 'limit is 1000', messageBytesMax);
    }
  }
  // The three together are what is limited.
  const lengths = (front: number, middle: number, data: number) =>
    withPreamble(message, (preamble) => {
      preamble.writeUInt32LE(front, 8);
      preamble.writeUInt32LE(middle, 14);
      preamble.writeUInt32LE(data, 20);
    }).subarray(0, 32);
  refused(lengths(400, 400, 201), 'preamble.segments', '1001', messageBytesMax);
  assert.equal(parse(lengths(400, 400, 200), messageBytesMax).length, 0);
  // At its limit a control frame is read.
  assert.equal(parse(assembleControlFrame(Tag.AuthDone, Buffer.alloc(controlPayloadBytesMax))).length, 1);
});

test('a declared length allocates nothing', () => {
  const reader = new FrameReader(0xffffffff);
  const preamble = withPreamble(message, (bytes) => bytes.writeUInt32LE(0xf0000000, 20)).subarray(0, 32);
  const before = process.memoryUsage().arrayBuffers;
  reader.push(preamble);
  assert.equal(reader.next(), false);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

test('late status: complete, aborted, neither', () => {
  const statusAt = message.length - 13;
  for (let status = 0; status < 256; status++) {
    const changed = Buffer.from(message);
    changed[statusAt] = status;
    const reader = new FrameReader();
    reader.push(Buffer.concat([changed, keepalive]));
    if ((status & 0xf) === 0x0e || (status & 0xf) === 0x01) {
      assert.equal(reader.next(), true);
      assert.equal(reader.frame.aborted, (status & 0xf) === 0x01);
      // An aborted frame is skipped; what follows is read.
      assert.equal(reader.next(), true);
      assert.equal(reader.frame.aborted, false);
      assert.equal(reader.frame.tag, Tag.Keepalive2);
    } else refused(changed, 'epilogue.lateStatus', /neither/);
  }
});

test('each checksum is checked, and named', () => {
  const broken = (at: number) => {
    const changed = Buffer.from(message);
    changed[at]! ^= 0x80;
    return changed;
  };
  const front = 32 + 45;
  refused(broken(28), 'preamble.crc', /computed 0x/);
  refused(broken(32), 'segments[0].crc', /computed 0x/);
  refused(broken(32 + 41), 'segments[0].crc', /computed 0x/);
  refused(broken(front), 'epilogue.crc[1]', /computed 0x/);
  refused(broken(front + 5), 'epilogue.crc[2]', /computed 0x/);
  refused(broken(front + 11), 'epilogue.crc[3]', /computed 0x/);
  refused(broken(message.length - 1), 'epilogue.crc[3]', /computed 0x/);
});

test('alignments, flags and reserved bits are not looked at', () => {
  const changed = withPreamble(message, (preamble) => {
    for (const at of [6, 12, 18, 24, 26]) preamble.writeUInt16LE(0xffff, at);
  });
  assert.deepEqual(parse(changed)[0]!.segments, parse(message)[0]!.segments);
});

test('a frame written in place is the assembled one, and lends what is large', () => {
  const sizes = [0, 1, 64, lendBytesMin - 1, lendBytesMin, lendBytesMin + 1];
  const at = 7;
  for (const frontSize of sizes) {
    for (const middle of [empty, Buffer.alloc(lendBytesMin + 5, 'm')]) {
      for (const dataSize of sizes) {
        const front = Buffer.alloc(frontSize, 'f');
        const data = Buffer.alloc(dataSize, 'd');
        const outgoing = { ...header, tidLow: 0x15161718, tidHigh: 0x11121314, front, middle, data };
        const memory = Buffer.alloc(at + writtenBytes(frontSize, middle.length, dataSize));
        const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
        const end = writeMessageFrame(
          memory,
          view,
          at,
          outgoing,
          0x05060708,
          0x01020304,
          0x25262728,
          0x21222324,
        );
        assert.equal(end, memory.length);
        writeMessageCrcs(memory, view, at, end, lentOf(front), lentOf(data));
        const pieces: Uint8Array[] = [];
        pushPieces(pieces, memory, at, end, lentOf(front), lentOf(data));
        const assembled = assembleMessageFrame(header, front, middle, data);
        assert.equal(Buffer.concat(pieces).compare(Buffer.concat(assembled)), 0);
        assert.equal(messageFrameBytes(frontSize, middle.length, dataSize), Buffer.concat(pieces).length);
        assert.equal(pieces.includes(front), frontSize >= lendBytesMin);
        assert.equal(pieces.includes(data), dataSize >= lendBytesMin);
      }
    }
  }
});

test('the acknowledgement can be taken out of a finished frame', () => {
  const frame = Buffer.concat([Buffer.alloc(3), message]);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  clearAckSeq(view, 3);
  writeMessageCrcs(frame, view, 3, frame.length, undefined, undefined);
  const [read] = parse(frame.subarray(3));
  assert.deepEqual(messageHeaderFromBytes(read!.segments[0]!), { ...header, ackSeq: 0n });
});

test('any segments survive', () => {
  const segment = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(segment, segment, segment, (front, middle, data) => {
      const [frame] = parse(messageFrame(front, middle, data));
      assert.deepEqual(messageHeaderFromBytes(frame!.segments[0]!), header);
      assert.deepEqual(
        frame!.segments.slice(1),
        [front, middle, data].map((bytes) => Buffer.from(bytes)),
      );
    }),
  );
});

test('random bytes are refused, never handed out', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 200 }), (bytes) => {
      assert.throws(() => parse(bytes), { code: 'ERR_MSGR_BAD_FRAME' });
    }),
  );
});

test.run();
