/** When what is pending is proposed, in virtual time: Ceph's paxos_min_wait and paxos_propose_interval. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../../../src/errors.ts';
import { Proposals } from '../../../../src/mon/server/proposals.ts';
import type { MonService } from '../../../../src/mon/server/service.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import type { MonStore, StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { VirtualClock } from '../../../../src/transport/memory/virtual-clock.ts';

class Counter implements MonService {
  readonly name: string;
  readonly isUrgent: boolean;
  pending = 0;
  committed = 0;

  constructor(name: string, isUrgent = false) {
    this.name = name;
    this.isUrgent = isUrgent;
  }

  get hasPending(): boolean {
    return this.pending > 0;
  }

  propose(transaction: StoreTransaction): () => void {
    const added = this.pending;
    this.pending = 0;
    transaction.put(this.name, 'count', Buffer.from([this.committed + added]));
    return () => {
      this.committed += added;
    };
  }
}

interface Setup {
  readonly store?: MonStore;
  readonly services?: readonly MonService[];
}

function setUp({ store = new MemoryStore(), services = [new Counter('slow')] }: Setup = {}) {
  const clock = new VirtualClock();
  const commits: number[] = [];
  const failures: MsgrError[] = [];
  const proposals = new Proposals({
    store,
    clock,
    options: resolveOptions({}),
    services,
    onCommit: () => commits.push(Math.round(clock.nowMs())),
    onFailure: (error) => failures.push(error),
  });
  return { clock, commits, failures, proposals, store };
}

test('the first change waits 50 ms for others, the next proposal follows a second later', async () => {
  const counter = new Counter('slow');
  const { clock, commits, proposals } = setUp({ services: [counter] });
  await clock.runAsync(5000);
  for (let count = 0; count < 3; count++) {
    counter.pending++;
    void proposals.propose();
    await clock.runAsync(5000 + 10 * (count + 1));
  }
  await clock.runAsync(5060);
  assert.equal(commits, [5050]);
  assert.is(counter.committed, 3);
  counter.pending++;
  void proposals.propose();
  await clock.runAsync(8000);
  assert.equal(commits, [5050, 6050]);
  assert.is(counter.committed, 4);
});

test('an urgent service does not wait, and takes along what the others have', async () => {
  const slow = new Counter('slow');
  const urgent = new Counter('urgent', true);
  const { clock, commits, proposals, store } = setUp({ services: [slow, urgent] });
  await clock.runAsync(5000);
  slow.pending++;
  void proposals.propose();
  urgent.pending++;
  void proposals.propose();
  await clock.runAsync(5001);
  assert.equal(commits, [5000]);
  assert.is(slow.committed, 1);
  assert.equal([...store.keys('slow')], ['count']);
});

test('whoever waits goes on after the commit, and everything it had pending is in it', async () => {
  const counter = new Counter('slow');
  const { clock, commits, proposals } = setUp({ services: [counter] });
  const seen: string[] = [];
  const change = (name: string): void => {
    counter.pending++;
    void proposals.propose().then(() => seen.push(`${name} after ${commits.length}: ${counter.committed}`));
  };
  change('first');
  await clock.runAsync(20);
  change('second');
  await clock.runAsync(100);
  change('third');
  await clock.runAsync(3000);
  assert.equal(seen, ['first after 1: 2', 'second after 1: 2', 'third after 2: 3']);
});

test('one transaction is on its way at a time; what comes meanwhile is the next one', async () => {
  const finish: (() => void)[] = [];
  class SlowStore extends MemoryStore {
    override async commit(transaction: StoreTransaction): Promise<void> {
      await new Promise<void>((resolve) => finish.push(resolve));
      await super.commit(transaction);
    }
  }
  const counter = new Counter('urgent', true);
  const { clock, commits, proposals } = setUp({ store: new SlowStore(), services: [counter] });
  counter.pending++;
  let isFirstDone = false;
  void proposals.propose().then(() => {
    isFirstDone = true;
  });
  await clock.runAsync(10);
  counter.pending++;
  void proposals.propose();
  await clock.runAsync(2000);
  assert.is(finish.length, 1);
  assert.is(counter.committed, 0);
  assert.not(isFirstDone);
  finish.shift()!();
  await clock.runAsync(2001);
  assert.ok(isFirstDone);
  assert.is(counter.committed, 1);
  finish.shift()!();
  await clock.runAsync(2002);
  assert.is(commits.length, 2);
  assert.is(counter.committed, 2);
});

test('a failing store answers nobody and is told once', async () => {
  class FullStore extends MemoryStore {
    override commit(): Promise<void> {
      return Promise.reject(new MsgrError(ErrorCode.Store, 'no space left on device'));
    }
  }
  const counter = new Counter('slow');
  const { clock, commits, failures, proposals } = setUp({ store: new FullStore(), services: [counter] });
  let answered = 0;
  for (let count = 0; count < 3; count++) {
    counter.pending++;
    void proposals.propose().then(() => answered++);
  }
  await clock.runAsync(10_000);
  void proposals.propose().then(() => answered++);
  await clock.runAsync(20_000);
  assert.equal(
    failures.map(({ message }) => message),
    ['no space left on device'],
  );
  assert.is(answered, 0);
  assert.equal(commits, []);
  assert.is(counter.committed, 0);
  await proposals.stop();
});

test('nothing pending: the caller goes on at once, and nothing is written', async () => {
  const { clock, commits, proposals } = setUp();
  let isDone = false;
  void proposals.propose().then(() => {
    isDone = true;
  });
  await clock.runAsync(1);
  assert.ok(isDone);
  assert.equal(commits, []);
});

test.run();
