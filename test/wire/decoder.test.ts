import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Decoder } from '../../src/wire/decoder.ts';
import { Encoder, encodeWith } from '../../src/wire/encoder.ts';
import { hex, msgrError } from '../support/wire-checks.ts';

test('every integer and float in its byte order', () => {
  const bytes = encodeWith((encoder) => {
    encoder.u8(0x12).u16(0x1234).u16be(0x1234).i16(-2).u32(0x12345678).i32(-2);
    encoder.u64(0x0102030405060708n).i64(-2n).f32(1.5).f64(-1.5).bool(true).bool(false);
  });
  const golden = hex(
    '12 3412 1234 feff 78563412 feffffff',
    '0807060504030201 feffffffffffffff 0000c03f 000000000000f8bf 01 00',
  );
  assert.is(bytes.toString('hex'), golden.toString('hex'));
  const decoder = new Decoder(bytes);
  assert.is(decoder.u8('a'), 0x12);
  assert.is(decoder.u16('b'), 0x1234);
  assert.is(decoder.u16be('c'), 0x1234);
  assert.is(decoder.i16('d'), -2);
  assert.is(decoder.u32('e'), 0x12345678);
  assert.is(decoder.i32('f'), -2);
  assert.is(decoder.u64('g'), 0x0102030405060708n);
  assert.is(decoder.i64('h'), -2n);
  assert.is(decoder.f32('i'), 1.5);
  assert.is(decoder.f64('j'), -1.5);
  assert.is(decoder.bool('k'), true);
  assert.is(decoder.bool('l'), false);
  decoder.finish();
});

test('strings, buffers, lists and maps are counted', () => {
  const bytes = encodeWith((encoder) => {
    encoder
      .string('é')
      .buffer(hex('0102'))
      .list([7, 8], (value) => encoder.u8(value));
    encoder.map(
      new Map([['k', 1]]),
      (key) => encoder.string(key),
      (value) => encoder.u8(value),
    );
  });
  assert.is(
    bytes.toString('hex'),
    hex('02000000 c3a9', '02000000 0102', '02000000 0708', '01000000 01000000 6b 01').toString('hex'),
  );
  const decoder = new Decoder(bytes);
  assert.is(decoder.string('s'), 'é');
  assert.equal(decoder.buffer('b'), hex('0102'));
  assert.equal(
    decoder.list('l', 1, () => decoder.u8('value')),
    [7, 8],
  );
  const map = decoder.map(
    'm',
    5,
    () => decoder.string('k'),
    () => decoder.u8('v'),
  );
  assert.equal([...map], [['k', 1]]);
});

test('a read past the end says field and offset', () => {
  const decoder = new Decoder(hex('010203'), 'hello');
  decoder.u8('entityType');
  const error = msgrError(() => decoder.within('peerAddr', () => decoder.u32('nonce')));
  assert.is(error.field, 'hello.peerAddr.nonce');
  assert.is(error.offset, 1);
  assert.is(error.message, 'hello.peerAddr.nonce at byte 1: needs 4 bytes, 2 are left');
});

test('a struct of a newer version is read as far as it is known', () => {
  const newer = hex('03 01 05000000', '0a000000 ff', '77');
  const decoder = new Decoder(newer);
  const value = decoder.versioned('struct', 2, (version) => ({ version, a: decoder.u32('a') }));
  assert.equal(value, { version: 3, a: 10 });
  assert.is(decoder.u8('after'), 0x77);
});

test('a struct that needs a newer reader is refused', () => {
  const error = msgrError(() => new Decoder(hex('03 03 00000000')).versioned('struct', 2, () => 0));
  assert.is(error.field, 'struct');
});

test('a struct cannot read beyond its own length, nor claim more than there is', () => {
  const decoder = new Decoder(hex('01 01 02000000 0a000000'));
  assert.is(msgrError(() => decoder.versioned('struct', 1, () => decoder.u32('a'))).field, 'struct.a');
  const long = new Decoder(hex('01 01 05000000 0a000000'));
  assert.is(msgrError(() => long.versioned('struct', 1, () => long.u32('a'))).field, 'struct.struct_len');
});

