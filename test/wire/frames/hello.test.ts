import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityType } from '../../../src/wire/entity-name.ts';
import { helloFrame } from '../../../src/wire/frames/hello.ts';
import { checkControlFrame, hex, msgrError } from '../../support/wire-checks.ts';

const golden = hex(
  '04', // entity type: osd
  '01 01 01 1c000000', // address: marker, struct_v, compat, struct_len
  '02000000 00000000', // type msgr2, nonce
  '10000000 0200 0ce4 7f000001 0000000000000000', // elen, family, port 3300, 127.0.0.1
);

test('HELLO as a real ceph-osd sends it to its monitor', () => {
  checkControlFrame(
    helloFrame,
    { entityType: EntityType.Osd, peerAddr: EntityAddr.parse('v2:127.0.0.1:3300/0') },
    golden,
  );
});

test('an error names the frame and the field', () => {
  const error = msgrError(() => helloFrame.decode(golden.subarray(0, 20)));
  assert.is(error.field, 'HELLO.peerAddr.addr.struct_len');
});

test.run();
