/** Sealed frames that were altered on the way, and those of a peer that has the keys and breaks the rules. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { MsgrError } from '../../src/errors.ts';
import { controlPayloadBytesMax } from '../../src/limits.ts';
import { assembleControlFrame } from '../../src/wire/frame.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { secureMode } from '../../src/wire/frame-secure.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { type Dishonesty, IndependentSealer } from '../support/independent-sealer.ts';
import {
  empty,
  headerBytes,
  key,
  nonce,
  open,
  otherNonce,
  receiver,
  sealMessage,
  sender,
} from '../support/secure-frames.ts';

const test = suite('frame in secure mode, hostile');

/** The error of opening `bytes`, which must be a bad frame in `field`. */
function refused(
  bytes: Uint8Array,
  field: string,
  text: string | RegExp = '',
  messageBytesMax?: number,
): void {
  assert.throws(
    () => open(bytes, receiver(), messageBytesMax),
    (error: unknown) => {
      assert.ok(error instanceof MsgrError, String(error));
      assert.equal(error.code, 'ERR_MSGR_BAD_FRAME');
      assert.equal(error.field, field);
      assert.match(error.message, text instanceof RegExp ? text : new RegExp(text));
      return true;
    },
  );
}

test('truncated at every byte: no frame and no error', () => {
  for (const frame of [
    sender().assembleControl(Tag.Wait, empty),
    sender().assembleControl(Tag.ClientIdent, Buffer.alloc(123)),
    sealMessage(sender(), Buffer.from('front'), Buffer.from('middle'), Buffer.from('data')),
  ]) {
    for (let length = 0; length < frame.length; length++) {
      assert.equal(open(frame.subarray(0, length)).length, 0, `${length} bytes`);
    }
    assert.equal(open(frame).length, 1);
  }
});

test('every single bit of a control frame and of a message, flipped, is refused by its tag', () => {
  const control = sender().assembleControl(Tag.ClientIdent, randomBytes(123));
  const message = sealMessage(sender(), Buffer.from('front'), Buffer.from('middle'), randomBytes(100));
  for (const frame of [control, message]) {
    const second = frame === control ? 'segments[0].tag' : 'epilogue.tag';
    for (let bit = 0; bit < frame.length * 8; bit++) {
      const changed = Buffer.from(frame);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      refused(changed, bit >> 3 < 96 ? 'preamble.tag' : second, /altered on the way, or the keys differ/);
    }
  }
});

test('a frame that is lost, doubled, late or the sender’s own is refused', () => {
  const mode = sender();
  const [first, second, third] = [1, 2, 3].map((tag) => mode.assembleControl(tag, Buffer.alloc(8, tag)));
  assert.equal(open(Buffer.concat([first!, second!, third!])).length, 3);
  refused(second!, 'preamble.tag');
  refused(Buffer.concat([first!, first!]), 'preamble.tag');
  refused(Buffer.concat([first!, third!, second!]), 'preamble.tag');
  // Reflected: the key of both directions is one, the nonces are not.
  assert.throws(() => open(first!, mode), { code: 'ERR_MSGR_BAD_FRAME' });
  // Operations of two frames put together.
  const long = sealMessage(sender(), Buffer.alloc(20, 1));
  const other = sealMessage(mode, Buffer.alloc(20, 1));
  refused(Buffer.concat([long.subarray(0, 96), other.subarray(96)]), 'epilogue.tag');
});

test('another key, another nonce, and frames in crc mode are refused', () => {
  const frame = sender().assembleControl(Tag.Ack, Buffer.alloc(8));
  for (const keys of [
    { key: Buffer.alloc(16, 1), receiveNonce: nonce, sendNonce: nonce },
    { key, receiveNonce: otherNonce, sendNonce: nonce },
  ]) {
    assert.throws(() => open(frame, secureMode(keys)), { code: 'ERR_MSGR_BAD_FRAME' });
  }
  refused(Buffer.concat([assembleControlFrame(Tag.Ack, Buffer.alloc(8)), Buffer.alloc(96)]), 'preamble.tag');
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 96, maxLength: 300 }), (bytes) => refused(bytes, 'preamble.tag')),
  );
});

