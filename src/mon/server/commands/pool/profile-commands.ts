/** `osd erasure-code-profile`: how erasure-coded pools cut objects. */
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, OsdErrno, refusal, settled } from '../osd/shared.ts';
import { answer, formatJson, isJson } from '../reply.ts';
import { completeProfile, type Profile, profileOf, sortedProfile } from './erasure-code.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const name = 'name=name,type=CephString,goodchars=[A-Za-z0-9-_.]';

export const profileCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature:
      `osd erasure-code-profile set ${name} name=profile,type=CephString,n=N,req=false ` +
      'name=force,type=CephBool,req=false',
    help: 'a new profile: k=4 m=2 crush-failure-domain=host',
    run: setProfile,
  },
  {
    ...shared,
    permissions: 'r',
    signature: `osd erasure-code-profile get ${name}`,
    help: 'what a profile says',
    run({ args, format, monitor: { osdMap } }) {
      const wanted = args.text('name')!;
      const profile = osdMap.erasureCodeProfiles.get(wanted);
      if (profile === undefined) throw refusal(OsdErrno.ENOENT, `unknown erasure code profile '${wanted}'`);
      if (isJson(format)) return answer(`${formatJson(Object.fromEntries(profile), format)}\n`);
      return answer([...profile].map(([key, value]) => `${key}=${value}\n`).join(''));
    },
  },
  {
    ...shared,
    signature: `osd erasure-code-profile rm ${name}`,
    help: 'remove a profile',
    run: removeProfile,
  },
  {
    ...shared,
    permissions: 'r',
    signature: 'osd erasure-code-profile ls',
    help: 'names of the profiles',
    run({ format, monitor: { osdMap } }) {
      const names = [...osdMap.erasureCodeProfiles.keys()];
      if (isJson(format)) return answer(`${formatJson(names, format)}\n`);
      return answer(names.map((each) => `${each}\n`).join(''));
    },
  },
];

/** Ceph's default with what the operator says; of another plugin than the default's nothing is taken over. */
function readProfile({ args, monitor: { options } }: CommandContext): Profile {
  const given = pairsOf(args.list('profile'));
  for (const property of given.keys()) {
    if (!property.startsWith('ruleset-')) continue;
    const instead = property.replace('ruleset-', 'crush-');
    throw refusal(OsdErrno.EINVAL, `property '${property}' is no longer supported; try '${instead}' instead`);
  }
  const defaults = pairsOf(options.osd_pool_default_erasure_code_profile.split(/\s+/));
  const plugin = given.get('plugin');
  const inherited = plugin === undefined || plugin === defaults.get('plugin') ? defaults : new Map();
  return completeProfile(new Map([...inherited, ...given]));
}

function pairsOf(words: readonly string[]): Map<string, string> {
  return new Map(
    words
      .filter((word) => word !== '')
      .map((word) => {
        const equals = word.indexOf('=');
        return equals < 0
          ? ([word, ''] as const)
          : ([word.slice(0, equals), word.slice(equals + 1)] as const);
      }),
  );
}

function setProfile(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const wanted = args.text('name')!;
  const profile = readProfile(context);
  const existing = profileOf(monitor, wanted);
  if (existing !== undefined && !args.flag('force')) {
    const complete = completeProfile(existing);
    if (profileText(complete) === profileText(profile)) return settled(monitor, '');
    throw refusal(
      OsdErrno.EPERM,
      `will not override erasure code profile ${wanted} because the existing profile ${profileText(complete)} ` +
        `is different from the proposed profile ${profileText(profile)}`,
    );
  }
  const { change } = monitor.pendingOsdMap;
  change.oldErasureCodeProfiles = change.oldErasureCodeProfiles.filter((old) => old !== wanted);
  const profiles = new Map(change.newErasureCodeProfiles);
  profiles.set(wanted, sortedProfile(profile));
  change.newErasureCodeProfiles = profiles;
  return committed(monitor, '');
}

function profileText(profile: Profile): string {
  return `{${[...profile].map(([key, value]) => `${key}=${value}`)}}`;
}

function removeProfile({ args, monitor }: CommandContext): Promise<CommandReply> {
  const wanted = args.text('name')!;
  const users = poolsOf(monitor, wanted);
  if (users.length > 0) {
    throw refusal(
      OsdErrno.EBUSY,
      `${users.join(' ')} pool(s) are using the erasure code profile '${wanted}'`,
    );
  }
  if (profileOf(monitor, wanted) === undefined) {
    return settled(monitor, `erasure-code-profile ${wanted} does not exist`);
  }
  const { change } = monitor.pendingOsdMap;
  const profiles = new Map(change.newErasureCodeProfiles);
  profiles.delete(wanted);
  change.newErasureCodeProfiles = profiles;
  change.oldErasureCodeProfiles.push(wanted);
  return committed(monitor, '');
}

function poolsOf({ pendingOsdMap }: MonitorState, profile: string): string[] {
  return [...pendingOsdMap.poolNames()]
    .filter(([id]) => pendingOsdMap.pool(id)?.erasureCodeProfile === profile)
    .map(([, pool]) => pool);
}
