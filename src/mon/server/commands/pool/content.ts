/** What pools are for and how much they may hold: applications, quotas, snapshots. */

import { writtenAs } from '../../../../maps/fields.ts';
import { type PgPool, poolFlag } from '../../../../maps/pool.ts';
import { utimeFromMs } from '../../../../wire/utime.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, OsdErrno, refusal, settled } from '../osd/shared.ts';
import { changePool, iecMistake, parseIecBytes, requiredPool } from './pool-values.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const pool = 'name=pool,type=CephPoolname';
const app = 'name=app,type=CephString';
const sure = 'name=yes_i_really_mean_it,type=CephBool,req=false';

export const poolContentCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: `osd pool set-quota ${pool} name=field,type=CephChoices,strings=max_objects|max_bytes name=val,type=CephString`,
    help: 'how much a pool may hold',
    run: setQuota,
  },
  {
    ...shared,
    signature: `osd pool application enable ${pool} ${app},goodchars=[A-Za-z0-9-_.] ${sure}`,
    help: 'say which application uses a pool',
    run: enable,
  },
  {
    ...shared,
    signature: `osd pool application disable ${pool} ${app} ${sure}`,
    help: 'an application uses a pool no longer',
    run: disable,
  },
  {
    ...shared,
    signature:
      `osd pool application set ${pool} ${app} name=key,type=CephString,goodchars=[A-Za-z0-9-_.] ` +
      'name=value,type=CephString,goodchars=[A-Za-z0-9-_.=]',
    help: 'what an application keeps with a pool',
    run: setKey,
  },
  {
    ...shared,
    signature: `osd pool application rm ${pool} ${app} name=key,type=CephString`,
    help: 'forget that',
    run: removeKey,
  },
  {
    ...shared,
    signature: `osd pool mksnap ${pool} name=snap,type=CephString`,
    help: 'a snapshot of a pool',
    run: makeSnap,
  },
  {
    ...shared,
    signature: `osd pool rmsnap ${pool} name=snap,type=CephString`,
    help: 'remove it',
    run: removeSnap,
  },
];

function setQuota({ args, monitor }: CommandContext): Promise<CommandReply> {
  const found = requiredPool(monitor, args.text('pool')!);
  const field = args.text('field')!;
  const text = args.text('val')!;
  const value = parseIecBytes(text);
  if (value === undefined) {
    throw refusal(OsdErrno.EINVAL, `error parsing value '${text}': ${iecMistake(text)}`);
  }
  const fields = field === 'max_objects' ? { quotaMaxObjects: value } : { quotaMaxBytes: value };
  changePool(monitor, found.id, found.pool, fields);
  return committed(monitor, `set-quota ${field} = ${value} for pool ${found.name}`);
}

type Applications = Map<string, ReadonlyMap<string, string>>;

function applicationsOf({ applicationMetadata }: PgPool): Applications {
  return new Map(applicationMetadata);
}

function withApplications(applications: Applications): Partial<PgPool> {
  const sorted = [...applications].sort(([left], [right]) => (left < right ? -1 : 1));
  return { applicationMetadata: new Map(sorted) };
}

