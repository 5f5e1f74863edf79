/**
 * A cluster of OSDs on virtual time, the real heartbeat code in each: `npm run osd-sim`.
 *
 *   npm run osd-sim                             1,000 OSDs, 100 of which vanish; then 100 and 300, for the cost per OSD
 *   npm run osd-sim -- --osds 300 --killed 30   another size
 *   npm run osd-sim -- --seed 4711 --runs 10    other seeds
 *   npm run osd-sim -- --refused                processes that end, instead of machines that vanish
 *   npm run osd-sim -- --faults                 nobody dies: loss, delay and jitter, ten minutes each
 *   npm run osd-sim -- --canary                 reports are swallowed: must be found
 *
 * Ends with 1 when something did not hold; with a canary, when nothing was found.
 *
 * The cost is that of all OSDs in one heap. V8's young generation is made large enough for a thousand: what one
 * OSD allocates lives as long as before, but with ten times as many at once a collection finds ten times as much
 * of it alive, and copies it.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type KilledRun, percentile, runFaulty, runKilled } from '../test/osd/sim/runs.ts';

const semiSpaceMb = 64;
const semiSpaceFlag = '--max-semi-space-size';
if (!process.execArgv.some((flag) => flag.startsWith(semiSpaceFlag))) {
  const flags = [`${semiSpaceFlag}=${semiSpaceMb}`, ...process.execArgv];
  const { status } = spawnSync(process.execPath, [...flags, ...process.argv.slice(1)], { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const { values } = parseArgs({
  options: {
    osds: { type: 'string' },
    killed: { type: 'string' },
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    refused: { type: 'boolean', default: false },
    faults: { type: 'boolean', default: false },
    canary: { type: 'boolean', default: false },
  },
});

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min) return value;
  console.error(`--${name} must be a whole number of at least ${min}, not ${text}`);
  process.exit(2);
}

const seed = wholeNumber('seed', values.seed, 0);
const runs = wholeNumber('runs', values.runs, 1);
let isBad = false;

if (values.faults) await showFaults(wholeNumber('minutes', values.minutes, 1));
else {
  const osds = wholeNumber('osds', values.osds ?? '1000', 20);
  const sizes = values.osds === undefined && !values.canary ? [100, 300, osds] : [osds];
  console.log(
    '  OSDs  down  reported s: first p50 p99    down s: p50 p99   reports: most, all   peers   CPU µs per OSD and s',
  );
  for (const size of sizes) for (let run = 0; run < runs; run++) await showKilled(size, seed + run);
}
process.exit(isBad === values.canary ? 0 : 1);

async function showKilled(osds: number, runSeed: number): Promise<void> {
  const killed =
    values.killed === undefined ? Math.floor(osds / 10) : wholeNumber('killed', values.killed, 1);
  const run = await runKilled({
    seed: runSeed,
    hosts: Math.ceil(osds / 10),
    osdsPerHost: 10,
    killed,
    isSilent: !values.refused,
    ...(values.canary
      ? { isReported: (_: number, { targetOsd }: { targetOsd: number }) => targetOsd % 2 === 0 }
      : {}),
  });
  console.log(lineOf(run));
  for (const violation of run.violations.slice(0, 10)) console.log(`  seed ${runSeed}: ${violation}`);
  if (run.violations.length > 0) isBad = true;
}

function lineOf(run: KilledRun): string {
  const seconds = (ms: number): string => (ms / 1000).toFixed(2).padStart(7);
  const { reportedMs, downMs } = run;
  return [
    String(run.osds).padStart(6),
    String(run.killed).padStart(6),
    `    ${seconds(reportedMs[0]!)}${seconds(percentile(reportedMs, 0.5))}${seconds(percentile(reportedMs, 0.99))}`,
    `    ${seconds(percentile(downMs, 0.5))}${seconds(percentile(downMs, 0.99))}`,
    `${String(run.reportsMax).padStart(12)}${String(run.reportsTotal).padStart(7)}`,
    run.peersPerOsd.toFixed(1).padStart(9),
    run.cpuUsPerOsdSecond.toFixed(0).padStart(10),
  ].join('');
}

async function showFaults(minutes: number): Promise<void> {
  console.log('fault                    false reports  false downs  link changes  mean rtt ms');
  const scenarios = [
    { name: 'none', faults: {}, mayFail: false },
    { name: 'loss 1 %', faults: { loss: 0.01 }, mayFail: false },
    { name: 'loss 5 %', faults: { loss: 0.05 }, mayFail: false },
    { name: 'loss 20 %', faults: { loss: 0.2 }, mayFail: true },
    { name: 'delay 200 ± 100 ms', faults: { latencyMs: [100, 300] as const }, mayFail: false },
  ];
  for (const { name, faults, mayFail } of scenarios) {
    const run = await runFaulty({ seed, hosts: 12, osdsPerHost: 1 }, faults, minutes);
    const cells = [run.falseReports, run.falseDowns, run.degraded, run.rttMs.toFixed(1)];
    console.log(name.padEnd(24) + cells.map((cell) => String(cell).padStart(13)).join(''));
    if (!mayFail && run.falseReports + run.falseDowns > 0) isBad = true;
  }
}
