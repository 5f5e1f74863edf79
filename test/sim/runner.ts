/**
 * Many seeds. More than a few are shared out to processes of their own, one for each core: each runs every
 * n-th seed and prints a line for a seed that fails and one with its totals.
 */
import { execFileSync, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ModeName } from './auth.ts';
import type { CanaryName } from './canaries.ts';
import type { ScenarioName } from './plan.ts';
import { runSeed, type SeedResult } from './run-seed.ts';

export interface RunOptions {
  readonly firstSeed: number;
  readonly runs: number;
  /** Processes; by default one for each core, and none for a few seeds. */
  readonly workers?: number | undefined;
  readonly scenario?: ScenarioName | undefined;
  readonly mode?: ModeName | undefined;
  readonly canary?: CanaryName | undefined;
  readonly print?: ((line: string) => void) | undefined;
  /** Hears of failing seeds, and of the progress now and then. */
  readonly report: (line: string) => void;
}

export interface RunSummary {
  /** That the seeds were begun with; a seed means the same only there. */
  readonly commit: string;
  seeds: number;
  readonly failedSeeds: number[];
  /** First words of the violations. */
  readonly violationKinds: Set<string>;
  readonly totals: Map<string, number>;
  /** Of the hashes of all seeds, in whatever order they ran. */
  hash: number;
  seconds: number;
}

/** What a worker prints, as JSON. */
export type WorkerLine =
  | { readonly failed: SeedResult }
  | { readonly done: number; readonly totals: Record<string, number>; readonly hash: number };

/** What a worker is told, as its only argument. */
export interface WorkerTask {
  readonly firstSeed: number;
  readonly step: number;
  readonly count: number;
  readonly scenario?: ScenarioName | undefined;
  readonly mode?: ModeName | undefined;
  readonly canary?: CanaryName | undefined;
}

/** Below this many seeds a process of its own is not worth its start. */
const seedsPerWorkerMin = 20;
/** Seeds of a worker between two lines of its totals. */
export const seedsPerLine = 250;
/** Room for young objects, in MiB: a world's live as long as its seed, and a collection copies those it meets. */
const semiSpaceMb = 32;
const failuresShown = 20;
const linesShown = 12;

export async function runSeeds(options: RunOptions): Promise<RunSummary> {
  const startedAt = performance.now();
  const summary: RunSummary = {
    commit: commitName(),
    seeds: 0,
    failedSeeds: [],
    violationKinds: new Set(),
    totals: new Map(),
    hash: 0,
    seconds: 0,
  };
  const workers = Math.min(
    options.workers ?? availableParallelism(),
    Math.floor(options.runs / seedsPerWorkerMin),
  );
  if (workers < 1 || options.print !== undefined) await runHere(options, summary);
  else {
    await Promise.all(
      Array.from({ length: workers }, (_, index) =>
        runWorker(
          {
            firstSeed: options.firstSeed + index,
            step: workers,
            count: Math.ceil((options.runs - index) / workers),
            scenario: options.scenario,
            mode: options.mode,
            canary: options.canary,
          },
          options,
          summary,
        ),
      ),
    );
  }
  summary.seconds = (performance.now() - startedAt) / 1000;
  summary.failedSeeds.sort((a, b) => a - b);
  return summary;
}

/** The commit that is checked out, `+` when files differ from it; for a failing seed. */
function commitName(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    }).trim();
  try {
    const isChanged = git('status', '--porcelain', '--untracked-files=no', 'src', 'test/sim') !== '';
    return git('rev-parse', '--short', 'HEAD') + (isChanged ? '+' : '');
  } catch {
    return 'no commit';
  }
}

/** The totals of a run, in lines. */
export function describeTotals({ commit, seeds, failedSeeds, totals, hash, seconds }: RunSummary): string[] {
  const virtualSeconds = (totals.get('virtualMs') ?? 0) / 1000;
  const names = [...totals.keys()].filter((name) => name !== 'virtualMs').sort();
  return [
    names.map((name) => `${name} ${totals.get(name)}`).join(', '),
    `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(0)} seeds/s), ` +
      `${virtualSeconds.toFixed(0)} s of virtual time (${(virtualSeconds / seconds).toFixed(0)} : 1), ` +
      `hash ${(hash >>> 0).toString(16).padStart(8, '0')}`,
    `${failedSeeds.length} seeds with violations, commit ${commit}`,
  ];
}

export function addTotals(sum: Map<string, number>, more: Record<string, number>): void {
  for (const [name, value] of Object.entries(more)) sum.set(name, (sum.get(name) ?? 0) + value);
}

/** Of one seed's hash, such that the order of the seeds does not matter. */
export function hashShare({ seed, hash }: SeedResult): number {
  return Math.imul(Number.parseInt(hash.slice(8), 16) ^ Math.imul(seed, 0x9e3779b1), 0x85ebca6b);
}

async function runHere(options: RunOptions, summary: RunSummary): Promise<void> {
  const { firstSeed, runs, scenario, mode, canary, print } = options;
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const result = await runSeed({ seed, scenario, mode, canary, print });
    summary.seeds++;
    summary.hash = (summary.hash + hashShare(result)) | 0;
    addTotals(summary.totals, result.totals);
    if (result.violations.length > 0) noteFailure(result, options, summary);
    print?.(`hash ${result.hash}`);
  }
}

function noteFailure(
  result: SeedResult,
  { canary, scenario, mode, report }: RunOptions,
  summary: RunSummary,
): void {
  const { seed, violations } = result;
  if (!summary.failedSeeds.includes(seed)) summary.failedSeeds.push(seed);
  for (const violation of violations) summary.violationKinds.add(/^\w+/.exec(violation)![0]);
  if (summary.failedSeeds.length > failuresShown) return;
  const choice =
    (scenario === undefined ? '' : ` --scenario ${scenario}`) + (mode === undefined ? '' : ` --mode ${mode}`);
  const broken = canary === undefined ? '' : ` --canary ${canary}`;
  report(
    `VIOLATION in seed ${seed} (${result.scenario}, ${result.mode}) at commit ${summary.commit}; repeat it with`,
  );
  report(`  npm run sim -- --seed ${seed}${choice}${broken}`);
  for (const violation of violations.slice(0, linesShown)) report(`    ${violation}`);
  if (violations.length > linesShown) report(`    and ${violations.length - linesShown} more`);
}

function runWorker(task: WorkerTask, options: RunOptions, summary: RunSummary): Promise<void> {
  const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    [`--max-semi-space-size=${semiSpaceMb}`, '--import', 'tsx', worker, JSON.stringify(task)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const progressEvery = Math.max(seedsPerLine, Math.min(10_000, Math.floor(options.runs / 20)));
  let shownAt = 0;
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as WorkerLine;
    if ('failed' in line) return noteFailure(line.failed, options, summary);
    summary.seeds += line.done;
    summary.hash = (summary.hash + line.hash) | 0;
    addTotals(summary.totals, line.totals);
    if (summary.seeds < options.runs && Math.floor(summary.seeds / progressEvery) > shownAt) {
      shownAt = Math.floor(summary.seeds / progressEvery);
      options.report(
        `${summary.seeds} of ${options.runs} seeds, ${summary.failedSeeds.length} with violations`,
      );
    }
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`a worker ended with ${code}, after seed ${task.firstSeed} + n x ${task.step}`));
    });
  });
}
