/** MOSDBoot: what the map says of an OSD that came up, and why one does not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isIn, isUp, type OSDMap, osdIn } from '../../../../src/maps/osdmap.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { Feature, supportedDefault } from '../../../../src/wire/features.ts';
import { MOSDBoot } from '../../../../src/wire/messages/m-osd-boot.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { withOsds } from '../../../maps/support/small-map.ts';
import { addrsOf, Bench, clusterMap, uuidOf } from './bench.ts';

const { exists, up, autoout } = OsdState;
const noup = 1 << 5;
const noin = 1 << 8;

/** osd.0 to 2 on three hosts; osd.0 is down and was in. */
function withOneDown(state: number = exists, weight = osdIn): OSDMap {
  return withOsds(clusterMap(3, 1), { 0: { state, weight } });
}

test('a boot: addresses, epochs, features, metadata, and the maps that the OSD lacks', async () => {
  const bench = await Bench.create(withOneDown());
  const body = bench.bootOf(0);
  const session = bench.send(MOSDBoot, body, bench.sessionOf(0, 2));
  assert.is(bench.osd.metadata(0), undefined, 'not before it is durable');
  const map = await bench.commit();
  assert.ok(isUp(map, 0));
  assert.ok(isIn(map, 0));
  assert.ok(map.clientAddrs[0]!.equals(addrsOf(0, 'public', 2)));
  assert.ok(map.clusterAddrs[0]!.equals(body.clusterAddrs));
  assert.ok(map.hbBackAddrs[0]!.equals(body.heartbeatBackAddrs));
  assert.ok(map.hbFrontAddrs[0]!.equals(body.heartbeatFrontAddrs));
  assert.is(map.osdInfo[0]!.upFrom, map.epoch);
  assert.is(map.osdXinfo[0]!.features, supportedDefault);
  assert.is(map.lastUpChange.sec, map.modified.sec);
  assert.is(bench.osd.metadata(0)?.get('hostname'), 'host-of-0');
  assert.equal(session.maps, [11]);
  assert.equal(bench.said, [`osd.0 ${addrsOf(0, 'public', 2)} boot`]);
});

test('a boot that is sent twice before the commit, and once after it', async () => {
  const bench = await Bench.create(withOneDown());
  const body = bench.bootOf(0);
  const session = bench.sessionOf(0, 2);
  bench.send(MOSDBoot, body, session);
  bench.send(MOSDBoot, body, session);
  const map = await bench.commit();
  assert.equal(session.maps, [11, 11], 'the second one was tried again, and is known by then');
  assert.is(bench.said.length, 1);
  bench.send(MOSDBoot, body, session);
  assert.is(bench.osd.hasPending, false);
  assert.equal(session.maps, [11, 11, 11]);
  assert.is(map.epoch, 11);
});

test('up under another address: down first, up in the epoch after', async () => {
  const bench = await Bench.create(clusterMap(3, 1));
  const session = bench.send(MOSDBoot, bench.bootOf(0), bench.sessionOf(0, 2));
  const down = await bench.commit();
  assert.not(isUp(down, 0));
  assert.is(down.osdInfo[0]!.downAt, 11);
  assert.equal(session.maps, []);
  const again = await bench.commit();
  assert.ok(isUp(again, 0));
  assert.is(again.osdInfo[0]!.upFrom, 12);
  assert.ok(again.clientAddrs[0]!.equals(addrsOf(0, 'public', 2)));
  assert.equal(session.maps, [11]);
});

test('who asked and is gone by the time is not tried again', async () => {
  const bench = await Bench.create(clusterMap(3, 1));
  const session = bench.send(MOSDBoot, bench.bootOf(0), bench.sessionOf(0, 2));
  Object.assign(session, { isClosed: true });
  await bench.commit();
  assert.not(isUp(await bench.commit(), 0));
  assert.equal(session.maps, []);
});

type Wrong = Partial<Omit<MOSDBoot, 'superblock'>> & { superblock?: Partial<MOSDBoot['superblock']> };

const refused: readonly [why: string, Wrong][] = [
  ['another cluster', { superblock: { clusterFsid: Uuid.random() } }],
  ['another disk under the id', { superblock: { osdFsid: uuidOf(77) } }],
  ['another id than its key says', { superblock: { whoami: 1 } }],
  ['nine addresses', { clusterAddrs: new EntityAddrVec(new Array(9).fill(addrsOf(0).front!)) }],
  ['metadata without end', { metadata: new Map([['x', 'y'.repeat(300_000)]]) }],
  ['features of before Nautilus', { osdFeatures: supportedDefault & ~(1n << 2n) }],
];

for (const [why, fields] of refused) {
  test(`refused: ${why}`, async () => {
    const bench = await Bench.create(withOneDown());
    const body = bench.bootOf(0);
    const changed = { ...body, ...fields, superblock: { ...body.superblock, ...fields.superblock } };
    const session = bench.send(MOSDBoot, changed, bench.sessionOf(0, 2));
    assert.is(bench.osd.hasPending, false);
    assert.equal(session.maps, []);
  });
}

