import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sessionReconnectOkFrame } from '../../../src/wire/frames/session-reconnect-ok.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('SESSION_RECONNECT_OK as a real ceph-osd sends it', () => {
  checkControlFrame(sessionReconnectOkFrame, { messageSeq: 2n }, hex('0200000000000000'));
});

test('the largest number survives', () => {
  const messageSeq = 0xffffffffffffffffn;
  assert.is(
    sessionReconnectOkFrame.decode(sessionReconnectOkFrame.encode({ messageSeq })).messageSeq,
    messageSeq,
  );
});

test.run();
