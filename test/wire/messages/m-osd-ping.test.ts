import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MOSDPing, OSDPingOp, osdPingPadding } from '../../../src/wire/messages/m-osd-ping.ts';
import { fixtureMessages } from '../../support/captures.ts';
import { signedspan, u8, u32, utime, uuid } from '../../support/wire-arbitraries.ts';
import { checkMutation, checkTruncation, hex, msgrError } from '../../support/wire-checks.ts';

/** Fields of the first PING in the recordings, its padding left out. */
const head = hex(
  'c38a29e734114fa39d39eca1f40257d3', // fsid
  '08000000', // map epoch
  '04', // op: PING
);
const v5 = { version: 5, compatVersion: 4 };
const v4 = { version: 4, compatVersion: 4 };

test('a real ceph-osd pads its heartbeats to 2025 or 2033 bytes', () => {
  const pings = fixtureMessages(70);
  assert.is(pings.length, 10);
  for (const message of pings) {
    const ping = MOSDPing.decode(message);
    assert.is(String(ping.fsid), 'c38a29e7-3411-4fa3-9d39-eca1f40257d3');
    assert.is(ping.paddingBytes, osdPingPadding(2000));
    assert.is(message.front.byteLength, ping.deltaUb === undefined ? 2025 : 2033);
    assert.ok(ping.op === OSDPingOp.Ping || ping.op === OSDPingOp.PingReply);
    assert.ok(ping.upFrom > 0 && ping.monoSendStamp.sec > 0);
    if (ping.op === OSDPingOp.Ping) assert.equal(ping.monoPingStamp, ping.monoSendStamp);
    const again = MOSDPing.encode(ping);
    assert.equal(again.front, message.front, message.where);
    assert.is(again.version, 5);
    assert.is(again.compatVersion, 4);
  }
  const ops = pings.map((message) => MOSDPing.decode(message).op);
  assert.is(ops.filter((op) => op === OSDPingOp.Ping).length, 5);
  assert.ok(pings[0]!.front.subarray(0, 16).equals(head.subarray(0, 16)));
});

test('a reply has the stamps of its PING', () => {
  const pings = fixtureMessages(70).map((message) => MOSDPing.decode(message));
  const sent = pings.filter((ping) => ping.op === OSDPingOp.Ping);
  const replies = pings.filter((ping) => ping.op === OSDPingOp.PingReply);
  assert.is(replies.length, 5);
  for (const [index, reply] of replies.entries()) {
    assert.equal(reply.pingStamp, sent[index]!.pingStamp);
    assert.equal(reply.monoPingStamp, sent[index]!.monoPingStamp);
  }
});

const stamps = '3f59026b 03000000'; // ping_stamp
const mono = '0d000000 01000000 03000000 02000000 05000000'; // up_from, mono_ping_stamp, mono_send_stamp
const shortPing = (padding: string, ...rest: string[]): Buffer =>
  Buffer.concat([head, hex(stamps, padding, ...rest)]);

test('without padding a PING has 54 bytes, 62 with delta_ub', () => {
  const plain = shortPing('00000000', mono, '00'); // s, no delta_ub
  const withDelta = shortPing('00000000', mono, '01 ffffffff feffffff'); // delta_ub -1 s -2 ns
  assert.is(plain.byteLength, 54);
  assert.is(withDelta.byteLength, 62);
  assert.is(MOSDPing.decode({ ...v5, front: plain }).deltaUb, undefined);
  assert.equal(MOSDPing.decode({ ...v5, front: withDelta }).deltaUb, { sec: -1, nsec: -2 });
  for (const front of [plain, withDelta]) {
    assert.equal(MOSDPing.encode(MOSDPing.decode({ ...v5, front })).front, front);
  }
});

test('a heartbeat of Nautilus is version 4, and stays so', () => {
  const front = shortPing('03000000', '000000'); // s, padding
  const ping = MOSDPing.decode({ ...v4, front });
  assert.is(ping.version, 4);
  assert.is(ping.upFrom, 0);
  const again = MOSDPing.encode(ping);
  assert.equal(again.front, front);
  assert.is(again.version, 4);
  assert.is(again.compatVersion, 4);
});

test('truncation at every byte, and mutation', () => {
  const front = shortPing('05000000', mono, '01 ffffffff feffffff', '0000000000');
  checkTruncation(front, (bytes) => MOSDPing.decode({ ...v5, front: bytes }));
  checkMutation(front, (bytes) => MOSDPing.decode({ ...v5, front: bytes }));
  const nautilus = shortPing('03000000', '000000');
  checkTruncation(nautilus, (bytes) => MOSDPing.decode({ ...v4, front: bytes }));
});

test('padding that is claimed and not there is refused', () => {
  const front = shortPing('ffffffff', mono, '00');
  assert.is(msgrError(() => MOSDPing.decode({ ...v5, front })).field, 'osd_ping.padding');
});

test('padding follows osd_heartbeat_min_size', () => {
  assert.is(osdPingPadding(0), 0);
  assert.is(osdPingPadding(29), 0);
  assert.is(osdPingPadding(30), 1);
  assert.is(osdPingPadding(2000), 1971);
});

test('property: what is encoded is decoded', () => {
  const ping = fc.record({
    fsid: uuid,
    mapEpoch: u32,
    op: u8,
    pingStamp: utime,
    paddingBytes: fc.integer({ min: 0, max: 3000 }),
    upFrom: u32,
    monoPingStamp: signedspan,
    monoSendStamp: signedspan,
    deltaUb: fc.option(signedspan, { nil: undefined }),
  });
  fc.assert(
    fc.property(ping, (body) => {
      const payload = MOSDPing.encode(body);
      const again = MOSDPing.decode(payload);
      assert.ok(again.fsid.equals(body.fsid));
      assert.equal(JSON.stringify(again), JSON.stringify(body));
      assert.equal(MOSDPing.encode(again).front, payload.front);
      assert.is(payload.front.byteLength, 54 + body.paddingBytes + (body.deltaUb === undefined ? 0 : 8));
    }),
  );
});

test.run();
