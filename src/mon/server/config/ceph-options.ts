/** What Ceph's options take, from `ceph-option-table.ts`; and values as Ceph keeps them. */
import { cephOptionTable } from './ceph-option-table.ts';

export interface CephOption {
  readonly name: string;
  /** `bool`, `int`, `uint`, `float`, `size`, `secs`, `millisecs`, `str`, `addr`, `addrvec`, `uuid`, `log`. */
  readonly type: string;
  readonly level: string;
  /** Takes effect while a daemon runs. */
  readonly isRuntime: boolean;
  /** What a daemon must know before it can ask a monitor. */
  readonly isNeverKept: boolean;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly choices: readonly string[];
  readonly default: string;
}

let options: ReadonlyMap<string, CephOption> | undefined;

/** By name, in the order of names; read from the table on first use. */
export function cephOptions(): ReadonlyMap<string, CephOption> {
  options ??= new Map(parseTable().sort(([one], [other]) => (one < other ? -1 : 1)));
  return options;
}

export function cephOption(name: string): CephOption | undefined {
  return cephOptions().get(name);
}

function parseTable(): [string, CephOption][] {
  const parsed: [string, CephOption][] = [];
  let [type, level, flags] = ['', '', ''];
  for (const line of cephOptionTable.split('\n')) {
    if (line.startsWith('# ')) [, type = '', level = '', flags = ''] = line.split(' ');
    else if (line !== '') {
      for (const text of line.split(/ ; |(?<==) ;$/)) parsed.push(parseOne(text, type, level, flags));
    }
  }
  return parsed;
}

function parseOne(text: string, type: string, level: string, flags: string): [string, CephOption] {
  const match = /^(\w+)(?:\[([^,]*),([^\]]*)\])?(?:\{([^}]*)\})?=(.*)$/.exec(text);
  if (match === null) throw new TypeError(`the table of options holds ${JSON.stringify(text)}`);
  const [, name = '', min, max, choices, value = ''] = match;
  const limit = (written: string | undefined): number | undefined =>
    written === undefined || written === '' ? undefined : Number(written);
  return [
    name,
    {
      name,
      type,
      level,
      isRuntime: flags.includes('r'),
      isNeverKept: flags.includes('n'),
      min: limit(min),
      max: limit(max),
      choices: choices?.split('|') ?? [],
      default: value.trim(),
    },
  ];
}

/** The value as it is kept, or what is wrong with it. */
export type CheckedValue =
  | { readonly value: string; readonly problem?: undefined }
  | { readonly problem: string };

/** `10` or `10/20` as both levels of a log; sizes and numbers without their units. */
export function checkValue(option: CephOption, text: string): CheckedValue {
  switch (option.type) {
    case 'log':
      return checkLogLevel(text);
    case 'bool':
      return checkBoolean(text);
    case 'int':
    case 'uint':
      return checkNumber(option, text, text.trim(), decimalUnits);
    case 'size':
      return checkNumber(option, text, text.trim(), binaryUnits);
    case 'float':
      return checkFloat(option, text);
    default:
      if (option.choices.length === 0 || option.choices.includes(text)) return { value: text };
      return { problem: `'${text}' is not one of the permitted values: ${option.choices.join(', ')}` };
  }
}

function checkLogLevel(text: string): CheckedValue {
  const match = /^\s*(\d{1,3})(?:\/(\d{1,3}))?\s*$/.exec(text);
  if (match === null) return { problem: 'value must take the form N or N/M, where N and M are integers' };
  return { value: `${match[1]}/${match[2] ?? match[1]}` };
}

function checkBoolean(text: string): CheckedValue {
  const lower = text.trim().toLowerCase();
  if (lower === 'true' || lower === '1' || lower === 'yes' || lower === 'on') return { value: 'true' };
  if (lower === 'false' || lower === '0' || lower === 'no' || lower === 'off') return { value: 'false' };
  return { problem: `'${text}' is not a valid value for a boolean` };
}

const prefixes = ['', 'K', 'M', 'G', 'T', 'P', 'E'];
const decimalUnits = (prefix: string): bigint => 1000n ** BigInt(prefixes.indexOf(prefix));
const binaryUnits = (prefix: string): bigint => 1024n ** BigInt(prefixes.indexOf(prefix));

function checkNumber(
  option: CephOption,
  text: string,
  trimmed: string,
  unit: (prefix: string) => bigint,
): CheckedValue {
  const match = /^([+-]?\d+)\s*([KMGTPE]?)(?:i?B)?$/.exec(trimmed);
  if (match === null) return { problem: /\d$/.test(trimmed) ? invalidText(text) : unknownUnit };
  const value = BigInt(match[1]!) * unit(match[2]!);
  const isSigned = option.type === 'int';
  const [least, most] = isSigned ? [-(1n << 63n), (1n << 63n) - 1n] : [0n, (1n << 64n) - 1n];
  if (value < least || value > most) return { problem: invalidText(text) };
  return checkLimits(option, Number(value), String(value));
}

const unknownUnit = 'strict_si_cast: unit prefix not recognized';

function invalidText(text: string): string {
  return `The option value '${text}' seems to be invalid`;
}

function checkFloat(option: CephOption, text: string): CheckedValue {
  const trimmed = text.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) {
    return { problem: `strict_strtod: expected double, got: '${text}'` };
  }
  return checkLimits(option, Number(trimmed), Number(trimmed).toFixed(6));
}

function checkLimits({ max, min, name }: CephOption, value: number, kept: string): CheckedValue {
  if ((min === undefined || value >= min) && (max === undefined || value <= max)) return { value: kept };
  return { problem: `Value '${kept}' of ${name} is outside range [${min ?? ''}, ${max ?? ''}]` };
}
