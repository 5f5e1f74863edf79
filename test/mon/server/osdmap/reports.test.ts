/** What else OSDs say of themselves: alive, beacons, full, pg_temp, their own end, what they created. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isUp, type OSDMap } from '../../../../src/maps/osdmap.ts';
import { Placement } from '../../../../src/maps/placement.ts';
import { makePool, PoolType, poolFlag } from '../../../../src/maps/pool.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import type { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { MMonGetPurgedSnaps } from '../../../../src/wire/messages/m-mon-get-purged-snaps.ts';
import { MMonGetPurgedSnapsReply } from '../../../../src/wire/messages/m-mon-get-purged-snaps-reply.ts';
import { MOSDAlive } from '../../../../src/wire/messages/m-osd-alive.ts';
import { MOSDBeacon } from '../../../../src/wire/messages/m-osd-beacon.ts';
import { MOSDFull } from '../../../../src/wire/messages/m-osd-full.ts';
import { MOSDMarkMeDead } from '../../../../src/wire/messages/m-osd-mark-me-dead.ts';
import { MOSDMarkMeDown } from '../../../../src/wire/messages/m-osd-mark-me-down.ts';
import { MOSDPGCreate2 } from '../../../../src/wire/messages/m-osd-pg-create2.ts';
import { MOSDPGCreated } from '../../../../src/wire/messages/m-osd-pg-created.ts';
import { MOSDPGTemp } from '../../../../src/wire/messages/m-osd-pg-temp.ts';
import { utimeZero } from '../../../../src/wire/utime.ts';
import { withOsds } from '../../../maps/support/small-map.ts';
import { addrsOf, Bench, clusterMap } from './bench.ts';

function withPool(map: OSDMap, fields: Partial<Parameters<typeof makePool>[0]> = {}): OSDMap {
  return {
    ...map,
    pools: new Map([[1, makePool({ type: PoolType.replicated, size: 2, pgNum: 8, ...fields })]]),
    poolNames: new Map([[1, 'data']]),
    poolMax: 1,
  };
}

// ── Alive ────────────────────────────────────────────────────────────────────────────────────────

test('alive: up_thru becomes the epoch that the OSD has', async () => {
  const bench = await Bench.create(clusterMap(3, 1));
  const session = bench.send(MOSDAlive, { paxosVersion: 10n, want: 9 }, bench.sessionOf(0));
  const map = await bench.commit();
  assert.is(map.osdInfo[0]!.upThru, 10);
  assert.equal(session.maps, [10]);
  bench.send(MOSDAlive, { paxosVersion: 11n, want: 10 }, session);
  assert.is(bench.osd.hasPending, false, 'it is there');
  assert.equal(session.maps, [10, 11]);
  bench.send(MOSDAlive, { paxosVersion: 4_000_000_000n, want: 11 }, session);
  assert.is((await bench.commit()).osdInfo[0]!.upThru, 11, 'nobody has lived through what is to come');
});

test('alive: not of another life, of one that is down, or of one that is not there', async () => {
  const bench = await Bench.create(withOsds(clusterMap(3, 1), { 1: { state: OsdState.exists } }));
  bench.send(MOSDAlive, { paxosVersion: 10n, want: 10 }, bench.sessionOf(0, 2));
  bench.send(MOSDAlive, { paxosVersion: 10n, want: 10 }, bench.sessionOf(1));
  bench.send(MOSDAlive, { paxosVersion: 10n, want: 10 }, bench.sessionOf(9));
  assert.is(bench.osd.hasPending, false);
});

// ── Beacons ──────────────────────────────────────────────────────────────────────────────────────

const beacon = (epoch: number, interval = 300): MOSDBeacon => ({
  paxosVersion: BigInt(epoch),
  pgs: [],
  minLastEpochClean: 0,
  lastPurgedSnapsScrub: utimeZero,
  reportIntervalSeconds: interval,
});

test('no beacon for mon_osd_report_timeout: down, but not what is heard of', async () => {
  const bench = await Bench.create(clusterMap(3, 1), { mon_osd_report_timeout: 100 });
  // The first tick begins to count.
  assert.is((await bench.tickAfter(5)).epoch, 10);
  await bench.tickAfter(90);
  for (const osd of [1, 2]) bench.send(MOSDBeacon, beacon(10, 10), bench.sessionOf(osd));
  const map = await bench.tickAfter(10.5);
  assert.equal(
    [0, 1, 2].map((osd) => isUp(map, osd)),
    [false, true, true],
  );
  assert.equal(bench.said, ['osd.0 marked down after no beacon for 100.500000 seconds']);
});

test('two intervals that the OSD itself names are waited for', async () => {
  const bench = await Bench.create(clusterMap(3, 1), { mon_osd_report_timeout: 100 });
  bench.send(MOSDBeacon, beacon(10, 300), bench.sessionOf(0));
  bench.nowMs += 500_000;
  for (const osd of [1, 2]) bench.send(MOSDBeacon, beacon(10, 10), bench.sessionOf(osd));
  assert.ok(isUp(await bench.tickAfter(100), 0));
  for (const osd of [1, 2]) bench.send(MOSDBeacon, beacon(10, 10), bench.sessionOf(osd));
  assert.not(isUp(await bench.tickAfter(1), 0));
});

test('a beacon of one that is taken for dead is answered with maps', async () => {
  const bench = await Bench.create(withOsds(clusterMap(3, 1), { 0: { state: OsdState.exists } }));
  assert.equal(bench.send(MOSDBeacon, beacon(8), bench.sessionOf(0)).maps, [9]);
  const scrubbed = { ...beacon(10), lastPurgedSnapsScrub: { sec: 77, nsec: 0 } };
  bench.send(MOSDBeacon, scrubbed, bench.sessionOf(1));
  assert.is((await bench.commit()).osdXinfo[1]!.lastPurgedSnapsScrub.sec, 77);
});

// ── Its own end ──────────────────────────────────────────────────────────────────────────────────

const ending = (
  bench: Bench,
  osd: number,
  targetAddrs: EntityAddrVec,
  downAndDead = false,
): MOSDMarkMeDown => ({
  fsid: bench.map.fsid,
  targetOsd: osd,
  targetAddrs,
  epoch: 9,
  requestAck: true,
  downAndDead,
});

test('mark me down: acknowledged once it is true', async () => {
  for (const isDead of [false, true]) {
    const bench = await Bench.create(clusterMap(3, 1));
    const session = bench.send(MOSDMarkMeDown, ending(bench, 0, addrsOf(0), isDead), bench.sessionOf(0));
    assert.is(session.replies.length, 0);
    const map = await bench.commit();
    assert.not(isUp(map, 0));
    assert.is(map.osdXinfo[0]!.deadEpoch, isDead ? 9 : 0);
    assert.is(map.osdXinfo[0]!.downStamp.sec, map.modified.sec);
    const [reply] = session.replies;
    const ack = MOSDMarkMeDown.decode(reply!);
    assert.equal([ack.requestAck, ack.targetOsd, ack.epoch], [false, 0, 9]);
    assert.equal(bench.said, [`osd.0 marked itself ${isDead ? 'down and dead' : 'down'}`]);
  }
});

test('mark me down: acknowledged at once, and nothing else, when it may not be or is already', async () => {
  const nodown = await Bench.create({ ...clusterMap(3, 1), flags: 1 << 6 });
  const gone = await Bench.create(withOsds(clusterMap(3, 1), { 0: { state: OsdState.exists } }));
  const other = await Bench.create(clusterMap(3, 1));
  for (const [bench, addrs, maps] of [
    [nodown, addrsOf(0), []],
    [gone, addrsOf(0), [10]],
    [other, addrsOf(0, 'public', 7), [10]],
  ] as const) {
    const session = bench.send(MOSDMarkMeDown, ending(bench, 0, addrs), bench.sessionOf(0));
    assert.is(bench.osd.hasPending, false);
    assert.is(session.replies.length, 1);
    assert.equal(session.maps, maps);
  }
});

test('what is on its way to the disk is acknowledged when it is there', async () => {
  const bench = await Bench.create(clusterMap(3, 1));
  const first = bench.send(MOSDMarkMeDown, ending(bench, 0, addrsOf(0)), bench.sessionOf(0));
  const applied = await bench.write();
  const second = bench.send(MOSDMarkMeDown, ending(bench, 0, addrsOf(0)), bench.sessionOf(0));
  await new Promise(setImmediate);
  assert.equal([first.replies.length, second.replies.length], [0, 0]);
  await applied();
  await bench.commit();
  assert.equal([first.replies.length, second.replies.length], [1, 1]);
  assert.is(bench.map.epoch, 11);
});

test('an OSD speaks for itself only', async () => {
  const bench = await Bench.create(withOsds(clusterMap(3, 1), { 1: { state: OsdState.exists } }));
  bench.send(MOSDMarkMeDown, ending(bench, 0, addrsOf(0)), bench.sessionOf(2));
  bench.send(MOSDMarkMeDead, { fsid: bench.map.fsid, targetOsd: 1, epoch: 9 }, bench.sessionOf(2));
  assert.is(bench.osd.hasPending, false);
});

test('mark me dead: of a life that is over', async () => {
  const bench = await Bench.create(withOsds(clusterMap(3, 1), { 1: { state: OsdState.exists } }));
  bench.send(MOSDMarkMeDead, { fsid: bench.map.fsid, targetOsd: 1, epoch: 9 }, bench.sessionOf(1));
  assert.is((await bench.commit()).osdXinfo[1]!.deadEpoch, 9);
  assert.equal(bench.said, ['osd.1 marked itself dead as of e9']);
  const up = bench.send(MOSDMarkMeDead, { fsid: bench.map.fsid, targetOsd: 0, epoch: 9 }, bench.sessionOf(0));
  assert.is(bench.osd.hasPending, false);
  assert.equal(up.maps, [10]);
});

// ── Full ─────────────────────────────────────────────────────────────────────────────────────────

test('an OSD that is full makes its pools full, and no longer when it is not', async () => {
  const bench = await Bench.create(withPool(clusterMap(3, 1)));
  const { nearfull, backfillfull, full } = OsdState;
  const poolFlagsNow = (): bigint => bench.map.pools.get(1)!.flags & ~poolFlag('hashpspool');
  const say = async (osd: number, state: number): Promise<void> => {
    bench.send(MOSDFull, { paxosVersion: 10n, epoch: 10, state }, bench.sessionOf(osd));
    await bench.commit();
  };
  await say(0, nearfull);
  assert.is(bench.map.osdState[0]! & nearfull, nearfull);
  assert.is(poolFlagsNow(), poolFlag('nearfull'));
  await say(1, full);
  assert.is(poolFlagsNow(), poolFlag('full'));
  await say(0, backfillfull);
  await say(1, 0);
  assert.is(poolFlagsNow(), poolFlag('backfillfull'));
  await say(0, 0);
  assert.is(poolFlagsNow(), 0n);
  assert.is(bench.map.osdState[0], OsdState.exists | OsdState.up);
  const again = bench.send(MOSDFull, { paxosVersion: 10n, epoch: 10, state: 0 }, bench.sessionOf(0));
  assert.is(bench.osd.hasPending, false);
  assert.equal(again.maps, [10]);
});

test('a full OSD that is down or out fills no pool; a quota stays; other bits cannot be set', async () => {
  const { exists, up, full } = OsdState;
  const map = withOsds(withPool(clusterMap(3, 1), { flags: poolFlag('full') | poolFlag('full_quota') }), {
    0: { state: exists | full },
    1: { state: exists | up | full, weight: 0 },
  });
  const bench = await Bench.create(map);
  bench.send(MOSDFull, { paxosVersion: 10n, epoch: 10, state: 0xffff_ffff }, bench.sessionOf(2));
  const next = await bench.commit();
  assert.is(next.osdState[2], exists | up | full | OsdState.nearfull | OsdState.backfillfull);
  assert.is(next.pools.get(1)!.flags, poolFlag('full') | poolFlag('full_quota'));
  bench.send(MOSDFull, { paxosVersion: 10n, epoch: 10, state: OsdState.nearfull }, bench.sessionOf(2));
  assert.is((await bench.commit()).pools.get(1)!.flags, poolFlag('full') | poolFlag('full_quota'));
  bench.send(MOSDFull, { paxosVersion: 10n, epoch: 10, state: full }, bench.sessionOf(0));
  assert.is(bench.osd.hasPending, false, 'it is down');
});

// ── pg_temp ──────────────────────────────────────────────────────────────────────────────────────

test('pg_temp: the primary is heeded, others are not, and what is pointless is dropped', async () => {
  const bench = await Bench.create(withPool(clusterMap(3, 1)));
  const { up } = new Placement(bench.map).pgToUpActing({ pool: 1, seed: 3 });
  const [primary, second] = up as [number, number];
  const wish = (osds: number[]): MOSDPGTemp => ({
    paxosVersion: 10n,
    epoch: 10,
    pgTemp: [{ pgid: { pool: 1n, seed: 3 }, osds }],
    forced: false,
  });
  bench.send(MOSDPGTemp, wish([second, primary]), bench.sessionOf(second));
  bench.send(
    MOSDPGTemp,
    { ...wish([second]), pgTemp: [{ pgid: { pool: 9n, seed: 0 }, osds: [0] }] },
    bench.sessionOf(primary),
  );
  bench.send(MOSDPGTemp, wish([second, 77]), bench.sessionOf(primary));
  bench.send(MOSDPGTemp, wish([]), bench.sessionOf(primary));
  assert.is(bench.osd.hasPending, false);

  const session = bench.send(MOSDPGTemp, wish([second, primary]), bench.sessionOf(primary));
  const map = await bench.commit();
  assert.equal([...map.pgTemp.get(1, 3)!], [second, primary]);
  assert.is(map.osdInfo[primary]!.upThru, 10);
  assert.equal(session.maps, [10]);

  // Now the other one is the acting primary, and gives it back.
  bench.send(MOSDPGTemp, wish([primary, second]), bench.sessionOf(second));
  assert.is((await bench.commit()).pgTemp.size, 0, 'what placement says by itself is not kept');
});

test('pg_temp goes when none of its OSDs is up, or its pool is gone', async () => {
  const bench = await Bench.create(withPool(clusterMap(3, 1)));
  const { up } = new Placement(bench.map).pgToUpActing({ pool: 1, seed: 3 });
  const other = [0, 1, 2].find((osd) => !up.includes(osd))!;
  bench.osd.pending.change.newPgTemp.set({ pool: 1, seed: 3 }, Int32Array.of(other));
  bench.osd.pending.touch();
  assert.is((await bench.commit()).pgTemp.size, 1);
  bench.osd.pending.markDown(other);
  assert.is((await bench.commit()).pgTemp.size, 0);
  bench.osd.pending.change.newPgTemp.set({ pool: 1, seed: 3 }, Int32Array.of(up[1]!));
  bench.osd.pending.change.oldPools.push(1);
  bench.osd.pending.touch();
  assert.is((await bench.commit()).pgTemp.size, 0);
});

// ── Creation ─────────────────────────────────────────────────────────────────────────────────────

test('a new pool: its primaries are told, and it is no longer creating once they are done', async () => {
  const bench = await Bench.create(clusterMap(3, 1), { mon_osd_max_creating_pgs: 6 });
  const { pending } = bench.osd;
  const flags = poolFlag('hashpspool') | poolFlag('creating');
  pending.change.newPools.set(1, makePool({ type: PoolType.replicated, size: 2, pgNum: 8, flags }));
  pending.change.newPoolNames.set(1, 'data');
  pending.change.newPoolMax = 1;
  pending.touch();
  const map = await bench.commit();
  assert.ok((map.pools.get(1)!.flags & poolFlag('creating')) !== 0n);

  const asked = (): Map<number, number> => {
    const primaries = new Map<number, number>();
    for (const osd of [0, 1, 2]) {
      const { message } = bench.osd.pgCreates(osd, 0);
      if (message === undefined) continue;
      for (const { pgid, epoch } of MOSDPGCreate2.decode(message).pgs) {
        assert.is(pgid.shard, -1);
        assert.ok(epoch >= 11);
        primaries.set(pgid.seed, osd);
      }
    }
    return primaries;
  };
  const first = asked();
  assert.equal([...first.keys()].sort(), [0, 1, 2, 3, 4, 5], 'six at a time');
  const placement = new Placement(map);
  for (const [seed, osd] of first) assert.is(placement.pgToUpActing({ pool: 1, seed }).actingPrimary, osd);

  const created = (seed: number, osd: number): void => {
    bench.send(MOSDPGCreated, { pgid: { pool: 1n, seed } }, bench.sessionOf(osd));
  };
  const next = bench.osd.pgCreates(first.get(0)!, 0).next;
  assert.is(bench.osd.pgCreates(first.get(0)!, next).message, undefined, 'it was told');
  created(0, first.get(0)!);
  created(1, first.get(1)!);
  await bench.commit();
  const second = asked();
  assert.equal([...second.keys()].sort(), [2, 3, 4, 5, 6, 7]);
  // Those that were asked for already are done in no epoch of their own.
  const before = bench.map.epoch;
  created(2, second.get(2)!);
  created(2, second.get(2)!);
  await bench.commit();
  assert.is(bench.map.epoch, before);

  // The state survives a restart.
  const { CreatingPgs } = await import('../../../../src/mon/server/osdmap/creating-pgs.ts');
  const stored = CreatingPgs.decode(bench.store.get('osd_pg_creating', 'creating')!);
  assert.is(stored.size, 5);
  for (const [seed, osd] of second) created(seed, osd);
  const done = await bench.commit();
  assert.is(done.pools.get(1)!.flags & poolFlag('creating'), 0n);
  assert.is(asked().size, 0);
});

test('when a primary goes down before it created, the next one is told', async () => {
  const bench = await Bench.create(clusterMap(3, 1));
  const { pending } = bench.osd;
  pending.change.newPools.set(1, makePool({ type: PoolType.replicated, size: 2, pgNum: 1 }));
  pending.change.newPoolNames.set(1, 'data');
  pending.touch();
  const map = await bench.commit();
  const primary = new Placement(map).pgToUpActing({ pool: 1, seed: 0 }).actingPrimary;
  const { message, next } = bench.osd.pgCreates(primary, 0);
  assert.ok(message);
  bench.osd.pending.markDown(primary);
  const after = await bench.commit();
  const other = new Placement(after).pgToUpActing({ pool: 1, seed: 0 }).actingPrimary;
  assert.is.not(other, primary);
  assert.ok(bench.osd.pgCreates(other, next).message, 'although it had heard of everything before');
  assert.is(bench.osd.pgCreates(primary, 0).message, undefined);
  // A removed pool needs nothing.
  bench.osd.pending.change.oldPools.push(1);
  bench.osd.pending.touch();
  await bench.commit();
  assert.is(bench.osd.pgCreates(other, 0).message, undefined);
});

test('purged snapshots: none, which an OSD asks for before it boots', async () => {
  const bench = await Bench.create(clusterMap(3, 1));
  const session = bench.send(MMonGetPurgedSnaps, { start: 1, last: 9 }, bench.sessionOf(0));
  const reply = MMonGetPurgedSnapsReply.decode(session.replies[0]!);
  assert.equal([reply.start, reply.last, reply.purgedSnaps.size], [1, 9, 0]);
});

test.run();
