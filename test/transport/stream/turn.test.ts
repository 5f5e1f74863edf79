import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Turn, type TurnMember } from '../../../src/transport/stream/turn.ts';

const test = suite('turn');

/** A turn that ends when told to, and what its members did. */
function scene() {
  const deferred: (() => void)[] = [];
  const did: string[] = [];
  const turn = new Turn((run) => deferred.push(run));
  const member = (name: string, deliver: () => void = () => {}): TurnMember => ({
    deliveryDue: false,
    flushDue: false,
    deliver() {
      did.push(`${name} delivers`);
      deliver();
    },
    flush: () => void did.push(`${name} flushes`),
  });
  const end = (): number => {
    const runs = deferred.splice(0);
    for (const run of runs) run();
    return runs.length;
  };
  return { turn, did, member, end };
}

test('each member once, deliveries before flushes', () => {
  const { turn, did, member, end } = scene();
  const [a, b] = [member('a'), member('b')];
  turn.scheduleFlush(a);
  turn.scheduleDelivery(b);
  turn.scheduleDelivery(a);
  turn.scheduleFlush(a);
  turn.scheduleDelivery(b);
  assert.is(end(), 1);
  assert.equal(did, ['b delivers', 'a delivers', 'a flushes']);
  assert.is(end(), 0);
});

test('what a delivery sends leaves in the same turn, what it delivers waits for the next', () => {
  const { turn, did, member, end } = scene();
  const b = member('b');
  const a = member('a', () => {
    turn.scheduleFlush(b);
    turn.scheduleDelivery(b);
  });
  turn.scheduleDelivery(a);
  end();
  assert.equal(did, ['a delivers', 'b flushes']);
  end();
  assert.equal(did.slice(2), ['b delivers']);
});

test('flush() writes at once and delivers nothing', () => {
  const { turn, did, member, end } = scene();
  const a = member('a');
  turn.scheduleFlush(a);
  turn.scheduleDelivery(a);
  turn.flush();
  assert.equal(did, ['a flushes']);
  end();
  assert.equal(did, ['a flushes', 'a delivers']);
});

test('a handler that throws delays the others, and loses none', () => {
  const { turn, did, member, end } = scene();
  const bad = member('bad', () => {
    throw new Error('thrown by a handler');
  });
  const [b, c] = [member('b'), member('c')];
  for (const each of [bad, b, c]) turn.scheduleDelivery(each);
  turn.scheduleFlush(c);
  assert.throws(() => end(), 'thrown by a handler');
  assert.equal(did, ['bad delivers', 'c flushes']);
  end();
  assert.equal(did.slice(2), ['b delivers', 'c delivers']);
});

test.run();
