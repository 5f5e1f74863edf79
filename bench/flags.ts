/** The words of `npm run bench`. */
import { Command, InvalidArgumentError } from 'commander';
import { CliError } from '../src/cli/cli-error.ts';
import { byteSize, integer, listOf, oneOf, seconds } from '../src/cli/values.ts';
import { fullPlan, LoneScenario, type Plan, quickPlan, Scenario, scenarioNames } from './plan.ts';

export interface BenchFlags {
  readonly scenario?: readonly string[];
  readonly peers?: readonly string[];
  readonly rounds?: number;
  readonly seconds?: number;
  readonly sizes?: readonly number[];
  readonly pingSize?: number;
  readonly quick?: true;
  readonly minutes: number;
  readonly against?: string;
  readonly congestionControl?: string;
  readonly json?: string;
  readonly chart?: string;
  readonly install: boolean;
  readonly verbose?: true;
}

const minutesMax = 10_000;

/** What msgr2 uses within one host, so its peers get it too. */
export const congestionControlDefault = 'reno';
/** As `--congestion-control`: whatever the machine has. */
export const systemCongestionControl = 'system';

export function parseFlags(words: readonly string[] = process.argv.slice(2)): BenchFlags {
  const flags = new Command('npm run bench --')
    .description('msgr2 beside its peers: see docs/bench.md')
    .option('--scenario <list>', `only these: ${scenarioNames.join(', ')}`, listOf(oneOf(...scenarioNames)))
    .option('--peers <list>', 'only these, by name', listOf(String))
    .option('--rounds <n>', `rounds in which the peers take turns (${fullPlan.rounds})`, integer(1, 1000))
    .option('--seconds <n>', `measured time of each figure (${fullPlan.seconds})`, seconds(0.01, 3600))
    .option('--sizes <list>', 'payload sizes', listOf(byteSize))
    .option('--ping-size <bytes>', `payload of a ping (${fullPlan.pingBytes})`, byteSize)
    .option('--quick', 'everything once and shortly, within two minutes: no figures to quote')
    .option('--minutes <n>', 'of a soak', minutes, 10)
    .option('--against <rev>', 'msgr2 beside another revision of itself, built in a temporary folder')
    .option('--congestion-control <name>', 'of all, in a network namespace (root); or "system" (reno)')
    .option('--json <file>', 'everything measured, as JSON; `goals` says what was reached')
    .option('--chart <file>', 'the picture, as SVG')
    .option('--no-install', "never install the peers' packages")
    .option('--verbose', 'a line for each peer and round')
    .parse(words, { from: 'user' })
    .opts<BenchFlags>();
  const lone = Object.values(LoneScenario).find((name) => flags.scenario?.includes(name));
  if (lone !== undefined && flags.scenario!.length > 1) {
    throw new CliError(`the scenario ${lone} runs alone`, { exitCode: 2 });
  }
  return flags;
}

function minutes(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= minutesMax) return value;
  throw new InvalidArgumentError(`"${text}" is no number of minutes up to ${minutesMax}.`);
}

export function isLone({ scenario }: BenchFlags, name: LoneScenario): boolean {
  return scenario?.[0] === name;
}

export function planOf(flags: BenchFlags): Plan {
  const plan = flags.quick ? quickPlan : fullPlan;
  // Only msgr2 itself is set against another revision, and only where it meets no one else.
  const apart: readonly string[] = [Scenario.Connections, Scenario.OsdPings];
  const scenarios = plan.scenarios.filter(
    (name) =>
      (flags.scenario?.includes(name) ?? true) && (flags.against === undefined || !apart.includes(name)),
  );
  return {
    ...plan,
    scenarios,
    rounds: flags.rounds ?? plan.rounds,
    seconds: flags.seconds ?? plan.seconds,
    sizesBytes: flags.sizes ?? plan.sizesBytes,
    pingBytes: flags.pingSize ?? plan.pingBytes,
  };
}
