/** One word of a command line as the value of one argument, by the types of `ceph`. */

import { MonFloat } from '../../mon/client/commands.ts';
import { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { Uuid } from '../../wire/uuid.ts';
import type { CommandArgument } from './command-table.ts';

export type ArgumentValue = string | number | boolean | MonFloat;

/** What is wrong with a word; the sentence goes after the argument's name. */
export class ArgumentProblem extends Error {}

/** @throws ArgumentProblem */
export function parseArgumentValue(argument: CommandArgument, word: string): ArgumentValue {
  switch (argument.type) {
    case 'CephInt':
      return inRange(argument, parseInteger(word), word);
    case 'CephFloat':
      return new MonFloat(inRange(argument, parseNumber(word), word));
    case 'CephBool':
      return parseBoolean(word);
    case 'CephChoices':
      if (argument.choices.includes(word)) return word;
      throw new ArgumentProblem(`is ${quote(word)}, not one of ${argument.choices.join(', ')}`);
    case 'CephString':
      return checkCharacters(argument, word);
    case 'CephOsdName':
      return parseOsdName(word);
    case 'CephName':
      return parseName(word);
    case 'CephPgid':
      if (/^\d+\.[0-9a-f]+$/i.test(word)) return word;
      throw new ArgumentProblem(`is ${quote(word)}, not a PG such as 1.2f`);
    case 'CephUUID':
      return checked(word, 'a uuid', () => Uuid.parse(word));
    case 'CephIPAddr':
    case 'CephEntityAddr':
      return checked(word, 'an address such as 10.0.0.1:6800/123', () => EntityAddrVec.parse(word));
    default:
      return word;
  }
}

function quote(word: string): string {
  return JSON.stringify(word);
}

function checked(word: string, what: string, parse: () => unknown): string {
  try {
    parse();
  } catch {
    throw new ArgumentProblem(`is ${quote(word)}, not ${what}`);
  }
  return word;
}

/** As Python reads them: signs, 0x, 0o and 0b; no leading zeros. */
function parseInteger(word: string): number {
  const match = /^([+-]?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+|0|[1-9]\d*)$/i.exec(
    word.replaceAll(/(?<=\w)_(?=\w)/g, ''),
  );
  if (match === null) throw new ArgumentProblem(`is ${quote(word)}, not a whole number`);
  const value = Number(match[2]) * (match[1] === '-' ? -1 : 1);
  if (!Number.isSafeInteger(value)) throw new ArgumentProblem(`is ${word}, which is beyond 2^53`);
  return value;
}

function parseNumber(word: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) || !Number.isFinite(Number(word))) {
    throw new ArgumentProblem(`is ${quote(word)}, not a number`);
  }
  return Number(word);
}

function inRange({ range }: CommandArgument, value: number, word: string): number {
  const [min, max] = range;
  if (min !== undefined && value < min) {
    throw new ArgumentProblem(
      max === undefined ? `is ${word}, less than ${min}` : `is ${word}, not from ${min} to ${max}`,
    );
  }
  if (max !== undefined && value > max) throw new ArgumentProblem(`is ${word}, not from ${min} to ${max}`);
  return value;
}

function parseBoolean(word: string): boolean {
  const lower = word.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  if (lower === 'false' || lower === '0') return false;
  throw new ArgumentProblem(`is ${quote(word)}, not true or false`);
}

function checkCharacters({ goodCharacters }: CommandArgument, word: string): string {
  if (goodCharacters === undefined) return word;
  const good = new RegExp(`^${goodCharacters}$`);
  const bad = [...new Set(word)].filter((character) => !good.test(character));
  if (bad.length === 0) return word;
  throw new ArgumentProblem(
    `is ${quote(word)}; only ${goodCharacters} may be in it, not ${quote(bad.join(''))}`,
  );
}

/** `osd.3`, `3` or `*`; the number is what travels. */
function parseOsdName(word: string): ArgumentValue {
  if (word === '*') return word;
  const match = /^(?:osd\.)?\+?(\d{1,9})$/.exec(word);
  if (match === null) throw new ArgumentProblem(`is ${quote(word)}, not an OSD such as osd.3 or 3`);
  return Number(match[1]);
}

function parseName(word: string): string {
  if (['*', 'mon', 'mgr'].includes(word)) return word;
  if (/^osd\.(\*|[+-]?\d+)$/.test(word) || /^(mon|client|mds|mgr)\..*$/.test(word)) return word;
  throw new ArgumentProblem(`is ${quote(word)}, not a name such as osd.3 or client.admin`);
}
