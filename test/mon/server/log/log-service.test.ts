/** The cluster log: each entry once, in order, durable, bounded. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LogService } from '../../../../src/mon/server/log/log-service.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { EntityAddrVec } from '../../../../src/wire/entity-addrvec.ts';
import { EntityAuthName, EntityName } from '../../../../src/wire/entity-name.ts';
import { type LogEntry, LogPriority } from '../../../../src/wire/log-entry.ts';
import { ServiceBench } from '../support/service-bench.ts';

const wallMs = (): number => 1_800_000_000_000;

function open(bench: ServiceBench): LogService {
  return new LogService({
    store: bench.store,
    proposer: bench,
    options: resolveOptions({}),
    name: 'a',
    rank: 0,
    wallMs,
  });
}

function entry(seq: number, message = `entry ${seq}`, sec = 1_800_000_000): LogEntry {
  return {
    name: EntityAuthName.parse('osd.1'),
    rank: EntityName.osd(1),
    addrs: EntityAddrVec.parse('v2:10.0.0.1:6800/7'),
    stamp: { sec, nsec: 0 },
    seq: BigInt(seq),
    priority: LogPriority.Info,
    message,
    channel: 'cluster',
  };
}

const messages = (log: LogService): string[] => log.entries.map(({ message }) => message);

test('an entry shows when it is durable, not before', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  let isDone = false;
  const done = log.append([entry(1), entry(2)]).then(() => {
    isDone = true;
  });
  await Promise.resolve();
  assert.is(log.entries.length, 0);
  assert.not(isDone);
  await bench.commit(log);
  await done;
  assert.equal(messages(log), ['entry 1', 'entry 2']);
  assert.is(log.version, 2);
  assert.equal(messages(open(bench)), ['entry 1', 'entry 2']);
});

test('what is sent again is kept once, pending or durable, also after a start', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  void log.append([entry(1)]);
  void log.append([entry(1), entry(2)]);
  await bench.commit(log);
  void log.append([entry(1), entry(2), entry(3)]);
  await bench.commit(log);
  assert.equal(messages(log), ['entry 1', 'entry 2', 'entry 3']);

  const restarted = open(bench);
  const again = restarted.append([entry(3), entry(4)]);
  await bench.commit(restarted);
  await again;
  assert.equal(messages(restarted), ['entry 1', 'entry 2', 'entry 3', 'entry 4']);
});

test('a daemon that starts again counts from one again, and is heard', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  void log.append([entry(1, 'before')]);
  void log.append([entry(1, 'after', 1_800_000_050)]);
  await bench.commit(log);
  assert.equal(messages(log), ['before', 'after']);
});

test('what was there already is acknowledged although nothing is pending', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  void log.append([entry(1)]);
  await bench.commit(log);
  const again = log.append([entry(1)]);
  assert.not(log.hasPending);
  await bench.commit(log);
  await again;
});

test('the oldest are dropped above 10000, in memory and in the store; numbers go on', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  for (let batch = 0; batch < 6; batch++) {
    void log.append(Array.from({ length: 2000 }, (_, index) => entry(batch * 2000 + index + 1)));
    await bench.commit(log);
  }
  assert.is(log.entries.length, 10_000);
  assert.is(log.entries[0]!.message, 'entry 2001');
  assert.is(log.version, 12_000);
  assert.equal(
    log.since(12_000).map(({ seq }) => seq),
    [12_000n],
  );
  assert.is(log.since(1).length, 10_000);
  assert.is([...bench.store.keys('logm')].length, 10_001);
  const restarted = open(bench);
  assert.is(restarted.version, 12_000);
  assert.is(restarted.entries[0]!.message, 'entry 2001');
});

test('a flood of long messages is bounded in bytes, and a message in length', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  for (let batch = 0; batch < 4; batch++) {
    void log.append(
      Array.from({ length: 200 }, (_, index) => entry(batch * 200 + index, 'x'.repeat(100_000))),
    );
    await bench.commit(log);
  }
  assert.is(log.entries[0]!.message.length, 65_536);
  const bytes = log.entries.reduce((sum, { message }) => sum + message.length, 0);
  assert.ok(bytes > 30 * 1024 * 1024 && bytes <= 32 * 1024 * 1024, String(bytes));
  assert.is(open(bench).entries.length, log.entries.length);
  assert.is(open(bench).version, 800);
});

test('a flood between two proposals is bounded too', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  for (let batch = 0; batch < 15; batch++) {
    void log.append(Array.from({ length: 1000 }, (_, index) => entry(batch * 1000 + index + 1)));
  }
  await bench.commit(log);
  assert.is(log.entries.length, 10_000);
  assert.is(log.entries[0]!.message, 'entry 5001');
  assert.is(log.version, 10_000);
  for (let index = 0; index < 1000; index++) log.audit('x'.repeat(60_000));
  await bench.commit(log);
  assert.ok(log.entries.length < 600, String(log.entries.length));
});

test('proposals that overlap keep their numbers apart', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  const { StoreTransaction } = await import('../../../../src/mon/server/store/mon-store.ts');
  void log.append([entry(1)]);
  const first = new StoreTransaction();
  const applyFirst = log.propose(first);
  void log.append([entry(2)]);
  const second = new StoreTransaction();
  const applySecond = log.propose(second);
  await bench.store.commit(first);
  await bench.store.commit(second);
  applyFirst();
  applySecond();
  assert.equal(messages(open(bench)), messages(log));
  assert.equal(messages(log), ['entry 1', 'entry 2']);
});

test('our own entries carry the name of the monitor and count', async () => {
  const bench = new ServiceBench();
  const log = open(bench);
  log.info('one');
  log.warn('two');
  log.error('three');
  log.audit('four');
  const heard: string[] = [];
  const end = log.onCommit((entries) => heard.push(...entries.map(({ message }) => message)));
  await bench.commit(log);
  end();
  assert.equal(heard, ['one', 'two', 'three', 'four']);
  assert.equal(
    log.entries.map(({ channel, name, priority, rank, seq }) => [
      String(name),
      String(rank),
      seq,
      channel,
      priority,
    ]),
    [
      ['mon.a', 'mon.0', 1n, 'cluster', LogPriority.Info],
      ['mon.a', 'mon.0', 2n, 'cluster', LogPriority.Warning],
      ['mon.a', 'mon.0', 3n, 'cluster', LogPriority.Error],
      ['mon.a', 'mon.0', 4n, 'audit', LogPriority.Info],
    ],
  );
});

test.run();
