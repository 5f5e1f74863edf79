/**
 * Values of options as text, in a ceph.conf or on a command line, by the rules of Ceph 16: what it takes is
 * taken, what it refuses is refused (`0x10` for a size, `yes` for a switch, `1h` for a float).
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import {
  type NumberForm,
  numberForm,
  type OptionDefinition,
  type OptionName,
  type Options,
  type OptionValue,
  optionTable,
  resolveOptions,
} from '../options.ts';

/** The option with this name, if it is one that this project reads; spaces and dashes count as underscores. */
export function optionNamed(name: string): OptionName | undefined {
  const normalized = name.trim().replaceAll(/[ -]/g, '_');
  return Object.hasOwn(optionTable, normalized) ? (normalized as OptionName) : undefined;
}

/**
 * The value of an option, checked against its range.
 *
 * @throws MsgrError ERR_MSGR_INVALID_ARGUMENT naming the option and what it takes.
 */
export function parseOption(name: OptionName, text: string): OptionValue {
  const definition: OptionDefinition<OptionValue> = optionTable[name];
  const trimmed = text.trim();
  const value =
    typeof definition.default === 'string'
      ? trimmed
      : typeof definition.default === 'boolean'
        ? parseBoolean(trimmed)
        : numberParsers[numberForm(definition)](trimmed);
  if (value === undefined) {
    const what = typeof definition.default === 'boolean' ? 'true or false' : expected[numberForm(definition)];
    throw new MsgrError(
      ErrorCode.InvalidArgument,
      `option ${name} takes ${what}, not ${JSON.stringify(trimmed)}`,
    );
  }
  return resolveOptions({ [name]: value } as Partial<Options>)[name];
}

const expected: Record<NumberForm, string> = {
  int: 'a whole number (K, M, G for thousands)',
  size: 'a size such as 4096, 64K or 1M',
  secs: 'a time such as 90 or 1h 30m',
  float: 'a number',
};

const numberParsers: Record<NumberForm, (text: string) => number | undefined> = {
  int: parseInteger,
  size: parseSize,
  secs: parseSeconds,
  float: parseFloatText,
};

const prefixes = 'KMGTPE';

/** `true` and `false` in any case, or a number, of which only 0 is false. */
function parseBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  if (lower === 'true') return true;
  if (lower === 'false') return false;
  if (!/^[+-]?\d{1,10}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= -(2 ** 31) && number < 2 ** 31 ? number !== 0 : undefined;
}

function parseInteger(text: string): number | undefined {
  const match = /^([+-]?\d{1,19})([KMGTPE]?)$/.exec(text);
  return match === null ? undefined : scaled(match[1]!, 1000, match[2]!);
}

/** A second character after the prefix says nothing, whatever it is (`7KB`, `7Ki`). */
function parseSize(text: string): number | undefined {
  const match = /^(\+?\d{1,20})(?:B|([KMGTPE])[^\d+-]?)?$/.exec(text);
  return match === null ? undefined : scaled(match[1]!, 1024, match[2] ?? '');
}

/** Values that a number cannot hold exactly are refused; none of the options needs them. */
function scaled(digits: string, base: number, prefix: string): number | undefined {
  const value = Number(digits) * base ** (prefix === '' ? 0 : prefixes.indexOf(prefix) + 1);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Decimal, or whole and hexadecimal; infinity, which Ceph takes, is refused: timers know none. */
function parseFloatText(text: string): number | undefined {
  if (/^[+-]?0x[0-9a-f]+$/i.test(text))
    return text.startsWith('-') ? -Number(text.slice(1)) : Number(text.replace(/^\+/, ''));
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  return Number(text);
}

const secondsOf: readonly (readonly [names: readonly string[], seconds: number])[] = [
  [['s', 'sec', 'second', 'seconds'], 1],
  [['m', 'min', 'minute', 'minutes'], 60],
  [['h', 'hr', 'hour', 'hours'], 3600],
  [['d', 'day', 'days'], 86_400],
  [['w', 'wk', 'week', 'weeks'], 7 * 86_400],
  [['mo', 'month', 'months'], 30 * 86_400],
  [['y', 'yr', 'year', 'years'], 365 * 86_400],
];

/** Seconds, or numbers with units one after the other: `1h 30m`; nothing at all is 0. */
function parseSeconds(text: string): number | undefined {
  if (/^\d{0,15}$/.test(text)) return Number(text);
  if (!/^(\d{1,9}\s*[a-z]+\s*)+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)\s*([a-z]+)/g)) {
    const found = secondsOf.find(([names]) => names.includes(unit!));
    if (found === undefined) return undefined;
    total += Number(count) * found[1];
  }
  return Number.isSafeInteger(total) ? total : undefined;
}
