import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import { Throttle } from '../../src/messenger/throttle.ts';

const test = suite('throttle');

function full(max = 10): Throttle {
  const throttle = new Throttle({ name: 'test', max });
  throttle.take(max);
  return throttle;
}

test('takes up to max and not beyond', () => {
  const throttle = new Throttle({ name: 'bytes', max: 10 });
  assert.equal(throttle.name, 'bytes');
  assert.equal(throttle.max, 10);
  assert.equal(throttle.current, 0);
  assert.equal(throttle.tryTake(6), true);
  assert.equal(throttle.tryTake(5), false);
  assert.equal(throttle.current, 6);
  assert.equal(throttle.tryTake(4), true);
  assert.equal(throttle.tryTake(0), true);
  assert.equal(throttle.tryTake(1), false);
  assert.equal(throttle.waits, 2);
  throttle.release(4);
  assert.equal(throttle.tryTake(4), true);
  assert.equal(throttle.current, 10);
});

test('an amount above max passes while current is not above max', () => {
  const throttle = new Throttle({ name: 'bytes', max: 10 });
  assert.equal(throttle.tryTake(10), true);
  // As in Ceph: exactly max waits for an empty budget, more than max does not.
  assert.equal(throttle.tryTake(10), false);
  assert.equal(throttle.tryTake(11), true);
  assert.equal(throttle.current, 21);
  assert.equal(throttle.tryTake(11), false);
  throttle.release(11);
  assert.equal(throttle.tryTake(1000), true);
});

test("follows Ceph's rule for any amounts", () => {
  fc.assert(
    fc.property(fc.nat(12), fc.array(fc.nat(20), { maxLength: 30 }), (max, amounts) => {
      const throttle = new Throttle({ name: 'test', max });
      let current = 0;
      for (const amount of amounts) {
        const mustWait =
          max !== 0 && ((amount <= max && current + amount > max) || (amount >= max && current > max));
        assert.equal(throttle.tryTake(amount), !mustWait);
        if (!mustWait) current += amount;
        assert.equal(throttle.current, current);
        if (current % 3 === 0) {
          throttle.release(current);
          current = 0;
        }
      }
    }),
  );
});

test('max 0 is no limit, and is counted', () => {
  const throttle = new Throttle({ name: 'test', max: 0 });
  for (let count = 0; count < 100; count++) assert.equal(throttle.tryTake(1e12), true);
  assert.equal(throttle.current, 1e14);
  assert.equal(throttle.waits, 0);
  throttle.release(1e14);
  assert.throws(() => throttle.release(1), { code: 'ERR_ASSERTION' });
});

test('take exceeds the budget', () => {
  const throttle = full();
  throttle.take(5);
  assert.equal(throttle.current, 15);
  throttle.release(5);
  assert.equal(throttle.tryTake(1), false);
});

test('more released than taken is an assertion and changes nothing', () => {
  const throttle = full();
  assert.throws(() => throttle.release(11), {
    code: 'ERR_ASSERTION',
    message: /test: 11 released, but only 10 taken/,
  });
  assert.equal(throttle.current, 10);
  throttle.release(10);
  assert.throws(() => throttle.release(1), { code: 'ERR_ASSERTION' });
});

test('amounts are whole numbers from 0 up', () => {
  const throttle = full();
  for (const amount of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
    assert.throws(() => throttle.tryTake(amount), { code: 'ERR_ASSERTION' });
    assert.throws(() => throttle.take(amount), { code: 'ERR_ASSERTION' });
    assert.throws(() => throttle.release(amount), { code: 'ERR_ASSERTION' });
    assert.throws(() => throttle.onAvailable(() => {}, amount), { code: 'ERR_ASSERTION' });
    assert.throws(() => new Throttle({ name: 'test', max: amount }), { code: 'ERR_ASSERTION' });
  }
  assert.equal(throttle.current, 10);
});

test('waiters are called in order as room comes, each once', () => {
  const throttle = full();
  const called: string[] = [];
  const wait = (name: string, amount: number) =>
    throttle.onAvailable(() => {
      called.push(name);
      assert.equal(throttle.tryTake(amount), true);
    }, amount);
  wait('a', 4);
  wait('b', 2);
  wait('c', 1);
  throttle.release(3);
  // Three are free and b and c would fit, but a came first.
  assert.deepEqual(called, []);
  throttle.release(1);
  assert.deepEqual(called, ['a']);
  throttle.release(3);
  assert.deepEqual(called, ['a', 'b', 'c']);
  throttle.release(10);
  assert.deepEqual(called, ['a', 'b', 'c']);
  assert.equal(throttle.current, 0);
});

test('nobody takes while others wait', () => {
  const throttle = full();
  let isCalled = false;
  throttle.onAvailable(() => {
    isCalled = true;
    assert.equal(throttle.tryTake(5), true);
  }, 5);
  throttle.release(2);
  assert.equal(throttle.tryTake(1), false);
  assert.equal(isCalled, false);
  throttle.release(3);
  assert.equal(isCalled, true);
  assert.equal(throttle.current, 10);
});

test('by default a waiter is called when there is room for anything', () => {
  const throttle = full();
  let calls = 0;
  throttle.onAvailable(() => calls++);
  throttle.release(0);
  assert.equal(calls, 0);
  throttle.release(1);
  assert.equal(calls, 1);
});