function enable({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { id, name, pool: own } = requiredPool(monitor, args.text('pool')!);
  const wanted = args.text('app')!;
  const applications = applicationsOf(own);
  const others = [...applications.keys()].filter((other) => other !== wanted);
  if (others.length > 0 && !applications.has(wanted) && !args.flag('yes_i_really_mean_it')) {
    throw refusal(
      OsdErrno.EPERM,
      `Are you SURE? Pool '${name}' already has an enabled application; pass --yes-i-really-mean-it to proceed anyway`,
    );
  }
  if (!applications.has(wanted)) applications.set(wanted, new Map());
  changePool(monitor, id, own, withApplications(applications));
  return committed(monitor, `enabled application '${wanted}' on pool '${name}'`);
}

function disable({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { id, name, pool: own } = requiredPool(monitor, args.text('pool')!);
  const wanted = args.text('app')!;
  if (!args.flag('yes_i_really_mean_it')) {
    throw refusal(
      OsdErrno.EPERM,
      'Are you SURE? Disabling an application within a pool might result in loss of application functionality; ' +
        'pass --yes-i-really-mean-it to proceed anyway',
    );
  }
  const applications = applicationsOf(own);
  if (!applications.delete(wanted)) {
    return settled(monitor, `application '${wanted}' is not enabled on pool '${name}'`);
  }
  changePool(monitor, id, own, withApplications(applications));
  return committed(monitor, `disable application '${wanted}' on pool '${name}'`);
}

function setKey({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { id, name, pool: own } = requiredPool(monitor, args.text('pool')!);
  const wanted = args.text('app')!;
  const key = args.text('key')!;
  const value = args.text('value')!;
  const applications = applicationsOf(own);
  const metadata = applications.get(wanted);
  if (metadata === undefined) {
    throw refusal(OsdErrno.ENOENT, `application '${wanted}' is not enabled on pool '${name}'`);
  }
  const entries = [...new Map(metadata).set(key, value)].sort(([left], [right]) => (left < right ? -1 : 1));
  applications.set(wanted, new Map(entries));
  changePool(monitor, id, own, withApplications(applications));
  return committed(monitor, `set application '${wanted}' key '${key}' to '${value}' on pool '${name}'`);
}

function removeKey({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { id, name, pool: own } = requiredPool(monitor, args.text('pool')!);
  const wanted = args.text('app')!;
  const key = args.text('key')!;
  const applications = applicationsOf(own);
  const metadata = new Map(applications.get(wanted));
  if (!applications.has(wanted)) {
    return settled(monitor, `application '${wanted}' is not enabled on pool '${name}'`);
  }
  if (!metadata.delete(key)) {
    return settled(monitor, `application '${wanted}' on pool '${name}' does not have key '${key}'`);
  }
  applications.set(wanted, metadata);
  changePool(monitor, id, own, withApplications(applications));
  return committed(monitor, `removed application '${wanted}' key '${key}' on pool '${name}'`);
}

function snapOf({ snaps }: PgPool, name: string): bigint | undefined {
  for (const [id, snap] of snaps) if (snap.name === name) return id;
  return undefined;
}

/** Snapshots of the pool and those that its clients number themselves exclude each other. */
function refuseSelfManaged({ flags }: PgPool, name: string): void {
  if ((flags & poolFlag('selfmanaged_snaps')) === 0n) return;
  throw refusal(OsdErrno.EINVAL, `pool ${name} is in unmanaged snaps mode`);
}

function makeSnap({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { id, name, pool: own } = requiredPool(monitor, args.text('pool')!);
  const snap = args.text('snap')!;
  refuseSelfManaged(own, name);
  if (snapOf(own, snap) !== undefined) return settled(monitor, `pool ${name} snap ${snap} already exists`);
  const { epoch } = monitor.pendingOsdMap;
  const snapId = own.snapSeq + 1n;
  const snaps = new Map(own.snaps);
  snaps.set(snapId, { snapId, stamp: utimeFromMs(monitor.wallMs()), name: snap, written: writtenAs(2, 2) });
  const flags = own.flags | poolFlag('pool_snaps');
  changePool(monitor, id, own, { snaps, snapSeq: snapId, snapEpoch: epoch, flags });
  return committed(monitor, `created pool ${name} snap ${snap}`);
}

function removeSnap({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { id, name, pool: own } = requiredPool(monitor, args.text('pool')!);
  const snap = args.text('snap')!;
  refuseSelfManaged(own, name);
  const snapId = snapOf(own, snap);
  if (snapId === undefined) return settled(monitor, `pool ${name} snap ${snap} does not exist`);
  const { epoch } = monitor.pendingOsdMap;
  const snaps = new Map(own.snaps);
  snaps.delete(snapId);
  changePool(monitor, id, own, { snaps, snapSeq: own.snapSeq + 1n, snapEpoch: epoch });
  return committed(monitor, `removed pool ${name} snap ${snap}`);
}
