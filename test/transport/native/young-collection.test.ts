/** V8's `gc`, taken without leaving anything exposed. */
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { GcProfile } from '../../../src/cli/bench/gc-profile.ts';
import { youngCollection } from '../../../src/transport/native/young-collection.ts';

test('it collects the young generation, and nothing else', () => {
  const collect = youngCollection()!;
  const profile = new GcProfile();
  for (let count = 0; count < 3; count++) collect();
  const { collections, fullCollections } = profile.end();
  assert.ok(collections >= 3, String(collections));
  assert.is(fullCollections, 0);
});

test('no context that is made afterwards has a gc', () => {
  youngCollection();
  assert.is(runInNewContext('typeof gc'), 'undefined');
  assert.is(youngCollection(), youngCollection());
});

test.run();
