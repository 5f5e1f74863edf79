/** Stamps and what is found by them. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { monotonicSpan, PingLedger, StampClock, Unmatched } from '../../src/cli/ping/ping-ledger.ts';

test('stamps rise by a nanosecond at least, and come back as their key', () => {
  const clock = new StampClock();
  let last = 0;
  for (let index = 0; index < 1000; index++) {
    const key = clock.nextKey(index < 500 ? 5 : performance.now());
    assert.ok(key > last);
    assert.is(clock.keyOf(clock.stampOf(key)), key);
    last = key;
  }
});

test('a stamp is the wall clock, across the end of a second too', () => {
  const clock = new StampClock();
  for (const ms of [0, 999.999, 1000, 86_400_000.5]) {
    const { sec, nsec } = clock.stampOf(clock.nextKey(ms));
    assert.ok(nsec >= 0 && nsec < 1e9);
    const error = sec * 1000 + nsec / 1e6 - (performance.timeOrigin + ms);
    assert.ok(Math.abs(error) < 0.01, `${error} ms off`);
  }
});

test('a span has its seconds and nanoseconds', () => {
  assert.equal(monotonicSpan(1234.5), { sec: 1, nsec: 234_500_000 });
  assert.equal(monotonicSpan(0), { sec: 0, nsec: 0 });
});

test('each ping is answered once; the rest is explained', () => {
  const ledger = new PingLedger(4);
  for (const seq of [1, 2, 3]) ledger.open(seq, seq * 100, seq);
  assert.is(ledger.openCount, 3);
  assert.is(ledger.oldestSentAt, 1);
  assert.is(ledger.answer(200), 2);
  assert.is(ledger.sentAt(2), 2);
  assert.is(ledger.answer(200), Unmatched.Duplicate);
  assert.is(ledger.answer(201), Unmatched.Unknown);

  const lost: number[] = [];
  ledger.expire(2, (seq) => lost.push(seq));
  assert.equal(lost, [1]);
  assert.is(ledger.answer(100), Unmatched.Late);
  assert.is(ledger.oldestSentAt, 3);
  ledger.expire(Number.POSITIVE_INFINITY, (seq) => lost.push(seq));
  assert.equal(lost, [1, 3]);
  assert.is(ledger.openCount, 0);
  assert.is(ledger.oldestSentAt, undefined);
});

test('a ping that has left the ring is unknown, and its slot serves another', () => {
  const ledger = new PingLedger(1);
  const many = 10_000;
  for (let seq = 1; seq <= many; seq++) {
    ledger.open(seq, seq, seq);
    assert.is(ledger.answer(seq), seq);
  }
  assert.is(ledger.answer(1), Unmatched.Unknown);
  assert.is(ledger.answer(many), Unmatched.Duplicate);
});

test.run();
