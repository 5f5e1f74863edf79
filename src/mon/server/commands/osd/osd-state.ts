/** Operators mark OSDs down, out, in, and weigh them. */
import { defaultPrimaryAffinity, osdIn, osdOut } from '../../../../maps/osdmap.ts';
import { formatDecimal } from '../../../../maps/print.ts';
import { OsdState } from '../../../../maps/states.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, isEverything, namedOsds, OsdErrno, parseOsdId, refusal, settled } from './shared.ts';

const ids = 'name=ids,type=CephString,n=N';
const sure = 'name=yes_i_really_mean_it,type=CephBool,req=false';
const shared = { module: 'osd', permissions: 'rw' } as const;

export const osdStateCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: `osd down ${ids} name=definitely_dead,type=CephBool,req=false`,
    help: 'mark OSDs down; those that live say so and come up again',
    run: (context) => markEach(context, markDown),
  },
  {
    ...shared,
    signature: `osd stop ${ids}`,
    help: 'end the daemons of OSDs',
    run: (context) => markEach(context, stop),
  },
  {
    ...shared,
    signature: `osd out ${ids}`,
    help: 'take OSDs out: their data moves to others',
    run: (context) => markEach(context, markOut),
  },
  {
    ...shared,
    signature: `osd in ${ids}`,
    help: 'bring OSDs in again',
    run: (context) => markEach(context, markIn),
  },
  {
    ...shared,
    signature: 'osd reweight name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0|1.0',
    help: 'the share of its data that an OSD takes, from 0 to 1',
    run: reweight,
  },
  {
    ...shared,
    signature: 'osd reweightn name=weights,type=CephString',
    help: 'shares of many OSDs, as JSON: {"<id>": <weight times 65536>}',
    run: reweightMany,
  },
  {
    ...shared,
    signature: 'osd primary-affinity name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0|1.0',
    help: 'how readily an OSD is primary, from 0 to 1',
    run: primaryAffinity,
  },
  {
    ...shared,
    signature: `osd lost name=id,type=CephOsdName ${sure}`,
    help: 'declare the data of an OSD lost',
    run: lost,
  },
];

interface Mark {
  /** What the operator is told; nothing needs to change when `isDone`. */
  readonly message: string;
  readonly isDone?: boolean;
}

/** Words that are no OSD do not keep the others from being marked. */
async function markEach(
  context: CommandContext,
  mark: (context: CommandContext, osd: number) => Mark,
): Promise<CommandReply> {
  const { args, monitor } = context;
  const words = args.list('ids');
  const areAll = isEverything(words);
  const named = areAll ? namedOsds(monitor.osdMap, words).ids : words;
  let message = '';
  let errno = 0;
  let isChanged = false;
  for (const word of named) {
    const osd = typeof word === 'number' ? word : parseOsdId(word);
    if (typeof osd !== 'number') {
      message += `${osd.error}invalid osd id-1`;
      errno = OsdErrno.EINVAL;
    } else if (!monitor.pendingOsdMap.exists(osd)) {
      message += `osd.${osd} does not exist. `;
    } else {
      const { isDone = false, message: own } = mark(context, osd);
      if (!isDone || !areAll) message += own;
      isChanged ||= !isDone;
    }
  }
  const { message: text } = await (isChanged ? committed(monitor, message) : settled(monitor, message));
  return { result: errno === 0 ? 0 : -errno, message: text ?? '' };
}

function markDown({ args, monitor: { pendingOsdMap } }: CommandContext, osd: number): Mark {
  if (!pendingOsdMap.isUp(osd)) return { message: `osd.${osd} is already down. `, isDone: true };
  pendingOsdMap.markDown(osd);
  if (args.flag('definitely_dead'))
    pendingOsdMap.changeXinfo(osd, { deadEpoch: pendingOsdMap.base.epoch + 1 });
  return { message: `marked down osd.${osd}. ` };
}

function stop({ monitor: { pendingOsdMap } }: CommandContext, osd: number): Mark {
  if ((pendingOsdMap.state(osd) & OsdState.stop) !== 0) {
    return { message: `osd.${osd} is already stopped. `, isDone: true };
  }
  pendingOsdMap.changeState(osd, OsdState.stop, 0);
  return { message: `stop down osd.${osd}. ` };
}

