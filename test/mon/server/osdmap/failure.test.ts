/** Failure reports: when they mark an OSD down, and every neighbour of that which does not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isUp } from '../../../../src/maps/osdmap.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import { MOSDFailure } from '../../../../src/wire/messages/m-osd-failure.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { withOsds } from '../../../maps/support/small-map.ts';
import { addrsOf, Bench, clusterMap, withCrush } from './bench.ts';

const alive = 0;
const failed = 1;
const immediate = 3;

/** Three hosts of two: osd.0 and 1 on host0, 2 and 3 on host1, 4 and 5 on host2. */
const threeHosts = () => clusterMap(3, 2);

test('two reporters of two hosts after the grace', async () => {
  const bench = await Bench.create(threeHosts());
  const first = bench.report(0, 2, failed);
  await bench.commit();
  assert.ok(isUp(bench.map, 0), 'one is not enough');
  const second = bench.report(0, 4, failed);
  const map = await bench.commit();
  assert.not(isUp(map, 0));
  assert.is(map.osdInfo[0]!.downAt, map.epoch);
  assert.is(map.osdXinfo[0]!.deadEpoch, 0, 'silence is not death');
  assert.equal(bench.said, [
    'osd.0 failed (root=default,host=host0) (2 reporters from different host after 21.000000 >= grace 20.000000)',
  ]);
  assert.equal([first.maps, second.maps], [[10], [10]], 'each reporter is sent the news once');
});

test('two reporters of one host count as one', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 2, failed);
  bench.report(0, 3, failed);
  assert.ok(isUp(await bench.commit(), 0));
  bench.report(0, 1, failed);
  assert.not(isUp(await bench.commit(), 0), 'its own host is one as well');
});

test('the level that reporters are told apart by, and OSDs outside of any', async () => {
  const byOsd = await Bench.create(threeHosts(), { mon_osd_reporter_subtree_level: 'osd' });
  byOsd.report(0, 2, failed);
  byOsd.report(0, 3, failed);
  assert.not(isUp(await byOsd.commit(), 0));
  assert.match(byOsd.said[0]!, '(2 reporters from different osd after');

  const byRoot = await Bench.create(threeHosts(), { mon_osd_reporter_subtree_level: 'root' });
  byRoot.report(0, 2, failed);
  byRoot.report(0, 4, failed);
  assert.ok(isUp(await byRoot.commit(), 0));

  const flat = withCrush(threeHosts(), { ...threeHosts().crush, buckets: [] });
  const nowhere = await Bench.create(flat);
  nowhere.report(0, 2, failed);
  nowhere.report(0, 3, failed);
  assert.not(isUp(await nowhere.commit(), 0));
  assert.match(nowhere.said[0]!, 'osd.0 failed () (2 reporters');
});

test('the latest of the reports has to be older than the grace; a tick looks again', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 2, failed, 21);
  bench.report(0, 4, failed, 10);
  assert.ok(isUp(await bench.commit(), 0));
  assert.ok(isUp(await bench.tickAfter(9), 0));
  assert.not(isUp(await bench.tickAfter(1), 0));
  assert.match(bench.said[0]!, 'after 20.000000 >= grace 20.000000');
});

test('of two reports of one OSD the later one counts, and is said once', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 2, failed, 30);
  bench.report(0, 4, failed, 5);
  // It answered meanwhile, or the reporter has heard of it by another way.
  bench.report(0, 4, failed, 19);
  assert.ok(isUp(await bench.commit(), 0));
  bench.report(0, 4, failed, 25);
  assert.not(isUp(await bench.commit(), 0));
  assert.is(bench.lines.filter((line) => line === 'debug: osd.0 reported failed by osd.4').length, 1);
});

test('still alive: the report is taken back, also under nodown', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 2, failed);
  bench.osd.pending.setFlags(1 << 6, 0);
  await bench.commit();
  bench.report(0, 2, alive, 0);
  bench.report(0, 4, failed);
  bench.osd.pending.setFlags(0, 1 << 6);
  await bench.commit();
  bench.report(0, 4, failed);
  assert.ok(isUp(await bench.commit(), 0), 'osd.2 must not count any more');
});

test('reports that nothing came of are forgotten', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 2, failed, 20);
  await bench.tickAfter(600);
  bench.report(0, 4, failed, 21);
  assert.ok(isUp(await bench.commit(), 0));
});

