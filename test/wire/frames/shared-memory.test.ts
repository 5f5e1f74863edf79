import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { SharedMemoryStep, sharedMemoryFrame } from '../../../src/wire/frames/shared-memory.ts';
import { checkControlFrame, hex } from '../../support/wire-checks.ts';

test('SHARED_MEMORY: a step alone, and an invitation', () => {
  checkControlFrame(sharedMemoryFrame, { step: SharedMemoryStep.Ask }, hex('01'));
  checkControlFrame(sharedMemoryFrame, { step: SharedMemoryStep.Declined }, hex('05'));
  const invitation = {
    name: hex('000102030405060708090a0b0c0d0e0f'),
    token: hex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'),
    peerAddr: EntityAddr.parse('v2:127.0.0.1:40000/7'),
  };
  checkControlFrame(
    sharedMemoryFrame,
    { step: SharedMemoryStep.Invite, invitation },
    hex(
      '02' + // step
        '000102030405060708090a0b0c0d0e0f' + // name
        'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff' + // token
        '01 01 01 1c000000' + // entity_addr_t: marker, version 1, 28 bytes
        '02000000 07000000 10000000 0200 9c40 7f000001 0000000000000000', // v2, nonce, sockaddr_in
    ),
  );
});

test('SHARED_MEMORY: a step of a later version has no fields that are known here', () => {
  assert.equal(sharedMemoryFrame.decode(hex('2a 0102')), { step: 42 });
});

test.run();
