import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sessionResetFrame } from '../../../src/wire/frames/session-reset.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('SESSION_RESET as a real ceph-osd sends it', () => {
  checkControlFrame(sessionResetFrame, { full: true }, hex('01'));
  checkControlFrame(sessionResetFrame, { full: false }, hex('00'));
});

test('any byte but 0 means full', () => {
  assert.is(sessionResetFrame.decode(hex('02')).full, true);
});

test.run();
