/** The cluster log. */
import { type LogEntry, LogPriority } from '../../../../wire/log-entry.ts';
import { utimeFromMs, utimeToString } from '../../../../wire/utime.ts';
import type { CommandDefinition } from '../command.ts';
import { addrJson } from '../mon/mon-map.ts';
import { answer, done, formatJson, isJson } from '../reply.ts';

export const logCommands: readonly CommandDefinition[] = [
  {
    signature: 'log name=logtext,type=CephString,n=N',
    help: 'write a line to the cluster log',
    module: 'mon',
    permissions: 'rw',
    async run({ args, monitor, session }) {
      monitor.log.add({
        name: session.entity,
        rank: session.connection.peerName,
        addrs: session.addrs,
        stamp: utimeFromMs(monitor.wallMs()),
        seq: 0n,
        priority: LogPriority.Info,
        message: args.list('logtext').join(' '),
        channel: 'cluster',
      });
      await monitor.propose();
      return done();
    },
  },
  {
    signature:
      'log last name=num,type=CephInt,range=1,req=false ' +
      'name=level,type=CephChoices,strings=debug|info|sec|warn|error,req=false ' +
      'name=channel,type=CephChoices,strings=*|cluster|audit|cephadm,req=false',
    help: 'the last lines of the cluster log',
    module: 'mon',
    permissions: 'r',
    run({ args, format, monitor }) {
      const count = args.number('num') ?? 20;
      const level = levels[args.text('level') ?? 'info']!;
      const channel = args.text('channel') ?? 'cluster';
      const entries = monitor.log.entries
        .filter((entry) => entry.priority >= level && (channel === '*' || entry.channel === channel))
        .slice(-count);
      if (isJson(format)) return answer(formatJson(entries.map(entryJson), format));
      return answer(entries.map((entry) => `${entryText(entry)}\n`).join(''));
    },
  },
];

const levels: Readonly<Record<string, number>> = {
  debug: LogPriority.Debug,
  info: LogPriority.Info,
  sec: LogPriority.Security,
  warn: LogPriority.Warning,
  error: LogPriority.Error,
};

const priorityTexts = ['[DBG]', '[INF]', '[SEC]', '[WRN]', '[ERR]'];

function priorityText(priority: number): string {
  return priorityTexts[priority] ?? '[???]';
}

function entryJson({ addrs, channel, message, name, priority, rank, seq, stamp }: LogEntry): object {
  return {
    name,
    rank,
    addrs: { addrvec: addrs.addrs.map(addrJson) },
    stamp: utimeToString(stamp),
    seq,
    channel,
    priority: priorityText(priority),
    message,
  };
}

export function entryText({ channel, message, name, priority, rank, seq, stamp }: LogEntry): string {
  return `${utimeToString(stamp)} ${name} (${rank}) ${seq} : ${channel} ${priorityText(priority)} ${message}`;
}