const refused: readonly [why: string, send: (bench: Bench) => void, mapsFrom?: number][] = [
  ['another cluster', (bench) => sendFailure(bench, { fsid: Uuid.random() })],
  ['the reporter is of an earlier life', (bench) => sendFailure(bench, {}, 2, 0)],
  ['the reporter is down', (bench) => sendFailure(bench, {}, 5)],
  ['the target is down', (bench) => sendFailure(bench, { targetOsd: 5, targetAddrs: addrsOf(5) })],
  ['the target has another address', (bench) => sendFailure(bench, { targetAddrs: addrsOf(0, 'public', 9) })],
  ['the target is up since a later epoch', (bench) => sendFailure(bench, { epoch: 4 })],
  ['there is no such target', (bench) => sendFailure(bench, { targetOsd: 77 })],
  ['a negative target', (bench) => sendFailure(bench, { targetOsd: -1 })],
  ['an OSD reports itself', (bench) => sendFailure(bench, {}, 0)],
  ['nodown on the OSD', (bench) => sendFailure(bench, { targetOsd: 1, targetAddrs: addrsOf(1) })],
];

function sendFailure(bench: Bench, fields: Partial<MOSDFailure>, reporter = 2, life = 1): void {
  const body = {
    fsid: bench.map.fsid,
    targetOsd: 0,
    targetAddrs: addrsOf(0),
    epoch: bench.map.epoch,
    flags: immediate,
    failedForSeconds: 21,
    ...fields,
  };
  bench.send(MOSDFailure, body, bench.sessionOf(reporter, life));
}

for (const [why, send] of refused) {
  test(`refused: ${why}`, async () => {
    const map = withOsds(threeHosts(), {
      5: { state: OsdState.exists },
      1: { state: OsdState.exists | OsdState.up | OsdState.nodown },
    });
    // Ceph's behaviour, so that this one report would be enough.
    const bench = await Bench.create(map, { mon_osd_immediate_failure_needs_corroboration: false });
    send(bench);
    assert.is(bench.osd.hasPending, false);
    assert.equal(bench.lines, []);
  });
}

test('a client may not report, whatever it calls itself', async () => {
  const bench = await Bench.create(threeHosts(), { mon_osd_immediate_failure_needs_corroboration: false });
  for (const name of ['client.admin', 'client.2', 'mon.2']) {
    const body = {
      fsid: bench.map.fsid,
      targetOsd: 0,
      targetAddrs: addrsOf(0),
      epoch: 10,
      flags: immediate,
      failedForSeconds: 21,
    };
    bench.send(MOSDFailure, body, bench.session(name, addrsOf(2)));
  }
  assert.is(bench.osd.hasPending, false);
});

test('whoever is behind is sent maps', async () => {
  const bench = await Bench.create(threeHosts());
  bench.osd.pending.markDown(0);
  await bench.commit();
  const body = {
    fsid: bench.map.fsid,
    targetOsd: 0,
    targetAddrs: addrsOf(0),
    epoch: 10,
    flags: failed,
    failedForSeconds: 21,
  };
  assert.equal(bench.send(MOSDFailure, body, bench.sessionOf(2)).maps, [11]);
});

test('nodown, for the cluster, below a bucket, and for a device class', async () => {
  const map = threeHosts();
  const crush = { ...map.crush, classes: new Map([[0, 3]]), classNames: new Map([[3, 'ssd']]) };
  const maps = [
    { ...map, flags: 1 << 6 },
    { ...map, crushNodeFlags: new Map([[-2, OsdState.nodown]]) },
    { ...map, crushNodeFlags: new Map([[-1, OsdState.nodown]]) },
    { ...withCrush(map, crush), deviceClassFlags: new Map([[3, OsdState.nodown]]) },
  ];
  for (const forbidden of maps) {
    const bench = await Bench.create(forbidden);
    bench.report(0, 2, failed);
    bench.report(0, 4, failed);
    assert.is(bench.osd.hasPending, false);
  }
});

test('below mon_osd_min_up_ratio nobody goes down, what is pending counted', async () => {
  const bench = await Bench.create(threeHosts(), { mon_osd_min_up_ratio: 0.7 });
  // 6 of 6, then 5 of 6 (0.83), then 4 of 6 (0.67): the third report is too much.
  for (const target of [0, 1, 2]) {
    bench.report(target, target === 2 ? 0 : 2, failed);
    bench.report(target, 4, failed);
  }
  const map = await bench.commit();
  assert.equal(
    [0, 1, 2, 3, 4, 5].map((osd) => isUp(map, osd)),
    [false, false, true, true, true, true],
  );
});

// ── Connection refused ───────────────────────────────────────────────────────────────────────────

test('refused by two hosts: down at once, and dead', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 2, immediate);
  assert.ok(isUp(await bench.commit(), 0), 'one host alone may be mistaken');
  bench.report(0, 4, immediate);
  const map = await bench.commit();
  assert.not(isUp(map, 0));
  assert.is(map.osdXinfo[0]!.deadEpoch, map.epoch);
  assert.equal(bench.said, ['osd.0 failed (root=default,host=host0) (connection refused reported by osd.2)']);
});