function markOut({ monitor: { pendingOsdMap } }: CommandContext, osd: number): Mark {
  if (!pendingOsdMap.isIn(osd)) return { message: `osd.${osd} is already out. `, isDone: true };
  pendingOsdMap.changeXinfo(osd, { oldWeight: pendingOsdMap.weight(osd) });
  pendingOsdMap.setWeight(osd, osdOut);
  return { message: `marked out osd.${osd}. ` };
}

/** With the weight that it had before it was marked out. */
function markIn({ monitor: { pendingOsdMap } }: CommandContext, osd: number): Mark {
  if (pendingOsdMap.isIn(osd)) return { message: `osd.${osd} is already in. `, isDone: true };
  const { oldWeight } = pendingOsdMap.xinfo(osd);
  pendingOsdMap.setWeight(osd, oldWeight > 0 ? oldWeight : osdIn);
  if (oldWeight > 0) pendingOsdMap.changeXinfo(osd, { oldWeight: 0 });
  return { message: `marked in osd.${osd}. ` };
}

/** @throws MsgrError ENOENT */
function existingOsd({ args, monitor: { pendingOsdMap } }: CommandContext): number {
  const id = args.number('id');
  if (id === undefined || !pendingOsdMap.exists(id)) {
    throw refusal(OsdErrno.ENOENT, `osd.${args.text('id')} does not exist`);
  }
  return id;
}

function reweight(context: CommandContext): Promise<CommandReply> {
  const osd = existingOsd(context);
  const weight = context.args.number('weight')!;
  const fixed = Math.trunc(osdIn * weight);
  context.monitor.pendingOsdMap.setWeight(osd, fixed);
  return committed(
    context.monitor,
    `reweighted osd.${osd} to ${formatDecimal(weight)} (${fixed.toString(16)})`,
  );
}

function reweightMany({ args, monitor }: CommandContext): Promise<CommandReply> {
  const weights = parseWeights(args.text('weights')!);
  for (const [osd, weight] of weights) {
    if (!monitor.pendingOsdMap.exists(osd)) throw refusal(OsdErrno.ENOENT, `osd.${osd} does not exist`);
    if (weight < 0) throw refusal(OsdErrno.EINVAL, 'weight must be >= 0');
  }
  for (const [osd, weight] of weights) monitor.pendingOsdMap.setWeight(osd, weight);
  return committed(monitor, '');
}

function parseWeights(text: string): Map<number, number> {
  const wrong = refusal(OsdErrno.EINVAL, `unable to parse 'weights' value '${text}'`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrong;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw wrong;
  // Ceph takes text only, as its own balancer sends it.
  const entries = Object.entries(parsed).map(([osd, weight]) => {
    if (!/^\d+$/.test(osd) || typeof weight !== 'string' || !/^-?\d+$/.test(weight)) throw wrong;
    return [Number(osd), Number(weight)] as const;
  });
  return new Map(entries);
}

function primaryAffinity(context: CommandContext): Promise<CommandReply> {
  const osd = existingOsd(context);
  const { args, monitor } = context;
  const weight = args.number('weight')!;
  const fixed = Math.trunc(defaultPrimaryAffinity * weight);
  monitor.pendingOsdMap.change.newPrimaryAffinity.set(osd, fixed);
  // Ceph means to print it in hexadecimal and prints the numbers of its two format flags around it.
  return committed(monitor, `set osd.${osd} primary-affinity to ${formatDecimal(weight)} (8${fixed}2)`);
}

function lost(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  if (!args.flag('yes_i_really_mean_it')) {
    throw refusal(
      OsdErrno.EPERM,
      'are you SURE?  this might mean real, permanent data loss.  pass --yes-i-really-mean-it if you really do.',
    );
  }
  const osd = existingOsd(context);
  refuseUp(monitor, osd, `osd.${osd} is not down`);
  const epoch = monitor.osdMap.osdInfo[osd]?.downAt ?? 0;
  monitor.pendingOsdMap.change.newLost.set(osd, epoch);
  return committed(monitor, `marked osd lost in epoch ${epoch}`);
}

export function refuseUp({ pendingOsdMap }: MonitorState, osd: number, message: string): void {
  if (pendingOsdMap.isUp(osd)) throw refusal(OsdErrno.EBUSY, message);
}
