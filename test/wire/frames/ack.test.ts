import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ackFrame } from '../../../src/wire/frames/ack.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('ACK as a real ceph-osd sends it', () => {
  checkControlFrame(ackFrame, { seq: 3n }, hex('0300000000000000'));
});

test('the largest number survives', () => {
  const seq = 0xffffffffffffffffn;
  assert.is(ackFrame.decode(ackFrame.encode({ seq })).seq, seq);
});

test.run();
