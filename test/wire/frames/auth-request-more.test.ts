import { test } from 'uvu';
import { authRequestMoreFrame } from '../../../src/wire/frames/auth-request-more.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('AUTH_REQUEST_MORE: a real ceph-osd answers the cephx challenge', () => {
  const golden = hex(
    '24000000', // payload: struct, client challenge, key, ticket
    '0001039989ccdd116bb0ca81b6baede754ca8e0100000000000000000000000020000000',
  );
  checkControlFrame(authRequestMoreFrame, { payload: golden.subarray(4) }, golden);
});

test.run();