test('counts and lengths at their limits are refused before anything is made of them', () => {
  for (const count of ['ffffffff', '00000080', '02000000']) {
    const bytes = hex(count, '00000000');
    assert.is(msgrError(() => new Decoder(bytes).count('list', 4)).field, 'list');
    if (count !== '02000000') assert.is(msgrError(() => new Decoder(bytes).buffer('bytes')).field, 'bytes');
  }
  assert.is(new Decoder(hex('01000000 00000000')).count('list', 4), 1);
});

test('a u64 above the safe integers is refused where a number is wanted', () => {
  assert.is(new Decoder(hex('ffffffffffff1f00')).u64Number('n'), Number.MAX_SAFE_INTEGER);
  msgrError(() => new Decoder(hex('0000000000002000')).u64Number('n'));
});

test('finish refuses bytes left over', () => {
  msgrError(() => new Decoder(hex('00')).finish());
  new Decoder(hex('')).finish();
});

test('the encoder grows, and keeps nothing of what it handed out', () => {
  const encoder = new Encoder(1);
  const chunk = Buffer.alloc(1000, 0xab);
  encoder.raw(chunk).raw(chunk);
  const first = encoder.take();
  assert.equal(first, Buffer.concat([chunk, chunk]));
  assert.is(encoder.byteLength, 0);
  encoder.zeros(10);
  assert.equal(encoder.take(), Buffer.alloc(10));
  assert.equal(first, Buffer.concat([chunk, chunk]), 'the first bytes are untouched');
});

test('cut goes on behind what it handed out, and a message that outgrows the memory leaves it alone', () => {
  const encoder = new Encoder(16);
  const first = encoder.u32(1).cut();
  assert.is(encoder.byteLength, 0);
  assert.is(encoder.room, 12);
  const second = encoder.u32(2).patchU32(0, 3).cut();
  assert.is(first.buffer, second.buffer);
  encoder.u32(4).versioned(2, 1, () => encoder.zeros(20).u8(5));
  const third = encoder.cut();
  assert.is(third.toString('hex'), `04000000020115000000${'00'.repeat(20)}05`);
  assert.is(first.toString('hex'), '01000000');
  assert.is(second.toString('hex'), '03000000');
  assert.not(third.buffer === first.buffer);
});

test('reset forgets what was written since the last cut, renew all of it', () => {
  const encoder = new Encoder();
  const kept = encoder.u32(1).cut();
  assert.is(encoder.u32(3).reset().byteLength, 0);
  assert.is(encoder.u8(4).peek().toString('hex'), '04');
  encoder.renew(64);
  assert.is(encoder.byteLength, 0);
  assert.is(encoder.room, 64);
  assert.is(kept.toString('hex'), '01000000');
});

test('skipIf passes over bytes that are as expected, and leaves others', () => {
  const decoder = new Decoder(Buffer.from('0102030405', 'hex'));
  assert.not(decoder.skipIf(Buffer.from('0103', 'hex')));
  assert.is(decoder.position, 0);
  assert.ok(decoder.skipIf(Buffer.from('010203', 'hex')));
  assert.is(decoder.position, 3);
  assert.not(decoder.skipIf(Buffer.from('040506', 'hex')), 'more than is left');
  assert.is(decoder.u16('rest'), 0x0504);
});

test('patchU32 writes only where something was written', () => {
  const encoder = new Encoder();
  encoder.u32(1).u32(2).patchU32(4, 9);
  assert.is(encoder.peek().toString('hex'), '0100000009000000');
  assert.throws(
    () => encoder.patchU32(5, 0),
    (error: unknown) => error instanceof RangeError,
  );
});

test('property: strings and buffers of any content survive', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, raw) => {
      const decoder = new Decoder(encodeWith((encoder) => encoder.string(text).buffer(raw)));
      assert.is(decoder.string('text'), text);
      assert.equal(Uint8Array.from(decoder.buffer('raw')), raw);
      decoder.finish();
    }),
  );
});

test.run();
