import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authRequestFrame } from '../../../src/wire/frames/auth-request.ts';
import { checkControlFrame, hex, msgrError } from '../../support/wire-checks.ts';

const golden = hex(
  '01000000', // method: none
  '01000000 01000000', // preferred modes: one, crc
  '12000000', // payload
  '0a 04000000 01000000 30 0000000000000000', // mode 10, osd "0", global id
);

test('AUTH_REQUEST as a real ceph-osd sends it with auth none', () => {
  const payload = golden.subarray(16);
  checkControlFrame(authRequestFrame, { method: 1, preferredModes: [1], payload }, golden);
});

test('a count of modes that the payload cannot hold is refused before it is used', () => {
  const hostile = Buffer.from(golden);
  hostile.writeUInt32LE(0xffffffff, 4);
  assert.is(msgrError(() => authRequestFrame.decode(hostile)).field, 'AUTH_REQUEST.preferredModes');
});

test.run();
