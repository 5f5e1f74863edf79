import { test } from 'uvu';
import { keepalive2Frame } from '../../../src/wire/frames/keepalive2.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('KEEPALIVE2 as a real ceph-osd sends it', () => {
  const golden = hex('4159026b a5395b2f'); // seconds, nanoseconds
  checkControlFrame(keepalive2Frame, { timestamp: { sec: 0x6b025941, nsec: 0x2f5b39a5 } }, golden);
});

test.run();
