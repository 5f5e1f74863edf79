/**
 * Whole messengers in a simulated world: 10,000 seeds without a violation, and the proofs that the world is
 * the same for the same seed and that its oracle sees what it looks for.
 *
 * @timeLimitSeconds 600
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Tag, tagName } from '../../src/wire/frames/tag.ts';
import { modeNames } from './auth.ts';
import { canaries, canaryNames } from './canaries.ts';
import { scenarioNames } from './plan.ts';
import { runSeed } from './run-seed.ts';
import { addTotals, describeTotals, runSeeds } from './runner.ts';

const seedsPerCiRun = 10_000;
/** Seeds of longer runs that had a violation once; what it was is said in ARCHITECTURE.md, D18. */
const seedsOfOld = [14_129];
const script = fileURLToPath(new URL('../../scripts/sim.ts', import.meta.url));

function sim(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

test('a seed is a world: the same events every time, others for another seed', async () => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 30; seed++) {
    const first = await runSeed({ seed });
    assert.equal(await runSeed({ seed }), first);
    hashes.add(first.hash);
  }
  assert.is(hashes.size, 30);
});

test('told in words, or run by other processes, a seed is the same', async () => {
  const lines: string[] = [];
  const silent = await runSeed({ seed: 7 });
  assert.equal(await runSeed({ seed: 7, print: (line) => lines.push(line) }), silent);
  assert.ok(lines.length > 50, 'something is told');
  const report = (): void => {};
  const here = await runSeeds({ firstSeed: 1, runs: 45, workers: 0, report });
  const there = await runSeeds({ firstSeed: 1, runs: 45, workers: 2, report });
  assert.is(there.seeds, 45);
  assert.is(there.hash, here.hash);
  assert.equal(there.totals, here.totals);
});

for (const scenario of scenarioNames) {
  test(`scenario ${scenario} can be chosen`, async () => {
    const { scenario: played, violations } = await runSeed({ seed: 3, scenario });
    assert.is(played, scenario);
    assert.equal(violations, []);
  });
}

for (const mode of modeNames) {
  test(`mode ${mode} can be chosen: no violation, and no frame that was altered is taken`, async () => {
    const totals = new Map<string, number>();
    for (let seed = 1; seed <= 40; seed++) {
      const result = await runSeed({ seed, mode });
      assert.is(result.mode, mode);
      assert.equal(result.violations, [], `seed ${seed}`);
      addTotals(totals, result.totals);
    }
    assert.is(totals.get('secureEnds')! > 100, mode !== 'crc');
    assert.is(totals.get('tagsRefused')! > 0, mode !== 'crc');
    assert.ok(totals.get('delivered')! > 1000);
  });
}

for (const canary of canaryNames) {
  const { what, found } = canaries[canary];
  test(`canary: ${what}; found as "${found}"`, async () => {
    const kinds = new Set<string>();
    for (let seed = 1; seed <= 100 && !kinds.has(found); seed++) {
      const { violations } = await runSeed({ seed, canary });
      for (const violation of violations) kinds.add(violation.slice(0, found.length));
    }
    assert.ok(kinds.has(found), `only ${[...kinds].join(', ')}`);
  });
}

test('the command tells a failing seed, its commit and how to repeat it', async () => {
  const { status, output } = sim('--canary', 'drops', '--seed', '5', '--runs', '4');
  assert.is(status, 0, 'a canary is to be found');
  const [, seed, commit] = /VIOLATION in seed (\d+) \(\w+, \w+\) at commit (\S+); repeat it with/.exec(
    output,
  )!;
  assert.match(commit!, /^[0-9a-f]{7,}\+?$|^no$/);
  assert.match(output, `npm run sim -- --seed ${seed} --canary drops`);
  const again = sim('--canary', 'drops', '--seed', seed!);
  assert.match(again.output, `VIOLATION in seed ${seed}`);
  const { violations } = await runSeed({ seed: Number(seed), canary: 'drops' });
  assert.match(again.output, violations[0]!);
});

test('the command refuses what it does not know', () => {
  assert.is(sim('--runs', 'many').status, 2);
  assert.is(sim('--scenario', 'paradise').status, 2);
  assert.is(sim('--mode', 'clear').status, 2);
});

test('seeds that had a violation once have none any more', async () => {
  for (const seed of seedsOfOld) assert.equal((await runSeed({ seed })).violations, [], `seed ${seed}`);
});

test(`${seedsPerCiRun} seeds, and none with a violation`, async () => {
  const lines: string[] = [];
  const summary = await runSeeds({
    firstSeed: 1,
    runs: seedsPerCiRun,
    report: (line) => lines.push(line),
  });
  console.log(describeTotals(summary).join('\n'));
  assert.equal(summary.failedSeeds, [], lines.join('\n'));
  assert.is(summary.seeds, seedsPerCiRun);
  // A simulation in which nothing happens has no violations either.
  const count = (name: string): number => summary.totals.get(name) ?? 0;
  for (const name of ['delivered', 'lostWithReset', 'againAfterForgetting', 'partialReads', 'partialWrites'])
    assert.ok(count(name) > 0, name);
  for (const name of ['resets', 'corruptions', 'refusals', 'clogs', 'secureEnds', 'tagsRefused'])
    assert.ok(count(name) > 0, name);
  const sessionTags = [
    Tag.ClientIdent,
    Tag.ServerIdent,
    Tag.SessionReconnect,
    Tag.SessionReconnectOk,
    Tag.SessionReset,
    Tag.SessionRetry,
    Tag.Wait,
    Tag.Keepalive2,
  ];
  for (const tag of sessionTags) assert.ok(count(tagName(tag)) > 0, tagName(tag));
});

test.run();
