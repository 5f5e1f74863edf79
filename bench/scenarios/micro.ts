/**
 * What the parts cost, by tinybench: checksums, ciphers, codecs and frames in TypeScript, and what of them the native
 * core does, called over the border; then the core's own figures, without any border (native/bench).
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Bench } from 'tinybench';
import { nanoseconds } from '../../src/cli/bench/report.ts';
import { formatTable, threeDigits } from '../../src/cli/format.ts';
import type { LiveLine } from '../../src/cli/live-line.ts';
import { checkoutFolder } from '../checkout.ts';
import type { BenchFlags } from '../flags.ts';
import { microTasks } from './micro-tasks.ts';

export interface MicroResult {
  readonly name: string;
  readonly implementation: string;
  /** Of one operation: the median. */
  readonly nanoseconds: number;
  readonly bytes: number;
}

const buildFolder = join(checkoutFolder, 'build/bench-core');
const secondsDefault = 0.5;
/** What a task of less would be measured with is mostly the clock. */
const batchNs = 20_000;

export async function runMicro(flags: BenchFlags, live: LiveLine): Promise<void> {
  const results = await measureMicro(flags.seconds ?? secondsDefault, live);
  live.print(`\n${microTable(results)}`);
  const core = coreFigures(live);
  live.print(`\nthe core by itself, in C++ (native/bench):\n${core}`);
  if (flags.json !== undefined) {
    writeFileSync(flags.json, `${JSON.stringify({ results, core: core.split('\n') }, undefined, 2)}\n`);
  }
}

export async function measureMicro(seconds: number, live: LiveLine): Promise<MicroResult[]> {
  const results: MicroResult[] = [];
  for (const { name, implementation, bytes, run } of microTasks()) {
    live.update(`${name}, ${implementation}`);
    const batch = batchOf(run);
    const bench = new Bench({ time: seconds * 1000, warmupTime: seconds * 250, throws: true });
    bench.add(name, () => {
      for (let index = 0; index < batch; index++) run();
    });
    await bench.run();
    const { result } = bench.tasks[0]!;
    if (!('latency' in result)) throw new Error(`${name}: ${result.state}`);
    results.push({ name, implementation, bytes, nanoseconds: (result.latency.p50 * 1e6) / batch });
  }
  live.clear();
  return results;
}

/** Calls that take about as long as `batchNs`. */
function batchOf(run: () => void): number {
  for (let count = 1; ; count *= 2) {
    const startedAt = performance.now();
    for (let index = 0; index < count; index++) run();
    if ((performance.now() - startedAt) * 1e6 >= batchNs || count >= 65_536) return count;
  }
}

function microTable(results: readonly MicroResult[]): string {
  const head = ['operation', 'by', 'each', 'MB/s'];
  return formatTable([
    head,
    ...results.map(({ name, implementation, nanoseconds: ns, bytes }) => [
      name,
      implementation,
      nanoseconds(ns),
      bytes === 0 ? '-' : threeDigits((bytes / ns) * 1e3),
    ]),
  ]);
}

/** Builds and runs msgr2_core_bench; or says why there is none. */
function coreFigures(live: LiveLine): string {
  live.update("building the core's bench");
  const jobs = String(cpus().length);
  for (const args of [
    ['-S', join(checkoutFolder, 'native'), '-B', buildFolder, '-DMSGR2_BENCH=ON'],
    ['--build', buildFolder, '-j', jobs],
  ]) {
    const { status, error, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
    if (status === 0) continue;
    live.clear();
    return `not built: ${error?.message ?? stderr.trim().split('\n').at(-1)}`;
  }
  live.update('running it');
  const { stdout } = spawnSync(`${buildFolder}/msgr2_core_bench`, { encoding: 'utf8' });
  live.clear();
  return stdout.trimEnd();
}