test('one too large for the budget is called when current is down to max', () => {
  const throttle = full();
  throttle.take(2);
  let calls = 0;
  throttle.onAvailable(() => calls++, 100);
  throttle.release(1);
  assert.equal(calls, 0);
  throttle.release(1);
  assert.equal(calls, 1);
});

test('with room already the waiter is called before onAvailable returns', () => {
  const throttle = new Throttle({ name: 'test', max: 10 });
  let calls = 0;
  const cancel = throttle.onAvailable(() => calls++, 10);
  assert.equal(calls, 1);
  cancel();
  assert.equal(calls, 1);
});

test('a cancelled waiter is not called, wherever it stands', () => {
  for (const cancelled of [0, 1, 2]) {
    const throttle = full();
    const called: number[] = [];
    const cancels = [0, 1, 2].map((name) => throttle.onAvailable(() => called.push(name)));
    cancels[cancelled]!();
    cancels[cancelled]!();
    throttle.release(10);
    assert.deepEqual(
      called,
      [0, 1, 2].filter((name) => name !== cancelled),
    );
    for (const cancel of cancels) cancel();
    assert.equal(throttle.tryTake(10), true);
  }
});

test('when the first gives up, those behind it that need less are called', () => {
  const throttle = full();
  const called: string[] = [];
  const cancel = throttle.onAvailable(() => called.push('large'), 9);
  throttle.onAvailable(() => called.push('small'), 1);
  throttle.release(1);
  assert.deepEqual(called, []);
  cancel();
  assert.deepEqual(called, ['small']);
});

test('a waiter may cancel the next one', () => {
  const throttle = full();
  const called: string[] = [];
  throttle.onAvailable(() => {
    called.push('a');
    cancelB();
  });
  const cancelB = throttle.onAvailable(() => called.push('b'));
  throttle.onAvailable(() => called.push('c'));
  throttle.release(10);
  assert.deepEqual(called, ['a', 'c']);
});

test('a waiter that releases does not run the others inside itself', () => {
  const throttle = full();
  const events: string[] = [];
  throttle.onAvailable(() => {
    events.push('a begins');
    throttle.release(9);
    events.push('a ends');
  });
  throttle.onAvailable(() => events.push('b'), 10);
  throttle.release(1);
  assert.deepEqual(events, ['a begins', 'a ends', 'b']);
});

test('a waiter that waits again goes to the end, and is not called before the next release', () => {
  const throttle = full();
  const called: string[] = [];
  const insist = () => {
    called.push('a');
    assert.equal(throttle.tryTake(5), false);
    // Asks for less than it needs, which there is: this must not spin.
    throttle.onAvailable(insist, 1);
  };
  throttle.onAvailable(insist, 1);
  throttle.onAvailable(() => called.push('b'), 1);
  throttle.release(1);
  assert.deepEqual(called, ['a', 'b']);
  throttle.release(1);
  assert.deepEqual(called, ['a', 'b', 'a']);
});

test('a waiter that comes during the round is served by a release in that round', () => {
  const throttle = full();
  const called: string[] = [];
  throttle.onAvailable(() => {
    called.push('a');
    assert.equal(throttle.tryTake(5), false);
    throttle.onAvailable(() => called.push('a again'), 5);
  });
  throttle.onAvailable(() => {
    called.push('b');
    throttle.release(9);
  });
  throttle.release(1);
  // Without this nobody would be left to release, and the second wait of a would never end.
  assert.deepEqual(called, ['a', 'b', 'a again']);
  assert.equal(throttle.current, 0);
});

test('someone who waits with nothing taken keeps nobody out', () => {
  const throttle = full();
  throttle.onAvailable(() => throttle.onAvailable(() => {}));
  throttle.release(10);
  assert.equal(throttle.tryTake(10), true);
});

test('what a waiter throws reaches the releaser after the others were called', () => {
  const throttle = full();
  const called: string[] = [];
  throttle.onAvailable(() => {
    throw new Error('first');
  });
  throttle.onAvailable(() => {
    called.push('b');
    throw new Error('second');
  });
  throttle.onAvailable(() => called.push('c'));
  assert.throws(() => throttle.release(10), /^Error: first$/);
  assert.deepEqual(called, ['b', 'c']);
  assert.equal(throttle.current, 0);
  throttle.onAvailable(() => called.push('d'));
  assert.deepEqual(called, ['b', 'c', 'd']);
});

test('nobody waits for ever: any users, as long as what is taken is released', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat(30), { minLength: 1, maxLength: 40 }),
      fc.infiniteStream(fc.nat(1000)),
      (max, amounts, choices) => {
        const throttle = new Throttle({ name: 'test', max });
        const held: number[] = [];
        const served: number[] = [];
        const refused: number[] = [];
        const use = (user: number) => {
          const amount = amounts[user]!;
          if (throttle.tryTake(amount)) {
            held.push(amount);
            served.push(user);
          } else {
            refused.push(user);
            throttle.onAvailable(() => use(user), amount);
          }
        };
        for (let user = 0; user < amounts.length; user++) {
          use(user);
          const choice = choices.next().value;
          if (choice % 3 === 0 && held.length > 0) throttle.release(held.splice(choice % held.length, 1)[0]!);
        }
        while (held.length > 0) throttle.release(held.splice(choices.next().value % held.length, 1)[0]!);
        assert.equal(throttle.current, 0);
        assert.equal(throttle.waits, refused.length);
        // Everybody once, and in the order of arrival: whoever comes while others wait is refused.
        assert.deepEqual(
          served,
          amounts.map((_, user) => user),
        );
      },
    ),
  );
});

test.run();
