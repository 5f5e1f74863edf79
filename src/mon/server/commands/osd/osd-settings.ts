/** Numbers and releases that hold for the whole map. */
import { minCompatClient } from '../../../../maps/print.ts';
import { Release, releaseName, releaseNames } from '../../../../maps/states.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, done } from '../reply.ts';
import { committed, OsdErrno, refusal } from './shared.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const sure = 'name=yes_i_really_mean_it,type=CephBool,req=false';

/** Words before `ratio`, and the field of the change. */
const ratios = [
  ['full', 'newFullRatio'],
  ['backfillfull', 'newBackfillfullRatio'],
  ['nearfull', 'newNearfullRatio'],
] as const;

export const osdSettingsCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'osd setmaxosd name=newmax,type=CephInt,range=0',
    help: 'how many numbers there are for OSDs',
    run: setMaxOsd,
  },
  ...ratios.map(
    ([name, field]): CommandDefinition => ({
      ...shared,
      signature: `osd set-${name}-ratio name=ratio,type=CephFloat,range=0.0|1.0`,
      help: `share of its space from which on an OSD is ${name}`,
      run({ args, monitor }) {
        const ratio = args.number('ratio')!;
        monitor.pendingOsdMap.change[field] = Math.fround(ratio);
        return committed(monitor, `osd set-${name}-ratio ${ratio}`);
      },
    }),
  ),
  {
    ...shared,
    signature:
      'osd require-osd-release name=release,type=CephChoices,strings=luminous|mimic|nautilus|octopus|pacific ' +
      sure,
    help: 'the oldest release that OSDs may be of',
    run: requireRelease,
  },
  {
    ...shared,
    permissions: 'r',
    signature: 'osd get-require-min-compat-client',
    help: 'the oldest release that clients may be of',
    // Plain whatever is asked for: so does Ceph.
    run: ({ monitor: { osdMap } }) => answer(`${releaseName(osdMap.requireMinCompatClient)}\n`),
  },
  {
    ...shared,
    signature: `osd set-require-min-compat-client name=version,type=CephString ${sure}`,
    help: 'refuse clients of older releases',
    run: requireClient,
  },
];

function setMaxOsd({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { pendingOsdMap } = monitor;
  const count = args.number('newmax')!;
  if (count > monitor.options.mon_max_osd) {
    throw refusal(
      OsdErrno.ERANGE,
      `cannot set max_osd to ${count} which is > conf.mon_max_osd (${monitor.options.mon_max_osd})`,
    );
  }
  for (let osd = count; osd < pendingOsdMap.maxOsd; osd++) {
    if (pendingOsdMap.exists(osd)) {
      throw refusal(
        OsdErrno.EBUSY,
        `cannot shrink max_osd to ${count} because osd.${osd} (and possibly others) still in use`,
      );
    }
  }
  pendingOsdMap.change.newMaxOsd = count;
  return committed(monitor, `set new max_osd = ${count}`);
}

/** Releases only go up, and only the next two of what there is. */
function requireRelease({ args, monitor }: CommandContext): CommandReply | Promise<CommandReply> {
  const release = releaseNames.indexOf(args.text('release') as never);
  const { osdMap, pendingOsdMap } = monitor;
  if (osdMap.requireOsdRelease === release) return done('');
  if (release < osdMap.requireOsdRelease) {
    throw refusal(OsdErrno.EPERM, 'require_osd_release cannot be lowered once it has been set');
  }
  if (release < Release.octopus) {
    throw refusal(OsdErrno.EPERM, 'not supported for this release');
  }
  pendingOsdMap.change.newRequireOsdRelease = release;
  return committed(monitor, '');
}

function requireClient({ args, monitor }: CommandContext): Promise<CommandReply> {
  const version = args.text('version')!;
  const release = releaseNames.indexOf(version as never);
  if (release <= Release.unknown) throw refusal(OsdErrno.EINVAL, `version ${version} is not recognized`);
  const needed = minCompatClient(monitor.pendingOsdMap.preview());
  if (needed > release) {
    throw refusal(
      OsdErrno.EPERM,
      `osdmap current utilizes features that require ${releaseName(needed)}; cannot set require_min_compat_client below that to ${version}`,
    );
  }
  monitor.pendingOsdMap.change.newRequireMinCompatClient = release;
  return committed(monitor, `set require_min_compat_client to ${version}`);
}
