/** Messages between a daemon and its monitor: fields as real daemons sent them, and older versions. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MAuth } from '../../../src/wire/messages/m-auth.ts';
import { MAuthReply } from '../../../src/wire/messages/m-auth-reply.ts';
import { MCommand } from '../../../src/wire/messages/m-command.ts';
import { MCommandReply } from '../../../src/wire/messages/m-command-reply.ts';
import { MConfig } from '../../../src/wire/messages/m-config.ts';
import { MLog } from '../../../src/wire/messages/m-log.ts';
import { MLogAck } from '../../../src/wire/messages/m-log-ack.ts';
import { decodeMgrMapHead, MMgrMap } from '../../../src/wire/messages/m-mgr-map.ts';
import { MMonCommand } from '../../../src/wire/messages/m-mon-command.ts';
import { MMonCommandAck } from '../../../src/wire/messages/m-mon-command-ack.ts';
import { MMonGetOSDMap } from '../../../src/wire/messages/m-mon-get-osd-map.ts';
import { MMonGetVersion } from '../../../src/wire/messages/m-mon-get-version.ts';
import { MMonGetVersionReply } from '../../../src/wire/messages/m-mon-get-version-reply.ts';
import { MMonMap } from '../../../src/wire/messages/m-mon-map.ts';
import { MMonSubscribe } from '../../../src/wire/messages/m-mon-subscribe.ts';
import { MMonSubscribeAck } from '../../../src/wire/messages/m-mon-subscribe-ack.ts';
import { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import { fixtureMessages } from '../../support/captures.ts';
import { checkMutation, checkTruncation, hex } from '../../support/wire-checks.ts';

const fsid = 'c38a29e7-3411-4fa3-9d39-eca1f40257d3';
const v1 = { version: 1, compatVersion: 1 };

test('MMonSubscribe: an OSD starts with config and monmap', () => {
  const front = hex(
    '02000000', // what: count
    '06000000 636f6e666967 0000000000000000 00', // "config", start, flags
    '06000000 6d6f6e6d6170 0000000000000000 00', // "monmap", start, flags
    '02000000 766d', // hostname
  );
  const message = fixtureMessages(15).find((candidate) => candidate.front.equals(front))!;
  assert.ok(message, 'the recordings hold it');
  const body = MMonSubscribe.decode(message);
  assert.equal(
    [...body.what],
    [
      ['config', { start: 0n, flags: 0 }],
      ['monmap', { start: 0n, flags: 0 }],
    ],
  );
  assert.is(body.hostname, 'vm');
});

test('MMonSubscribe of version 2 has no hostname, version 1 says what it has', () => {
  const item = '01000000 06000000 6f73646d6170';
  const second = MMonSubscribe.decode({
    version: 2,
    compatVersion: 1,
    front: hex(item, '0500000000000000 01'),
  });
  assert.equal([...second.what], [['osdmap', { start: 5n, flags: 1 }]]);
  assert.is(second.hostname, '');
  const old = (have: string, onetime: string): unknown[] => {
    const front = hex(item, '0000000000000000', have, onetime);
    checkTruncation(front, (bytes) => MMonSubscribe.decode({ ...v1, front: bytes }));
    return [...MMonSubscribe.decode({ ...v1, front }).what];
  };
  assert.equal(old('0500000000000000', '01'), [['osdmap', { start: 6n, flags: 1 }]]);
  assert.equal(old('0000000000000000', '00'), [['osdmap', { start: 0n, flags: 0 }]]);
});

test('MMonSubscribeAck', () => {
  const front = hex('2c010000', 'c38a29e734114fa39d39eca1f40257d3'); // interval, fsid
  const body = MMonSubscribeAck.decode({ ...v1, front });
  assert.is(body.intervalSeconds, 300);
  assert.is(String(body.fsid), fsid);
  assert.equal(MMonSubscribeAck.encode(body).front, front);
  checkTruncation(front, (bytes) => MMonSubscribeAck.decode({ ...v1, front: bytes }));
});

test('MMonGetOSDMap', () => {
  const front = hex('0500000000000000 ffff 0000000000000000', '01000000 02000000 03000000 04000000');
  const body = MMonGetOSDMap.decode({ ...v1, front });
  assert.equal(body, {
    paxosVersion: 5n,
    fullFirst: 1,
    fullLast: 2,
    incrementalFirst: 3,
    incrementalLast: 4,
  });
  assert.equal(MMonGetOSDMap.encode(body).front, front);
  checkTruncation(front, (bytes) => MMonGetOSDMap.decode({ ...v1, front: bytes }));
  checkMutation(front, (bytes) => MMonGetOSDMap.decode({ ...v1, front: bytes }));
});

test('MCommand and its reply: no paxos prefix, input and output in the data segment', () => {
  const front = hex(
    'c38a29e734114fa39d39eca1f40257d3', // fsid
    '01000000 14000000', // one string
    Buffer.from('{"prefix":"version"}').toString('hex'),
  );
  const data = Buffer.from('an input file');
  const body = MCommand.decode({ ...v1, front, data });
  assert.is(String(body.fsid), fsid);
  assert.equal(body.command, ['{"prefix":"version"}']);
  const again = MCommand.encode(body);
  assert.equal([again.front, again.data], [front, data]);
  checkTruncation(front, (bytes) => MCommand.decode({ ...v1, front: bytes }));
  checkMutation(front, (bytes) => MCommand.decode({ ...v1, front: bytes }));

  const refused = hex('eaffffff', '03000000 6e6f21'); // -22, "no!"
  const reply = MCommandReply.decode({ ...v1, front: refused, data });
  assert.equal([reply.result, reply.status, reply.output], [-22, 'no!', data]);
  assert.equal(MCommandReply.encode(reply).front, refused);
  checkTruncation(refused, (bytes) => MCommandReply.decode({ ...v1, front: bytes }));
  checkMutation(refused, (bytes) => MCommandReply.decode({ ...v1, front: bytes }));
});

test('MMonGetVersion and its reply', () => {
  const asked = MMonGetVersion.decode(fixtureMessages(19)[0]!);
  assert.equal(asked, { handle: 1n, what: 'osdmap' });
  const reply = MMonGetVersionReply.decode(fixtureMessages(20)[0]!);
  assert.is(reply.handle, 1n);
  assert.ok(reply.version >= reply.oldestVersion && reply.oldestVersion === 1n);
  const old = MMonGetVersionReply.decode({ ...v1, front: hex('0100000000000000 0400000000000000') });
  assert.equal(old, { handle: 1n, version: 4n, oldestVersion: 0n });
});

test('MMonMap carries a monitor map in its own encoding', () => {
  const { monmap } = MMonMap.decode(fixtureMessages(4)[0]!);
  assert.equal([monmap[0], monmap[1]], [9, 6], 'struct_v and compat of MonMap');
});

test('MOSDMap: increments and full maps by epoch', () => {
  const messages = fixtureMessages(41).map((message) => MOSDMap.decode(message));
  assert.ok(
    messages.some((body) => body.maps.size > 0) && messages.some((body) => body.incrementalMaps.size > 0),
  );
  for (const body of messages) {
    assert.ok(body.newestMap >= body.oldestMap);
    for (const [epoch, map] of [...body.maps, ...body.incrementalMaps]) {
      assert.ok(epoch >= 1 && epoch <= body.newestMap);
      assert.is(map[0], 8, 'struct_v of the wrapper');
    }
  }
});

test('MOSDMap of versions 1 to 3, and removed snapshots', () => {
  const start = `c38a29e734114fa39d39eca1f40257d3 00000000 01000000 05000000 01000000 ff`; // no increments, map 5
  const third = MOSDMap.decode({ version: 3, compatVersion: 3, front: hex(start, '01000000 05000000') });
  assert.equal([third.oldestMap, third.newestMap, third.gapRemovedSnaps.size], [1, 5, 0]);
  const first = MOSDMap.decode({ version: 1, compatVersion: 1, front: hex(start) });
  assert.equal([first.oldestMap, first.newestMap], [0, 0]);
  const front = hex(
    start,
    '01000000 05000000', // oldest, newest
    '01000000 0200000000000000', // one pool, 2
    '01000000 0700000000000000 0300000000000000', // snapshots 7 to 9
  );
  const fourth = MOSDMap.decode({ version: 4, compatVersion: 3, front });
  assert.equal([...fourth.gapRemovedSnaps], [[2n, [{ start: 7n, length: 3n }]]]);
  assert.equal(MOSDMap.encode(fourth).front, front);
  checkTruncation(front, (bytes) => MOSDMap.decode({ version: 4, compatVersion: 3, front: bytes }));
});

test('MMonCommand and its ack', () => {
  const messages = fixtureMessages(50).filter((message) => message.where.startsWith('none/'));
  const commands = messages.map((message) => MMonCommand.decode(message));
  assert.ok(commands.length > 0);
  for (const body of commands) {
    assert.is(String(body.fsid), fsid);
    assert.is(typeof JSON.parse(body.command[0]!).prefix, 'string');
  }
  const acks = fixtureMessages(51).map((message) => MMonCommandAck.decode(message));
  assert.ok(acks.every((ack) => ack.result === 0));
  const answered = new Set(commands.map((body) => body.command[0]));
  assert.ok(
    acks.some((ack) => answered.has(ack.command[0])),
    'an ack repeats its command',
  );
});

test('MAuth and MAuthReply renew tickets of cephx', () => {
  const asked = MAuth.decode(fixtureMessages(17)[0]!);
  assert.equal([asked.protocol, asked.payload.byteLength, asked.monmapEpoch], [2, 2, 0]);
  const { front } = MAuth.encode({ ...asked, monmapEpoch: 7 });
  assert.is(MAuth.decode({ ...v1, front }).monmapEpoch, 7);
  const old = MAuth.decode({ ...v1, front: front.subarray(0, front.byteLength - 4) });
  assert.is(old.monmapEpoch, 0, 'old clients leave the epoch out');
  const reply = MAuthReply.decode(fixtureMessages(18)[0]!);
  assert.equal([reply.protocol, reply.result, reply.resultMessage], [2, 0, '']);
  assert.ok(reply.globalId > 0n && reply.payload.byteLength > 0);
});

test('MLog and MLogAck', () => {
  const body = MLog.decode(fixtureMessages(52)[0]!);
  assert.is(String(body.fsid), fsid);
  assert.equal(
    body.entries.map((entry) => `${entry.seq} ${entry.message}`),
    ['1 purged_snaps scrub starts', '2 purged_snaps scrub ok'],
  );
  const ack = MLogAck.decode(fixtureMessages(53)[0]!);
  assert.is(ack.last, body.entries.at(-1)!.seq);
  assert.is(ack.channel, '');
});

test('MConfig', () => {
  const config = new Map([['osd_heartbeat_grace', '20']]);
  const { front } = MConfig.encode({ config });
  assert.equal([...MConfig.decode({ ...v1, front }).config], [...config]);
  checkTruncation(Buffer.from(front), (bytes) => MConfig.decode({ ...v1, front: bytes }));
  assert.is(MConfig.decode(fixtureMessages(62)[0]!).config.size, 0);
});

test('MMgrMap: no manager was running', () => {
  const { mgrMap } = MMgrMap.decode(fixtureMessages(0x704)[0]!);
  const head = decodeMgrMapHead(mgrMap);
  assert.is(head.epoch, 1);
  assert.is(head.available, false);
  assert.is(head.activeName, '');
  assert.is(head.activeAddrs.length, 0);
});

test.run();
