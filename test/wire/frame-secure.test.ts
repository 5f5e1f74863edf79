/** Sealed frames: of real daemons, of an independent sealer, of every shape. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { controlPayloadBytesMax, lendBytesMin } from '../../src/limits.ts';
import {
  assembleControlFrame,
  assembleMessageFrame,
  type FrameMode,
  messageFrameBytes,
} from '../../src/wire/frame.ts';
import { crcMode } from '../../src/wire/frame-crc.ts';
import { NonceCounter } from '../../src/wire/frame-nonce.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { SecureMode, secureMode } from '../../src/wire/frame-secure.ts';
import { Tag } from '../../src/wire/frames/tag.ts';
import { messageHeaderFromBytes } from '../../src/wire/message-header.ts';
import { Preamble } from '../../src/wire/preamble.ts';
import { secureStreams } from '../maps/support/secure-captures.ts';
import { allCaptures } from '../support/captures.ts';
import { IndependentSealer } from '../support/independent-sealer.ts';
import {
  header,
  headerBytes,
  key,
  nonce,
  type OpenedFrame,
  open,
  otherNonce,
  receiver,
  sealMessage,
  sender,
  takeFrame,
} from '../support/secure-frames.ts';

const test = suite('frame in secure mode');

/** Opens a daemon's stream and seals every frame again. */
function assertSealedAgain(stream: { key: Buffer; nonce: Buffer; bytes: Buffer; name: string }): number {
  const keys = { key: stream.key, receiveNonce: stream.nonce, sendNonce: stream.nonce };
  const reader = new FrameReader();
  reader.mode = secureMode(keys);
  reader.push(stream.bytes);
  const writer = secureMode(keys);
  let count = 0;
  for (; reader.next(); count++) {
    const { tag, segments, raw } = takeFrame(reader);
    const where = `${stream.name}: frame ${count}, tag ${tag}`;
    let again: Buffer;
    if (tag === Tag.Message) {
      const [head, front, middle, data] = segments;
      const plain = Buffer.concat(
        assembleMessageFrame(messageHeaderFromBytes(head!), front!, middle!, data!),
      );
      const pieces: Uint8Array[] = [];
      writer.seal(pieces, plain, 0, plain.length, undefined, undefined);
      again = Buffer.concat(pieces);
    } else again = writer.assembleControl(tag, segments[0]!);
    assert.ok(again.equals(raw), where);
  }
  assert.equal(reader.bufferedBytes, 0, stream.name);
  return count;
}

const handshakes = fileURLToPath(new URL('../fixtures/handshakes', import.meta.url));

for (const root of [handshakes, allCaptures]) {
  if (root === undefined) continue;
  const kind = root === handshakes ? 'fixtures' : 'all recordings';
  test(`streams of real daemons are opened, and sealed again byte for byte (${kind})`, () => {
    let count = 0;
    for (const stream of secureStreams(root, 'cephx-secure')) count += assertSealedAgain(stream);
    assert.ok(count > 100, `${count} frames`);
  });
}

test('sizes on the wire, as in the table of Ceph’s own test', () => {
  const crc = (...lengths: number[]) => sizeIn(crcMode, lengths);
  const secure = (...lengths: number[]) => sizeIn(sender(), lengths);
  assert.equal(crc(49, 101, 202, 303), 32 + 53 + 101 + 202 + 303 + 13);
  assert.equal(secure(49, 101, 202, 303), 96 + 32 + 112 + 208 + 304 + 32);
  assert.deepEqual([crc(0), secure(0)], [32, 96]);
  assert.deepEqual([crc(1), secure(1)], [32 + 5, 96]);
  assert.deepEqual([crc(48), secure(48)], [32 + 52, 96]);
  assert.deepEqual([crc(49), secure(49)], [32 + 53, 96 + 32]);
  assert.deepEqual([crc(0, 1), secure(0, 1)], [32 + 1 + 13, 96 + 16 + 32]);
  assert.deepEqual([crc(41, 0, 0, 303), secure(41, 0, 0, 303)], [32 + 45 + 303 + 13, 96 + 304 + 32]);
  assert.deepEqual([crc(41, 0, 202), secure(41, 0, 202)], [32 + 45 + 202 + 13, 96 + 208 + 32]);
  // Lengths of 32 bits do not overflow.
  const most = 0xffffffff;
  assert.equal(secure(most, most, most, most), 96 + (2 ** 32 - 48 + 16) + 3 * 2 ** 32 + 32);
});

