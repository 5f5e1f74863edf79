/** What an operator forbids: for the whole cluster, for single OSDs, below a bucket, or of a device class. */
import { keyOf } from '../../../../maps/crush/edit.ts';
import { OsdState, osdMapFlagNames } from '../../../../maps/states.ts';
import type { MonitorState } from '../../monitor-state.ts';
import { hasMapFlag } from '../../osdmap/osd-flags.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, isEverything, namedOsds, OsdErrno, parseOsdId, refusal } from './shared.ts';

const settable = [
  'full',
  'pause',
  'noup',
  'nodown',
  'noout',
  'noin',
  'nobackfill',
  'norebalance',
  'norecover',
  'noscrub',
  'nodeep-scrub',
  'notieragent',
  'nosnaptrim',
];
/** Taken for granted since Nautilus; it can be set and not taken back. */
const hardLimit = 'pglog_hardlimit';
const sure = 'name=yes_i_really_mean_it,type=CephBool,req=false';
const shared = { module: 'osd', permissions: 'rw' } as const;

const groupFlags = ['noup', 'nodown', 'noin', 'noout'] as const;
type GroupFlag = (typeof groupFlags)[number];

export const osdFlagCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'osd pause',
    help: 'no reads and writes',
    run: (context) => change(context, 'pause', true),
  },
  {
    ...shared,
    signature: 'osd unpause',
    help: 'reads and writes again',
    run: (context) => change(context, 'pause', false),
  },
  {
    ...shared,
    signature: `osd set name=key,type=CephChoices,strings=${[...settable, hardLimit].join('|')} ${sure}`,
    help: 'set a flag of the cluster',
    run: (context) => change(context, context.args.text('key')!, true),
  },
  {
    ...shared,
    signature: `osd unset name=key,type=CephChoices,strings=${settable.join('|')}`,
    help: 'clear a flag of the cluster',
    run: (context) => change(context, context.args.text('key')!, false),
  },
  ...(['set', 'unset'] as const).map(
    (verb): CommandDefinition => ({
      ...shared,
      signature: `osd ${verb}-group name=flags,type=CephString name=who,type=CephString,n=N`,
      help: `${verb} noup, nodown, noin, noout of OSDs, buckets or device classes`,
      run: (context) => changeGroup(context, verb === 'set'),
    }),
  ),
  ...groupFlags.flatMap((flag) =>
    (['add', 'rm'] as const).map(
      (verb): CommandDefinition => ({
        ...shared,
        signature: `osd ${verb}-${flag} name=ids,type=CephString,n=N`,
        help: `${flag} of single OSDs`,
        flags: 4,
        run: (context) => changeOsds(context, flag, verb === 'add'),
      }),
    ),
  ),
];

/** `pause` is two bits. */
function bitsOf(key: string): { readonly bits: number; readonly name: string } {
  const names = key === 'pause' ? ['pauserd', 'pausewr'] : [key];
  const bits = osdMapFlagNames
    .filter(([, name]) => names.includes(name))
    .reduce((all, [bit]) => all | (1 << bit), 0);
  return { bits, name: names.join(',') };
}

function change({ args, monitor }: CommandContext, key: string, isSet: boolean): Promise<CommandReply> {
  // Not a flag of maps any more, though the tool still offers it.
  if (key === 'full') throw refusal(OsdErrno.EINVAL, `unrecognized flag '${key}'`);
  if (key === hardLimit && !anyUp(monitor) && !args.flag('yes_i_really_mean_it')) {
    throw refusal(
      OsdErrno.EPERM,
      'Not advisable to continue since no OSDs are up. Pass --yes-i-really-mean-it if you really wish to continue.',
    );
  }
  const { bits, name } = bitsOf(key);
  monitor.pendingOsdMap.setFlags(isSet ? bits : 0, isSet ? 0 : bits);
  return committed(monitor, `${name} is ${isSet ? 'set' : 'unset'}`);
}

function anyUp({ pendingOsdMap }: MonitorState): boolean {
  for (let osd = 0; osd < pendingOsdMap.maxOsd; osd++) if (pendingOsdMap.isUp(osd)) return true;
  return false;
}

function changeOsds(
  { args, monitor }: CommandContext,
  flag: GroupFlag,
  isSet: boolean,
): Promise<CommandReply> {
  const { ids } = namedOsds(monitor.osdMap, args.list('ids'), (error) =>
    refusal(OsdErrno.EINVAL, `${error}, unable to parse osd id`),
  );
  let message = '';
  for (const osd of ids) message += changeOsd(monitor, osd, OsdState[flag], isSet);
  return committed(monitor, message);
}

/** What there is to say of it. */
function changeOsd({ pendingOsdMap }: MonitorState, osd: number, bits: number, isSet: boolean): string {
  if (!pendingOsdMap.exists(osd)) return `osd.${osd} does not exist. `;
  pendingOsdMap.changeState(osd, isSet ? bits : 0, isSet ? 0 : bits);
  return '';
}

/** Flags and groups by their names; a name is an OSD, else a bucket, else a device class. */
function changeGroup({ args, monitor }: CommandContext, isSet: boolean): Promise<CommandReply> {
  const names = args
    .text('flags')!
    .split(/[,; \t]+/)
    .filter((name) => name !== '');
  let bits = 0;
  for (const name of names) {
    if (!groupFlags.includes(name as GroupFlag)) {
      throw refusal(OsdErrno.EINVAL, `unrecognized flag '${name}', must be one of {${groupFlags}}`);
    }
    bits |= OsdState[name as GroupFlag];
  }
  if (bits === 0)
    throw refusal(OsdErrno.EINVAL, 'must specify flag(s) {noup,nodwon,noin,noout} to set/unset');
  const who = args.list('who');
  let message = '';
  if (isEverything(who)) {
    for (const name of names) {
      const { bits: mapBits } = bitsOf(name);
      if (hasMapFlag(monitor.osdMap, name) !== isSet) {
        monitor.pendingOsdMap.setFlags(isSet ? mapBits : 0, isSet ? 0 : mapBits);
      }
    }
    return committed(monitor, message);
  }
  const members = who.map((name) => memberOf(monitor, name));
  for (const changeMember of members) message += changeMember(bits, isSet);
  return committed(monitor, message);
}

/** How the flags of a member are changed. @throws MsgrError before anything is, when there is no such member */
function memberOf(monitor: MonitorState, name: string): (bits: number, isSet: boolean) => string {
  const { pendingOsdMap } = monitor;
  const osd = parseOsdId(name);
  if (typeof osd === 'number') return (bits, isSet) => changeOsd(monitor, osd, bits, isSet);
  const { base, change: pending, crush } = pendingOsdMap;
  const bucket = keyOf(crush.names, name);
  const deviceClass = keyOf(crush.classNames, name);
  const target =
    bucket !== undefined
      ? { id: bucket, pending: pending.newCrushNodeFlags, committed: base.crushNodeFlags }
      : deviceClass !== undefined
        ? { id: deviceClass, pending: pending.newDeviceClassFlags, committed: base.deviceClassFlags }
        : undefined;
  if (target === undefined) {
    throw refusal(OsdErrno.EINVAL, `unable to parse osd id or crush node or device class: "${name}". `);
  }
  return (bits, isSet) => {
    const old = target.pending.get(target.id) ?? target.committed.get(target.id) ?? 0;
    const wanted = isSet ? old | bits : old & ~bits;
    if (wanted !== old) target.pending.set(target.id, wanted);
    return '';
  };
}
