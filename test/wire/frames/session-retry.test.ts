import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sessionRetryFrame } from '../../../src/wire/frames/session-retry.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('SESSION_RETRY as a real ceph-osd sends it', () => {
  checkControlFrame(sessionRetryFrame, { connectSeq: 2n }, hex('0200000000000000'));
});

test('the largest number survives', () => {
  const connectSeq = 0xffffffffffffffffn;
  assert.is(sessionRetryFrame.decode(sessionRetryFrame.encode({ connectSeq })).connectSeq, connectSeq);
});

test.run();
