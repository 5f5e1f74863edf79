/** The goals: one for each ratio of the tables, in one form, and none reached that was not measured. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Goal, goalsOf, isForbidden } from '../../bench/goals.ts';
import {
  type AnswererResult,
  cephAnswerer,
  daemonAnswerer,
  pingPayloadBytes,
} from '../../bench/osd-pings.ts';
import { goalTable } from '../../bench/table.ts';
import { peerResult, pingSample, resultsOf, streamSample } from './sample-results.ts';

function goalNamed(goals: readonly Goal[], name: string): Goal {
  const goal = goals.find((candidate) => candidate.name === name);
  assert.ok(goal !== undefined, `no goal ${name}`);
  return goal;
}

test('every ratio has its goal, and what was not measured is not reached', () => {
  const goals = goalsOf(resultsOf([]));
  // Throughput 5 × 4, pings 2, heartbeats 3, connections 2, secure mode 1.
  assert.is(goals.length, 28);
  assert.is(new Set(goals.map(({ name }) => name)).size, goals.length);
  for (const goal of goals) {
    assert.equal(Object.keys(goal), ['name', 'ratio', 'must', 'bound', 'ok', 'limit']);
    assert.is(goal.ratio, null);
    assert.is(goal.limit, null);
    assert.type(goal.must, 'number');
    assert.ok(goal.bound === 'at least' || goal.bound === 'at most');
    assert.is(goal.ok, false);
  }
});

test('throughput: medians over medians, at least', () => {
  const goals = goalsOf(resultsOf([peerResult('async', [1, 22, 99]), peerResult('libzmq', [10])]));
  const goal = goalNamed(goals, 'async / libzmq, one way, 64 B');
  assert.equal([goal.ratio, goal.must, goal.ok], [2.2, 2.2, true]);
  const slower = goalsOf(resultsOf([peerResult('async', [21]), peerResult('libzmq', [10])]));
  assert.is(goalNamed(slower, 'async / libzmq, one way, 64 B').ok, false);
});

test('throughput: what C++ frames alone reach in the same run forbids more', () => {
  const peers = [
    peerResult('async', [10]),
    peerResult('libzmq', [10]),
    peerResult('node:net', [10]),
    peerResult('C++ stream', [12]),
    peerResult('C++ stream polling', [13]),
    peerResult('TCP stream', [100]),
  ];
  const goals = goalsOf(resultsOf(peers));
  const forbidden = goalNamed(goals, 'async / node:net, one way, 64 B');
  assert.equal(
    [forbidden.ratio, forbidden.limit, forbidden.ok, isForbidden(forbidden)],
    [1, 1.3, false, true],
  );
  assert.match(
    goalTable(goals),
    /^async \/ node:net, one way, 64 B +1\.00 +≥ 1\.4 +1\.30 +beyond the bound$/m,
  );
  const beside = goalNamed(goals, 'async borrowing / C++ stream, one way, 64 B');
  assert.equal([beside.limit, isForbidden(beside)], [100 / 12, false]);
});

test('throughput: what is sent is an object each, and what a handler may keep', () => {
  // Microseconds of sender and receiver for 100 messages.
  const measured = (name: string, rate: number, senderUs: number, receiverUs: number) => {
    const result = peerResult(name, []);
    const client = { userUs: senderUs, systemUs: 0 };
    const server = { userUs: receiverUs, systemUs: 0 };
    result.stream.push({ ...streamSample(rate), messages: 100, client, server });
    return result;
  };
  const peers = [
    measured('async', 10e6, 8, 9),
    measured('async borrowing', 12e6, 7, 8),
    measured('node:net', 20e6, 5, 5),
    measured('C++ stream', 30e6, 2.5, 3),
    measured('C++ stream shared', 90e6, 3, 4),
    measured('objects alone', 50e6, 1.5, 2),
  ];
  const goals = goalsOf(resultsOf(peers));
  // 30 ns to read a frame and 20 for its object: 20 million a second. 25 to write one and 15: 25 million.
  assert.is(goalNamed(goals, 'async / node:net, one way, 64 B').limit, 1);
  assert.is(goalNamed(goals, 'async borrowing / node:net, one way, 64 B').limit, 1.25);
});

test('round trips: at most, with one under way', () => {
  const own = peerResult('async', [], 0.013);
  own.requests.push(pingSample(9, 64));
  const goals = goalsOf(resultsOf([own, peerResult('TCP spinning', [], 0.01)]));
  const goal = goalNamed(goals, 'async / TCP spinning, round trip p50, 64 B');
  assert.equal([goal.must, goal.bound, goal.ok], [1.3, 'at most', true]);
  assert.ok(Math.abs(goal.ratio! - 1.3) < 1e-9);
});

test('heartbeats: how many times less CPU than a real ceph-osd', () => {
  const answer = (title: string, window: number, minMessageSize: number, serverCpuNs: number) =>
    ({ title, window, minMessageSize, serverCpuNs }) as unknown as AnswererResult;
  const osdPings = [
    answer(cephAnswerer, 64, 2000, 8000),
    answer(daemonAnswerer, 64, 2000, 1000),
    answer(daemonAnswerer, 64, 0, 1000),
    answer(cephAnswerer, 1, 2000, 45_000),
    answer(daemonAnswerer, 1, 2000, 15_001),
  ];
  const goals = goalsOf({ ...resultsOf([]), osdPings });
  const ratios = goals.filter(({ name }) => name.startsWith('ceph-osd'));
  assert.equal(
    ratios.map(({ ratio, must, ok }) => [ratio, must, ok]),
    [
      [8, 7, true],
      [45_000 / 15_001, 3, false],
      [null, 7, false],
    ],
  );
});

test('heartbeats: what a C++ server needs that only answers frames is the bound', () => {
  const each = { window: 1, minMessageSize: 2000 };
  const title = (name: string, serverCpuNs: number) =>
    ({ ...each, title: name, serverCpuNs }) as unknown as AnswererResult;
  const alone = peerResult('C++ answers', []);
  const sizeBytes = pingPayloadBytes(each);
  alone.heartbeats.push(
    { ...pingSample(1), sizeBytes, roundTrips: 4, server: { userUs: 20, systemUs: 60 } },
    { ...pingSample(1), sizeBytes, roundTrips: 4, server: { userUs: 10, systemUs: 30 } },
    { ...pingSample(1, 64), sizeBytes, roundTrips: 400 },
  );
  const osdPings = [title(cephAnswerer, 20_000), title(daemonAnswerer, 16_000)];
  const goal = goalNamed(
    goalsOf({ ...resultsOf([alone]), osdPings }),
    'ceph-osd / msgr2, CPU per ping, 2000 B, 1 under way',
  );
  assert.equal([goal.ratio, goal.limit, goal.ok, isForbidden(goal)], [1.25, 2, false, true]);
});

test('connections and secure mode', () => {
  const many = { ...streamSample(500), active: 100 };
  const connections = [
    {
      few: { ...streamSample(1000), active: 10 },
      many,
      open: 10_000,
      bytesPerConnection: { server: 8 * 1024, client: 99 * 1024 },
      descriptors: 1,
    },
  ];
  const secure = peerResult('async secure', []);
  secure.stream.push(streamSample(80, 4096));
  const alone = peerResult('AEAD alone', []);
  alone.stream.push(streamSample(100, 4096));
  const goals = goalsOf({ ...resultsOf([secure, alone]), connections });
  const cpu = goalNamed(goals, '10,000 connections, 1 % active / 10: CPU per message');
  assert.equal([cpu.ratio, cpu.ok], [2, false]);
  const memory = goalNamed(goals, 'memory per idle connection / 16 KiB');
  assert.equal([memory.ratio, memory.must, memory.ok], [0.5, 1, true]);
  const aead = goalNamed(goals, 'async secure / AEAD alone, one way, 4 KiB');
  assert.equal([aead.ratio, aead.ok], [0.8, true]);
  const text = goalTable(goals);
  assert.match(text, /CPU per message +2\.00 +≤ 1\.5 +- +NOT REACHED$/m);
  assert.match(text, /one way, 4 KiB +0\.80 +≥ 0\.7 +- +reached$/m);
  assert.match(text, /^async \/ libzmq, one way, 64 B +- +≥ 2\.2 +- +not measured$/m);
});

test.run();
