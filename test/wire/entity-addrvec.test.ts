import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { encodeWith } from '../../src/wire/encoder.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import {
  decodeEntityAddrVec,
  EntityAddrVec,
  encodeEntityAddrVec,
  entityAddrVecByteLength,
} from '../../src/wire/entity-addrvec.ts';
import { entityAddrVec } from '../support/wire-arbitraries.ts';
import { checkMutation, checkTruncation, hex, msgrError } from '../support/wire-checks.ts';

const encode = (addrs: EntityAddrVec): Buffer => encodeWith((encoder) => encodeEntityAddrVec(encoder, addrs));
const decode = (bytes: Uint8Array): EntityAddrVec => decodeEntityAddrVec(new Decoder(bytes), 'addrs');

/** As monmaptool writes a monitor with both protocols. */
const two = hex(
  '02 02000000', // marker, count
  '01 0101 1c000000 02000000 00000000 10000000 0200 0ce4 7f000001 0000000000000000', // v2, port 3300
  '01 0101 1c000000 01000000 00000000 10000000 0200 1a85 7f000001 0000000000000000', // v1, port 6789
);

test('a vector of both protocols', () => {
  const addrs = decode(two);
  assert.is(String(addrs), '[v2:127.0.0.1:3300/0,v1:127.0.0.1:6789/0]');
  assert.is(String(addrs.v2()), 'v2:127.0.0.1:3300/0');
  assert.is(String(addrs.v1()), 'v1:127.0.0.1:6789/0');
  assert.is(String(addrs.front), 'v2:127.0.0.1:3300/0');
  assert.is(encode(addrs).toString('hex'), two.toString('hex'));
  assert.ok(EntityAddrVec.parse(String(addrs)).equals(addrs));
  assert.ok(addrs.contains(EntityAddr.parse('v1:127.0.0.1:6789/0')));
  assert.not(addrs.contains(EntityAddr.parse('v1:127.0.0.1:6789/1')), 'the nonce counts');
  assert.is(entityAddrVecByteLength(addrs), two.byteLength);
});

test('the empty vector has five bytes', () => {
  assert.is(encode(EntityAddrVec.empty).toString('hex'), '0200000000');
  assert.is(decode(hex('02 00000000')).length, 0);
  assert.is(String(EntityAddrVec.empty), '');
  assert.is(EntityAddrVec.empty.v2(), undefined);
});

test('one address without a vector around it', () => {
  assert.is(String(decode(two.subarray(5, 40))), 'v2:127.0.0.1:3300/0');
  const legacy = hex('00 000000 07000000 0002 1a90 0a000001', '00'.repeat(120));
  assert.is(String(decode(legacy)), 'v1:10.0.0.1:6800/7');
});

test('other markers are refused', () => {
  assert.is(msgrError(() => decode(hex('03 00000000'))).field, 'addrs.marker');
});

test('truncation and mutation', () => {
  checkTruncation(two, decode);
  checkMutation(two, decode);
});

test('text in', () => {
  const forms: [string, string][] = [
    ['', ''],
    ['[]', ''],
    ['v2:10.0.0.1:1/2', 'v2:10.0.0.1:1/2'],
    ['[v2:10.0.0.1:1/2]', 'v2:10.0.0.1:1/2'],
    ['[::1]:6800', 'v2:[::1]:6800/0'],
    ['[::1]', 'v2:[::1]:0/0'],
    ['[v2:[::1]:6800/1,v1:[::1]:6801/1]', '[v2:[::1]:6800/1,v1:[::1]:6801/1]'],
    [' [ v2:10.0.0.1:1 , v1:10.0.0.1:2 ] ', '[v2:10.0.0.1:1/0,v1:10.0.0.1:2/0]'],
  ];
  for (const [text, expected] of forms) assert.is(String(EntityAddrVec.parse(text)), expected, text);
  for (const text of ['v2:10.0.0.1:1,v1:10.0.0.1:2', '[v2:10.0.0.1:1', '[v2:x:1]', '[v2:10.0.0.1:1,]']) {
    msgrError(() => EntityAddrVec.parse(text), ErrorCode.InvalidArgument);
  }
});

test('order is part of a vector', () => {
  const addrs = decode(two);
  const turned = new EntityAddrVec([...addrs].reverse());
  assert.not(addrs.equals(turned));
  assert.is.not(addrs.key, turned.key);
});

test('property: what is encoded is decoded, and text is read back', () => {
  fc.assert(
    fc.property(entityAddrVec, (addrs) => {
      const bytes = encode(addrs);
      assert.ok(decode(bytes).equals(addrs), String(addrs));
      assert.is(bytes.byteLength, entityAddrVecByteLength(addrs));
      assert.ok(EntityAddrVec.parse(String(addrs), 3).equals(addrs), String(addrs));
    }),
  );
});

test.run();
