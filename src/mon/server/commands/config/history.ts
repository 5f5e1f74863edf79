/** What was configured when, and back again. */
import { Errno } from '../../../../auth/errno.ts';
import { utimeFromMs, utimeToString } from '../../../../wire/utime.ts';
import type { ConfigVersion } from '../../config/config-history.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, done, failed, formatJson, isJson } from '../reply.ts';

export const configHistoryCommands: readonly CommandDefinition[] = [
  {
    signature: 'config log name=num,type=CephInt,req=False',
    help: 'the last changes of options',
    module: 'config',
    permissions: 'r',
    run({ args, format, monitor }) {
      const count = Math.max(0, args.number('num') ?? 10);
      const newest = monitor.config.history.toReversed().slice(0, count);
      return answer(
        isJson(format) ? formatJson(newest.map(versionJson), format) : newest.map(versionText).join(''),
      );
    },
  },
  {
    signature: 'config reset name=num,type=CephInt,range=0',
    help: 'make all options as they were in a version of the log',
    module: 'config',
    permissions: 'rw',
    async run({ args, monitor }) {
      if (await monitor.config.resetTo(args.number('num')!)) return done();
      return failed(
        Errno.EINVAL,
        `version ${args.number('num')} is not in the log of changes; see 'ceph config log'`,
      );
    },
  },
];

function stampText({ stampMs }: ConfigVersion): string {
  return utimeToString(utimeFromMs(stampMs));
}

function versionText(version: ConfigVersion): string {
  const name = version.name === '' ? '' : ` ${version.name} ---`;
  const lines = version.changes.flatMap(({ after, before, key }) => [
    ...(before === undefined ? [] : [`- ${key} = ${before}\n`]),
    ...(after === undefined ? [] : [`+ ${key} = ${after}\n`]),
  ]);
  return `--- ${version.version} --- ${stampText(version)} ---${name}\n${lines.join('')}`;
}

function versionJson(version: ConfigVersion): object {
  return {
    version: version.version,
    timestamp: stampText(version),
    name: version.name,
    changes: version.changes.map(({ after, before, key }) => ({
      name: key,
      previous_value: before,
      new_value: after,
    })),
  };
}
