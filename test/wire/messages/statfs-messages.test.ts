/** Messages that only a monitor without a manager answers here: statfs, pool statistics, pool operations. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MGetPoolStats } from '../../../src/wire/messages/m-get-pool-stats.ts';
import { MGetPoolStatsReply } from '../../../src/wire/messages/m-get-pool-stats-reply.ts';
import { MPoolOp } from '../../../src/wire/messages/m-pool-op.ts';
import { MPoolOpReply } from '../../../src/wire/messages/m-pool-op-reply.ts';
import { MStatfs } from '../../../src/wire/messages/m-statfs.ts';
import { MStatfsReply } from '../../../src/wire/messages/m-statfs-reply.ts';
import type { MessageType } from '../../../src/wire/messages/registry.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import { checkTruncation, hex } from '../../support/wire-checks.ts';

const fsidHex = 'c38a29e734114fa39d39eca1f40257d3';
const fsid = Uuid.parse('c38a29e7-3411-4fa3-9d39-eca1f40257d3');
const paxos = '0700000000000000 ffff 0000000000000000';
const paxosVersion = 7n;

function check<Body>(type: MessageType<Body>, body: Body, ...bytes: string[]): void {
  test(`${type.name}: its bytes, and cut off at each of them`, () => {
    const front = hex(...bytes);
    const payload = type.encode(body);
    assert.is(Buffer.from(payload.front).toString('hex'), front.toString('hex'));
    const { version, compatVersion } = payload;
    assert.equal(type.decode({ version, compatVersion, front }), body);
    checkTruncation(front, (cut) => type.decode({ version, compatVersion, front: cut }));
  });
}

check(MStatfs, { paxosVersion, fsid, dataPool: 3n }, paxos, fsidHex, '01', '0300000000000000');
check(
  MStatfsReply,
  { fsid, version: 1n, totalKib: 2n, usedKib: 3n, availableKib: 4n, objectCount: 5n },
  fsidHex,
  ...[1, 2, 3, 4, 5].map((value) => `0${value}00000000000000`),
);
check(
  MGetPoolStats,
  { paxosVersion, fsid, pools: ['data'] },
  paxos,
  fsidHex,
  '01000000 04000000 64617461', // one name
);
check(
  MPoolOp,
  { paxosVersion, fsid, pool: 2, op: 0x11, snapId: 9n, name: 'one', crushRule: -1 },
  paxos,
  fsidHex,
  '02000000 11000000', // pool, op
  '0000000000000000', // auid
  '0900000000000000', // snapid
  '03000000 6f6e65', // name
  '00 ffff', // padding, rule
);
check(
  MPoolOpReply,
  { paxosVersion, fsid, result: -95, epoch: 12, data: Buffer.from('x') },
  paxos,
  fsidHex,
  'a1ffffff 0c000000', // result, epoch
  '01 01000000 78', // data
);

test('statfs of version 1 is of all pools; statistics of pools are not read', () => {
  const front = hex(paxos, fsidHex);
  assert.is(MStatfs.decode({ version: 1, compatVersion: 1, front }).dataPool, undefined);
  const none = hex(paxos, fsidHex, '00000000', '01');
  const reply = MGetPoolStatsReply.decode({ version: 2, compatVersion: 1, front: none });
  assert.equal(reply, { paxosVersion, fsid, isPerPool: true });
  const some = hex(paxos, fsidHex, '01000000', '01');
  assert.throws(() => MGetPoolStatsReply.decode({ version: 2, compatVersion: 1, front: some }), /1 pools/);
});

test.run();
