import { test } from 'uvu';
import { authBadMethodFrame } from '../../../src/wire/frames/auth-bad-method.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

// No recording holds one; the bytes follow the order of facts 1.8.
test('AUTH_BAD_METHOD that offers cephx in both modes', () => {
  checkControlFrame(
    authBadMethodFrame,
    { method: 1, result: -95, allowedMethods: [2], allowedModes: [2, 1] },
    hex(
      '01000000', // method that was refused: none
      'a1ffffff', // result: -EOPNOTSUPP
      '01000000 02000000', // allowed methods: one, cephx
      '02000000 02000000 01000000', // allowed modes: two, secure and crc
    ),
  );
});

test.run();
