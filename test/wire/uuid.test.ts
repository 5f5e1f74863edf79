import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { encodeWith } from '../../src/wire/encoder.ts';
import { decodeUuid, encodeUuid, Uuid } from '../../src/wire/uuid.ts';
import { checkTruncation, hex, msgrError } from '../support/wire-checks.ts';

const text = 'c38a29e7-3411-4fa3-9d39-eca1f40257d3';
const golden = hex('c38a29e7 3411 4fa3 9d39 eca1f40257d3');

test('the bytes have the order of the text', () => {
  assert.is(String(Uuid.parse(text)), text);
  assert.is(String(Uuid.parse(text.toUpperCase())), text);
  assert.is(
    encodeWith((encoder) => encodeUuid(encoder, Uuid.parse(text))).toString('hex'),
    golden.toString('hex'),
  );
  assert.is(String(decodeUuid(new Decoder(golden), 'fsid')), text);
  checkTruncation(golden, (bytes) => decodeUuid(new Decoder(bytes), 'fsid'));
});

test('a uuid keeps its own copy', () => {
  const bytes = Buffer.from(golden);
  const uuid = decodeUuid(new Decoder(bytes), 'fsid');
  bytes.fill(0);
  assert.is(String(uuid), text);
});

test('equality is over the bytes', () => {
  assert.ok(Uuid.parse(text).equals(Uuid.fromBytes(golden)));
  assert.not(Uuid.parse(text).equals(Uuid.zero));
  assert.ok(Uuid.fromBytes(Buffer.alloc(16)).isZero);
  assert.not(Uuid.random().equals(Uuid.random()));
  assert.match(
    String(Uuid.random()),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

test('other text is refused', () => {
  for (const wrong of ['', text.slice(1), `${text}0`, text.replaceAll('-', ''), text.replace('c', 'g')]) {
    msgrError(() => Uuid.parse(wrong), ErrorCode.InvalidArgument);
  }
});

test.run();
