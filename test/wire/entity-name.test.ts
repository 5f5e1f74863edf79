import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { encodeWith } from '../../src/wire/encoder.ts';
import {
  decodeEntityAuthName,
  decodeEntityName,
  EntityAuthName,
  EntityName,
  EntityType,
  encodeEntityAuthName,
  encodeEntityName,
  entityNameBytes,
  entityTypeName,
} from '../../src/wire/entity-name.ts';
import { checkMutation, checkTruncation, hex, msgrError } from '../support/wire-checks.ts';

test('osd.3 has nine bytes', () => {
  const golden = hex('04', '0300000000000000'); // type, num
  assert.is(
    encodeWith((encoder) => encodeEntityName(encoder, EntityName.osd(3))).toString('hex'),
    golden.toString('hex'),
  );
  assert.is(golden.byteLength, entityNameBytes);
  const decode = (bytes: Uint8Array): EntityName => decodeEntityName(new Decoder(bytes), 'name');
  assert.is(String(decode(golden)), 'osd.3');
  checkTruncation(golden, decode);
  checkMutation(golden, decode);
});

test('names in text', () => {
  for (const text of ['mon.0', 'mds.1', 'osd.3', 'client.4123', 'mgr.9', 'client.?']) {
    assert.is(String(EntityName.parse(text)), text);
  }
  assert.is(EntityName.parse('client.?').num, -1n);
  assert.ok(EntityName.osd(3).equals(EntityName.parse('osd.3')));
  assert.not(EntityName.osd(3).equals(EntityName.mon(3)));
  assert.not(EntityName.osd(3).equals(EntityName.osd(4)));
  for (const text of ['', 'osd', 'osd.', '.3', 'ods.3', 'osd.x', 'osd.-1', 'osd.9223372036854775808']) {
    msgrError(() => EntityName.parse(text), ErrorCode.InvalidArgument);
  }
});

test('a type without a name can still be logged', () => {
  assert.is(entityTypeName(EntityType.Osd), 'osd');
  assert.is(String(new EntityName(99, 1)), 'type 99.1');
});

test('the name that authentication knows', () => {
  const golden = hex('04000000', '01000000 30'); // type, id "0"
  const name = EntityAuthName.parse('osd.0');
  assert.is(
    encodeWith((encoder) => encodeEntityAuthName(encoder, name)).toString('hex'),
    golden.toString('hex'),
  );
  const decode = (bytes: Uint8Array): EntityAuthName => decodeEntityAuthName(new Decoder(bytes), 'name');
  assert.is(String(decode(golden)), 'osd.0');
  assert.is(String(EntityAuthName.parse('client.admin.x')), 'client.admin.x');
  assert.not(name.equals(EntityAuthName.parse('osd.1')));
  checkTruncation(golden, decode);
  checkMutation(golden, decode);
});

test('property: every number survives', () => {
  const num = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), num, (type, value) => {
      const name = new EntityName(type, value);
      const bytes = encodeWith((encoder) => encodeEntityName(encoder, name));
      assert.ok(decodeEntityName(new Decoder(bytes), 'name').equals(name));
    }),
  );
});

test.run();
