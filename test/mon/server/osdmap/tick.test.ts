/** What time alone does: down to out and its exceptions, the blocklist, the laggy past, what is forgotten. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isIn, noOsdXinfo, type OSDMap, osdIn } from '../../../../src/maps/osdmap.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import { laggyGraceSeconds, laggyProbability } from '../../../../src/mon/server/osdmap/laggy.ts';
import { trimTo } from '../../../../src/mon/server/osdmap/trim.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { EntityAddr } from '../../../../src/wire/entity-addr.ts';
import { MOSDBeacon } from '../../../../src/wire/messages/m-osd-beacon.ts';
import { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { utimeFromMs, utimeZero } from '../../../../src/wire/utime.ts';
import { smallCrush, withOsds } from '../../../maps/support/small-map.ts';
import { Bench, clusterMap, withCrush } from './bench.ts';

const { exists, up, autoout } = OsdState;

/** Eight hosts of one; osd.0 is down. */
function oneDown(fields: Partial<OSDMap> = {}, state: number = exists): OSDMap {
  return withOsds(clusterMap(8, 1, fields), { 0: { state, weight: 0xc000 } });
}

test('down for mon_osd_down_out_interval: out by itself, its weight remembered', async () => {
  const bench = await Bench.create(oneDown());
  assert.ok(isIn(await bench.tickAfter(599), 0));
  const map = await bench.tickAfter(1);
  assert.not(isIn(map, 0));
  assert.is(map.osdState[0], exists | autoout);
  assert.is(map.osdXinfo[0]!.oldWeight, 0xc000);
  assert.is(map.lastInChange.sec, map.modified.sec);
  assert.equal(bench.said, ['Marking osd.0 out (has been down for 600 seconds)']);

  bench.send(MOSDBoot, bench.bootOf(0), bench.sessionOf(0, 2));
  const back = await bench.commit();
  assert.is(back.osdWeight[0], 0xc000);
  assert.is(back.osdState[0], exists | up);
});

test('it counts from when the OSD went down', async () => {
  const bench = await Bench.create(clusterMap(8, 1), { mon_osd_report_timeout: 100_000 });
  await bench.tickAfter(500);
  bench.osd.pending.markDown(0);
  await bench.commit();
  assert.ok(isIn(await bench.tickAfter(599), 0));
  assert.not(isIn(await bench.tickAfter(1), 0));
});

test('a boot in between begins anew', async () => {
  const bench = await Bench.create(oneDown());
  await bench.tickAfter(500);
  bench.send(MOSDBoot, bench.bootOf(0), bench.sessionOf(0, 2));
  await bench.commit();
  bench.osd.pending.markDown(0);
  await bench.commit();
  assert.ok(isIn(await bench.tickAfter(599), 0));
});

const exceptions: readonly [what: string, map: OSDMap, options?: Parameters<typeof resolveOptions>[0]][] = [
  ['noout', oneDown({ flags: 1 << 7 })],
  ['noout of the OSD', oneDown({}, exists | OsdState.noout)],
  ['noout below a bucket', oneDown({ crushNodeFlags: new Map([[-2, OsdState.noout]]) })],
  ['an interval of 0', oneDown(), { mon_osd_down_out_interval: 0 }],
  ['too many out already', withOsds(oneDown(), { 1: { weight: 0 }, 2: { weight: 0 }, 3: { weight: 0 } })],
  ['its whole subtree down', oneDown(), { mon_osd_down_out_subtree_limit: 'host' }],
  [
    'destroyed, with an interval of 0',
    oneDown({}, exists | OsdState.destroyed),
    { mon_osd_destroyed_out_interval: 0 },
  ],
];

for (const [what, map, options] of exceptions) {
  test(`stays in: ${what}`, async () => {
    const bench = await Bench.create(map, options);
    for (let minutes = 0; minutes < 60; minutes += 10) {
      for (let osd = 1; osd < 8; osd++) beat(bench, osd);
      assert.ok(isIn(await bench.tickAfter(600), 0));
    }
    assert.equal(bench.said, []);
  });
}