test('refused: a blank address, an id beyond max_osd, a client', async () => {
  const bench = await Bench.create(withOneDown());
  for (const blank of ['', 'v2:0.0.0.0:6800/7']) {
    bench.send(MOSDBoot, bench.bootOf(0), bench.session('osd.0', EntityAddrVec.parse(blank)));
  }
  bench.send(MOSDBoot, bench.bootOf(3), bench.sessionOf(3));
  bench.send(MOSDBoot, bench.bootOf(0), bench.session('client.0', addrsOf(0)));
  assert.is(bench.osd.hasPending, false);
});

test('refused: a release too far from the others; operators are told', async () => {
  const features = supportedDefault | Feature.SERVER_QUINCY;
  const old = { ...withOneDown(), requireOsdRelease: 14 };
  const bench = await Bench.create(old);
  bench.send(MOSDBoot, bench.bootOf(0, 2, { osdFeatures: features }), bench.sessionOf(0, 2));
  assert.is(bench.osd.hasPending, false);
  const addrs = addrsOf(0, 'public', 2);
  assert.equal(bench.said, [`disallowing boot of OSD osd.0 ${addrs} because require_osd_release < octopus`]);
  const recent = await Bench.create(withOneDown());
  recent.send(MOSDBoot, recent.bootOf(0, 2, { osdFeatures: features }), recent.sessionOf(0, 2));
  assert.ok(recent.osd.hasPending);
});

test('noup, and a message from before the last boot: maps, and nothing else', async () => {
  for (const map of [
    { ...withOneDown(), flags: noup },
    withOneDown(exists | OsdState.noup),
    { ...withOneDown(), crushNodeFlags: new Map([[-2, OsdState.noup]]) },
  ]) {
    const bench = await Bench.create(map);
    const session = bench.send(MOSDBoot, bench.bootOf(0), bench.sessionOf(0, 2));
    assert.is(bench.osd.hasPending, false);
    assert.equal(session.maps, [11]);
  }
  const bench = await Bench.create(withOneDown());
  const early = { ...bench.bootOf(0, 1), paxosVersion: 4n };
  const session = bench.send(MOSDBoot, early, bench.sessionOf(0, 1));
  assert.is(bench.osd.hasPending, false);
  assert.equal(session.maps, [11]);
});

test('a boot in the batch that lowers max_osd does not break it', async () => {
  const bench = await Bench.create(withOneDown());
  // What a command does to a map whose highest OSD does not exist.
  const map = withOsds(clusterMap(3, 1), { 2: { state: 0, weight: 0 } });
  const lowered = await Bench.create(map);
  lowered.send(MOSDBoot, lowered.bootOf(2), lowered.sessionOf(2, 2));
  lowered.osd.pending.change.newMaxOsd = 2;
  const next = await lowered.commit();
  assert.is(next.maxOsd, 2);
  lowered.send(MOSDBoot, lowered.bootOf(2), lowered.sessionOf(2, 2));
  assert.is(lowered.osd.hasPending, false);
  bench.osd.pending.change.newMaxOsd = 0;
  bench.osd.pending.touch();
  bench.send(MOSDBoot, bench.bootOf(0), bench.sessionOf(0, 2));
  assert.is((await bench.commit()).maxOsd, 0);
});

// ── In or out ────────────────────────────────────────────────────────────────────────────────────

const weights: readonly {
  readonly what: string;
  readonly state: number;
  readonly oldWeight?: number;
  readonly flags?: number;
  readonly options?: Record<string, boolean>;
  readonly expected: number;
}[] = [
  { what: 'new', state: exists | OsdState.new, expected: osdIn },
  { what: 'never created', state: 0, expected: osdIn },
  { what: 'marked out by itself', state: exists | autoout, oldWeight: 0x8000, expected: 0x8000 },
  { what: 'marked out by itself, wholly in before', state: exists | autoout, expected: osdIn },
  { what: 'marked out by an operator', state: exists, oldWeight: 0x8000, expected: 0 },
  { what: 'noin', state: exists | OsdState.new, flags: noin, expected: 0 },
  { what: 'noin of the OSD', state: exists | OsdState.new | OsdState.noin, expected: 0 },
  {
    what: 'new, mon_osd_auto_mark_new_in off',
    state: exists | OsdState.new,
    options: { mon_osd_auto_mark_new_in: false },
    expected: 0,
  },
  {
    what: 'by itself, mon_osd_auto_mark_auto_out_in off',
    state: exists | autoout,
    options: { mon_osd_auto_mark_auto_out_in: false },
    expected: 0,
  },
  {
    what: 'by an operator, mon_osd_auto_mark_in on',
    state: exists,
    options: { mon_osd_auto_mark_in: true },
    expected: osdIn,
  },
];

