/** docs/bench.md is held against what the bench knows. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFlags, planOf } from '../../bench/flags.ts';
import { fullPlan, quickPlan, scenarioNames } from '../../bench/plan.ts';

const text = readFileSync(fileURLToPath(new URL('../../docs/bench.md', import.meta.url)), 'utf8');

test('its table has every scenario, and no other', () => {
  const rows = [...text.matchAll(/^\| `([a-z][a-z-]*)` \|/gm)].map(([, name]) => name!);
  assert.equal(rows.sort(), [...scenarioNames].sort());
});

test('its commands are understood', () => {
  const commands = [...text.matchAll(/^npm run bench -- ([^#\n]+)/gm)].map(([, words]) => words!.trim());
  assert.ok(commands.length >= 6);
  for (const words of commands) {
    const flags = parseFlags(words.split(/\s+/));
    assert.ok(planOf(flags).rounds > 0, words);
  }
});

test('flags make the plan', () => {
  assert.equal(planOf(parseFlags([])), fullPlan);
  assert.equal(planOf(parseFlags(['--quick'])), quickPlan);
  const flags = parseFlags([
    '--scenario',
    'stream,gc',
    '--rounds',
    '9',
    '--sizes',
    '4KiB,1',
    '--seconds',
    '2',
  ]);
  const { scenarios, rounds, sizesBytes, seconds } = planOf(flags);
  assert.equal([scenarios, rounds, sizesBytes, seconds], [['stream', 'gc'], 9, [4096, 1], 2]);
  // Another revision meets nobody but its twin.
  const against = planOf(parseFlags(['--against', 'HEAD']));
  assert.not.ok(against.scenarios.includes('osd-pings') || against.scenarios.includes('connections'));
});

test.run();
