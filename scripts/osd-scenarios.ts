/**
 * What happens to OSDs on two NICs, measured: each scenario some times over, in network namespaces, against a
 * real ceph-mon; how long until the monitor's map says so, how long until the NIC is named, and what was said
 * that was wrong.
 *
 *   node --import tsx scripts/osd-scenarios.ts                        Ceph's defaults: 6 s, grace 20 s
 *   node --import tsx scripts/osd-scenarios.ts --interval 1 --grace 4 --trials 5 --only 'NIC,loss'
 *
 * Needs root and Ceph's daemons. Ends with 1 when something was marked down that should not be, was not
 * that should, or a NIC was not named.
 */
import { parseArgs } from 'node:util';
import { runTrial, type Scenario, scenarios, type Trial } from '../test/osd/scenarios/scenarios.ts';
import { TwoNicCluster } from '../test/osd/scenarios/two-nic-cluster.ts';
import { requireCeph } from '../test/support/ceph-cluster.ts';
import { requireNetworkLab } from '../test/support/network-lab/lab.ts';

const { values } = parseArgs({
  options: {
    osds: { type: 'string', default: '4' },
    interval: { type: 'string', default: '6' },
    grace: { type: 'string', default: '20' },
    trials: { type: 'string', default: '3' },
    /** Parts of names, with commas. */
    only: { type: 'string', default: '' },
  },
});
const [osds, interval, grace, trials] = [values.osds, values.interval, values.grace, values.trials].map(
  Number,
) as [number, number, number, number];

function percentile(sorted: readonly number[], share: number): string {
  if (sorted.length === 0) return '-';
  const index = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
  return `${(sorted[Math.max(0, index)]! / 1000).toFixed(1)} s`;
}

const columns = [30, 8, 10, 10, 10, 10, 8, 9] as const;
const row = (cells: readonly string[]): string =>
  cells
    .map((cell, index) => (index === 0 ? cell.padEnd(columns[0]) : cell.padStart(columns[index] ?? 10)))
    .join('');

function report({ isDown, name, named }: Scenario, results: readonly Trial[]): boolean {
  const times = (of: (trial: Trial) => number | undefined): number[] =>
    results
      .map(of)
      .filter((ms) => ms !== undefined)
      .sort((left, right) => left - right);
  const detected = times((trial) => trial.detectedMs);
  const namings = times((trial) => trial.namedMs);
  const falselyDown = results.reduce((sum, trial) => sum + trial.falselyDown.length, 0);
  const falseReports = results.reduce((sum, trial) => sum + trial.falseReports, 0);
  const [what] = results.map((trial) => trial.named).filter((text) => text !== undefined);
  console.log(
    row([
      name,
      `${detected.length}/${isDown ? results.length : 0}`,
      percentile(detected, 0.5),
      percentile(detected, 0.99),
      percentile(namings, 0.5),
      percentile(namings, 0.99),
      String(falselyDown),
      String(falseReports),
    ]) + (what === undefined ? '' : `   ${what}`),
  );
  const allDetected = !isDown || detected.length === results.length;
  const allNamed = named === undefined || namings.length === results.length;
  // Of 20 % loss nothing is promised but that the measurement is shown.
  const isCalm = name.startsWith('loss 20') || falselyDown + falseReports === 0;
  return allDetected && allNamed && isCalm;
}

if (!requireCeph('scenarios of two NICs') || !(await requireNetworkLab('scenarios of two NICs')))
  process.exit(1);
const wanted = values.only.split(',').filter((part) => part !== '');
const chosen = scenarios.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
await using cluster = await TwoNicCluster.start({
  osds,
  conf: {
    'osd heartbeat interval': String(interval),
    'osd heartbeat grace': String(grace),
    // The rule as it is, not lengthened by what the trials before did to these OSDs.
    'mon osd adjust heartbeat grace': 'false',
    'osd max markdown count': '1000',
  },
});
console.log(`${osds} OSDs, a real ceph-mon, interval ${interval} s, grace ${grace} s, ${trials} trials each`);
console.log(row(['scenario', 'down', 'p50', 'p99', 'named p50', 'p99', 'false', 'reports']));
let isGood = true;
for (const scenario of chosen) {
  const results: Trial[] = [];
  for (let trial = 0; trial < trials; trial++) {
    const watchMs = 1000 * (grace + 3 * interval + 10);
    results.push(await runTrial(cluster, scenario, trial % osds, watchMs));
  }
  isGood = report(scenario, results) && isGood;
}
process.exitCode = isGood ? 0 : 1;
