/** V8's `gc`, taken without leaving anything exposed. */
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { youngCollection } from '../../../src/transport/native/young-collection.ts';

test('it collects the young generation, and nothing else', async () => {
  const kinds: unknown[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const { detail } of list.getEntries()) kinds.push((detail as { kind: number }).kind);
  });
  observer.observe({ entryTypes: ['gc'] });
  const collect = youngCollection()!;
  for (let count = 0; count < 3; count++) collect();
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  observer.disconnect();
  const young = kinds.filter((kind) => kind === constants.NODE_PERFORMANCE_GC_MINOR).length;
  assert.ok(young >= 3, String(kinds));
  assert.not.ok(kinds.includes(constants.NODE_PERFORMANCE_GC_MAJOR), String(kinds));
});

test('no context that is made afterwards has a gc', () => {
  youngCollection();
  assert.is(runInNewContext('typeof gc'), 'undefined');
  assert.is(youngCollection(), youngCollection());
});

test.run();
