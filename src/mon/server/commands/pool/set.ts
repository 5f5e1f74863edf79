/** `osd pool set`: one variable of a pool at a time. */

import { keyOf } from '../../../../maps/crush/edit.ts';
import { writtenAs } from '../../../../maps/fields.ts';
import { type PgPool, PoolType, poolFlag } from '../../../../maps/pool.ts';
import { autoscaleModes, hitSetTypes, poolOptionNames } from '../../../../maps/print.ts';
import type { MonitorState } from '../../monitor-state.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { committed, OsdErrno, refusal, settled } from '../osd/shared.ts';
import { erasureCodeOf } from './erasure-code.ts';
import { optionValue } from './options.ts';
import {
  changePool,
  checkPgCount,
  checkPgsPerOsd,
  checkRule,
  minSizeOf,
  parseIecBytes,
  requiredPool,
} from './pool-values.ts';
import { flagVariables, optionTypes, settableVariables, tierVariables } from './variables.ts';

export const poolSetCommands: readonly CommandDefinition[] = [
  {
    signature:
      `osd pool set name=pool,type=CephPoolname name=var,type=CephChoices,strings=${settableVariables} ` +
      'name=val,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false',
    help: 'change a variable of a pool',
    module: 'osd',
    permissions: 'rw',
    run: set,
  },
];

/** What a variable is set with. */
interface Setting {
  readonly monitor: MonitorState;
  readonly id: number;
  readonly pool: PgPool;
  readonly text: string;
  readonly isSure: boolean;
  /** @throws MsgrError EINVAL when it is none */
  number(): number;
  flag(): boolean;
}

type Setter = (setting: Setting) => Partial<PgPool> | undefined;

function set({ args, monitor }: CommandContext): Promise<CommandReply> {
  const { id, pool } = requiredPool(monitor, args.text('pool')!);
  const variable = args.text('var')!;
  const text = args.text('val')!;
  if (pool.tierOf < 0 && (tierVariables.includes(variable) || variable === 'use_gmt_hitset')) {
    throw refusal(OsdErrno.EACCES, '(13) Permission denied');
  }
  const isSure = args.flag('yes_i_really_mean_it');
  const setting: Setting = {
    monitor,
    id,
    pool,
    text,
    isSure,
    number: () => wholeNumber(text),
    flag: () => parseFlag(text),
  };
  const fields = setterOf(variable)(setting);
  if (fields === undefined) return settled(monitor, '');
  changePool(monitor, id, pool, fields);
  return committed(
    monitor,
    text === 'unset' ? `unset pool ${id} ${variable}` : `set pool ${id} ${variable} to ${text}`,
  );
}

function setterOf(variable: string): Setter {
  const isFlag = (flagVariables as readonly string[]).includes(variable);
  if (isFlag)
    return (setting) => withFlag(setting.pool, variable as (typeof flagVariables)[number], setting.flag());
  if (Object.hasOwn(optionTypes, variable)) return (setting) => withOption(setting, variable);
  const setter = setters[variable];
  if (setter === undefined) throw refusal(OsdErrno.EINVAL, `unrecognized variable '${variable}'`);
  return setter;
}

