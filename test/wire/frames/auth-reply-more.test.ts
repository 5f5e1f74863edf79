import { test } from 'uvu';
import { authReplyMoreFrame } from '../../../src/wire/frames/auth-reply-more.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('AUTH_REPLY_MORE: a real monitor sends its cephx challenge', () => {
  const golden = hex(
    '09000000', // payload
    '01 5000568c2d274695', // struct_v 1, server challenge
  );
  checkControlFrame(authReplyMoreFrame, { payload: golden.subarray(4) }, golden);
});

test.run();
