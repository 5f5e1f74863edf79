/** Pools begin, end, and change their names. */

import { keyOf } from '../../../../maps/crush/edit.ts';
import { ruleIdOf } from '../../../../maps/crush/edit-rules.ts';
import type { CrushMap } from '../../../../maps/crush/map.ts';
import { findPool } from '../../../../maps/osdmap.ts';
import { makePool, type PgPool, type PoolOption, PoolType, poolFlag } from '../../../../maps/pool.ts';
import { autoscaleModes, poolOptionNames } from '../../../../maps/print.ts';
import { utimeFromMs } from '../../../../wire/utime.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { draftOf, setPendingCrush } from '../crush/pending-crush.ts';
import { addErasureRule } from '../crush/rules.ts';
import { committed, OsdErrno, refusal, settled } from '../osd/shared.ts';
import { erasureCodeOf } from './erasure-code.ts';
import {
  checkPgCount,
  checkPgsPerOsd,
  checkRule,
  firstRule,
  minSizeOf,
  parseIecBytes,
  pendingPool,
} from './pool-values.ts';

const shared = { module: 'osd', permissions: 'rw' } as const;
const count = (name: string): string => `name=${name},type=CephInt,range=0,req=false`;

export const poolCreateCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: [
      'osd pool create name=pool,type=CephPoolname',
      count('pg_num'),
      count('pgp_num'),
      'name=pool_type,type=CephChoices,strings=replicated|erasure,req=false',
      'name=erasure_code_profile,type=CephString,goodchars=[A-Za-z0-9-_.],req=false',
      'name=rule,type=CephString,req=false',
      count('expected_num_objects'),
      count('size'),
      count('pg_num_min'),
      count('pg_num_max'),
      'name=autoscale_mode,type=CephChoices,strings=on|off|warn,req=false',
      'name=bulk,type=CephBool,req=false',
      count('target_size_bytes'),
      'name=target_size_ratio,type=CephFloat,range=0.0,req=false',
    ].join(' '),
    help: 'a new pool',
    run: create,
  },
];

async function create(context: CommandContext): Promise<CommandReply> {
  const { args, monitor } = context;
  const name = args.text('pool')!;
  if (findPool(monitor.osdMap, name) !== undefined) return settled(monitor, `pool '${name}' already exists`);
  const message = `pool '${name}' created`;
  // Somebody else asked for it just now: both are told that it was made.
  if (pendingPool(monitor, name) !== undefined) return settled(monitor, message);
  const pool = args.text('pool_type') === 'erasure' ? erasurePool(context) : replicatedPool(context);
  const { base, change } = monitor.pendingOsdMap;
  const id = (change.newPoolMax >= 0 ? change.newPoolMax : base.poolMax) + 1;
  change.newPoolMax = id;
  monitor.pendingOsdMap.changePool(id, { ...pool, lastChange: monitor.pendingOsdMap.epoch });
  change.newPoolNames.set(id, name);
  return committed(monitor, message);
}

function replicatedPool(context: CommandContext): PgPool {
  const { args, monitor } = context;
  const { options, pendingOsdMap } = monitor;
  // In the fourth place tools give the rule where the profile of an erasure-coded pool would be.
  const ruleName = args.text('rule') || args.text('erasure_code_profile') || '';
  let rule: number | undefined;
  if (ruleName !== '') {
    rule = keyOf(pendingOsdMap.crush.ruleNames, ruleName);
    if (rule === undefined) throw refusal(OsdErrno.ENOENT, `specified rule ${ruleName} doesn't exist`);
  }
  const size = args.number('size') || options.osd_pool_default_size;
  return newPool(context, PoolType.replicated, size, minSizeOf(monitor, size), () => {
    return { id: rule ?? defaultRule(monitor), crush: pendingOsdMap.crush };
  });
}

function defaultRule({ options, pendingOsdMap: { crush } }: MonitorState): number {
  const wanted = options.osd_pool_default_crush_rule;
  const rule = wanted >= 0 ? wanted : firstRule(crush, PoolType.replicated);
  if (rule === undefined || crush.rules[rule] === undefined) {
    throw refusal(
      OsdErrno.ENOENT,
      "No suitable CRUSH rule exists, check 'osd pool default crush *' config options",
    );
  }
  return rule;
}

