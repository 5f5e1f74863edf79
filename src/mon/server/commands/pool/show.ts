/** What the map says of pools. */
import { findPool, type OSDMap } from '../../../../maps/osdmap.ts';
import { type PgPool, PoolType, poolFlag } from '../../../../maps/pool.ts';
import { applicationsJson, poolJson } from '../../../../maps/pool-json.ts';
import {
  autoscaleModes,
  formatDecimal,
  formatPool,
  hitSetTypes,
  poolOptionNames,
} from '../../../../maps/print.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { OsdErrno, refusal } from '../osd/shared.ts';
import { answer, formatJson, isJson } from '../reply.ts';
import {
  checksumNames,
  erasureVariables,
  flagVariables,
  gettableVariables,
  optionTypes,
  tierVariables,
} from './variables.ts';

const shared = { module: 'osd', permissions: 'r' } as const;

export const poolShowCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'osd lspools',
    help: 'numbers and names of pools',
    flags: 4,
    run({ format, monitor: { osdMap } }) {
      const pools = [...osdMap.poolNames];
      if (!isJson(format)) return answer(pools.map(([id, name]) => `${id} ${name}\n`).join(''));
      const shown = pools.map(([poolnum, poolname]) => ({ poolnum, poolname }));
      return answer(`${formatJson(shown, format)}\n`);
    },
  },
  {
    ...shared,
    signature: 'osd pool ls name=detail,type=CephChoices,strings=detail,req=false',
    help: 'names of pools, or all of them',
    run: list,
  },
  {
    ...shared,
    signature: `osd pool get name=pool,type=CephPoolname name=var,type=CephChoices,strings=${gettableVariables}`,
    help: 'a variable of a pool, or all that it has',
    run: get,
  },
  {
    ...shared,
    signature: 'osd pool get-quota name=pool,type=CephPoolname',
    help: 'the limits of a pool (and how much it has, which a manager counts)',
    run({ args, monitor: { osdMap } }) {
      const name = args.text('pool')!;
      requiredPool(osdMap, name);
      throw refusal(OsdErrno.ENOENT, `no stats for pool '${name}'`);
    },
  },
  {
    ...shared,
    signature:
      'osd pool application get name=pool,type=CephPoolname,req=false name=app,type=CephString,req=false ' +
      'name=key,type=CephString,req=false',
    help: 'which applications use a pool, and what they keep with it',
    run: applications,
  },
];

function requiredPool(map: OSDMap, name: string): { id: number; pool: PgPool } {
  const found = findPool(map, name);
  if (found === undefined) throw refusal(OsdErrno.ENOENT, `unrecognized pool '${name}'`);
  return found;
}