function sizeIn(mode: FrameMode, lengths: readonly number[]): number {
  const preamble = new Preamble();
  preamble.segmentCount = lengths.length;
  lengths.forEach((length, index) => {
    preamble.lengths[index] = length;
  });
  return mode.firstBlockBytes + mode.remainingBytes(preamble);
}

test('sizes of the frames that are sent, in both modes', () => {
  // Tag, bytes of its payload, in crc mode, in secure mode.
  const table: [tag: number, payload: number, crc: number, secure: number][] = [
    [Tag.AuthSignature, 32, 68, 96],
    [Tag.IdentMissingFeatures, 8, 44, 96],
    [Tag.SessionReset, 1, 37, 96],
    [Tag.SessionRetry, 8, 44, 96],
    [Tag.SessionRetryGlobal, 8, 44, 96],
    [Tag.SessionReconnectOk, 8, 44, 96],
    [Tag.Wait, 0, 32, 96],
    [Tag.Keepalive2, 8, 44, 96],
    [Tag.Keepalive2Ack, 8, 44, 96],
    [Tag.Ack, 8, 44, 96],
    // With one IPv4 address and with as many as there may be.
    [Tag.ServerIdent, 88, 124, 160],
    [Tag.ClientIdent, 123, 159, 192],
    [Tag.SessionReconnect, 80, 116, 144],
    [
      Tag.ClientIdent,
      controlPayloadBytesMax,
      36 + controlPayloadBytesMax,
      96 + controlPayloadBytesMax - 48 + 16,
    ],
  ];
  for (const [tag, length, crc, secure] of table) {
    assert.equal(assembleControlFrame(tag, Buffer.alloc(length)).length, crc, `tag ${tag}`);
    assert.equal(sender().assembleControl(tag, Buffer.alloc(length)).length, secure, `tag ${tag}`);
  }
  for (const [front, middle, data, crc, secure] of [
    [0, 0, 0, 77, 96],
    [1, 0, 0, 91, 144],
    [16, 0, 0, 106, 144],
    [17, 0, 0, 107, 160],
    [0, 0, 1, 91, 144],
    [101, 202, 303, 77 + 606 + 13, 96 + 112 + 208 + 304 + 32],
  ] as const) {
    assert.equal(messageFrameBytes(front, middle, data), crc);
    assert.equal(
      sealMessage(sender(), Buffer.alloc(front), Buffer.alloc(middle), Buffer.alloc(data)).length,
      secure,
    );
  }
});

test('control frames: as an independent sealer makes them, and opened', () => {
  const expected = new IndependentSealer(key, nonce);
  const mode = sender();
  const opener = receiver();
  for (const length of [
    0,
    1,
    8,
    15,
    16,
    17,
    32,
    47,
    48,
    49,
    63,
    64,
    65,
    123,
    1000,
    4096,
    controlPayloadBytesMax,
  ]) {
    const payload = randomBytes(length);
    const sealed = mode.assembleControl(Tag.Hello, payload);
    assert.ok(sealed.equals(expected.frame(Tag.Hello, [payload])), `${length} bytes`);
    const [frame] = open(sealed, opener);
    assert.equal(frame!.tag, Tag.Hello);
    assert.ok(frame!.segments[0]!.equals(payload));
    assert.ok(frame!.raw.equals(sealed), 'raw is what was on the wire');
  }
});