function beat(bench: Bench, osd: number): void {
  const body = { paxosVersion: 10n, pgs: [], minLastEpochClean: 0, lastPurgedSnapsScrub: utimeZero };
  bench.send(MOSDBeacon, { ...body, reportIntervalSeconds: 300 }, bench.sessionOf(osd));
}

test('the ratio counts what this epoch takes out: not all of the half that is down', async () => {
  const down = { state: exists };
  const map = withOsds(clusterMap(8, 1), { 0: down, 1: down, 2: down, 3: down });
  const bench = await Bench.create(map);
  const next = await bench.tickAfter(601);
  // 8 of 8, 7 of 8, 6 of 8 (0.75) may still go, 5 of 8 may not.
  assert.equal(
    [0, 1, 2, 3].map((osd) => isIn(next, osd)),
    [false, false, false, true],
  );
});

test('a rack that is wholly down is left alone, and its clock starts again when a part of it comes back', async () => {
  // Two racks of two hosts each, in place of the four hosts below the root.
  const flat = smallCrush(4, 1);
  const [root, ...hosts] = flat.buckets;
  const rack = (index: number, items: number[]) => ({
    ...root!,
    id: -1 - index,
    type: 3,
    items: Int32Array.from(items),
    itemWeights: new Uint32Array(2).fill(osdIn),
  });
  const crush = {
    ...flat,
    typeNames: new Map([...flat.typeNames, [3, 'rack']]),
    names: new Map([...flat.names, [-6, 'rack0'], [-7, 'rack1']]),
    buckets: [
      { ...root!, items: Int32Array.of(-6, -7), itemWeights: new Uint32Array(2).fill(2 * osdIn) },
      ...hosts,
      rack(5, [-2, -3]),
      rack(6, [-4, -5]),
    ],
  } as typeof flat;
  const down = { state: exists };
  const bench = await Bench.create(withCrush(withOsds(clusterMap(4, 1), { 0: down, 1: down }), crush), {
    mon_osd_report_timeout: 100_000,
    mon_osd_min_in_ratio: 0.5,
  });
  await bench.tickAfter(700);
  await bench.tickAfter(700);
  assert.ok(isIn(bench.map, 0) && isIn(bench.map, 1));
  bench.send(MOSDBoot, bench.bootOf(1), bench.sessionOf(1, 2));
  await bench.commit();
  await bench.tickAfter(599);
  assert.ok(isIn(bench.map, 0));
  assert.not(isIn(await bench.tickAfter(1), 0));
});

test('a destroyed OSD has an interval of its own; a laggy one gets more time', async () => {
  const destroyed = await Bench.create(oneDown({}, exists | OsdState.destroyed), {
    mon_osd_destroyed_out_interval: 60,
  });
  assert.not(isIn(await destroyed.tickAfter(60), 0));
  const map = oneDown();
  const osdXinfo = map.osdXinfo.slice();
  osdXinfo[0] = { ...noOsdXinfo, laggyProbability: 0x8000_0000, laggyInterval: 300 };
  const laggy = await Bench.create({ ...map, osdXinfo });
  // 150 s more, of which something has decayed after 11 minutes.
  assert.ok(isIn(await laggy.tickAfter(700), 0));
  assert.not(isIn(await laggy.tickAfter(50), 0));
  const unadjusted = await Bench.create({ ...map, osdXinfo }, { mon_osd_adjust_down_out_interval: false });
  assert.not(isIn(await unadjusted.tickAfter(600), 0));
});

test('addresses leave the blocklist when their time is over', async () => {
  const entry = (text: string, seconds: number) => {
    const addr = EntityAddr.parse(text);
    return [addr.key, { addr, until: utimeFromMs(Date.UTC(2026, 10, 27) + seconds * 1000) }] as const;
  };
  const blocklist = new Map([entry('v2:10.1.1.1:0/1', 60), entry('v2:10.1.1.2:0/2', 7200)]);
  const bench = await Bench.create({ ...clusterMap(3, 1), blocklist });
  assert.is((await bench.tickAfter(60)).blocklist.size, 2);
  assert.is((await bench.tickAfter(1)).blocklist.size, 1);
  assert.is((await bench.tickAfter(1)).epoch, 11);
});

