/** The small rules of the main side: who is pinged, what is reported, how links and NICs are named. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { OsdState } from '../../../src/maps/states.ts';
import { resolveOptions } from '../../../src/options.ts';
import { dumpOsdNetwork } from '../../../src/osd/heartbeat/dump-osd-network.ts';
import { FailureReports } from '../../../src/osd/heartbeat/failure-reports.ts';
import { heartbeatOptionsOf, slowPingMs } from '../../../src/osd/heartbeat/heartbeat-options.ts';
import { HeartbeatStamps, signedspanFromMs } from '../../../src/osd/heartbeat/heartbeat-stamps.ts';
import { judgeLink, type LinkFacts } from '../../../src/osd/heartbeat/link-state.ts';
import { LoopWatch, loopTickMs } from '../../../src/osd/heartbeat/loop-watch.ts';
import { mainTickMs, SharedMainWatch } from '../../../src/osd/heartbeat/main-watch.ts';
import { monotonicClock, turnClock } from '../../../src/osd/heartbeat/monotonic-clock.ts';
import type { NetworkName } from '../../../src/osd/heartbeat/network-protocol.ts';
import { selectPeers } from '../../../src/osd/heartbeat/peer-selection.ts';
import { PingTimeRecorder, type PingTimes } from '../../../src/osd/heartbeat/ping-times.ts';
import { MemoryHost } from '../../../src/transport/memory/memory-host.ts';
import { VirtualClock } from '../../../src/transport/memory/virtual-clock.ts';
import type { MOSDFailure } from '../../../src/wire/messages/m-osd-failure.ts';
import { SeededRandom } from '../../maps/support/random.ts';
import { smallMap, withOsds } from '../../maps/support/small-map.ts';

const options = heartbeatOptionsOf(resolveOptions());
const down = { state: OsdState.exists };

function select(change: Partial<Parameters<typeof selectPeers>[0]>, seed = 1): number[] {
  const random = new SeededRandom(seed);
  const peers = selectPeers({
    map: smallMap(20, 2),
    whoami: 0,
    pgPeers: [],
    current: [],
    owing: new Set(),
    options,
    random: () => random.next(),
    ...change,
  });
  return [...peers].sort((left, right) => left - right);
}

test('peers: neighbours on the ring, ten of other hosts, sharers of PGs that are up', () => {
  const peers = select({ pgPeers: [0, 7, 8], map: withOsds(smallMap(20, 2), { 8: down }) });
  assert.ok(peers.includes(1) && peers.includes(39), 'next and previous');
  assert.ok(peers.includes(7) && !peers.includes(8) && !peers.includes(0));
  const hosts = new Set(peers.filter((osd) => osd > 1).map((osd) => osd >> 1));
  assert.ok(hosts.size >= 10, 'of ten other hosts');
  assert.ok(peers.length <= 13);
});

test('peers: a small cluster is pinged whole, and nobody twice', () => {
  assert.equal(select({ map: smallMap(3, 2) }), [1, 2, 3, 4, 5]);
  assert.equal(select({ map: smallMap(1, 1) }), []);
  const oneHost = select({ map: smallMap(1, 40), whoami: 5 });
  assert.equal(oneHost, [4, 6, 7, 8, 9, 10, 11, 12, 13, 14], 'along the ring up to osd_heartbeat_min_peers');
});

test('peers: those that were drawn stay, those that are down go, those that owe an answer stay', () => {
  const first = select({});
  assert.equal(select({ current: first }, 99), first, 'another draw changes nothing');
  const gone = first.find((osd) => osd > 1 && osd < 39)!;
  const map = withOsds(smallMap(20, 2), { [gone]: down });
  const next = select({ current: first, map }, 99);
  assert.not(next.includes(gone));
  assert.equal(
    first.filter((osd) => osd !== gone && !next.includes(osd)),
    [],
  );
  const stranger = [5, 6, 7, 8, 9].find((osd) => !first.includes(osd))!;
  assert.not(select({ current: [...first, stranger] }).includes(stranger), 'one too many');
  assert.ok(select({ current: [...first, stranger], owing: new Set([stranger]) }).includes(stranger));
});

test('failure reports: one per target and grace, taken back when it is heard, repeated to a new monitor', () => {
  const sent: MOSDFailure[] = [];
  const reports = new FailureReports((failure) => sent.push(failure));
  const map = smallMap(4, 1);
  reports.queue(2, 1000);
  reports.sendAll(map, 22_500, 20_000);
  assert.is(sent.length, 1);
  assert.is(sent[0]!.failedForSeconds, 21);
  assert.is(sent[0]!.flags, 1);
  assert.is(sent[0]!.epoch, map.epoch);
  reports.queue(2, 1000);
  reports.sendAll(map, 23_000, 20_000);
  assert.not(reports.sendImmediate(map, 2, 24_000, 20_000), 'refused as well: known already');
  assert.is(sent.length, 1);
  reports.requeue();
  reports.sendAll(map, 25_000, 20_000);
  assert.is(sent.length, 2);
  reports.heard(map, 2);
  assert.is(sent[2]!.flags, 0);
  assert.is(sent[2]!.failedForSeconds, 0);
  reports.heard(map, 2);
  assert.is(sent.length, 3, 'taken back once');
  reports.queue(2, 20_000);
  reports.sendAll(map, 40_500, 20_000);
  assert.is(sent.length, 3, 'not twice in a grace');
  reports.sendAll(map, 45_500, 20_000);
  assert.is(sent.length, 4, 'but not forgotten');
  reports.forget(2);
  reports.requeue();
  reports.sendAll(map, 90_000, 20_000);
  assert.is(sent.length, 4, 'down in the map: nothing left to say');
  assert.ok(reports.sendImmediate(map, 3, 90_000, 20_000));
  assert.is(sent[4]!.flags, 3);
  assert.is(sent[4]!.failedForSeconds, 21);
  assert.equal(reports.counters, { reported: 3, immediate: 1, cancelled: 1, suppressed: 1 });
});

const fine: LinkFacts = {
  firstTx: 1000,
  lastRx: 99_000,
  oldestTx: 0,
  lastPingIn: 98_000,
  lastRttMs: 1,
  missed: 0,
  isConnected: true,
};

test('links: up, degraded, one way, down', () => {
  const judge = (facts: Partial<LinkFacts>, other?: Partial<LinkFacts>): string =>
    judgeLink({ ...fine, ...facts }, other && { ...fine, ...other }, 100_000, options).state;
  assert.is(judge({}), 'up');
  assert.is(judge({ firstTx: 0, lastRx: 0 }), 'unknown');
  assert.is(judge({ oldestTx: 99_800 }), 'up', 'on its way');
  assert.is(judge({ oldestTx: 98_500 }), 'degraded', 'unanswered for longer than a slow ping takes');
  assert.is(judge({ lastRttMs: 1500 }), 'degraded');
  assert.is(judge({ missed: 0.5 }), 'degraded');
  assert.is(judge({ oldestTx: 94_000, lastPingIn: 93_000 }), 'down');
  assert.is(
    judge({ oldestTx: 94_000, lastPingIn: 97_000 }),
    'oneWay',
    'its pings arrive after ours was not answered',
  );
  assert.is(
    judge({ lastPingIn: 80_000 }, { lastPingIn: 98_000 }),
    'oneWay',
    'it pings over the other network only',
  );
  assert.is(judge({ lastPingIn: 80_000 }, { lastPingIn: 80_000 }), 'up', 'it pings us nowhere: it need not');
});

test('ping times: minutes of average, least and most; the first one stands for all before it', () => {
  const recorder = new PingTimeRecorder();
  let nowMs = 1000;
  const minute = (...microseconds: number[]) => {
    let last: ReturnType<PingTimeRecorder['record']>;
    for (const [index, value] of microseconds.entries()) {
      nowMs += index === microseconds.length - 1 ? 60_000 : 1;
      last = recorder.record(nowMs, value);
    }
    return last;
  };
  recorder.record(nowMs, 100);
  const first = minute(200, 600)!;
  assert.equal(first.average, [300, 300, 300]);
  assert.equal(first.min, [100, 100, 100]);
  assert.equal(first.max, [600, 600, 600]);
  assert.is(first.last, 600);
  const second = minute(1000, 1000)!;
  assert.equal(second.average, [1000, 440, 346], '1, 4 × 300 + 1, 14 × 300 + 1');
  assert.equal(second.max, [1000, 1000, 1000]);
  for (let count = 0; count < 20; count++) minute(50, 50);
  assert.equal(minute(50, 50)!.average, [50, 50, 50]);
  assert.is(recorder.record(nowMs + 1000, 9), undefined, 'a minute is not over');
});

test('dump_osd_network: what is slow, the slowest first, in Ceph’s form', () => {
  const times = (average: number) => ({
    updatedMs: 5000,
    average: [average, average, average] as const,
    min: [1, 2, 3] as const,
    max: [4_000_000, 5, 6] as const,
    last: average,
  });
  const on = (here: NetworkName, value: PingTimes) => (network: NetworkName) =>
    network === here ? value : undefined;
  const peers = [
    { osd: 1, times: on('back', times(1_500_000)), lastMs: () => 12.3456 },
    { osd: 2, times: on('front', times(2_000_000)), lastMs: () => 1 },
    { osd: 3, times: on('front', times(900)), lastMs: () => 1 },
  ];
  const dump = dumpOsdNetwork(0, peers, slowPingMs(options), 10_000, 3600_000, (ms) => ms);
  assert.is(dump.threshold, 1000);
  assert.equal(
    dump.entries.map((entry) => entry['to osd']),
    [2, 1],
  );
  const [, entry] = dump.entries;
  assert.equal(entry!.average, { '1min': 1500, '5min': 1500, '15min': 1500 });
  assert.equal(entry!.max, { '1min': 4000, '5min': 0.005, '15min': 0.006 });
  assert.is(entry!.last, 12.346);
  assert.is(entry!.interface, 'back');
  assert.is(entry!.stale, false);
  assert.match(entry!['last update'], /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/);
  assert.is(dumpOsdNetwork(0, peers, 0, 10_000, 1, (ms) => ms).entries.length, 3);
});

test('stamps: both bounds of a peer’s clock; an older incarnation is not believed', () => {
  const stamps = new HeartbeatStamps();
  assert.is(stamps.deltaUb, undefined);
  stamps.gotPing(5, 1000, { sec: 4, nsec: 0 }, undefined);
  assert.is(stamps.lowerBound, 3000);
  assert.equal(stamps.deltaUb, { sec: -3, nsec: 0 });
  stamps.gotPing(4, 1000, { sec: 9, nsec: 0 }, { sec: 1, nsec: 0 });
  assert.is(stamps.lowerBound, 3000);
  stamps.gotPingReply(1500, { sec: 4, nsec: 200_000_000 }, { sec: 3, nsec: 500_000_000 });
  assert.is(stamps.lowerBound, 2700);
  assert.is(stamps.upperBound, 3500);
  for (const ms of [0, 1.5, 999.999999, 999.9999999999999, 8e9 + 0.25, -0.5, -1500.25]) {
    const { sec, nsec } = signedspanFromMs(ms);
    assert.ok(Math.abs(sec * 1000 + nsec / 1e6 - ms) < 2e-6 && Math.abs(nsec) < 1e9, String(ms));
  }
});

test('the clock of a turn stands still in it, and goes on in the next', async () => {
  const first = turnClock.nowMs();
  const until = performance.now() + 2;
  while (performance.now() < until);
  assert.is(turnClock.nowMs(), first);
  assert.ok(monotonicClock.nowMs() >= first + 2);
  await nextTurn();
  assert.ok(turnClock.nowMs() >= first + 2);
});

test('a loop’s lag is what is more than its tick, whoever notices it first', () => {
  const clock = new VirtualClock();
  const host = new MemoryHost(clock);
  const lags: number[] = [];
  const watch = new LoopWatch(host, (lagMs) => lags.push(lagMs));
  watch.start();
  clock.run(5000);
  assert.equal(lags, []);
  host.pause();
  // A message that arrived meanwhile is seen before the timer.
  host.run(() => watch.seen());
  clock.run(12_000);
  host.resume();
  clock.run(12_100);
  assert.equal(lags, [7000 - 1.1 * loopTickMs]);
  assert.is(watch.takeLagMsMax(), 7000 - 1.1 * loopTickMs);
  assert.is(watch.takeLagMsMax(), 0);
  watch.stop();
});

test('main as a worker sees it: a count that does not move', () => {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const watch = new SharedMainWatch(shared, 0);
  Atomics.add(shared, 0, 1);
  assert.is(watch.stillMs(1000), 0);
  assert.is(watch.stillMs(1000 + 2 * mainTickMs), 0);
  assert.is(watch.stillMs(5000 + 2 * mainTickMs), 4000);
  assert.is(watch.ended(5000 + 2 * mainTickMs), 0, 'it has not ended');
  Atomics.add(shared, 0, 1);
  assert.is(watch.ended(8000), 4000);
  assert.is(watch.ended(8000), 0);
  watch.excuse(20_000);
  assert.is(watch.stillMs(20_100), 0, 'we did not look');
});

test.run();
