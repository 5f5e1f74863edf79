/** `msgr2 ping`: ping(8) for the heartbeat servers of an OSD. */
import { Command, Option } from 'commander';
import { ConnectionMode } from '../../auth/auth.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import { addClusterFlags, type ClusterFlags, formatOption } from '../cluster/flags.ts';
import { LiveLine } from '../live-line.ts';
import { integer, messengerOption, oneOf, seconds } from '../values.ts';
import { Pinger, type PingObserver, type PingSummary } from './pinger.ts';
import { type PingPlan, type PlannedTarget, planPing } from './plan.ts';
import { replyLine, summaryText } from './report.ts';

/** `-o` goes to the pinger's messenger, and with it to the monitor client. */
export interface PingFlags extends Omit<ClusterFlags, 'option'> {
  /** Of `-c`: a count or a file. */
  c?: number | string;
  fsid?: string;
  epoch?: number;
  from?: string;
  network: 'front' | 'back' | 'both';
  count?: number;
  interval: number;
  size: number;
  window?: number;
  timeout: number;
  quiet?: true;
  verbose?: true;
  json?: true;
  format?: string;
  transport: TransportName;
  option?: Partial<Options>;
}

/** Pings that an unanswering OSD may leave behind at the default interval before the sender waits. */
const windowDefault = 1024;
const windowMax = 65_536;
const liveIntervalMs = 200;

const examples = `
Examples:
  msgr2 ping osd.3 --count 10                 front and back, by the cluster of ceph.conf
  msgr2 ping osd.3 --network back --interval 0
  msgr2 ping v2:127.0.1.10:6801/1234 --fsid 2f8e… --epoch 20 --from osd.1     without a monitor`;

export function pingCommand(): Command {
  const command = new Command('ping')
    .description("ping an OSD's heartbeat servers, as another OSD does")
    .argument('<osd>', 'osd.N, or the address v2:IP:PORT/NONCE of its front or back heartbeat server')
    .option('--network <name>', 'of osd.N: front, back or both', oneOf('front', 'back', 'both'), 'both')
    .option('--fsid <uuid>', "the cluster's fsid; an OSD ignores any other (default: the cluster's)")
    .option('--epoch <n>', "the OSDMap epoch to show (default: the cluster's)", integer(1, 0xffffffff))
    .option(
      '--from <osd.N>',
      'the OSD to ping as: one that is up (default: that of --name, else another one of the cluster)',
    )
    .option('--count <n>', 'stop after so many pings', integer(1))
    .addOption(
      new Option('-c <n|file>', 'a whole number: as --count; else as --conf').argParser((text) =>
        /^\d+$/.test(text) ? integer(1)(text) : text,
      ),
    )
    .option(
      '-i, --interval <seconds>',
      'between two pings; 0: as fast as the window allows',
      seconds(0, 3600),
      1,
    )
    .option(
      '-s, --size <bytes>',
      'pad as osd_heartbeat_min_size does; 0: not at all',
      integer(0, 1 << 20),
      2000,
    )
    .option(
      '-w, --window <n>',
      `pings under way at most (default: 1 with an interval of 0, else ${windowDefault})`,
      integer(1, windowMax),
    )
    .option('-W, --timeout <seconds>', 'an answer that takes longer is lost', seconds(0.001, 3600), 10)
    .option('-q, --quiet', 'only the summary')
    .option('-v, --verbose', 'a line for each reply, also with an interval of 0')
    .addOption(formatOption('plain', 'json', 'json-pretty'))
    .option('--json', 'the same as --format json: only the summary')
    .option('--transport <name>', 'auto, async or simple', oneOf('auto', 'async', 'simple'), 'auto')
    .option(
      '-o, --option <name=value>',
      "an option of the messenger, by Ceph's name; repeatable",
      messengerOption,
    );
  return addClusterFlags(command, { without: ['-c', '--option'] })
    .addHelpText('after', examples)
    .action((target: string, flags: PingFlags) => ping(target, flags));
}

