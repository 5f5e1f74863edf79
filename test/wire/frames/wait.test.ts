import { test } from 'uvu';
import { waitFrame } from '../../../src/wire/frames/wait.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('WAIT has no payload', () => {
  checkControlFrame(waitFrame, {}, hex(''));
});

test.run();
