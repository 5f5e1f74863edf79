/**
 * `npm run bench`: msgr2 beside its peers on this machine, in one run. The peers take turns: in each round
 * every peer is measured once in every scenario, with fresh processes, in an order that moves on from round
 * to round; what is reported is the median over the rounds, and how far the rounds disagree.
 *
 *     npm run bench                                  five rounds, all sizes, all peers that can run here
 *     npm run bench -- --quick                       a first look in half a minute
 *     npm run bench -- --peers async,node:net --sizes 4KiB --rounds 9 --json out.json
 */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { benchSizesBytes } from '../src/cli/bench/command.ts';
import { describeMachine, machineText } from '../src/cli/bench/machine.ts';
import { roundTripLine, throughputLine } from '../src/cli/bench/report.ts';
import type { RoundTripSample, ThroughputSample } from '../src/cli/bench/samples.ts';
import { CliError } from '../src/cli/cli-error.ts';
import { formatCount, formatSize } from '../src/cli/format.ts';
import { LiveLine } from '../src/cli/live-line.ts';
import { byteSize, integer, listOf, seconds } from '../src/cli/values.ts';
import { findPeers, type Peer, type PeerSession } from './peer.ts';
import { runScript } from './script.ts';
import { type PeerResult, ratiosOf, resultTables } from './table.ts';

interface Flags {
  rounds: number;
  seconds: number;
  sizes: number[];
  pingSize: number;
  peers?: string[];
  json?: string;
  quick?: true;
  verbose?: true;
}

/** What `--quick` makes of the plan. */
const quickPlan = { rounds: 1, seconds: 0.4, sizes: [64, 4096, 64 * 1024] } as const;

interface MutableResult extends PeerResult {
  readonly throughput: ThroughputSample[];
  readonly roundTrips: RoundTripSample[];
}

const flags = new Command('npm run bench --')
  .option('--rounds <n>', 'rounds in which the peers take turns', integer(1, 1000), 5)
  .option('--seconds <n>', 'measured time of each figure', seconds(0.01, 3600), 1)
  .option('--sizes <list>', 'payload sizes', listOf(byteSize), [...benchSizesBytes])
  .option('--ping-size <bytes>', 'payload of a ping', byteSize, 64)
  .option('--peers <list>', 'only these, by name', listOf(String))
  .option('--json <file>', 'everything measured, as JSON')
  .option('--quick', `one round of ${quickPlan.seconds} s, fewer sizes`)
  .option('--verbose', 'a line for each figure of each round')
  .parse()
  .opts<Flags>();
const plan = flags.quick ? { ...flags, ...quickPlan, sizes: [...quickPlan.sizes] } : flags;
const live = new LiveLine(process.stdout);
await runScript('npm run bench', live, run);

async function run(): Promise<void> {
  const machine = describeMachine();
  const { peers, missing } = await choosePeers();
  live.print(
    `${peers.length} peers, ${plan.rounds} rounds, two processes each, one connection over loopback`,
  );
  live.print(machineText(machine));
  for (const { name, reason } of missing) live.print(`not measured: ${name} (${reason})`);

  const results: MutableResult[] = peers.map(({ name, title }) => ({
    name,
    title,
    throughput: [],
    roundTrips: [],
  }));
  for (let round = 0; round < plan.rounds; round++) {
    for (let turn = 0; turn < peers.length; turn++) {
      const index = (round + turn) % peers.length;
      await measure(peers[index]!, results[index]!, `round ${round + 1} of ${plan.rounds}`);
    }
    if (!live.isLive && !plan.verbose) live.print(`round ${round + 1} of ${plan.rounds} done`);
  }
  live.print(`\n${resultTables(results, plan.sizes)}`);
  live.print(`\nMedians of ${plan.rounds} rounds; ± is half of what the rounds differ by.`);
  if (plan.json !== undefined) {
    const ratios = ratiosOf(results, plan.sizes);
    const { rounds, seconds: perFigure, sizes, pingSize } = plan;
    const document = { machine, rounds, seconds: perFigure, sizes, pingSize, missing, results, ratios };
    writeFileSync(plan.json, `${JSON.stringify(document, undefined, 2)}\n`);
  }
}

async function measure(peer: Peer, result: MutableResult, round: string): Promise<void> {
  const progress = (what: string) => (messages: number) =>
    live.update(`${round}  ${peer.name}  ${what}: ${formatCount(messages)} messages`);
  live.update(`${round}  ${peer.name}`);
  let session: PeerSession | undefined;
  try {
    session = await peer.start();
    for (const size of plan.sizes) {
      const sample = await session.throughput(size, plan.seconds, progress(formatSize(size)));
      result.throughput.push(sample);
      if (plan.verbose) live.print(throughputLine(peer.name, sample));
    }
    if (session.roundTrips === undefined) return;
    const sample = await session.roundTrips(plan.pingSize, plan.seconds, progress('ping'));
    result.roundTrips.push(sample);
    if (plan.verbose) live.print(roundTripLine(peer.name, sample));
  } catch (error) {
    if (error instanceof CliError) throw new CliError(`${peer.name}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await session?.close();
  }
}

async function choosePeers(): ReturnType<typeof findPeers> {
  const found = await findPeers();
  if (plan.peers === undefined) return found;
  const wanted = plan.peers;
  const unknown = wanted.filter(
    (name) => ![...found.peers, ...found.missing].some((peer) => peer.name === name),
  );
  if (unknown.length > 0) {
    const known = found.peers.map((peer) => peer.name).join(', ');
    throw new CliError(`no peer is named ${unknown.join(', ')}; there are ${known}`, { exitCode: 2 });
  }
  return {
    peers: found.peers.filter((peer) => wanted.includes(peer.name)),
    missing: found.missing.filter((peer) => wanted.includes(peer.name)),
  };
}