test('silence that another host reports corroborates as well, however short', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 4, failed, 2);
  bench.report(0, 2, immediate);
  assert.not(isUp(await bench.commit(), 0));
});

test('two OSDs of one host do not corroborate each other', async () => {
  const bench = await Bench.create(threeHosts());
  bench.report(0, 2, immediate);
  bench.report(0, 3, immediate);
  assert.ok(isUp(await bench.commit(), 0));
  assert.ok(isUp(await bench.tickAfter(60), 0));
});

test('where no other domain has an OSD that could say so, one is enough', async () => {
  const oneHost = await Bench.create(clusterMap(1, 3));
  oneHost.report(0, 1, immediate);
  assert.not(isUp(await oneHost.commit(), 0));

  // Two hosts, the other one has only the target.
  const map = withOsds(clusterMap(2, 2), { 1: { state: OsdState.exists } });
  const twoHosts = await Bench.create(map);
  twoHosts.report(0, 2, immediate);
  assert.not(isUp(await twoHosts.commit(), 0));

  const both = await Bench.create(clusterMap(2, 2));
  both.report(0, 2, immediate);
  assert.ok(isUp(await both.commit(), 0), 'osd.1 beside the target could say so');
});

test("Ceph's behaviour: one report is enough", async () => {
  const bench = await Bench.create(threeHosts(), { mon_osd_immediate_failure_needs_corroboration: false });
  bench.report(0, 2, immediate);
  assert.not(isUp(await bench.commit(), 0));
});

for (const isCeph of [false, true]) {
  test(`one host that rejects everybody ${isCeph ? 'takes the cluster down, as in Ceph' : 'takes nobody down'}`, async () => {
    const options = isCeph ? { mon_osd_immediate_failure_needs_corroboration: false } : {};
    const bench = await Bench.create(clusterMap(10, 10), options);
    for (const reporter of [90, 91, 92, 93, 94, 95, 96, 97, 98, 99]) {
      for (let target = 0; target < 90; target++) bench.report(target, reporter, immediate);
    }
    const map = await bench.commit();
    const up = Array.from({ length: 90 }, (_, osd) => osd).filter((osd) => isUp(map, osd)).length;
    // Ceph stops at mon_osd_min_up_ratio: the first 71 of 100 go down.
    assert.is(up, isCeph ? 19 : 90);
    await bench.tickAfter(30);
    if (!isCeph) assert.is(bench.said.length, 0);
  });
}

// ── Laggy OSDs ───────────────────────────────────────────────────────────────────────────────────

test('an OSD that was marked down in error before gets more time', async () => {
  const map = threeHosts();
  const osdXinfo = map.osdXinfo.slice();
  // Laggy every second time, for 100 s: 50 s more, less what has decayed in the minute since.
  osdXinfo[0] = { ...osdXinfo[0]!, laggyProbability: 0x8000_0000, laggyInterval: 100 };
  const bench = await Bench.create({ ...map, osdXinfo });
  bench.report(0, 2, failed, 60);
  bench.report(0, 4, failed, 60);
  assert.ok(isUp(await bench.commit(), 0));
  assert.not(isUp(await bench.tickAfter(10), 0));
  const grace = 20 + 50 * 0.5 ** (70 / 3600);
  assert.match(bench.said[0]!, `after 70.000000 >= grace ${grace.toFixed(6)})`);

  const unadjusted = await Bench.create({ ...map, osdXinfo }, { mon_osd_adjust_heartbeat_grace: false });
  unadjusted.report(0, 2, failed, 60);
  unadjusted.report(0, 4, failed, 60);
  assert.not(isUp(await unadjusted.commit(), 0));
});

test('the history of the reporters counts by half when one of two has it', async () => {
  const map = threeHosts();
  const osdXinfo = map.osdXinfo.slice();
  const downStamp = { sec: Date.UTC(2026, 10, 26, 23) / 1000, nsec: 0 };
  osdXinfo[2] = { ...osdXinfo[2]!, laggyProbability: 0x8000_0000, laggyInterval: 160, downStamp };
  const bench = await Bench.create({ ...map, osdXinfo });
  // An hour ago, one halflife: 160 * 0.5 * 0.5 = 40 s, averaged over both: 20 s.
  bench.report(0, 2, failed, 39);
  bench.report(0, 4, failed, 39);
  assert.ok(isUp(await bench.commit(), 0));
  assert.not(isUp(await bench.tickAfter(1), 0));
});

test.run();
