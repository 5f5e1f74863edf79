import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MPing } from '../../../src/wire/messages/m-ping.ts';
import { hex, msgrError } from '../../support/wire-checks.ts';

test('a ping carries nothing', () => {
  const payload = MPing.encode({});
  assert.is(MPing.type, 2);
  assert.is(payload.front.byteLength + payload.middle.byteLength + payload.data.byteLength, 0);
  assert.equal(MPing.decode(payload), {});
  assert.equal(MPing.decode({ ...payload, front: hex('00') }), {}, 'bytes that a newer sender appends');
});

test("a monitor's answer has a text", () => {
  const payload = MPing.encode({ text: '{"health":1}' });
  assert.equal(payload.front, Buffer.concat([hex('0c000000'), Buffer.from('{"health":1}')]));
  assert.equal(MPing.decode(payload), { text: '{"health":1}' });
  for (let length = 4; length < payload.front.byteLength; length++) {
    msgrError(() => MPing.decode({ ...payload, front: payload.front.subarray(0, length) }));
  }
  assert.is(MPing.encode({ text: '' }).front.byteLength, 0);
});

test.run();
