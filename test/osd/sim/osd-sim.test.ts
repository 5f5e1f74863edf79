/**
 * A simulated cluster: the short form of `npm run osd-sim`. Everything is on virtual time and of one seed.
 *
 * @timeLimitSeconds 300
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OSDFailureFlag } from '../../../src/wire/messages/m-osd-failure.ts';
import { SimCluster } from './cluster.ts';
import { runFaulty, runKilled } from './runs.ts';

const isLong = process.env.MSGR2_LONG === '1';
const minuteMs = 60_000;
const twelve = { hosts: 12, osdsPerHost: 1, pgsPerOsd: 3 };

test('a tenth of the OSDs vanish: all are found within grace + interval, nobody else, reported once each', async () => {
  const run = await runKilled({ seed: 7, hosts: 12, osdsPerHost: 10, killed: 12 });
  assert.equal(run.violations, []);
  assert.is(run.downMs.length, 12);
  assert.ok(run.reportedMs[0]! >= 14_000, 'and not before their grace is over');
  assert.ok(run.reportsMax >= 2);
});

test('their processes end instead: refused connections tell it within a second', async () => {
  const run = await runKilled({ seed: 8, hosts: 6, osdsPerHost: 5, killed: 3, isSilent: false });
  assert.equal(run.violations, []);
  assert.ok(Math.max(...run.reportedMs) < 1000, 'reported');
  assert.ok(Math.max(...run.downMs) < 3000, 'down');
});

test('the same seed is the same run, another seed another', async () => {
  const run = async (seed: number): Promise<unknown> => {
    const { cpuUsPerOsdSecond: _, ...rest } = await runKilled({ seed, hosts: 4, osdsPerHost: 2, killed: 1 });
    return rest;
  };
  assert.equal(await run(3), await run(3));
  assert.not.equal(await run(3), await run(4));
});

test('a canary: swallowed reports, and reports about the living, are seen by the checks', async () => {
  const deaf = await runKilled({ seed: 7, hosts: 6, osdsPerHost: 5, killed: 3, isReported: () => false });
  assert.is(deaf.undetected.length, 3);
  assert.ok(deaf.violations.length >= 3);
  const cluster = await SimCluster.start({ seed: 1, ...twelve });
  cluster.run(minuteMs);
  for (const network of ['front', 'back'] as const) cluster.wire.cut(network, 3, '*');
  cluster.run(minuteMs);
  assert.ok(cluster.falseReports().length > 0, 'it lives, and is out of reach');
});

for (const [name, faults] of Object.entries({
  'loss 1 %': { loss: 0.01 },
  'loss 5 %': { loss: 0.05 },
  'delay 200 ± 100 ms': { latencyMs: [100, 300] as const },
})) {
  test(`${name}: nobody is accused`, async () => {
    const run = await runFaulty({ seed: 5, ...twelve }, faults, isLong ? 60 : 4);
    assert.is(run.falseReports, 0);
    assert.is(run.falseDowns, 0);
  });
}

test('one NIC goes down: Ceph’s rule has its OSD down, and the NIC is named before, on both ends', async () => {
  const cluster = await SimCluster.start({ seed: 9, ...twelve });
  cluster.run(minuteMs);
  cluster.wire.cut('back', 4, '*');
  cluster.wire.cut('back', '*', 4);
  cluster.run(14_000);
  assert.is(cluster.reports.length, 0, 'named long before anybody is reported');
  const own = cluster.osds[4]!.heartbeat;
  assert.is(own.faults().length, 1);
  const [fault] = own.faults();
  assert.is(fault!.network, 'back');
  assert.ok(fault!.isOwn && fault!.state !== 'up');
  assert.equal(
    fault!.separated,
    own.heartbeatPeers().sort((left, right) => left - right),
  );
  for (const peer of cluster.osds) {
    if (peer.id === 4 || !peer.heartbeat.heartbeatPeers().includes(4)) continue;
    const faults = peer.heartbeat
      .faults()
      .map(({ network, owner, separated }) => ({ network, owner, separated }));
    assert.equal(faults, [{ network: 'back', owner: 4, separated: [4] }], `osd.${peer.id}`);
  }
  cluster.run(20_000);
  assert.ok(cluster.reports.some(({ target }) => target === 4));
  const perPair = new Set(cluster.reports.map(({ reporter, target }) => `${reporter} ${target}`));
  const failed = cluster.reports.filter(({ flags }) => flags !== OSDFailureFlag.Alive);
  assert.is(failed.length, perPair.size, 'one report per target and grace');
});

test('an OSD whose own NIC died takes back what it said of everybody, once it is marked down for it', async () => {
  let accusations = 0;
  // Whether it speaks before it is marked down is a matter of its report interval.
  for (let seed = 1; seed <= 6; seed++) {
    const cluster = await SimCluster.start({ seed, ...twelve, hosts: 4 });
    cluster.run(minuteMs);
    cluster.wire.cut('back', 2, '*');
    cluster.wire.cut('back', '*', 2);
    cluster.run(minuteMs);
    const said = (isAlive: boolean): number[] =>
      cluster.reports
        .filter(({ flags, reporter }) => reporter === 2 && (flags === OSDFailureFlag.Alive) === isAlive)
        .map(({ target }) => target)
        .sort((left, right) => left - right);
    accusations += said(false).length;
    // A real ceph-mon keeps the word of an OSD that went down; the next dead NIC would be its second witness.
    assert.equal(said(true), said(false), `seed ${seed}`);
  }
  assert.ok(accusations > 0, 'Ceph’s rule has it report all that it does not hear on one network');
});

test('one way only: who hears the peer’s pings without an answer to its own says so', async () => {
  const named: string[] = [];
  for (let seed = 1; seed <= 4; seed++) {
    const cluster = await SimCluster.start({ seed, ...twelve });
    cluster.run(minuteMs);
    cluster.wire.cut('back', 4, '*');
    cluster.run(12_000);
    for (const osd of cluster.osds) {
      for (const { to, network, osd: peer, reason } of osd.linkChanges) {
        if (to !== 'oneWay') continue;
        assert.is(network, 'back');
        assert.ok(osd.id === 4 || peer === 4, `osd.${osd.id} says it of osd.${peer}`);
        named.push(reason);
      }
    }
  }
  assert.ok(named.length > 0);
});

test('paused for longer than the grace: it accuses nobody, and boots again by itself', async () => {
  const cluster = await SimCluster.start({ seed: 11, ...twelve });
  cluster.run(minuteMs);
  const paused = cluster.osds[6]!;
  const latencyBefore = latencyOf(cluster, 6);
  paused.pause();
  cluster.run(45_000);
  assert.ok(
    cluster.downs.some(({ osd }) => osd === 6),
    'the others are right to report it',
  );
  paused.resume();
  cluster.run(45_000);
  assert.equal(
    cluster.reports.filter(({ reporter }) => reporter === 6),
    [],
  );
  assert.ok(
    paused.slow.some(({ loop, lagMs }) => loop !== 'main' && lagMs > 40_000),
    'it says that it stood still',
  );
  assert.is(paused.life, 1);
  assert.ok(cluster.monitor.map.clientAddrs[6]!.front!.port > 6800, 'up again, as another incarnation');
  assert.is(cluster.downs.length, 1);
  assert.ok(latencyOf(cluster, 6) < latencyBefore * 3 + 1, 'answers that waited are no latency');
});

test('many short pauses: neither side is accused, and a peer that dies meanwhile is still found', async () => {
  const cluster = await SimCluster.start({ seed: 12, ...twelve });
  cluster.run(minuteMs);
  const paused = cluster.osds[2]!;
  const pausing = (untilMs: number): void => {
    while (cluster.clock.nowMs() < untilMs) {
      paused.pause();
      cluster.run(3000);
      paused.resume();
      cluster.run(9000);
    }
  };
  pausing(cluster.clock.nowMs() + 2 * minuteMs);
  assert.is(cluster.reports.length, 0);
  const victim = paused.heartbeat.heartbeatPeers()[0]!;
  cluster.kill(victim, true);
  const killedMs = cluster.clock.nowMs();
  pausing(killedMs + minuteMs);
  assert.is(cluster.falseReports().length, 0);
  assert.equal(
    cluster.downs.map(({ osd }) => osd),
    [victim],
  );
});

test('main stands still for 10 s: its networks go on, nobody is accused on either side, and it says so', async () => {
  const cluster = await SimCluster.start({ seed: 13, ...twelve });
  cluster.run(minuteMs);
  const blocked = cluster.osds[5]!;
  const answered = (): number => blocked.hosts.back.machine.counters.repliesSent;
  const before = answered();
  blocked.main.pause();
  cluster.run(10_000);
  assert.ok(answered() > before + 5, 'pings are answered meanwhile');
  blocked.main.resume();
  cluster.run(minuteMs);
  assert.is(cluster.reports.length, 0);
  assert.ok(blocked.slow.some(({ loop, lagMs }) => loop === 'main' && lagMs > 8000));
});

test('main stands still for ever: its networks do not vouch for it', async () => {
  const cluster = await SimCluster.start({ seed: 14, ...twelve });
  cluster.run(minuteMs);
  cluster.osds[5]!.main.pause();
  cluster.run(2 * minuteMs);
  assert.ok(cluster.downs.some(({ osd }) => osd === 5));
});

/** Mean round trip to and from an OSD, in ms. */
function latencyOf(cluster: SimCluster, osd: number): number {
  const { networks } = cluster.osds[osd]!.heartbeat.metrics();
  const all = Object.values(networks).flatMap(({ roundTrips }) => [...roundTrips.values()]);
  return all.reduce((sum, { sumMs }) => sum + sumMs, 0) / all.reduce((sum, { count }) => sum + count, 0);
}

test.run();
