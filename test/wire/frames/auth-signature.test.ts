import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authSignatureFrame } from '../../../src/wire/frames/auth-signature.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('AUTH_SIGNATURE without a session key is 32 zero bytes, no length before them', () => {
  checkControlFrame(authSignatureFrame, { signature: Buffer.alloc(32) }, Buffer.alloc(32));
});

test('a signature of another length is a mistake of ours', () => {
  assert.throws(
    () => authSignatureFrame.encode({ signature: hex('00') }),
    (error: unknown) => error instanceof TypeError,
  );
});

test.run();
