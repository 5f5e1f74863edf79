import { test } from 'uvu';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { sessionReconnectFrame } from '../../../src/wire/frames/session-reconnect.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('SESSION_RECONNECT as a real ceph-osd sends it to another', () => {
  checkControlFrame(
    sessionReconnectFrame,
    {
      addrs: EntityAddrVec.parse('v2:127.0.2.11:6800/1052'),
      clientCookie: 0x6c1155c49be80f65n,
      serverCookie: 0x3fd20601ebc98757n,
      globalSeq: 4n,
      connectSeq: 1n,
      messageSeq: 5n,
    },
    hex(
      '02 01000000', // my addresses: marker, count
      '01 01 01 1c000000 02000000 1c040000', // marker, struct_v, compat, struct_len, msgr2, nonce 1052
      '10000000 0200 1a90 7f00020b 0000000000000000', // elen, family, port 6800, 127.0.2.11
      '650fe89bc455116c', // client cookie
      '5787c9eb0106d23f', // server cookie
      '0400000000000000', // global_seq
      '0100000000000000', // connect_seq
      '0500000000000000', // msg_seq: last message received
    ),
  );
});

test.run();
