/** Pools end, and change their names. */
import { CrushDraft } from '../../../../maps/crush/edit.ts';
import { formatPgId } from '../../../../maps/pg.ts';
import { poolFlag } from '../../../../maps/pool.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { setPendingCrush } from '../crush/pending-crush.ts';
import { committed, OsdErrno, refusal, settled } from '../osd/shared.ts';
import { type NamedPool, pendingPool } from './pool-values.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const pool = 'type=CephPoolname';

export const poolRemoveCommands: readonly CommandDefinition[] = [
  ...['delete', 'rm'].map(
    (word): CommandDefinition => ({
      ...shared,
      signature:
        `osd pool ${word} name=pool,${pool} name=pool2,${pool},req=false ` +
        'name=yes_i_really_really_mean_it,type=CephBool,req=false ' +
        'name=yes_i_really_really_mean_it_not_faking,type=CephBool,req=false',
      help: 'remove a pool with all that it holds',
      flags: word === 'delete' ? 4 : 0,
      run: remove,
    }),
  ),
  {
    ...shared,
    signature: `osd pool rename name=srcpool,${pool} name=destpool,${pool}`,
    help: 'another name for a pool',
    run: rename,
  },
];

function remove({ args, monitor }: CommandContext): Promise<CommandReply> {
  const name = args.text('pool')!;
  const found = pendingPool(monitor, name);
  if (found === undefined) return settled(monitor, `pool '${name}' does not exist`);
  const isSure =
    args.flag('yes_i_really_really_mean_it') || args.flag('yes_i_really_really_mean_it_not_faking');
  if (args.text('pool2') !== name || !isSure) {
    throw refusal(
      OsdErrno.EPERM,
      `WARNING: this will *PERMANENTLY DESTROY* all data stored in pool ${name}.  If you are *ABSOLUTELY CERTAIN* ` +
        'that is what you want, pass the pool name *twice*, followed by --yes-i-really-really-mean-it.',
    );
  }
  refuseNeeded(monitor, found);
  removePool(monitor, found.id);
  return committed(monitor, `pool '${name}' removed`);
}

function refuseNeeded({ options, pendingOsdMap }: MonitorState, { name, pool: own }: NamedPool): void {
  const names = pendingOsdMap.poolNames();
  if (own.tierOf >= 0) {
    throw refusal(OsdErrno.EBUSY, `pool '${name}' is a tier of '${names.get(own.tierOf) ?? ''}'`);
  }
  if (own.tiers.length > 0) {
    const tiers = own.tiers.map((tier) => ` ${names.get(Number(tier)) ?? ''}`).join('');
    throw refusal(OsdErrno.EBUSY, `pool '${name}' has tiers${tiers}`);
  }
  if (!options.mon_allow_pool_delete) {
    throw refusal(
      OsdErrno.EPERM,
      'pool deletion is disabled; you must first set the mon_allow_pool_delete config option to true before you can destroy a pool',
    );
  }
  if ((own.flags & poolFlag('nodelete')) !== 0n) {
    throw refusal(
      OsdErrno.EPERM,
      'pool deletion is disabled; you must unset nodelete flag for the pool first',
    );
  }
}

/** With all mappings of its groups, and its weights in the CRUSH map. */
function removePool(monitor: MonitorState, id: number): void {
  const { base, change, crush } = monitor.pendingOsdMap;
  change.oldPools.push(id);
  change.newPools.delete(id);
  change.newPoolNames.delete(id);
  for (const [pg] of base.pgTemp) if (pg.pool === id) change.newPgTemp.set(pg, new Int32Array(0));
  for (const [pg] of base.primaryTemp) if (pg.pool === id) change.newPrimaryTemp.set(pg, -1);
  const mappings = [
    { committed: base.pgUpmap, pending: change.newPgUpmap, old: change.oldPgUpmap },
    { committed: base.pgUpmapItems, pending: change.newPgUpmapItems, old: change.oldPgUpmapItems },
  ];
  for (const { committed: known, old, pending } of mappings) {
    const listed = new Set(old.map(formatPgId));
    for (const [pg] of known) if (pg.pool === id && !listed.has(formatPgId(pg))) old.push(pg);
    for (const [pg] of [...pending]) if (pg.pool === id) pending.delete(pg);
  }
  if (!crush.chooseArgs.has(id)) return;
  const draft = new CrushDraft(crush);
  draft.chooseArgs.delete(id);
  setPendingCrush(monitor, draft.finish());
}

function rename({ args, monitor }: CommandContext): Promise<CommandReply> {
  const from = args.text('srcpool')!;
  const to = args.text('destpool')!;
  const found = pendingPool(monitor, from);
  const isTaken = pendingPool(monitor, to) !== undefined;
  if (found === undefined) {
    if (isTaken) {
      return settled(
        monitor,
        `pool '${from}' does not exist; pool '${to}' does -- assuming successful rename`,
      );
    }
    throw refusal(OsdErrno.ENOENT, `unrecognized pool '${from}'`);
  }
  if (isTaken) throw refusal(OsdErrno.EEXIST, `pool '${to}' already exists`);
  monitor.pendingOsdMap.change.newPoolNames.set(found.id, to);
  return committed(monitor, `pool '${from}' renamed to '${to}'`);
}
