import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type MessageHeader,
  messageHeaderBytes,
  messageHeaderFromBytes,
  messageHeaderToBytes,
} from '../../src/wire/message-header.ts';
import { checkTruncation, hex } from '../support/wire-checks.ts';

/** MMonCommandAck of a real monitor. */
const golden = hex(
  '0600000000000000', // seq
  '0100000000000000', // tid
  '3300 c400 0100', // type 51, priority 196, version
  '00000000 0000', // data_pre_padding_len, data_off
  '0500000000000000', // ack_seq
  '03', // flags: complete, no crc
  '0100 0000', // compat_version, reserved
);

const header: MessageHeader = {
  seq: 6n,
  tid: 1n,
  type: 51,
  priority: 196,
  version: 1,
  dataPrePaddingLength: 0,
  dataOffset: 0,
  ackSeq: 5n,
  flags: 3,
  compatVersion: 1,
  reserved: 0,
};

test('a real monitor sends 41 bytes', () => {
  assert.equal(messageHeaderFromBytes(golden), header);
  assert.is(messageHeaderToBytes(header).toString('hex'), golden.toString('hex'));
  assert.is(golden.byteLength, messageHeaderBytes);
});

test('every field has its own place', () => {
  const distinct: MessageHeader = {
    seq: 0x0102030405060708n,
    tid: 0x1112131415161718n,
    type: 0x2122,
    priority: 0x3132,
    version: 0x4142,
    dataPrePaddingLength: 0x51525354,
    dataOffset: 0x6162,
    ackSeq: 0x7172737475767778n,
    flags: 0x81,
    compatVersion: 0x9192,
    reserved: 0xa1a2,
  };
  assert.equal(messageHeaderFromBytes(messageHeaderToBytes(distinct)), distinct);
});

test('a shorter segment is refused, the rest of a longer one ignored', () => {
  checkTruncation(golden, messageHeaderFromBytes);
  assert.equal(messageHeaderFromBytes(Buffer.concat([golden, hex('ff')])), header);
});

test.run();