for (const { what, state, oldWeight = 0, flags = 0, options = {}, expected } of weights) {
  test(`out, ${what}: comes in with weight ${expected}`, async () => {
    const map = withOneDown(state, 0);
    const osdXinfo = map.osdXinfo.slice();
    osdXinfo[0] = { ...osdXinfo[0]!, oldWeight };
    const bench = await Bench.create({ ...map, osdXinfo, flags }, options);
    bench.send(MOSDBoot, bench.bootOf(0), bench.sessionOf(0, 2));
    const next = await bench.commit();
    assert.ok(isUp(next, 0));
    assert.is(next.osdWeight[0], expected);
    const left = expected === 0 ? state & (autoout | OsdState.new) : 0;
    assert.is(next.osdState[0]! & (autoout | OsdState.new), left);
    if (expected !== 0) assert.is(next.osdXinfo[0]!.oldWeight, 0);
    assert.is(next.lastInChange.sec, expected === 0 ? 0 : next.modified.sec);
    assert.is(next.osdState[0]! & up, up);
  });
}

// ── What is remembered of earlier lives ──────────────────────────────────────────────────────────

test('the clean interval grows, and never shrinks', async () => {
  const map = withOneDown();
  const osdInfo = map.osdInfo.slice();
  osdInfo[0] = { ...osdInfo[0]!, lastCleanBegin: 3, lastCleanEnd: 6 };
  const cases: [mounted: number, cleanThru: number, begin: number, end: number][] = [
    [4, 5, 4, 5],
    [3, 7, 3, 7],
    [3, 5, 3, 6],
    [2, 9, 3, 6],
  ];
  for (const [mounted, cleanThru, begin, end] of cases) {
    const bench = await Bench.create({ ...map, osdInfo });
    const body = bench.bootOf(0);
    const superblock = { ...body.superblock, mounted, cleanThru };
    bench.send(MOSDBoot, { ...body, superblock }, bench.sessionOf(0, 2));
    const info = (await bench.commit()).osdInfo[0]!;
    assert.equal([info.lastCleanBegin, info.lastCleanEnd], [begin, end]);
  }
});

test('a disk without maps: what the earlier life had is lost; a new uuid is taken where there is none', async () => {
  const map = withOneDown();
  const osdUuid = map.osdUuid.slice();
  osdUuid[0] = Uuid.zero;
  const bench = await Bench.create({ ...map, osdUuid });
  const body = bench.bootOf(0);
  const superblock = { ...body.superblock, newestMap: 0, osdFsid: uuidOf(9) };
  bench.send(MOSDBoot, { ...body, superblock }, bench.sessionOf(0, 2));
  const next = await bench.commit();
  assert.is(next.osdInfo[0]!.lostAt, 10);
  assert.ok(next.osdUuid[0]!.equals(uuidOf(9)));
});

test('laggy: not when the process is a new one, by what it was away when it is not', async () => {
  const map = withOneDown();
  const osdXinfo = map.osdXinfo.slice();
  osdXinfo[0] = { ...osdXinfo[0]!, laggyProbability: 0x8000_0000, laggyInterval: 100 };
  const restarted = await Bench.create({ ...map, osdXinfo });
  restarted.send(MOSDBoot, restarted.bootOf(0), restarted.sessionOf(0, 2));
  const after = (await restarted.commit()).osdXinfo[0]!;
  assert.is(after.laggyInterval, 70);
  assert.ok(Math.abs(after.laggyProbability / 2 ** 32 - 0.35) < 1e-6);

  const bench = await Bench.create({ ...map, osdXinfo });
  const downStamp = { sec: Math.floor(bench.wallMs / 1000) - 60, nsec: 0 };
  osdXinfo[0] = { ...osdXinfo[0]!, downStamp };
  const lagging = await Bench.create({ ...map, osdXinfo });
  lagging.send(MOSDBoot, lagging.bootOf(0, 2, { bootEpoch: 5 }), lagging.sessionOf(0, 2));
  const laggy = (await lagging.commit()).osdXinfo[0]!;
  assert.is(laggy.laggyInterval, 0.3 * 60 + 0.7 * 100);
  assert.ok(Math.abs(laggy.laggyProbability / 2 ** 32 - (0.3 + 0.7 * 0.5)) < 1e-6);
});

test('away for a day counts as mon_osd_laggy_max_interval', async () => {
  const map = withOneDown();
  const osdXinfo = map.osdXinfo.slice();
  osdXinfo[0] = { ...osdXinfo[0]!, downStamp: { sec: Date.UTC(2026, 10, 26) / 1000, nsec: 0 } };
  const bench = await Bench.create({ ...map, osdXinfo });
  bench.send(MOSDBoot, bench.bootOf(0, 2, { bootEpoch: 5 }), bench.sessionOf(0, 2));
  assert.is((await bench.commit()).osdXinfo[0]!.laggyInterval, 90);
});

test.run();
