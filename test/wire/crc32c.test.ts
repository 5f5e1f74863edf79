import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { crc32c, segmentCrcSeed } from '../../src/wire/crc32c.ts';

const test = suite('crc32c');

// The first four are those of Ceph's own unit test; the fifth is the usual check value of CRC-32C without
// its final inversion.
const vectors: [seed: number, text: string, crc: number][] = [
  [0, 'foo bar baz', 4119623852],
  [1234, 'foo bar baz', 881700046],
  [0, 'whiz bang boom', 2360230088],
  [5678, 'whiz bang boom', 3743019208],
  [0xffffffff, '123456789', 0x1cf96d7c],
];

for (const [seed, text, crc] of vectors) {
  test(`'${text}' from ${seed}`, () => {
    assert.equal(crc32c(seed, Buffer.from(text)), crc);
  });
}

test('no bytes leave the seed as it is', () => {
  assert.equal(crc32c(0, new Uint8Array(0)), 0);
  assert.equal(crc32c(segmentCrcSeed, new Uint8Array(0)), 0xffffffff);
});

/** One bit at a time, straight from the definition. */
function slowCrc32c(seed: number, bytes: Uint8Array): number {
  let crc = seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return crc >>> 0;
}

test('equals the definition for any bytes, seed and range', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(0xffffffff),
      fc.nat(100),
      fc.nat(100),
      (bytes, seed, a, b) => {
        const start = Math.min(a, bytes.length);
        const end = Math.max(start, Math.min(b, bytes.length));
        assert.equal(crc32c(seed, bytes, start, end), slowCrc32c(seed, bytes.subarray(start, end)));
      },
    ),
  );
});

test('equals the definition above the length from which words are read, at every alignment', () => {
  const bytes = new Uint8Array(1100).map((_, index) => (index * 151 + 7) & 0xff);
  for (let start = 0; start < 8; start++) {
    for (const length of [503, 511, 512, 513, 519, 520, 1024, 1090]) {
      const expected = slowCrc32c(segmentCrcSeed, bytes.subarray(start, start + length));
      assert.equal(crc32c(segmentCrcSeed, bytes, start, start + length), expected);
      assert.equal(crc32c(segmentCrcSeed, bytes.subarray(start, start + length)), expected);
    }
  }
});

test('continues from piece to piece', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), (bytes, at) => {
      const cut = Math.min(at, bytes.length);
      const first = crc32c(segmentCrcSeed, bytes, 0, cut);
      assert.equal(crc32c(first, bytes, cut), crc32c(segmentCrcSeed, bytes));
    }),
  );
});

test('one changed bit changes the checksum', () => {
  const bytes = Buffer.from('the quick brown fox jumps over it');
  const crc = crc32c(0, bytes);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert.notEqual(crc32c(0, bytes), crc);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

test.run();