test('messages of every shape: as an independent sealer makes them, and opened', () => {
  const expected = new IndependentSealer(key, nonce);
  const mode = sender();
  const opener = receiver();
  for (const front of [0, 1, 16, 4096, lendBytesMin - 1, lendBytesMin, lendBytesMin + 1]) {
    for (const middle of [0, 1, 31]) {
      for (const data of [0, 15, 32, 4097, lendBytesMin, lendBytesMin + 17]) {
        const segments = [front, middle, data].map((length) => randomBytes(length)) as [
          Buffer,
          Buffer,
          Buffer,
        ];
        const sealed = sealMessage(mode, ...segments);
        const where = `${front}/${middle}/${data}`;
        assert.ok(sealed.equals(expected.frame(Tag.Message, [headerBytes(), ...segments])), where);
        const [frame] = open(sealed, opener);
        assert.deepEqual(messageHeaderFromBytes(frame!.segments[0]!), header, where);
        segments.forEach((segment, index) => {
          assert.ok(frame!.segments[index + 1]!.equals(segment), where);
        });
        assert.equal(frame!.aborted, false);
      }
    }
  }
});

test('any segments survive, in chunks of any sizes', () => {
  const segment = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(segment, segment, segment), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 10 }),
      (messages, cuts) => {
        const mode = sender();
        const stream = Buffer.concat(
          messages.flatMap((segments) => [
            sealMessage(mode, ...segments),
            mode.assembleControl(Tag.Ack, segments[0].subarray(0, 60)),
          ]),
        );
        const reader = new FrameReader();
        reader.mode = receiver();
        const frames: OpenedFrame[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = cuts[turn % cuts.length]!;
          reader.push(Buffer.from(stream.subarray(at, at + size)));
          at += size;
          while (reader.next()) frames.push(takeFrame(reader));
        }
        assert.equal(frames.length, 2 * messages.length);
        messages.forEach((segments, index) => {
          assert.deepEqual(
            frames[2 * index]!.segments.slice(1),
            segments.map((bytes) => Buffer.from(bytes)),
          );
        });
        assert.equal(reader.bufferedBytes, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test('the last nonces: a frame is sealed whole or not at all, and one is opened or an error', () => {
  const near = (left: bigint) =>
    new SecureMode(key, new NonceCounter(nonce, left), new NonceCounter(nonce, left));
  const mode = near(5n);
  const frames: Buffer[] = [];
  while (!mode.isUsedUp) frames.push(sealMessage(mode, Buffer.from('front')));
  assert.equal(frames.length, 2);
  assert.equal(open(Buffer.concat(frames), near(5n)).length, 2);
  assert.throws(() => open(Buffer.concat(frames), near(3n)), { code: 'ERR_MSGR_NONCES_USED_UP' });
  assert.equal(crcMode.isUsedUp, false);
  assert.equal(sender().isUsedUp, false);
});

test('no nonce is used twice, in whatever frames', () => {
  // What a nonce seals is XORed with the same key stream: of two equal texts the same bytes would come.
  const mode = sender();
  const seen = new Set<string>();
  const count = 20_000;
  for (let index = 0; index < count; index++) {
    const frame =
      index % 2 === 0 ? mode.assembleControl(Tag.Ack, Buffer.alloc(60)) : sealMessage(mode, Buffer.alloc(16));
    seen.add(frame.subarray(40, 72).toString('hex'));
    // The second operation of a control frame has 16 bytes, that of the message 32.
    seen.add(frame.subarray(96, 112).toString('hex'));
  }
  assert.equal(seen.size, 2 * count);
});

test('the key does not show', () => {
  const secret = randomBytes(16);
  const mode = secureMode({ key: secret, receiveNonce: nonce, sendNonce: otherNonce });
  open(
    secureMode({ key: secret, receiveNonce: otherNonce, sendNonce: nonce }).assembleControl(1, secret),
    mode,
  );
  const shown = inspect(mode, { depth: 9, showHidden: true }) + JSON.stringify(mode) + String(mode);
  const listed = [...secret].join(', ');
  const spaced = secret.toString('hex').replace(/..(?!$)/g, '$& ');
  for (const form of [secret.toString('hex'), secret.toString('base64'), listed, spaced]) {
    assert.ok(!shown.includes(form), shown);
  }
});

test('keys and nonces of other lengths are a mistake', () => {
  for (const length of [0, 15, 17, 32]) {
    const keys = { key: Buffer.alloc(length), receiveNonce: nonce, sendNonce: nonce };
    assert.throws(() => secureMode(keys), TypeError);
  }
  assert.throws(() => secureMode({ key, receiveNonce: nonce, sendNonce: Buffer.alloc(8) }), TypeError);
});

test.run();