function list({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const isDetailed = args.text('detail') === 'detail';
  const pools = [...osdMap.pools];
  const nameOf = (id: number): string => osdMap.poolNames.get(id) ?? '<unknown>';
  if (!isJson(format)) {
    if (!isDetailed) return answer(pools.map(([id]) => `${nameOf(id)}\n`).join(''));
    return answer(
      `${pools.flatMap(([id]) => formatPool(osdMap, id)).join('\n')}${pools.length > 0 ? '\n' : ''}\n`,
    );
  }
  if (!isDetailed)
    return answer(
      formatJson(
        pools.map(([id]) => nameOf(id)),
        format,
      ),
    );
  const shown = pools.map(([id, pool]) => ({ pool_id: id, pool_name: nameOf(id), ...poolJson(pool) }));
  return answer(formatJson(shown, format));
}

type Value = string | number | bigint | boolean;

/** Undefined for what the pool does not have. */
function variableOf(map: OSDMap, pool: PgPool, variable: string): Value | undefined {
  if (isFlag(variable)) return (pool.flags & poolFlag(variable)) !== 0n;
  switch (variable) {
    case 'size':
      return pool.size;
    case 'min_size':
      return pool.minSize;
    case 'pg_num':
      return pool.pgNum;
    case 'pgp_num':
      return pool.pgpNum;
    case 'crush_rule':
      return map.crush.ruleNames.get(pool.crushRule) ?? String(pool.crushRule);
    case 'allow_ec_overwrites':
      return (pool.flags & poolFlag('ec_overwrites')) !== 0n;
    case 'use_gmt_hitset':
      return pool.useGmtHitset;
    case 'erasure_code_profile':
      return pool.erasureCodeProfile;
    case 'fast_read':
      return pool.fastRead ? 1 : 0;
    case 'pg_autoscale_mode':
      return autoscaleModes[pool.pgAutoscaleMode] ?? '???';
    case 'hit_set_type':
      return hitSetTypes[pool.hitSetParams.type] ?? '???';
    case 'hit_set_period':
      return pool.hitSetPeriod;
    case 'hit_set_count':
      return pool.hitSetCount;
    case 'target_max_objects':
      return pool.targetMaxObjects;
    case 'target_max_bytes':
      return pool.targetMaxBytes;
    case 'cache_target_dirty_ratio':
      return pool.cacheTargetDirtyRatioMicro / 1_000_000;
    case 'cache_target_dirty_high_ratio':
      return pool.cacheTargetDirtyHighRatioMicro / 1_000_000;
    case 'cache_target_full_ratio':
      return pool.cacheTargetFullRatioMicro / 1_000_000;
    case 'cache_min_flush_age':
      return pool.cacheMinFlushAge;
    case 'cache_min_evict_age':
      return pool.cacheMinEvictAge;
    case 'min_read_recency_for_promote':
      return pool.minReadRecencyForPromote;
    case 'min_write_recency_for_promote':
      return pool.minWriteRecencyForPromote;
    case 'hit_set_grade_decay_rate':
      return pool.hitSetGradeDecayRate;
    case 'hit_set_search_last_n':
      return pool.hitSetSearchLastN;
    default: {
      const value = pool.options.get(poolOptionNames.indexOf(variable))?.value;
      if (variable === 'csum_type' && value !== undefined)
        return checksumNames[Number(value)] ?? String(value);
      return value;
    }
  }
}

type FlagVariable = (typeof flagVariables)[number] | 'hashpspool';

function isFlag(variable: string): variable is FlagVariable {
  return variable === 'hashpspool' || flagVariables.includes(variable as (typeof flagVariables)[number]);
}

/** Those of `all`, in Ceph's order; the last ones are shown by pools that have them only. */
const allVariables: readonly string[] = [
  'size',
  'min_size',
  'pg_num',
  'pgp_num',
  'crush_rule',
  'hashpspool',
  'allow_ec_overwrites',
  'nodelete',
  'nopgchange',
  'nosizechange',
  'write_fadvise_dontneed',
  'noscrub',
  'nodeep-scrub',
  'hit_set_type',
  'hit_set_period',
  'hit_set_count',
  'hit_set_fpp',
  'use_gmt_hitset',
  'target_max_objects',
  'target_max_bytes',
  'cache_target_dirty_ratio',
  'cache_target_dirty_high_ratio',
  'cache_target_full_ratio',
  'cache_min_flush_age',
  'cache_min_evict_age',
  'erasure_code_profile',
  'min_read_recency_for_promote',
  'min_write_recency_for_promote',
  'fast_read',
  'hit_set_grade_decay_rate',
  'hit_set_search_last_n',
  'scrub_min_interval',
  'scrub_max_interval',
  'deep_scrub_interval',
  'recovery_priority',
  'recovery_op_priority',
  'scrub_priority',
  'compression_mode',
  'compression_algorithm',
  'compression_required_ratio',
  'compression_max_blob_size',
  'compression_min_blob_size',
  'csum_type',
  'csum_max_block',
  'csum_min_block',
  'fingerprint_algorithm',
  'pg_autoscale_mode',
  'pg_num_min',
  'target_size_bytes',
  'target_size_ratio',
  'pg_autoscale_bias',
  'dedup_tier',
  'dedup_chunk_algorithm',
  'dedup_cdc_chunk_size',
  'pg_num_max',
  'bulk',
];

function get({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const name = args.text('pool')!;
  const variable = args.text('var')!;
  const { id, pool } = requiredPool(osdMap, name);
  const isTier = pool.tierOf >= 0;
  const isErasure = pool.type === PoolType.erasure;
  const needsTier = tierVariables.includes(variable);
  const needsErasure = erasureVariables.includes(variable);
  if (needsTier && !isTier) {
    throw refusal(OsdErrno.EACCES, `pool '${name}' is not a tier pool: variable not applicable`);
  }
  if (needsErasure && !isErasure) {
    throw refusal(OsdErrno.EACCES, `pool '${name}' is not a erasure pool: variable not applicable`);
  }
  const wanted =
    variable === 'all'
      ? allVariables.filter(
          (each) =>
            (isTier || !tierVariables.includes(each)) && (isErasure || !erasureVariables.includes(each)),
        )
      : [variable];
  const values = wanted.flatMap((each) => {
    const value = variableOf(osdMap, pool, each);
    return value === undefined ? [] : [[each, value] as const];
  });
  if (values.length === 0) {
    throw refusal(OsdErrno.ENOENT, `option '${variable}' is not set on pool '${name}'`);
  }
  if (isJson(format)) {
    return answer(formatJson({ pool: name, pool_id: id, ...Object.fromEntries(values) }, format));
  }
  return answer(values.map(([each, value]) => `${each}: ${plainValue(each, value)}\n`).join(''));
}

function plainValue(variable: string, value: Value): string {
  if (variable === 'use_gmt_hitset') return value ? '1' : '0';
  return typeof value === 'number' && optionTypes[variable] === 'double'
    ? formatDecimal(value)
    : String(value);
}

function applications({ args, format, monitor: { osdMap } }: CommandContext): CommandReply {
  const name = args.text('pool') ?? '';
  if (name === '') {
    const all = [...osdMap.pools].map(([id, pool]) => [
      osdMap.poolNames.get(id) ?? '',
      applicationsJson(pool),
    ]);
    return answer(formatJson(Object.fromEntries(all), format));
  }
  const { pool } = requiredPool(osdMap, name);
  const app = args.text('app') ?? '';
  if (app === '') return answer(formatJson(applicationsJson(pool), format));
  const metadata = pool.applicationMetadata.get(app);
  if (metadata === undefined) throw refusal(OsdErrno.ENOENT, `pool '${name}' has no application '${app}'`);
  const key = args.text('key') ?? '';
  if (key === '') return answer(formatJson(Object.fromEntries(metadata), format));
  const value = metadata.get(key);
  if (value === undefined) {
    throw refusal(OsdErrno.ENOENT, `application '${app}' on pool '${name}' does not have key '${key}'`);
  }
  // As it is, whatever was asked for: so does Ceph.
  return answer(`${value}\n`);
}
