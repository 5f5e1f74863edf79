/** What is subscribed to, and from where on, over sessions. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Subscriptions } from '../../../src/mon/client/subscriptions.ts';

const taken = (table: Subscriptions): string[] =>
  [...table.take()].map(([what, { flags, start }]) => `${what} ${start} ${flags}`);

test('each is told once a session, sorted by name, and from where it stands in the next', () => {
  const table = new Subscriptions();
  table.want('osdmap', 5n);
  table.want('config', 0n);
  assert.equal(taken(table), ['config 0 0', 'osdmap 5 0']);
  assert.equal(taken(table), []);
  table.got('osdmap', 7n);
  table.got('osdmap', 6n);
  assert.equal(taken(table), [], 'the monitor counts for itself');
  table.reload();
  assert.equal(taken(table), ['config 0 0', 'osdmap 8 0']);
});

test('the same wish again says nothing; another start or renewal does', () => {
  const table = new Subscriptions();
  table.want('osdmap', 5n);
  taken(table);
  table.want('osdmap', 5n);
  assert.equal(taken(table), []);
  table.want('osdmap', 3n);
  assert.equal(taken(table), ['osdmap 3 0']);
  table.renew('osdmap', 3n);
  assert.equal(taken(table), ['osdmap 3 0']);
  table.advance('osdmap', 9n);
  assert.equal(taken(table), []);
  assert.is(table.startOf('osdmap'), 9n);
});

test('what is wanted once is over when it came, and never sent again', () => {
  const table = new Subscriptions();
  table.want('mgrmap', 4n, true);
  assert.equal(taken(table), ['mgrmap 4 1']);
  table.got('mgrmap', 3n);
  assert.ok(table.has('mgrmap'));
  table.got('mgrmap', 4n);
  assert.not(table.has('mgrmap'));
  table.reload();
  assert.equal(taken(table), []);
});

test('what is dropped is asked for once more at most', () => {
  const table = new Subscriptions();
  table.want('osdmap', 5n);
  table.drop('osdmap');
  assert.equal(taken(table), [], 'nobody was told of it');
  table.want('osdmap', 5n);
  taken(table);
  table.drop('osdmap');
  assert.equal(taken(table), ['osdmap 5 1']);
  table.got('osdmap', 5n);
  assert.not(table.has('osdmap'));
});

test.run();
