/** Values of the options that a pool may have beside its fixed fields; each is checked as Ceph checks it. */
import type { PgPool, PoolOption } from '../../../../maps/pool.ts';
import { OsdErrno, refusal } from '../osd/shared.ts';
import { iecMistake, parseIecBytes } from './pool-values.ts';
import { checksumNames, optionTypes } from './variables.ts';

const choices: Readonly<Record<string, { readonly values: readonly string[]; readonly wrong: string }>> = {
  compression_mode: {
    values: ['none', 'passive', 'aggressive', 'force'],
    wrong: 'unrecognized compression mode',
  },
  compression_algorithm: {
    values: ['none', 'snappy', 'zlib', 'zstd', 'lz4', 'brotli'],
    wrong: 'unrecognized compression_algorithm',
  },
};

/** Numbers of bytes may have a unit. */
const inBytes = new Set([
  'compression_max_blob_size',
  'compression_min_blob_size',
  'csum_max_block',
  'csum_min_block',
  'target_size_bytes',
]);

/** Undefined when the option is to be taken away: `unset`, or 0. @throws MsgrError EINVAL */
export function optionValue(variable: string, text: string, pool: PgPool): PoolOption | undefined {
  if (variable === 'dedup_tier') throw refusal(OsdErrno.EINVAL, "expecting value 'pool name'");
  switch (optionTypes[variable]) {
    case 'string':
      return textOption(variable, text);
    case 'double':
      return doubleOption(variable, text);
    default:
      return wholeOption(variable, text, pool);
  }
}

function textOption(variable: string, text: string): PoolOption | undefined {
  if (text === 'unset') return undefined;
  const choice = choices[variable];
  if (choice !== undefined && !choice.values.includes(text)) {
    throw refusal(OsdErrno.EINVAL, `${choice.wrong} '${text}'`);
  }
  return { type: 'string', value: text };
}

function doubleOption(variable: string, text: string): PoolOption | undefined {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw refusal(
      OsdErrno.EINVAL,
      `error parsing floating point value '${text}': strict_strtod: expected double, got: '${text}'`,
    );
  }
  if (variable === 'compression_required_ratio' && (value < 0 || value > 1)) {
    throw refusal(OsdErrno.EINVAL, `compression_required_ratio is out of range (0-1): '${text}'`);
  }
  if (variable === 'target_size_ratio' && value < 0) {
    throw refusal(OsdErrno.EINVAL, 'target_size_ratio cannot be negative');
  }
  if (variable === 'pg_autoscale_bias' && (value < 0 || value > 1000)) {
    throw refusal(OsdErrno.EINVAL, 'pg_autoscale_bias must be between 0 and 1000');
  }
  return value === 0 ? undefined : { type: 'double', value };
}

const priorityMax = 10;

function wholeOption(variable: string, text: string, pool: PgPool): PoolOption | undefined {
  if (variable === 'csum_type') return checksumOption(text);
  const value = inBytes.has(variable) ? parseIecBytes(text) : parseInteger(text);
  if (value === undefined) {
    const what = inBytes.has(variable) || variable.startsWith('pg_num_') ? 'int' : 'integer';
    const mistake = inBytes.has(variable)
      ? iecMistake(text)
      : `Expected option value to be integer, got '${text}'`;
    throw refusal(OsdErrno.EINVAL, `error parsing ${what} value '${text}': ${mistake}`);
  }
  if (variable === 'pg_num_min' && value > pool.pgNumTarget) {
    throw refusal(OsdErrno.EINVAL, `specified pg_num_min ${value} > pg_num ${pool.pgNumTarget}`);
  }
  if (variable === 'pg_num_max' && value > 0n && value < pool.pgNumTarget) {
    throw refusal(OsdErrno.EINVAL, `specified pg_num_max ${value} < pg_num ${pool.pgNumTarget}`);
  }
  if (variable === 'recovery_priority' && (value > priorityMax || value < -priorityMax)) {
    throw refusal(
      OsdErrno.EINVAL,
      `pool recovery_priority must be between -${priorityMax} and ${priorityMax}`,
    );
  }
  return value === 0n ? undefined : { type: 'int', value };
}

function parseInteger(text: string): bigint | undefined {
  return /^\s*[+-]?\d{1,18}$/.test(text) ? BigInt(text.trim()) : undefined;
}

function checksumOption(text: string): PoolOption | undefined {
  if (text === 'unset') return undefined;
  const type = checksumNames.indexOf(text);
  if (type <= 0) throw refusal(OsdErrno.EINVAL, `unrecognized csum_type '${text}'`);
  return { type: 'int', value: BigInt(type) };
}
