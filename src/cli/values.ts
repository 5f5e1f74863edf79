/**
 * Values on the command line: what commander hands over as text becomes a number, an address or an option,
 * or a sentence that says what was expected. Every parser throws commander's own error, so that the line on
 * standard error names the option.
 */
import { InvalidArgumentError } from 'commander';
import { optionNamed, parseOption } from '../config/option-text.ts';
import type { Options } from '../options.ts';

type Parser<T> = (text: string) => T;

/** A whole number from `min` to `max`. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,16}$/.test(text) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} up` : `from ${min} to ${max}`;
      throw new InvalidArgumentError(`It must be a whole number ${range}.`);
    }
    return value;
  };
}

/** Seconds, fractions allowed. */
export function seconds(min: number, max: number): Parser<number> {
  return (text) => {
    const value = Number(text);
    if (!/^\d*\.?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a number of seconds from ${min} to ${max}.`);
    }
    return value;
  };
}

const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 * 1024 };

/** `64`, `4k` or `4KiB`, `1M` or `1MiB`: bytes. */
export function byteSize(text: string): number {
  const match = /^(\d{1,9})\s*(?:([km])(?:i?b)?|b)?$/i.exec(text.trim());
  if (match === null)
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no size such as 64, 4KiB or 1MiB.`);
  return Number(match[1]) * sizeUnits[(match[2] ?? '').toLowerCase()]!;
}

/** A list with commas, each part through `parse`. */
export function listOf<T>(parse: Parser<T>): Parser<T[]> {
  return (text) => text.split(',').map((part) => parse(part.trim()));
}

export function oneOf<const T extends string>(...choices: readonly T[]): Parser<T> {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) {
      throw new InvalidArgumentError(`${JSON.stringify(text)} is none of ${choices.join(', ')}.`);
    }
    return found;
  };
}

/** `ms_busy_poll_us=0`, repeatable: one of Ceph's (or our) options for a messenger. */
export function messengerOption(text: string, previous: Partial<Options> = {}): Partial<Options> {
  const equals = text.indexOf('=');
  const name = optionNamed(text.slice(0, Math.max(0, equals)));
  if (name === undefined) {
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no NAME=VALUE with the name of an option.`);
  }
  try {
    return { ...previous, [name]: parseOption(name, text.slice(equals + 1)) };
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}
