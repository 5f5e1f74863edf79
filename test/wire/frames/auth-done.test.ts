import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authDoneFrame } from '../../../src/wire/frames/auth-done.ts';
import { checkControlFrame, hex, msgrError } from '../../support/wire-checks.ts';

test('AUTH_DONE as a real monitor sends it with auth none', () => {
  checkControlFrame(
    authDoneFrame,
    { globalId: 0x100en, connectionMode: 1, payload: Buffer.alloc(0) },
    hex(
      '0e10000000000000', // global id
      '01000000', // connection mode: crc
      '00000000', // payload, empty
    ),
  );
});

test('an error names the frame and the field', () => {
  assert.is(msgrError(() => authDoneFrame.decode(Buffer.alloc(10))).field, 'AUTH_DONE.connectionMode');
});

test.run();
