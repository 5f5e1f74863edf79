/**
 * `npm start`: the main job. How fast two msgr2 processes talk on this machine, and, where the real daemons
 * are installed, how a real ceph-osd and msgr2 answer the same heartbeats. A minute or so.
 */
import { benchSizesBytes } from '../src/cli/bench/command.ts';
import { describeMachine, machineText } from '../src/cli/bench/machine.ts';
import { resultTable } from '../src/cli/bench/report.ts';
import { runBench } from '../src/cli/bench/run.ts';
import { variantsOf } from '../src/cli/bench/variants.ts';
import { CliError } from '../src/cli/cli-error.ts';
import { LiveLine } from '../src/cli/live-line.ts';
import { nativeAvailable } from '../src/native.ts';
import { requireCeph } from '../test/support/ceph-cluster.ts';
import { osdPingTable, runOsdPings } from './osd-pings.ts';
import { runScript } from './script.ts';

const pingBytes = 64;
const secondsPerFigure = 1;

const live = new LiveLine(process.stdout);
await runScript('npm start', live, start);

async function start(): Promise<void> {
  live.print(machineText(describeMachine()));
  live.print('\nTwo msgr2 processes, one connection over loopback, CRC on:\n');
  if (!nativeAvailable()) live.print(`(no native core here: only 'simple', the pure TypeScript messenger)\n`);
  const results = await runBench(
    {
      variants: variantsOf(nativeAvailable() ? ['async', 'simple'] : ['simple'], ['default', 'borrowing']),
      sizesBytes: benchSizesBytes,
      pingBytes,
      seconds: secondsPerFigure,
      options: {},
    },
    live,
  );
  live.print(`\n${resultTable(results)}\n`);

  if (!requireCeph('pings to a real ceph-osd')) return;
  live.print('The heartbeat port of a real ceph-osd and of msgr2, 10,000 pings of 2025 bytes each:\n');
  const pings = await runOsdPings(live);
  live.print(osdPingTable(pings));
  const lost = pings.reduce((sum, { summary }) => sum + summary.lost, 0);
  if (lost > 0) throw new CliError(`${lost} pings were not answered`);
}
