/**
 * Commands to this monitor itself rather than to the cluster: `ceph tell mon.a COMMAND`. They need
 * everything that there is of `mon`.
 */
import { optionNamed, parseOption } from '../../../config/option-text.ts';
import { ErrorCode, MsgrError } from '../../../errors.ts';
import { daemonVersion, spokenRelease, spokenVersion } from '../../../version.ts';
import type { MonitorState } from '../monitor-state.ts';
import type { MonSession } from '../session.ts';
import type { CommandDefinition } from './command.ts';
import { featureMap } from './mon/daemons.ts';
import { addrJson, monStatus } from './mon/mon-map.ts';
import { answer, formatJson } from './reply.ts';
import { healthJson } from './status/health.ts';

const shared = { module: 'mon', permissions: 'rwx' } as const;

export const tellCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'version',
    help: 'which version runs',
    run: ({ format }) =>
      answer(
        formatJson(
          {
            version: spokenVersion,
            release: spokenRelease,
            release_type: 'stable',
            implementation: daemonVersion().version,
          },
          format,
        ),
      ),
  },
  {
    ...shared,
    signature: 'mon_status',
    help: 'the state of this monitor',
    run: ({ format, monitor }) => answer(formatJson(monStatus(monitor, featureMap(monitor)), format)),
  },
  {
    ...shared,
    signature: 'sessions',
    help: 'who is connected',
    run: ({ format, monitor }) => answer(formatJson([...monitor.sessions].map(sessionJson), format)),
  },
  {
    ...shared,
    signature: 'config get name=var,type=CephString',
    help: 'the value that one of the options of this monitor has',
    run({ args, format, monitor }) {
      const text = args.text('var')!;
      const name = optionNamed(text);
      if (name === undefined) throw unknownOption(text);
      return answer(formatJson({ [name]: String(monitor.options[name]) }, format));
    },
  },
  {
    ...shared,
    signature: 'injectargs name=injected_args,type=CephString,n=N',
    help: 'check options as they would be given; this monitor takes them only when it starts',
    run({ args }) {
      for (const text of args.list('injected_args').flatMap((part) => part.split(/\s+/))) {
        const match = /^--([^=]+)=(.*)$/s.exec(text);
        const name = optionNamed(match?.[1] ?? text.replace(/^--/, ''));
        if (name === undefined) throw unknownOption(text);
        if (match !== null) parseOption(name, match[2]!);
      }
      throw new MsgrError(
        ErrorCode.InvalidArgument,
        'this monitor takes its options when it starts: set them in its ceph.conf and start it again',
      );
    },
  },
];

function unknownOption(text: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, `this monitor has no option ${text}`);
}

function sessionJson({ addrs, caps, connection, entity, globalId, osdEpoch }: MonSession): object {
  return {
    name: String(connection.peerName),
    entity_name: String(entity),
    addrs: { addrvec: addrs.addrs.map(addrJson) },
    con_features: connection.features,
    con_features_hex: connection.features.toString(16),
    open: true,
    caps: { text: caps.text },
    authenticated: true,
    global_id: globalId,
    osd_epoch: osdEpoch,
  };
}

/** What `ceph ping mon.a` shows. */
export function pongText(monitor: MonitorState): string {
  return formatJson(
    { health: healthJson(monitor.health.health, false), mon_status: monStatus(monitor, featureMap(monitor)) },
    'json-pretty',
  );
}
