import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { clientIdentFrame } from '../../../src/wire/frames/client-ident.ts';
import { checkControlFrame, hex, msgrError } from '../../support/wire-checks.ts';

const golden = hex(
  '02 01000000', // my addresses: marker, count
  '01 01 01 1c000000 02000000 10770000', // marker, struct_v, compat, struct_len, msgr2, nonce 30480
  '10000000 0200 1a90 7f00010a 0000000000000000', // elen, family, port 6800, 127.0.1.10
  '01 01 01 1c000000 02000000 00000000', // target address: msgr2, nonce 0
  '10000000 0200 0ce4 7f000001 0000000000000000', // port 3300, 127.0.0.1
  '0000000000000000', // gid: osd.0
  '0100000000000000', // global_seq
  'fffffdffbdcf013f', // features supported
  '012204020002000c', // features required
  '0100000000000000', // flags: lossy
  '0000000000000000', // client cookie: none, the session is not kept
);

test('CLIENT_IDENT as a real ceph-osd sends it to its monitor', () => {
  checkControlFrame(
    clientIdentFrame,
    {
      addrs: EntityAddrVec.parse('v2:127.0.1.10:6800/30480'),
      targetAddr: EntityAddr.parse('v2:127.0.0.1:3300/0'),
      gid: 0n,
      globalSeq: 1n,
      featuresSupported: 0x3f01cfbdfffdffffn,
      featuresRequired: 0x0c00020002042201n,
      flags: 1n,
      clientCookie: 0n,
    },
    golden,
  );
});

test('a count of addresses that the payload cannot hold is refused before it is used', () => {
  const hostile = Buffer.from(golden);
  hostile.writeUInt32LE(0xffffffff, 1);
  assert.is(msgrError(() => clientIdentFrame.decode(hostile)).field, 'CLIENT_IDENT.addrs.addrs');
});

test.run();
