/**
 * Deterministic simulation of whole messengers: `npm run sim`.
 *
 *   npm run sim -- --seed 1 --runs 10000               seeds 1 to 10000, over all cores
 *   npm run sim -- --seed 4711                         one seed, as it was
 *   npm run sim -- --seed 4711 --verbose               and everything that happens in it
 *   npm run sim -- --scenario clients --runs 100       one of the scenarios instead of the seed's choice
 *   npm run sim -- --mode secure --runs 100            one of the modes: crc, secure, mixed
 *   npm run sim -- --canary drops --runs 20            a messenger that is broken on purpose: must be found
 *
 * A violation is printed with its seed, the commit and the command that repeats it. Ends with 1 when there
 * was one; with a canary, when there was none.
 */
import { parseArgs } from 'node:util';
import { type ModeName, modeNames } from '../test/sim/auth.ts';
import { type CanaryName, canaries, canaryNames } from '../test/sim/canaries.ts';
import { type ScenarioName, scenarioNames } from '../test/sim/plan.ts';
import { describeTotals, type RunSummary, runSeeds } from '../test/sim/runner.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    mode: { type: 'string' },
    canary: { type: 'string' },
    workers: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min) return value;
  console.error(`--${name} must be a whole number of at least ${min}, not ${text}`);
  process.exit(2);
}

function oneOf<T extends string>(name: string, text: string | undefined, names: readonly T[]): T | undefined {
  if (text === undefined || names.includes(text as T)) return text as T | undefined;
  console.error(`--${name} must be one of ${names.join(', ')}, not ${text}`);
  process.exit(2);
}

const scenario: ScenarioName | undefined = oneOf('scenario', values.scenario, scenarioNames);
const mode: ModeName | undefined = oneOf('mode', values.mode, modeNames);
const canary: CanaryName | undefined = oneOf('canary', values.canary, canaryNames);
const summary: RunSummary = await runSeeds({
  firstSeed: wholeNumber('seed', values.seed, 0),
  runs: wholeNumber('runs', values.runs, 1),
  workers: values.workers === undefined ? undefined : wholeNumber('workers', values.workers, 1),
  scenario,
  mode,
  canary,
  print: values.verbose ? (line) => console.log(line) : undefined,
  report: (line) => console.log(line),
});
for (const line of describeTotals(summary)) console.log(line);
if (canary !== undefined) {
  const isFound = summary.violationKinds.has(canaries[canary].found);
  console.log(`canary ${canary} (${canaries[canary].what}): ${isFound ? 'found' : 'NOT FOUND'}`);
  process.exitCode = isFound ? 0 : 1;
} else process.exitCode = summary.failedSeeds.length > 0 ? 1 : 0;
