/** `msgr2 ping`: ping(8) for an OSD's heartbeat server. */
import { Command } from 'commander';
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import { EntityName, EntityType } from '../../wire/entity-name.ts';
import { Uuid } from '../../wire/uuid.ts';
import { CliError } from '../cli-error.ts';
import { LiveLine } from '../live-line.ts';
import { integer, messengerOption, oneOf, seconds } from '../values.ts';
import { Pinger, type PingObserver, type PingSummary } from './pinger.ts';
import { replyLine, summaryText } from './report.ts';
import { parseTarget } from './target.ts';

interface PingFlags {
  fsid?: string;
  epoch?: number;
  from?: string;
  count?: number;
  interval: number;
  size: number;
  window?: number;
  timeout: number;
  quiet?: true;
  verbose?: true;
  json?: true;
  transport: TransportName;
  option?: Partial<Options>;
}

/** Pings that an unanswering OSD may leave behind at the default interval before the sender waits. */
const windowDefault = 1024;
const windowMax = 65_536;
const liveIntervalMs = 200;

export function pingCommand(): Command {
  return new Command('ping')
    .description("ping an OSD's heartbeat server, as another OSD does")
    .argument('<address>', "v2:IP:PORT/NONCE of the OSD's front or back heartbeat server ('ceph osd dump')")
    .option('--fsid <uuid>', "the cluster's fsid ('ceph fsid'); an OSD ignores any other")
    .option('--epoch <n>', "the OSDMap epoch to show ('ceph osd dump', first line)", integer(1, 0xffffffff))
    .option('--from <osd.N>', 'the OSD to ping as: one that the map has; another is told YOU_DIED')
    .option('-c, --count <n>', 'stop after so many pings', integer(1))
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
    .option('--json', 'only the summary, as JSON')
    .option('--transport <name>', 'auto, async or simple', oneOf('auto', 'async', 'simple'), 'auto')
    .option(
      '-o, --option <name=value>',
      "an option of the messenger, by Ceph's name; repeatable",
      messengerOption,
    )
    .action((address: string, flags: PingFlags) => ping(address, flags));
}

async function ping(address: string, flags: PingFlags): Promise<void> {
  const target = parseTarget(address);
  const { fsid, epoch, from } = requiredOf(flags);
  const live = new LiveLine(process.stdout);
  const isFlood = flags.interval === 0;
  const showsReplies = !flags.json && (flags.verbose || (!flags.quiet && !isFlood));
  const name = { peer: 'osd' };
  const print = (line: string): void => {
    if (!flags.json) live.print(line);
  };
  const onReply = (seq: number, bytes: number, ms: number): void =>
    print(replyLine(name.peer, String(target), seq, bytes, ms));
  const observer: PingObserver = {
    connected(connection, messenger) {
      name.peer = String(connection.peerName);
      print(
        `PING ${name.peer} (${target}) as ${from} (${messenger.myAddrs}), ${messenger.transport.name} messenger`,
      );
    },
    ...(showsReplies ? { reply: onReply } : {}),
    lost: (seq) => {
      if (!flags.quiet) print(`no reply from ${name.peer} within ${flags.timeout} s: ping_seq=${seq}`);
    },
    unmatched: (kind) => {
      if (!flags.quiet) print(`a reply from ${name.peer} is ${kindWords[kind]}`);
    },
    youDied: onceOnly((mapEpoch: number) =>
      print(
        `${name.peer} says YOU_DIED: its OSDMap (epoch ${mapEpoch}) has no ${from}, or had it down after epoch ${epoch}`,
      ),
    ),
    disconnected: () => print(`the connection to ${name.peer} broke; connecting again`),
  };
  const pinger = new Pinger(
    {
      target,
      fsid,
      mapEpoch: epoch,
      from,
      count: flags.count ?? Number.POSITIVE_INFINITY,
      intervalMs: flags.interval * 1000,
      window: flags.window ?? (isFlood ? 1 : windowDefault),
      timeoutMs: flags.timeout * 1000,
      minMessageSize: flags.size,
      transport: flags.transport,
      ...(flags.option === undefined ? {} : { options: flags.option }),
    },
    observer,
  );
  const summary = await runUntilSignal(pinger, isFlood && !flags.json ? live : undefined);
  if (flags.json) process.stdout.write(`${JSON.stringify(summary, undefined, 2)}\n`);
  else live.print(summaryText(summary));
  if (summary.received === 0) process.exitCode = 1;
}

const kindWords = {
  duplicate: 'a duplicate',
  late: 'too late',
  unknown: 'to no ping of ours',
} as const;

/** The first SIGINT or SIGTERM ends the pings and leads to the summary; a second one ends the process. */
async function runUntilSignal(pinger: Pinger, live: LiveLine | undefined): Promise<PingSummary> {
  const stop = (): void => pinger.stop();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, stop);
  const timer =
    live?.isLive === true
      ? setInterval(() => live.update(`${pinger.received} of ${pinger.sent} answered`), liveIntervalMs)
      : undefined;
  try {
    return await pinger.run();
  } finally {
    clearInterval(timer);
    for (const signal of signals) process.off(signal, stop);
  }
}

/** What an OSD must be told, from the options that stand for a ceph.conf until one is read. */
function requiredOf({ fsid, epoch, from }: PingFlags): { fsid: Uuid; epoch: number; from: EntityName } {
  const missing = Object.entries({ '--fsid': fsid, '--epoch': epoch, '--from': from })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  if (fsid === undefined || epoch === undefined || from === undefined) {
    throw new CliError(
      `${missing.join(', ')} missing: an OSD answers only pings that carry its cluster's fsid, an OSDMap epoch and the id of an OSD, all in the output of 'ceph osd dump'`,
      { exitCode: 2 },
    );
  }
  const name = EntityName.parse(from);
  if (name.type !== EntityType.Osd || name.num < 0n) {
    throw new CliError(`--from ${from}: heartbeats come from an OSD, such as osd.1`, { exitCode: 2 });
  }
  return { fsid: Uuid.parse(fsid), epoch, from: name };
}

function onceOnly<Argument>(body: (argument: Argument) => void): (argument: Argument) => void {
  let isDone = false;
  return (argument) => {
    if (isDone) return;
    isDone = true;
    body(argument);
  };
}