// A peer that has the keys may seal what it likes.

const sealed = (tag: number, segments: readonly Uint8Array[], dishonesty: Dishonesty = {}) =>
  new IndependentSealer(key, nonce).frame(tag, segments, dishonesty);

test('an honest tag around a bad preamble', () => {
  const message = [headerBytes(), Buffer.from('front'), Buffer.from('middle'), Buffer.from('data')];
  const bent = (change: (preamble: Buffer) => void) => sealed(Tag.Message, message, { preamble: change });
  refused(sealed(Tag.Message, message, { badCrc: true }), 'preamble.crc', /computed 0x/);
  for (const count of [0, 5, 6, 127, 255]) {
    refused(
      bent((preamble) => preamble.writeUInt8(count, 1)),
      'preamble.numSegments',
      `is ${count}`,
    );
  }
  refused(
    bent((preamble) => preamble.writeUInt32LE(0, 20)),
    'preamble.numSegments',
    'last segment is empty',
  );
  refused(
    bent((preamble) => preamble.writeUInt8(Tag.Hello, 0)),
    'preamble.numSegments',
    'HELLO has one segment',
  );
  for (const length of [0, 40, 42, 48, 49, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const changed = bent((preamble) => preamble.writeUInt32LE(length, 2));
    refused(changed, 'preamble.segments[0].length', `is ${length}`);
  }
  const messageBytesMax = 1000;
  for (const length of [1001, 0x7fffffff, 0x80000000, 0xffffffff]) {
    for (const at of [8, 14, 20]) {
      const changed = bent((preamble) => preamble.writeUInt32LE(length, at));
      refused(changed.subarray(0, 96), 'preamble.segments', 'limit is 1000', messageBytesMax);
    }
  }
  for (const length of [controlPayloadBytesMax + 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
    const changed = sealed(Tag.Hello, [empty], {
      preamble: (bytes: Buffer) => bytes.writeUInt32LE(length, 2),
    });
    refused(changed, 'preamble.segments[0].length', `is ${length}`);
  }
});

test('a declared length allocates nothing', () => {
  const reader = new FrameReader(0xffffffff);
  reader.mode = receiver();
  const frame = sealed(Tag.Message, [headerBytes(), Buffer.from('x')], {
    preamble: (bytes: Buffer) => bytes.writeUInt32LE(0xf0000000, 8),
  });
  const before = process.memoryUsage().arrayBuffers;
  reader.push(frame);
  assert.equal(reader.next(), false);
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20);
});

test('lengths that lie within their limits, but not about the frame, are refused by the tag', () => {
  const segments = [headerBytes(), Buffer.alloc(40), empty, Buffer.alloc(40)];
  const changed = sealed(Tag.Message, segments, {
    preamble: (bytes: Buffer) => bytes.writeUInt32LE(24, 8),
  });
  refused(changed, 'epilogue.tag');
});

test('late status: complete, aborted, neither', () => {
  for (let lateStatus = 0; lateStatus < 256; lateStatus++) {
    const sealer = new IndependentSealer(key, nonce);
    const message = sealer.frame(Tag.Message, [headerBytes(), Buffer.from('front')], { lateStatus });
    const stream = Buffer.concat([message, sealer.frame(Tag.Ack, [Buffer.alloc(8)])]);
    if ((lateStatus & 0xf) === 0x0e || (lateStatus & 0xf) === 0x01) {
      const [first, second] = open(stream);
      assert.equal(first!.aborted, (lateStatus & 0xf) === 0x01);
      // An aborted frame is skipped; what follows is read.
      assert.equal(second!.tag, Tag.Ack);
      assert.equal(second!.aborted, false);
    } else refused(stream, 'epilogue.lateStatus', /neither/);
  }
});

test('every tag: one segment is handed out, but a MESSAGE without its header refused', () => {
  for (let tag = 0; tag < 256; tag++) {
    const frame = sealed(tag, [Buffer.alloc(8)]);
    if (tag === Tag.Message) refused(frame, 'preamble.segments[0].length', 'is 8');
    else assert.equal(open(frame)[0]!.tag, tag);
  }
});

test.run();
