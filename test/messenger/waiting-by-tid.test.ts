/** The table of those who wait: held against a Map. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Waiting, WaitingByTid } from '../../src/messenger/waiting-by-tid.ts';
import { Random } from '../../src/transport/memory/random.ts';

function addTo(table: WaitingByTid<Waiting>): Waiting {
  const entry = { tid: table.nextTid() };
  table.add(entry);
  return entry;
}

test('ids count up, and an id that was taken is gone', () => {
  const table = new WaitingByTid();
  const entries = [addTo(table), addTo(table), addTo(table)];
  assert.equal(
    entries.map(({ tid }) => tid),
    [1, 2, 3],
  );
  assert.is(table.take(2), entries[1]);
  assert.is(table.take(2), undefined);
  assert.is(table.take(2 + 16), undefined, 'the slot alone says nothing');
  assert.is(table.take(1 + 16), undefined);
  assert.equal([table.size, table.tids()], [2, [1, 3]]);
});

test('an id whose slot is taken is passed over', () => {
  const table = new WaitingByTid();
  const patient = addTo(table);
  for (let count = 0; count < 15; count++) table.take(addTo(table).tid);
  assert.is(addTo(table).tid, 18, 'not 17, whose slot is that of 1');
  assert.is(table.take(patient.tid), patient);
});

for (const lastTid of [0, 0x7fff_ff00]) {
  test(`adds and takes in any order, from id ${lastTid} on`, () => {
    const random = new Random(7);
    const table = new WaitingByTid<Waiting>(lastTid);
    const expected = new Map<number, Waiting>();
    for (let step = 0; step < 20_000; step++) {
      // Waves: up to thousands, down to none.
      if (random.chance(Math.floor(step / 4000) % 2 === 0 ? 0.8 : 0.2)) {
        const entry = addTo(table);
        assert.not.ok(expected.has(entry.tid));
        expected.set(entry.tid, entry);
      } else if (expected.size > 0) {
        const tids = [...expected.keys()];
        const tid = tids[Math.floor(random.float() ** 3 * tids.length)]!;
        assert.is(table.take(tid), expected.get(tid));
        assert.is(table.take(tid), undefined);
        expected.delete(tid);
      }
      assert.is(table.size, expected.size);
    }
    assert.equal(table.tids(), [...expected.keys()], 'oldest first');
    for (const tid of table.tids()) assert.is(table.take(tid), expected.get(tid));
    assert.equal([table.size, table.tids()], [0, []]);
  });
}

test.run();