// ── The laggy past ───────────────────────────────────────────────────────────────────────────────

test('48 halflives without a failure: the past is forgotten when it goes down again', async () => {
  for (const [hours, isForgotten] of [
    [47, false],
    [49, true],
  ] as const) {
    const map = clusterMap(3, 1);
    const osdXinfo = map.osdXinfo.slice();
    const downStamp = utimeFromMs(Date.UTC(2026, 10, 27) - hours * 3_600_000);
    osdXinfo[0] = { ...noOsdXinfo, laggyProbability: 0x8000_0000, laggyInterval: 300, downStamp };
    const bench = await Bench.create({ ...map, osdXinfo });
    bench.osd.pending.markDown(0);
    const next = await bench.commit();
    assert.is(next.osdXinfo[0]!.laggyInterval, isForgotten ? 0 : 300);
    assert.is(next.osdXinfo[0]!.downStamp.sec, next.modified.sec);
  }
});

test('a grace never grows with age, and never beyond the whole interval', () => {
  const options = resolveOptions();
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.nat(1e6), fc.nat(1e6), fc.nat(1e6), (raw, interval, age, later) => {
      const xinfo = { ...noOsdXinfo, laggyProbability: raw, laggyInterval: interval };
      const now = laggyGraceSeconds(xinfo, age, options);
      return now >= laggyGraceSeconds(xinfo, age + later, options) && now >= 0 && now <= interval;
    }),
  );
  assert.is(laggyProbability({ ...noOsdXinfo, laggyProbability: 0xffff_ffff }), 1);
});

// ── What is forgotten ────────────────────────────────────────────────────────────────────────────

const options = resolveOptions();
const histories: readonly [first: number, last: number, needed: number, expected: number | undefined][] = [
  [1, 500, 500, undefined],
  [1, 749, 749, undefined],
  [1, 751, 751, 251],
  [1, 2000, 2000, 10_001 - 8501],
  [1, 2000, 251, 251],
  [1, 2000, 250, undefined],
  [1, 2000, 0, undefined],
  [1, 100_000, 100_000, 10_001],
];

for (const [firstCommitted, lastCommitted, neededFrom, expected] of histories) {
  test(`epochs ${firstCommitted} to ${lastCommitted}, needed from ${neededFrom}: from ${expected ?? 'the same'}`, () => {
    assert.is(trimTo({ firstCommitted, lastCommitted, neededFrom }, options), expected);
  });
}

test('what is trimmed is gone from the store, what is kept can be read', async () => {
  const bench = await Bench.create(clusterMap(3, 1), {
    mon_min_osdmap_epochs: 5,
    paxos_service_trim_min: 3,
    mon_osd_report_timeout: 100_000,
  });
  for (let epoch = 0; epoch < 20; epoch++) {
    bench.osd.pending.setFlags(epoch % 2 === 0 ? 1 << 11 : 0, 1 << 11);
    await bench.commit();
  }
  await bench.tickAfter(5);
  assert.is(bench.osd.lastCommitted, 30);
  assert.is(bench.osd.firstCommitted, 25);
  assert.is(bench.map.epoch, 30, 'trimming makes no epoch');
  assert.is(bench.osd.fullMap(24), undefined);
  assert.is(bench.store.get('osdmap', 'full_24'), undefined);
  assert.ok(bench.osd.fullMap(25));
  assert.ok(bench.osd.incrementalMap(30));
  // osd.0 still needs what it has.
  const body = { pgs: [], minLastEpochClean: 0, lastPurgedSnapsScrub: utimeZero, reportIntervalSeconds: 300 };
  bench.send(MOSDBeacon, { paxosVersion: 26n, ...body }, bench.sessionOf(0));
  for (let epoch = 0; epoch < 20; epoch++) {
    bench.osd.pending.setFlags(epoch % 2 === 0 ? 1 << 11 : 0, 1 << 11);
    await bench.commit();
  }
  await bench.tickAfter(5);
  assert.is(bench.osd.firstCommitted, 25);
});

test.run();
