/** Answers of commands, in the forms that operators and programs ask for. */
import type { CommandFormat, CommandReply } from './command.ts';

export function answer(data: string | Uint8Array, message = ''): CommandReply {
  return { result: 0, data, message };
}

/** For commands that do something: one line for the operator. */
export function done(message = ''): CommandReply {
  return { result: 0, message };
}

/** `errno` is positive, as in `Errno`. */
export function failed(errno: number, message: string): CommandReply {
  return { result: -errno, message };
}

export function isJson(format: CommandFormat): format is 'json' | 'json-pretty' {
  return format === 'json' || format === 'json-pretty';
}

/** A value as Ceph's formatter writes it: `json` in one line, every other format indented with a newline at the end. */
export function formatJson(value: unknown, format: CommandFormat): string {
  return format === 'json' ? writeJson(value, undefined) : `${writeJson(value, '\n')}\n`;
}

const indentStep = '    ';

/** `newline` is the line break with the present indentation, or undefined to write in one line. */
function writeJson(value: unknown, newline: string | undefined): string {
  switch (typeof value) {
    case 'number':
      return writeNumber(value);
    case 'object':
      break;
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return writeText(String(value));
  }
  if (value === null) return 'null';
  if ('toJSON' in value && typeof value.toJSON === 'function') return writeJson(value.toJSON(), newline);
  const inner = newline === undefined ? undefined : newline + indentStep;
  const isList = Array.isArray(value);
  const [open, close] = isList ? '[]' : '{}';
  const parts = isList
    ? value.map((item) => writeJson(item, inner))
    : Object.entries(value)
        .filter(([, field]) => field !== undefined)
        .map(
          ([name, field]) => `${writeText(name)}:${inner === undefined ? '' : ' '}${writeJson(field, inner)}`,
        );
  if (parts.length === 0) return `${open}${close}`;
  return `${open}${inner ?? ''}${parts.join(`,${inner ?? ''}`)}${newline ?? ''}${close}`;
}

/** Fractions with the 17 digits of C++'s `max_digits10`, which say exactly which double it is. */
function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : value < 0 ? '-inf' : 'nan';
  if (Number.isInteger(value)) return String(value);
  const [digits, exponent] = value.toPrecision(17).split('e');
  const trimmed = digits!.replace(/\.?0+$/, '');
  return exponent === undefined ? trimmed : `${trimmed}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`;
}

function writeText(text: string): string {
  return JSON.stringify(text).replaceAll('\x7f', '\\u007f');
}
