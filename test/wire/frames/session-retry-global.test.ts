import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sessionRetryGlobalFrame } from '../../../src/wire/frames/session-retry-global.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('SESSION_RETRY_GLOBAL (no recording holds one)', () => {
  checkControlFrame(sessionRetryGlobalFrame, { globalSeq: 0x0102030405060708n }, hex('0807060504030201'));
});

test('the largest number survives', () => {
  const globalSeq = 0xffffffffffffffffn;
  assert.is(
    sessionRetryGlobalFrame.decode(sessionRetryGlobalFrame.encode({ globalSeq })).globalSeq,
    globalSeq,
  );
});

test.run();