function wholeNumber(text: string): number {
  if (/^\s*[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw refusal(
    OsdErrno.EINVAL,
    `error parsing integer value '${text}': Expected option value to be integer, got '${text}'`,
  );
}

function parseFlag(text: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw refusal(OsdErrno.EINVAL, "expecting value 'true', 'false', '0', or '1'");
}

function withFlag(pool: PgPool, name: Parameters<typeof poolFlag>[0], isSet: boolean): Partial<PgPool> {
  return { flags: isSet ? pool.flags | poolFlag(name) : pool.flags & ~poolFlag(name) };
}

function refuseFlag(pool: PgPool, name: 'nosizechange' | 'nopgchange', what: string): void {
  if ((pool.flags & poolFlag(name)) === 0n) return;
  throw refusal(
    OsdErrno.EPERM,
    `pool ${what} change is disabled; you must unset ${name} flag for the pool first`,
  );
}

function withOption(setting: Setting, variable: string): Partial<PgPool> {
  const options = new Map(setting.pool.options);
  const key = poolOptionNames.indexOf(variable);
  const value = optionValue(variable, setting.text, setting.pool);
  if (value === undefined) options.delete(key);
  else options.set(key, value);
  return { options: new Map([...options].sort(([left], [right]) => left - right)) };
}

const sizeMax = 10;

const setters: Readonly<Record<string, Setter>> = {
  size({ isSure, monitor, number, id, pool }) {
    refuseFlag(pool, 'nosizechange', 'size');
    if (pool.type === PoolType.erasure) {
      throw refusal(OsdErrno.EOPNOTSUPP, 'can not change the size of an erasure-coded pool');
    }
    const size = number();
    if (size <= 0 || size > sizeMax)
      throw refusal(OsdErrno.EINVAL, `pool size must be between 1 and ${sizeMax}`);
    if (size === 1) refuseSingleCopy(monitor, isSure);
    checkRule(monitor.pendingOsdMap.crush, pool.crushRule, pool.type, size);
    checkPgsPerOsd(monitor, id, pool.pgNum, size);
    return { size, minSize: minSizeOf(monitor, size) };
  },
  min_size({ monitor, number, pool }) {
    refuseFlag(pool, 'nosizechange', 'min size');
    const minSize = number();
    if (pool.type === PoolType.erasure) {
      const { dataChunks } = erasureCodeOf(monitor, pool.erasureCodeProfile);
      if (minSize < dataChunks || minSize > pool.size) {
        throw refusal(
          OsdErrno.EINVAL,
          `pool min_size must be between ${dataChunks} and size, which is set to ${pool.size}`,
        );
      }
    } else if (minSize < 1 || minSize > pool.size) {
      throw refusal(
        OsdErrno.EINVAL,
        `pool min_size must be between 1 and size, which is set to ${pool.size}`,
      );
    }
    return { minSize };
  },
  /** A target: a manager moves there step by step. pgp_num follows where the two were the same. */
  pg_num({ monitor, number, id, isSure, pool }) {
    refuseFlag(pool, 'nopgchange', 'pg_num');
    const target = number();
    if (target === pool.pgNumTarget) return undefined;
    checkPgCount(monitor, target);
    if (target > pool.pgNumTarget) {
      checkPgsPerOsd(monitor, id, target, pool.size);
      if (pool.cacheMode !== 0 && !isSure) {
        throw refusal(
          OsdErrno.EPERM,
          'splits in cache pools must be followed by scrubs and leave sufficient free space to avoid overfilling.  use --yes-i-really-mean-it to force.',
        );
      }
    }
    const follows = pool.pgNumTarget === pool.pgpNumTarget;
    return { pgNumTarget: target, ...(follows && { pgpNumTarget: target }) };
  },
  pgp_num({ number, pool }) {
    return { pgpNumTarget: pgpCount(pool, number(), pool.pgNumTarget) };
  },
  pgp_num_actual({ number, pool }) {
    const count = pgpCount(pool, number(), pool.pgNum);
    if (count > pool.pgNumPending) {
      throw refusal(OsdErrno.EINVAL, `specified pgp_num ${count} > pg_num_pending ${pool.pgNumPending}`);
    }
    return { pgpNum: count };
  },
  pg_autoscale_mode({ text }) {
    const mode = autoscaleModes.indexOf(text);
    if (mode < 0) throw refusal(OsdErrno.EINVAL, `specified invalid mode ${text}`);
    return { pgAutoscaleMode: mode };
  },
  crush_rule({ monitor, pool, text }) {
    const { crush } = monitor.pendingOsdMap;
    const rule = keyOf(crush.ruleNames, text);
    if (rule === undefined) throw refusal(OsdErrno.ENOENT, `crush rule ${text} does not exist`);
    checkRule(crush, rule, pool.type, pool.size);
    return { crushRule: rule };
  },
  hashpspool({ flag, isSure, pool }) {
    if (!isSure) {
      throw refusal(
        OsdErrno.EPERM,
        'are you SURE?  this will remap all placement groups in this pool, this triggers large data movement, ' +
          'pass --yes-i-really-mean-it if you really do.',
      );
    }
    return withFlag(pool, 'hashpspool', flag());
  },
  use_gmt_hitset({ text }) {
    if (text !== 'true' && text !== '1') throw refusal(OsdErrno.EINVAL, "expecting value 'true' or '1'");
    return { useGmtHitset: true };
  },
  allow_ec_overwrites({ flag, pool }) {
    if (pool.type !== PoolType.erasure) {
      throw refusal(OsdErrno.EINVAL, 'ec overwrites can only be enabled for an erasure coded pool');
    }
    if (!flag()) throw refusal(OsdErrno.EINVAL, 'ec overwrites cannot be disabled once enabled');
    return withFlag(pool, 'ec_overwrites', true);
  },
  fast_read({ flag, pool }) {
    if (pool.type !== PoolType.erasure) {
      throw refusal(OsdErrno.EINVAL, 'fast read is not supported in replication pool');
    }
    return { fastRead: flag() };
  },
  hit_set_type({ text }) {
    const type = hitSetTypes.indexOf(text);
    // A bloom filter has parameters, which only a cache tier of old has use for.
    if (type < 0 || text === 'bloom') throw refusal(OsdErrno.EINVAL, `unrecognized hit_set type '${text}'`);
    return { hitSetParams: { type, written: writtenAs(1, 1) } };
  },
  hit_set_period: ({ number }) => ({ hitSetPeriod: notNegative('hit_set_period', number()) }),
  hit_set_count: ({ number }) => ({ hitSetCount: notNegative('hit_set_count', number()) }),
  hit_set_fpp() {
    throw refusal(OsdErrno.EINVAL, 'hit set is not of type Bloom; invalid to set a false positive rate!');
  },
  target_max_objects: ({ number }) => ({ targetMaxObjects: BigInt(number()) }),
  target_max_bytes: ({ text }) => ({ targetMaxBytes: parseIecBytes(text) ?? BigInt(wholeNumber(text)) }),
  cache_target_dirty_ratio: ({ text }) => ({ cacheTargetDirtyRatioMicro: micro(text) }),
  cache_target_dirty_high_ratio: ({ text }) => ({ cacheTargetDirtyHighRatioMicro: micro(text) }),
  cache_target_full_ratio: ({ text }) => ({ cacheTargetFullRatioMicro: micro(text) }),
  cache_min_flush_age: ({ number }) => ({ cacheMinFlushAge: number() }),
  cache_min_evict_age: ({ number }) => ({ cacheMinEvictAge: number() }),
  min_read_recency_for_promote: ({ number }) => ({ minReadRecencyForPromote: number() }),
  min_write_recency_for_promote: ({ number }) => ({ minWriteRecencyForPromote: number() }),
  hit_set_grade_decay_rate({ number }) {
    const rate = number();
    if (rate < 0 || rate > 100) throw refusal(OsdErrno.EINVAL, 'value out of range,valid range is 0 - 100');
    return { hitSetGradeDecayRate: rate };
  },
  hit_set_search_last_n({ number, pool }) {
    const last = number();
    if (last < 0 || last > pool.hitSetCount) {
      throw refusal(OsdErrno.EINVAL, `value out of range,valid range is 0 - ${pool.hitSetCount}`);
    }
    return { hitSetSearchLastN: last };
  },
};

function refuseSingleCopy({ options }: MonitorState, isSure: boolean): void {
  if (!options.mon_allow_pool_size_one) {
    throw refusal(OsdErrno.EPERM, 'configuring pool size as 1 is disabled by default.');
  }
  if (isSure) return;
  throw refusal(
    OsdErrno.EPERM,
    'WARNING: setting pool size 1 could lead to data loss without recovery. If you are *ABSOLUTELY CERTAIN* ' +
      'that is what you want, pass the flag --yes-i-really-mean-it.',
  );
}

function pgpCount(pool: PgPool, count: number, most: number): number {
  refuseFlag(pool, 'nopgchange', 'pgp_num');
  if (count <= 0) throw refusal(OsdErrno.EINVAL, `specified pgp_num must > 0, but you set to ${count}`);
  if (count > most) throw refusal(OsdErrno.EINVAL, `specified pgp_num ${count} > pg_num ${most}`);
  return count;
}

function notNegative(variable: string, value: number): number {
  if (value < 0) throw refusal(OsdErrno.EINVAL, `${variable} should be non-negative`);
  return value;
}

function micro(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) {
    throw refusal(
      OsdErrno.EINVAL,
      `error parsing float '${text}': strict_strtod: expected double, got: '${text}'`,
    );
  }
  if (value < 0 || value > 1) throw refusal(OsdErrno.ERANGE, 'value must be in the range 0..1');
  return Math.round(value * 1_000_000);
}