function erasurePool(context: CommandContext): PgPool {
  const { args, monitor } = context;
  const profileName = args.text('erasure_code_profile') || 'default';
  const { chunkBytes, chunks, dataChunks, profile } = erasureCodeOf(monitor, profileName);
  const minSize = dataChunks + Math.min(1, chunks - dataChunks - 1);
  const unit = parseIecBytes(profile.get('stripe_unit') ?? '');
  const unitBytes = unit === undefined ? monitor.options.osd_pool_erasure_code_stripe_unit : Number(unit);
  let made: CrushMap | undefined;
  const pool = newPool(context, PoolType.erasure, chunks, minSize, () => {
    const { id, crush } = erasureRule(context, args.text('pool')!, profileName);
    made = crush;
    return { id, crush };
  });
  // Only now: a pool that is refused leaves no rule behind.
  if (made !== undefined && made !== monitor.pendingOsdMap.crush) setPendingCrush(monitor, made);
  return {
    ...pool,
    erasureCodeProfile: profileName,
    stripeWidth: dataChunks * chunkBytes(unitBytes * dataChunks),
  };
}

interface ChosenRule {
  readonly id: number;
  /** The map that has it. */
  readonly crush: CrushMap;
}

/** The named one; without a name one is made that is called as the pool. */
function erasureRule({ args, monitor }: CommandContext, poolName: string, profileName: string): ChosenRule {
  const named = args.text('rule') ?? '';
  const { crush } = monitor.pendingOsdMap;
  const draft = draftOf(monitor);
  if (named !== '') {
    const id = ruleIdOf(draft, named);
    if (id === undefined) throw refusal(OsdErrno.ENOENT, `specified rule ${named} doesn't exist`);
    return { id, crush };
  }
  const name = profileName === 'default' ? 'erasure-code' : poolName;
  const known = ruleIdOf(draft, name);
  if (known !== undefined) return { id: known, crush };
  const id = addErasureRule(draft, monitor, name, profileName);
  return { id, crush: draft.finish() };
}

/** Checks come in Ceph's order: what is asked for first, then what the cluster allows. */
function newPool(
  { args, monitor }: CommandContext,
  type: number,
  size: number,
  minSize: number,
  chooseRule: () => ChosenRule,
): PgPool {
  const { options } = monitor;
  const pgNum = args.number('pg_num') || options.osd_pool_default_pg_num;
  const pgpNum = args.number('pgp_num') || options.osd_pool_default_pgp_num || pgNum;
  checkPgCount(monitor, pgNum);
  if (pgpNum > pgNum) {
    throw refusal(
      OsdErrno.ERANGE,
      `'pgp_num' must be greater than 0 and lower or equal than 'pg_num', which in this case is ${pgNum}`,
    );
  }
  const mode = args.text('autoscale_mode') ?? options.osd_pool_default_pg_autoscale_mode;
  const { crush, id: crushRule } = chooseRule();
  checkPgsPerOsd(monitor, undefined, pgNum, size);
  checkRule(crush, crushRule, type, size);
  const max = options.mon_osd_max_initial_pgs;
  const initial = max > 0 ? Math.min(pgNum, max) : pgNum;
  return makePool({
    type,
    size,
    minSize,
    crushRule,
    pgNum: initial,
    pgpNum: initial,
    pgNumTarget: pgNum,
    pgpNumTarget: pgpNum,
    pgNumPending: initial,
    flags: poolFlag('hashpspool') | poolFlag('creating') | (args.flag('bulk') ? poolFlag('bulk') : 0n),
    pgAutoscaleMode: Math.max(0, autoscaleModes.indexOf(mode)),
    expectedNumObjects: BigInt(args.number('expected_num_objects') ?? 0),
    createTime: utimeFromMs(monitor.wallMs()),
    options: optionsOf(args),
  });
}

/** Numbers of 0 are as good as not given. */
function optionsOf(args: CommandContext['args']): Map<number, PoolOption> {
  const options = new Map<number, PoolOption>();
  for (const name of ['pg_num_min', 'pg_num_max', 'target_size_bytes']) {
    const value = args.number(name) ?? 0;
    if (value > 0) options.set(poolOptionNames.indexOf(name), { type: 'int', value: BigInt(value) });
  }
  const ratio = args.number('target_size_ratio') ?? 0;
  if (ratio > 0) {
    options.set(poolOptionNames.indexOf('target_size_ratio'), { type: 'double', value: Math.fround(ratio) });
  }
  return new Map([...options].sort(([left], [right]) => left - right));
}
