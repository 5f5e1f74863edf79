import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MPing } from '../../../src/wire/messages/m-ping.ts';
import { hex } from '../../support/wire-checks.ts';

test('MPing carries nothing', () => {
  const payload = MPing.encode({});
  assert.is(MPing.type, 2);
  assert.is(payload.front.byteLength + payload.middle.byteLength + payload.data.byteLength, 0);
  assert.equal(MPing.decode(payload), {});
  assert.equal(MPing.decode({ ...payload, front: hex('00') }), {}, 'bytes that a newer sender appends');
});

test.run();
