import { test } from 'uvu';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { serverIdentFrame } from '../../../src/wire/frames/server-ident.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('SERVER_IDENT as a real monitor sends it', () => {
  checkControlFrame(
    serverIdentFrame,
    {
      addrs: EntityAddrVec.parse('v2:127.0.0.1:3300/0'),
      gid: 0n,
      globalSeq: 14n,
      featuresSupported: 0x3f01cfbdfffdffffn,
      featuresRequired: 0x2e01020002044000n,
      flags: 1n,
      serverCookie: 0n,
    },
    hex(
      '02 01000000', // my addresses: marker, count
      '01 01 01 1c000000 02000000 00000000', // marker, struct_v, compat, struct_len, msgr2, nonce
      '10000000 0200 0ce4 7f000001 0000000000000000', // elen, family, port 3300, 127.0.0.1
      '0000000000000000', // gid: mon.0
      '0e00000000000000', // global_seq
      'fffffdffbdcf013f', // features supported
      '004004020002012e', // features required
      '0100000000000000', // flags: lossy
      '0000000000000000', // server cookie
    ),
  );
});

test.run();
