/** What an OSD tells its monitor about itself and others: fields as real daemons sent them, older versions. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { supportedDefault } from '../../../src/wire/features.ts';
import { MMonGetPurgedSnaps } from '../../../src/wire/messages/m-mon-get-purged-snaps.ts';
import { MMonGetPurgedSnapsReply } from '../../../src/wire/messages/m-mon-get-purged-snaps-reply.ts';
import { MOSDAlive } from '../../../src/wire/messages/m-osd-alive.ts';
import { MOSDBeacon } from '../../../src/wire/messages/m-osd-beacon.ts';
import { MOSDBoot } from '../../../src/wire/messages/m-osd-boot.ts';
import { MOSDFailure, OSDFailureFlag } from '../../../src/wire/messages/m-osd-failure.ts';
import { MOSDFull } from '../../../src/wire/messages/m-osd-full.ts';
import { MOSDMarkMeDead } from '../../../src/wire/messages/m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from '../../../src/wire/messages/m-osd-mark-me-down.ts';
import { MOSDPGCreate2 } from '../../../src/wire/messages/m-osd-pg-create2.ts';
import { MOSDPGCreated } from '../../../src/wire/messages/m-osd-pg-created.ts';
import { MOSDPGTemp } from '../../../src/wire/messages/m-osd-pg-temp.ts';
import type { MessageType } from '../../../src/wire/messages/registry.ts';
import { pgIdToString } from '../../../src/wire/pg-id.ts';
import { fixtureMessages } from '../../support/captures.ts';
import { checkTruncation, hex } from '../../support/wire-checks.ts';

const fsid = 'c38a29e7-3411-4fa3-9d39-eca1f40257d3';
const prefix = '1300000000000000 ffff 0000000000000000'; // version 19, session_mon -1, session_mon_tid
const addr = '01 0101 1c000000 02000000 02780000 10000000 0200 1a90 7f00010c 0000000000000000';

test('MOSDBoot: the first boot of osd.0', () => {
  const message = fixtureMessages(71)[0]!;
  const boot = MOSDBoot.decode(message);
  assert.is(boot.paxosVersion, 4n);
  assert.is(boot.superblock.whoami, 0);
  assert.is(String(boot.superblock.clusterFsid), fsid);
  assert.is(String(boot.superblock.osdFsid), 'ceced82e-e97b-4a70-8f25-aafa36b29de5');
  assert.equal(
    [boot.superblock.oldestMap, boot.superblock.newestMap, boot.superblock.currentEpoch],
    [1, 4, 4],
  );
  assert.is(boot.superblock.compatFeatures.incompat.get(10n), 'snapmapper');
  assert.is(boot.superblock.compatFeatures.incompat.size, 17);
  assert.is(String(boot.heartbeatBackAddrs), 'v2:127.0.2.10:6801/30480');
  assert.is(String(boot.heartbeatFrontAddrs), 'v2:127.0.1.10:6801/30480');
  assert.is(String(boot.clusterAddrs), 'v2:127.0.2.10:6800/30480');
  assert.is(boot.bootEpoch, 0);
  assert.is(boot.metadata.get('ceph_release'), 'pacific');
  assert.is(boot.metadata.size, 32);
  assert.is(boot.osdFeatures, supportedDefault);
  assert.equal([...boot.metadata.keys()], [...boot.metadata.keys()].sort(), 'a std::map, sorted');
});

test('MOSDBoot of version 6 has one address of each kind', () => {
  const { front } = fixtureMessages(71)[0]!;
  const boot = MOSDBoot.decode(fixtureMessages(71)[0]!);
  // Vectors of one address lose their five bytes of marker and count.
  const marker = hex('02 01000000');
  const parts: Buffer[] = [];
  let at = 0;
  for (let next = front.indexOf(marker); next >= 0; next = front.indexOf(marker, at)) {
    parts.push(front.subarray(at, next));
    at = next + marker.byteLength;
  }
  parts.push(front.subarray(at));
  assert.is(parts.length, 4, 'three vectors');
  const old = MOSDBoot.decode({ version: 6, compatVersion: 6, front: Buffer.concat(parts) });
  assert.equal(MOSDBoot.encode(old).front, front);
  assert.is(MOSDBoot.encode(old).version, 7);
  assert.ok(old.clusterAddrs.equals(boot.clusterAddrs));
});

test('MOSDFailure: osd.2 refused the connection', () => {
  const front = hex(
    prefix,
    'c38a29e734114fa39d39eca1f40257d3', // fsid
    '02000000', // target
    '02 01000000', // its addresses
    addr,
    '13000000', // epoch
    '03', // flags: failed, immediate
    '15000000', // failed for 21 s
  );
  const message = fixtureMessages(72).find((candidate) => candidate.front.equals(front))!;
  assert.ok(message, 'the recordings hold it');
  const failure = MOSDFailure.decode(message);
  assert.is(failure.targetOsd, 2);
  assert.is(String(failure.targetAddrs), 'v2:127.0.1.12:6800/30722');
  assert.is(failure.flags, OSDFailureFlag.Failed | OSDFailureFlag.Immediate);
  assert.equal([failure.epoch, failure.failedForSeconds], [19, 21]);
});

test('MOSDFailure of version 3 names the target by entity_inst_t', () => {
  const front = hex(
    prefix,
    'c38a29e734114fa39d39eca1f40257d3', // fsid
    '04 0200000000000000', // osd.2
    addr,
    '13000000 01 15000000', // epoch, flags, failed for
  );
  const decode = (bytes: Uint8Array): MOSDFailure =>
    MOSDFailure.decode({ version: 3, compatVersion: 3, front: bytes });
  assert.is(decode(front).targetOsd, 2);
  assert.is(String(decode(front).targetAddrs), 'v2:127.0.1.12:6800/30722');
  assert.is(MOSDFailure.encode(decode(front)).version, 4);
  checkTruncation(front, decode);
});

test('MOSDMarkMeDown and the same message back', () => {
  const messages = fixtureMessages(74);
  assert.is(messages.length, 2);
  const [request, answer] = messages.map((message) => MOSDMarkMeDown.decode(message));
  assert.equal([request!.requestAck, request!.downAndDead], [true, true]);
  assert.equal([answer!.requestAck, answer!.downAndDead], [false, false]);
  for (const body of [request!, answer!]) {
    assert.is(body.targetOsd, 1);
    assert.is(String(body.targetAddrs), 'v2:127.0.1.11:6800/30601');
    assert.is(body.epoch, 17);
  }
});

test('MOSDMarkMeDown of versions 2 and 3', () => {
  const old = hex(prefix, 'c38a29e734114fa39d39eca1f40257d3', '04 0200000000000000', addr, '13000000 01');
  const second = MOSDMarkMeDown.decode({ version: 2, compatVersion: 2, front: old });
  assert.equal([second.targetOsd, second.epoch, second.requestAck, second.downAndDead], [2, 19, true, false]);
  checkTruncation(old, (bytes) => MOSDMarkMeDown.decode({ version: 2, compatVersion: 2, front: bytes }));
  const full = fixtureMessages(74)[0]!.front;
  const third = { version: 3, compatVersion: 3, front: full.subarray(0, full.byteLength - 1) };
  assert.is(MOSDMarkMeDown.decode(third).downAndDead, false);
});

test('MOSDMarkMeDead', () => {
  const body = MOSDMarkMeDead.decode(fixtureMessages(123)[0]!);
  assert.equal([body.paxosVersion, body.targetOsd, body.epoch], [26n, 0, 26]);
});

test('MOSDAlive asks for its epoch', () => {
  for (const message of fixtureMessages(73)) {
    const body = MOSDAlive.decode(message);
    assert.ok(body.want > 0 && body.want <= Number(body.paxosVersion));
  }
});

test('MOSDBeacon, and the versions without its last fields', () => {
  const message = fixtureMessages(79)[0]!;
  const beacon = MOSDBeacon.decode(message);
  assert.equal([beacon.paxosVersion, beacon.pgs.length, beacon.reportIntervalSeconds], [5n, 0, 300]);
  const { front } = message;
  const second = MOSDBeacon.decode({ version: 2, compatVersion: 1, front: front.subarray(0, -4) });
  assert.is(second.reportIntervalSeconds, 0);
  assert.equal(second.lastPurgedSnapsScrub, beacon.lastPurgedSnapsScrub);
  const first = MOSDBeacon.decode({ version: 1, compatVersion: 1, front: front.subarray(0, -12) });
  assert.equal(first.lastPurgedSnapsScrub, { sec: 0, nsec: 0 });
});

test('MOSDPGCreated', () => {
  assert.is(pgIdToString(MOSDPGCreated.decode(fixtureMessages(116)[0]!).pgid), '1.7');
});

test('MOSDFull, MOSDPGTemp and MMonGetPurgedSnaps: the bytes of each field', () => {
  const full = MOSDFull.encode({ paxosVersion: 19n, epoch: 19, state: 0x50 });
  assert.equal(full.front, hex(prefix, '13000000 50000000'));

  const pgTemp = MOSDPGTemp.encode({
    paxosVersion: 19n,
    epoch: 19,
    pgTemp: [{ pgid: { pool: 1n, seed: 7 }, osds: [2, 0] }],
    forced: false,
  });
  const pgid = '01 0100000000000000 07000000 ffffffff';
  assert.equal(pgTemp.front, hex(prefix, '13000000', '01000000', pgid, '02000000 02000000 00000000', '00'));
  assert.equal([pgTemp.version, pgTemp.compatVersion], [2, 1]);

  const asked = MMonGetPurgedSnaps.encode({ paxosVersion: 19n, start: 1, last: 9 });
  assert.equal(asked.front, hex(prefix, '01000000 09000000'));
  const interval = { start: 3n, length: 2n };
  const reply = MMonGetPurgedSnapsReply.encode({
    paxosVersion: 19n,
    start: 1,
    last: 9,
    purgedSnaps: new Map([[4, new Map([[1n, [interval]]])]]),
  });
  assert.equal(
    reply.front,
    hex(
      prefix,
      '01000000 09000000', // start, last
      '01000000 04000000', // one epoch: 4
      '01000000 0100000000000000', // one pool: 1
      '01000000 0300000000000000 0200000000000000', // one interval
    ),
  );
  const types = [
    [MOSDFull, full],
    [MOSDPGTemp, pgTemp],
    [MMonGetPurgedSnaps, asked],
    [MMonGetPurgedSnapsReply, reply],
  ] as const;
  for (const [type, payload] of types) {
    const decode = (front: Uint8Array): unknown => type.decode({ ...payload, front });
    checkTruncation(payload.front, decode);
    // biome-ignore lint/suspicious/noExplicitAny: each type with a body of its own.
    assert.equal((type as MessageType<any>).encode(decode(payload.front)).front, payload.front);
  }
});

test('MOSDPGTemp of version 1 is not forced', () => {
  const { front } = MOSDPGTemp.encode({ epoch: 3, pgTemp: [], forced: true });
  assert.is(MOSDPGTemp.decode({ version: 1, compatVersion: 1, front: front.subarray(0, -1) }).forced, false);
});

test('MOSDPGCreate2: a new group of a replicated pool, with the history of one that never was', () => {
  const create = MOSDPGCreate2.decode(fixtureMessages(120)[0]!);
  const [first] = create.pgs;
  assert.is(first!.pgid.pool, 1n);
  assert.is(first!.pgid.shard, -1);
  assert.is(first!.epoch, 15);
  assert.is(create.histories.length, create.pgs.length);
});

test.run();
