import { test } from 'uvu';
import { keepalive2AckFrame } from '../../../src/wire/frames/keepalive2-ack.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('KEEPALIVE2_ACK as a real monitor sends it', () => {
  const golden = hex('4459026b d8fc6439'); // seconds, nanoseconds
  checkControlFrame(keepalive2AckFrame, { timestamp: { sec: 0x6b025944, nsec: 0x3964fcd8 } }, golden);
});

test.run();