async function ping(target: string, { c, ...given }: PingFlags): Promise<void> {
  const flags: PingFlags = {
    ...given,
    ...(typeof c === 'number' ? { count: c } : typeof c === 'string' ? { conf: c } : {}),
    ...(given.format?.startsWith('json') ? { json: true } : {}),
  };
  await using plan = await planPing(target, flags);
  const live = new LiveLine(process.stdout);
  const pingers = plan.targets.map((planned) => makePinger(plan, planned, flags, live));
  const showsProgress = flags.interval === 0 && !flags.json;
  const summaries = await runUntilSignal(pingers, showsProgress ? live : undefined);
  if (flags.json) {
    const told = summaries.length === 1 ? summaries[0] : summaries;
    process.stdout.write(`${JSON.stringify(told, undefined, 2)}\n`);
  } else for (const summary of summaries) live.print(summaryText(summary));
  if (summaries.some(({ received }) => received === 0)) process.exitCode = 1;
}

/** One pinger, and what it prints while it runs. */
function makePinger(plan: PingPlan, planned: PlannedTarget, flags: PingFlags, live: LiveLine): Pinger {
  const { addr, network } = planned;
  const isFlood = flags.interval === 0;
  const showsReplies = !flags.json && (flags.verbose || (!flags.quiet && !isFlood));
  let peer = plan.peer;
  const print = (line: string): void => {
    if (!flags.json) live.print(line);
  };
  const observer: PingObserver = {
    connected(connection, messenger) {
      peer = [connection.peerName, ...(network === undefined ? [] : [network])].join(' ');
      print(
        `PING ${peer} (${addr}) as ${plan.from} (${messenger.myAddrs}), ${messenger.transport.name} messenger, ${modeOf(connection)} mode`,
      );
    },
    ...(showsReplies
      ? {
          reply: (seq: number, bytes: number, ms: number) =>
            print(replyLine(peer, String(addr), seq, bytes, ms)),
        }
      : {}),
    lost: (seq) => {
      if (!flags.quiet) print(`no reply from ${peer} within ${flags.timeout} s: ping_seq=${seq}`);
    },
    unmatched: (kind) => {
      if (!flags.quiet) print(`a reply from ${peer} is ${kindWords[kind]}`);
    },
    youDied: onceOnly((mapEpoch: number) =>
      print(
        `${peer} says YOU_DIED: its OSDMap (epoch ${mapEpoch}) has no ${plan.from}, or had it down after epoch ${plan.epoch}`,
      ),
    ),
    disconnected: () => print(`the connection to ${peer} broke; connecting again`),
  };
  return new Pinger(
    {
      target: addr,
      ...(network === undefined ? {} : { network }),
      fsid: plan.fsid,
      mapEpoch: plan.epoch,
      from: plan.from,
      count: flags.count ?? Number.POSITIVE_INFINITY,
      intervalMs: flags.interval * 1000,
      window: flags.window ?? (isFlood ? 1 : windowDefault),
      timeoutMs: flags.timeout * 1000,
      minMessageSize: flags.size,
      transport: flags.transport,
      options: { ...plan.options, ...flags.option },
      ...(plan.auth === undefined ? {} : { auth: plan.auth }),
    },
    observer,
  );
}

function modeOf({ auth }: Connection): string {
  return auth?.connectionMode === ConnectionMode.Secure ? 'secure' : 'crc';
}

const kindWords = {
  duplicate: 'a duplicate',
  late: 'too late',
  unknown: 'to no ping of ours',
} as const;

/** The first SIGINT or SIGTERM ends the pings and leads to the summary; a second one ends the process. */
async function runUntilSignal(
  pingers: readonly Pinger[],
  live: LiveLine | undefined,
): Promise<PingSummary[]> {
  const stop = (): void => {
    for (const pinger of pingers) pinger.stop();
  };
  const progress = (): void => {
    const received = pingers.reduce((sum, pinger) => sum + pinger.received, 0);
    const sent = pingers.reduce((sum, pinger) => sum + pinger.sent, 0);
    live?.update(`${received} of ${sent} answered`);
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  const timer = live?.isLive === true ? setInterval(progress, liveIntervalMs) : undefined;
  const runs = pingers.map((pinger) => pinger.run());
  try {
    return await Promise.all(runs);
  } catch (error) {
    // One network fails: the other one's pinger must not hold the process.
    stop();
    await Promise.allSettled(runs);
    throw error;
  } finally {
    clearInterval(timer);
    for (const signal of signals) process.off(signal, stop);
  }
}

function onceOnly<Argument>(body: (argument: Argument) => void): (argument: Argument) => void {
  let isDone = false;
  return (argument) => {
    if (isDone) return;
    isDone = true;
    body(argument);
  };
}
