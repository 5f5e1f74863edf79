/**
 * `npm run bench`: msgr2 beside its peers on this machine, in one run. The peers take turns: in each round
 * every peer is measured once in every scenario, with fresh processes, in an order that moves on from round
 * to round; what is reported is the median over the rounds, and how far the rounds disagree.
 *
 *     npm run bench                                  everything, five rounds
 *     npm run bench -- --quick                       everything once, within two minutes
 *     npm run bench -- --scenario stream --peers async,node:net --sizes 4KiB --rounds 9 --json out.json
 *     npm run bench -- --against HEAD~10             this revision beside another one
 *     npm run bench -- --scenario soak --minutes 10
 */
import { writeFileSync } from 'node:fs';
import { describeMachine, machineText } from '../src/cli/bench/machine.ts';
import { CliError } from '../src/cli/cli-error.ts';
import { LiveLine } from '../src/cli/live-line.ts';
import { checkoutRevision } from './against.ts';
import { benchChart } from './chart/bench-chart.ts';
import {
  type BenchFlags,
  congestionControlDefault,
  isLone,
  parseFlags,
  planOf,
  systemCongestionControl,
} from './flags.ts';
import { installPeers, peersInstalled } from './install-peers.ts';
import { canMakeNamespace, runInNamespace } from './namespace.ts';
import { buildNativePeers } from './native-peers.ts';
import { choosePeers } from './peer-choice.ts';
import { LoneScenario } from './plan.ts';
import { printGoals, printResults, printTwins } from './print-results.ts';
import type { Results } from './results.ts';
import { Rounds } from './rounds.ts';
import { runMicro } from './scenarios/micro.ts';
import { runSoak } from './scenarios/soak.ts';
import { runScript } from './script.ts';
import { ratiosOf } from './table.ts';
import { describeVersions, versionsText } from './versions.ts';

/** Of the cores, taken by others when the run begins: more than this and two processes have no core each. */
const busyShare = 0.5;

const live = new LiveLine(process.stdout);
await runScript('npm run bench', live, async () => {
  const flags = parseFlags();
  const isAlone = isLone(flags, LoneScenario.Soak) || isLone(flags, LoneScenario.Micro);
  // Before the namespace, from which no registry is reached.
  if (!isAlone && flags.against === undefined) await preparePeers(flags);
  const congestionControl = congestionControlOf(flags);
  if (congestionControl !== systemCongestionControl && runInNamespace(congestionControl)) return;
  const machine = describeMachine();
  live.print(machineText(machine));
  if (machine.load > machine.cores * busyShare) {
    live.print(`this machine is busy (load ${machine.load}): nothing below is worth quoting`);
  }
  if (isLone(flags, LoneScenario.Soak)) await runSoak(flags, live);
  else if (isLone(flags, LoneScenario.Micro)) await runMicro(flags, live);
  else await runRounds(flags);
});

/** What msgr2 has within one host, for everybody; where none may choose, all have what the system has. */
function congestionControlOf({ congestionControl, against }: BenchFlags): string {
  if (congestionControl !== undefined) return congestionControl;
  return against === undefined && canMakeNamespace() ? congestionControlDefault : systemCongestionControl;
}

async function runRounds(flags: BenchFlags): Promise<void> {
  const machine = describeMachine();
  const plan = planOf(flags);
  await using other = flags.against === undefined ? undefined : await checkoutRevision(flags.against, live);
  const { peers, missing, twins } = await choosePeers(flags.peers, other);
  const versions = describeVersions();
  live.print(`${versionsText(versions)}\n`);
  for (const { name, reason } of missing) live.print(`not measured: ${name} (${reason})`);

  const rounds = new Rounds(plan, peers, live, flags.verbose === true);
  await rounds.run();
  const { connections, osdPings, failed } = rounds;
  const results: Results = {
    machine,
    versions,
    plan,
    missing: [...missing, ...rounds.missing, ...failed],
    peers: rounds.peers,
    connections,
    osdPings,
  };
  printResults(results, live);
  printTwins(results, twins, live);
  const goals = other === undefined ? printGoals(results, live) : [];
  if (flags.chart !== undefined) writeFileSync(flags.chart, benchChart(results));
  if (flags.json !== undefined) {
    const document = { ...results, ratios: ratiosOf(results.peers, plan.sizesBytes), goals };
    writeFileSync(flags.json, `${JSON.stringify(document, undefined, 2)}\n`);
  }
  if (failed.length > 0) throw new CliError(`failed: ${failed.map(({ name }) => name).join(', ')}`);
}

/** What cannot be had is passed over, peer by peer, with its reason. */
async function preparePeers({ install }: BenchFlags): Promise<void> {
  if (install && !peersInstalled()) {
    live.print("installing the peers' packages: npm ci in bench/peers");
    const failure = await installPeers();
    if (failure !== undefined) live.print(`they cannot be installed: ${failure}`);
  }
  live.update('building the peers in C++');
  const failure = buildNativePeers();
  if (failure !== undefined) live.print(`the peers in C++ cannot be built: ${failure}`);
  live.clear();
}
