import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MemoryHost } from '../../../src/transport/memory/memory-host.ts';
import { Random } from '../../../src/transport/memory/random.ts';
import { VirtualClock } from '../../../src/transport/memory/virtual-clock.ts';

const test = suite('virtual clock');

test('events run in order of time, and of arrival at the same time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (delays) => {
      const clock = new VirtualClock();
      const ran: [number, number][] = [];
      delays.forEach((delay, index) => {
        clock.setTimeout(() => ran.push([clock.nowMs(), index]), delay);
      });
      clock.run(100);
      const expected = delays.map((delay, index): [number, number] => [delay, index]);
      expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      assert.equal(ran, expected);
      assert.is(clock.nowMs(), 100);
      assert.not(clock.step());
    }),
  );
});

test('a cancelled event does not run, and cancelling what ran is harmless', () => {
  const clock = new VirtualClock();
  let runs = 0;
  const first = clock.setTimeout(() => runs++, 1);
  const second = clock.setTimeout(() => runs++, 2);
  clock.clearTimeout(second);
  clock.clearTimeout(undefined);
  clock.run(10);
  clock.clearTimeout(first);
  assert.is(runs, 1);
  assert.is(clock.eventCount, 1);
});

test('time stops where it is told, and events beyond it wait', () => {
  const clock = new VirtualClock();
  let ran = false;
  clock.setTimeout(() => {
    ran = true;
  }, 5.5);
  clock.run(5.4);
  assert.not(ran);
  clock.run(5.5);
  assert.ok(ran);
});

test('promises settled by an event go on before the next event', async () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  const gate = new Promise<void>((resolve) => clock.setTimeout(resolve, 1));
  void gate
    .then(() => order.push('first'))
    .then(() => Promise.resolve())
    .then(() => order.push('second'));
  clock.setTimeout(() => order.push('event'), 1);
  await clock.runAsync(2);
  assert.equal(order, ['first', 'second', 'event']);
});

test('a paused host holds what happens to it, in order, and time goes on', () => {
  const clock = new VirtualClock();
  const host = new MemoryHost(clock);
  const ran: string[] = [];
  host.setTimeout(() => ran.push('timer'), 1);
  const cancelled = host.setTimeout(() => ran.push('cancelled'), 2);
  clock.setTimeout(() => host.run(() => ran.push('delivery')), 3);
  host.pause();
  clock.run(10);
  assert.equal(ran, []);
  assert.is(host.nowMs(), 10);
  host.clearTimeout(cancelled);
  host.resume();
  host.run(() => ran.push('after'));
  clock.run(11);
  assert.equal(ran, ['timer', 'delivery', 'after']);
});

test('a host that is paused again while it catches up holds the rest', () => {
  const clock = new VirtualClock();
  const host = new MemoryHost(clock);
  const ran: number[] = [];
  host.pause();
  for (let task = 0; task < 3; task++) {
    host.run(() => {
      ran.push(task);
      if (task === 0) host.pause();
    });
  }
  host.resume();
  clock.run(1);
  assert.equal(ran, [0]);
  host.resume();
  clock.run(2);
  assert.equal(ran, [0, 1, 2]);
});

test('a run that goes in circles ends after so many events; what is left can be counted', () => {
  const clock = new VirtualClock();
  let rounds = 0;
  const goRound = (): void => {
    rounds++;
    clock.setImmediate(goRound);
  };
  goRound();
  const cancelled = clock.setTimeout(() => {}, 5);
  clock.clearTimeout(cancelled);
  clock.setTimeout(() => {}, 5);
  clock.run(1, 100);
  assert.is(rounds, 101);
  assert.is(clock.eventCount, 100);
  assert.is(clock.pendingCount, 2, 'the next round and a timer');
});

test('the generator repeats itself for a seed, and spreads evenly', () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 100 }, () => random.next());
  };
  assert.equal(draw(7), draw(7));
  assert.not.equal(draw(7), draw(8));
  const random = new Random(1);
  const counts = new Array<number>(10).fill(0);
  for (let draws = 0; draws < 100_000; draws++) counts[random.integer(0, 9)]!++;
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, String(counts));
  assert.not(random.chance(0));
  assert.ok(random.chance(1));
});

test.run();
