/** Devices and buckets: where they hang and what they weigh. */
import { type CrushDraft, keyOf } from '../../../../maps/crush/edit.ts';
import {
  type CrushPlace,
  createOrMoveItem,
  fixedWeight,
  insertItem,
  linkBucket,
  moveBucket,
  placeText,
  reweightAll,
  reweightSubtree,
  updateItem,
  weightAtPlace,
} from '../../../../maps/crush/edit-items.ts';
import { formatDecimal } from '../../../../maps/print.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { OsdErrno, refusal, settled } from '../osd/shared.ts';
import { commitCrush, draftOf } from './pending-crush.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const id = 'name=id,type=CephOsdName';
const weight = 'name=weight,type=CephFloat,range=0.0';
const place = 'name=args,type=CephString,goodchars=[A-Za-z0-9-_.=],n=N';
const goodName = 'type=CephString,goodchars=[A-Za-z0-9-_.]';

export const crushItemCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: `osd crush add-bucket name=name,${goodName} name=type,type=CephString ${place},req=false`,
    help: 'a new bucket, at a place or nowhere',
    run: addBucket,
  },
  {
    ...shared,
    signature: `osd crush rename-bucket name=srcname,${goodName} name=dstname,${goodName}`,
    help: 'another name for a bucket',
    run: renameBucket,
  },
  {
    ...shared,
    signature: `osd crush set ${id} ${weight} ${place}`,
    help: 'weigh an OSD and move it to a place',
    run: (context) => setOrAdd(context, true),
  },
  {
    ...shared,
    signature: `osd crush add ${id} ${weight} ${place}`,
    help: 'hang an OSD into a place with a weight',
    run: (context) => setOrAdd(context, false),
  },
  {
    ...shared,
    signature: `osd crush create-or-move ${id} ${weight} ${place}`,
    help: 'hang an OSD into a place: a new one with this weight, others with their own',
    run: createOrMove,
  },
  {
    ...shared,
    signature: `osd crush move name=name,${goodName} ${place}`,
    help: 'move a bucket or an OSD to a place',
    run: move,
  },
  {
    ...shared,
    signature: `osd crush link name=name,type=CephString ${place}`,
    help: 'hang a bucket into one more place',
    run: link,
  },
  {
    ...shared,
    signature: 'osd crush reweight-all',
    help: 'count the weights of all buckets anew',
    run({ monitor }) {
      const draft = draftOf(monitor);
      reweightAll(draft);
      return commitCrush(monitor, draft, 'reweighted crush hierarchy');
    },
  },
  {
    ...shared,
    signature: `osd crush reweight name=name,${goodName} ${weight}`,
    help: 'the weight of an OSD',
    run: reweight,
  },
  {
    ...shared,
    signature: `osd crush reweight-subtree name=name,${goodName} ${weight}`,
    help: 'one weight for all OSDs below a bucket',
    run: reweightBelow,
  },
];

/** `host=a`: words that are no pair end the list, as in Ceph. */
function placeOf({ args }: CommandContext): CrushPlace {
  const pairs = new Map<string, string>();
  for (const word of args.list('args')) {
    const equals = word.indexOf('=');
    if (equals < 0 || equals === word.length - 1) break;
    pairs.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return pairs;
}

/** @throws MsgrError ENOENT with Ceph's sentence */
function existingOsd({ args, monitor: { pendingOsdMap } }: CommandContext, message: string): number {
  const osd = args.number('id');
  if (osd === undefined || !pendingOsdMap.exists(osd)) {
    throw refusal(OsdErrno.ENOENT, `osd.${args.text('id')} ${message}`);
  }
  return osd;
}

function addBucket(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const name = args.text('name')!;
  const typeName = args.text('type')!;
  const target = placeOf(context);
  const draft = draftOf(monitor);
  if (draft.idOf(name) !== undefined) return settled(monitor, `bucket '${name}' already exists`);
  const type = draft.typeIdOf(typeName);
  if (type === undefined) throw refusal(OsdErrno.EINVAL, `type '${typeName}' does not exist`);
  if (type === 0) throw refusal(OsdErrno.EINVAL, `type '${typeName}' is for devices, not buckets`);
  const bucket = draft.addBucket(type);
  draft.setName(bucket.id, name);
  if (target.size === 0)
    return commitCrush(monitor, draft, `added bucket ${name} type ${typeName} to crush map`);
  moveBucket(draft, bucket.id, target);
  return commitCrush(
    monitor,
    draft,
    `added bucket ${name} type ${typeName} to location ${placeText(target)}`,
  );
}

function renameBucket({ args, monitor }: CommandContext): Promise<CommandReply> {
  const from = args.text('srcname')!;
  const to = args.text('dstname')!;
  const draft = draftOf(monitor);
  const bucket = draft.idOf(from);
  const isTaken = draft.idOf(to) !== undefined;
  if (bucket === undefined) {
    if (isTaken)
      return settled(monitor, `srcname = '${from}' does not exist and dstname = '${to}' already exists`);
    throw refusal(OsdErrno.ENOENT, `srcname = '${from}' does not exist`);
  }
  if (isTaken) throw refusal(OsdErrno.EEXIST, `dstname = '${to}' already exists`);
  if (bucket >= 0) {
    throw refusal(OsdErrno.ENOTDIR, `srcname = '${from}' is not a bucket because its id = ${bucket} is >= 0`);
  }
  draft.setName(bucket, to);
  return commitCrush(monitor, draft, `renamed bucket ${from} into ${to}`);
}

function setOrAdd(context: CommandContext, mustExist: boolean): Promise<CommandReply> {
  const { args, monitor } = context;
  const osd = existingOsd(context, 'does not exist. Create it before updating the crush map');
  const target = placeOf(context);
  const number = args.number('weight')!;
  const item = { id: osd, name: `osd.${osd}`, weight: number, place: target };
  const shown = `item id ${osd} name 'osd.${osd}' weight ${formatDecimal(number)} at location ${placeText(target)}`;
  if (mustExist && !monitor.osdMap.crush.names.has(osd)) {
    throw refusal(OsdErrno.ENOENT, `unable to set ${shown}: does not exist`);
  }
  const draft = draftOf(monitor);
  if (mustExist || weightAtPlace(draft, osd, target) !== undefined) {
    const isChanged = updateItem(draft, item);
    if (!isChanged) return settled(monitor, `set ${shown}: no change`);
    return commitCrush(monitor, draft, `set ${shown} to crush map`);
  }
  insertItem(draft, item);
  return commitCrush(monitor, draft, `add ${shown} to crush map`);
}

function createOrMove(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const osd = existingOsd(context, 'does not exist.  create it before updating the crush map');
  const target = placeOf(context);
  const number = args.number('weight')!;
  const shown = `item name 'osd.${osd}' weight ${formatDecimal(number)} at location ${placeText(target)} to crush map`;
  const draft = draftOf(monitor);
  const isChanged = createOrMoveItem(draft, { id: osd, name: `osd.${osd}`, weight: number, place: target });
  if (!isChanged) return settled(monitor, `create-or-move updated ${shown}`);
  return commitCrush(monitor, draft, `create-or-move updating ${shown}`);
}

/** @throws MsgrError ENOENT */
function namedItem(draft: CrushDraft, name: string): number {
  const item = keyOf(draft.names, name);
  if (item === undefined) throw refusal(OsdErrno.ENOENT, `item ${name} does not exist`);
  return item;
}

function move(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const name = args.text('name')!;
  const target = placeOf(context);
  const draft = draftOf(monitor);
  const item = namedItem(draft, name);
  const shown = `item id ${item} name '${name}' to location ${placeText(target)} in crush map`;
  if (weightAtPlace(draft, item, target) !== undefined) return settled(monitor, `no need to move ${shown}`);
  if (item >= 0) createOrMoveItem(draft, { id: item, name, weight: 0, place: target });
  else moveBucket(draft, item, target);
  return commitCrush(monitor, draft, `moved ${shown}`);
}

function link(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const name = args.text('name')!;
  const target = placeOf(context);
  const draft = draftOf(monitor);
  const item = namedItem(draft, name);
  const shown = `item id ${item} name '${name}' to location ${placeText(target)}`;
  if (weightAtPlace(draft, item, target) !== undefined) {
    return settled(monitor, `no need to move ${shown} in crush map`);
  }
  linkBucket(draft, item, target);
  return commitCrush(monitor, draft, `linked ${shown} in crush map`);
}

/** @throws MsgrError ENOENT */
function namedDevice(draft: CrushDraft, name: string): number {
  const item = keyOf(draft.names, name);
  if (item === undefined) throw refusal(OsdErrno.ENOENT, `device '${name}' does not appear in the crush map`);
  return item;
}

function reweight({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('name')!;
  const number = args.number('weight')!;
  const draft = draftOf(monitor);
  const item = namedDevice(draft, name);
  if (item < 0) throw refusal(OsdErrno.EINVAL, `device '${name}' is not a leaf in the crush map`);
  if (!draft.adjustWeight(item, fixedWeight(number), true)) {
    throw refusal(OsdErrno.ENOENT, '(2) No such file or directory');
  }
  return commitCrush(
    monitor,
    draft,
    `reweighted item id ${item} name '${name}' to ${formatDecimal(number)} in crush map`,
  );
}

function reweightBelow({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('name')!;
  const number = args.number('weight')!;
  const draft = draftOf(monitor);
  const item = namedDevice(draft, name);
  if (item >= 0) throw refusal(OsdErrno.EINVAL, `device '${name}' is not a subtree in the crush map`);
  reweightSubtree(draft, item, number);
  return commitCrush(
    monitor,
    draft,
    `reweighted subtree id ${item} name '${name}' to ${formatDecimal(number)} in crush map`,
  );
}
