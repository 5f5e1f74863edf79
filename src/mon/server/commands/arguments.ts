/**
 * The arguments of a JSON command, checked against a signature. Ceph's monitor leaves most of these checks to
 * its command line tool; here they are made for whoever sends a command.
 */
import { ErrorCode, MsgrError } from '../../../errors.ts';
import { EntityAddrVec } from '../../../wire/entity-addrvec.ts';
import { Uuid } from '../../../wire/uuid.ts';
import type { CommandArgs } from './command.ts';
import type { ArgumentSignature, CommandSignature } from './signature.ts';

export type JsonCommand = Readonly<Record<string, unknown>>;

type ArgumentValue = string | number | boolean | readonly string[];

/** Given with every command, whatever its signature. */
const commonNames: ReadonlySet<string> = new Set(['prefix', 'format', 'target', 'width']);

/** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT that names the argument and what is wrong with it. */
export function checkArguments(
  { arguments: args }: CommandSignature,
  command: JsonCommand,
): CheckedArguments {
  const values = new Map<string, ArgumentValue>();
  for (const signature of args) {
    const given = Object.hasOwn(command, signature.name) ? command[signature.name] : undefined;
    if (given === undefined || given === null) {
      if (signature.isRequired) throw invalid(`missing required parameter ${describe(signature)}`);
    } else {
      values.set(signature.name, signature.isList ? checkList(signature, given) : checkOne(signature, given));
    }
  }
  const known = new Set(args.map(({ name }) => name));
  const unknown = Object.keys(command).find((name) => !known.has(name) && !commonNames.has(name));
  if (unknown !== undefined) throw invalid(`${JSON.stringify(unknown)} is no parameter of this command`);
  return new CheckedArguments(values);
}

export class CheckedArguments implements CommandArgs {
  readonly #values: ReadonlyMap<string, ArgumentValue>;

  constructor(values: ReadonlyMap<string, ArgumentValue>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === undefined || typeof value === 'object' ? undefined : String(value);
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }

  flag(name: string): boolean {
    return this.#values.get(name) === true;
  }

  list(name: string): readonly string[] {
    const value = this.#values.get(name);
    if (value === undefined) return [];
    return typeof value === 'object' ? value : [String(value)];
  }
}

function invalid(message: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message);
}

function describe({ name, type }: ArgumentSignature): string {
  return `${name}(<${type.replace(/^Ceph/, '').toLowerCase()}>)`;
}

function refuse(signature: ArgumentSignature, given: unknown, expected: string): MsgrError {
  const shown = JSON.stringify(given) ?? '';
  return invalid(`parameter ${signature.name} is ${shown.slice(0, 200)}, not ${expected}`);
}

const listItemsMax = 65_536;

function checkList(signature: ArgumentSignature, given: unknown): readonly string[] {
  const items = Array.isArray(given) ? given : [given];
  if (items.length > listItemsMax) throw invalid(`parameter ${signature.name} has ${items.length} values`);
  if (items.length === 0 && signature.isRequired)
    throw invalid(`missing required parameter ${describe(signature)}`);
  return items.map((item) => String(checkOne(signature, item)));
}

function checkOne(signature: ArgumentSignature, given: unknown): string | number | boolean {
  switch (signature.type) {
    case 'CephInt':
      return checkNumber(signature, given, Number.isSafeInteger, 'a whole number');
    case 'CephFloat':
      return checkNumber(signature, given, Number.isFinite, 'a number');
    case 'CephBool':
      return checkBoolean(signature, given);
    case 'CephOsdName':
      return checkOsdName(signature, given);
    default:
      return checkText(signature, given);
  }
}

/** Numbers in quotes are taken, as other clients than `ceph` send them. */
function checkNumber(
  signature: ArgumentSignature,
  given: unknown,
  isRight: (value: number) => boolean,
  expected: string,
): number {
  const value = typeof given === 'string' && /^\s*[+-]?[\d.]/.test(given) ? Number(given) : given;
  if (typeof value !== 'number' || !isRight(value)) throw refuse(signature, given, expected);
  const [min, max] = signature.range;
  if ((min !== undefined && value < min) || (max !== undefined && value > max)) {
    throw refuse(signature, given, max === undefined ? `${min} or more` : `from ${min} to ${max}`);
  }
  return value;
}

/** Before Ceph had CephBool such flags were choices; their text still means yes. */
function checkBoolean(signature: ArgumentSignature, given: unknown): boolean {
  if (typeof given === 'boolean') return given;
  if (given === 'true' || given === `--${signature.name.replaceAll('_', '-')}`) return true;
  if (given === 'false') return false;
  throw refuse(signature, given, 'true or false');
}

/** `3`, `osd.3`, or where a command takes all of them `*`. */
function checkOsdName(signature: ArgumentSignature, given: unknown): number | string {
  if (given === '*' || given === 'all' || given === 'any') return given;
  const value = typeof given === 'number' ? given : Number(/^(?:osd\.)?(\d{1,9})$/.exec(String(given))?.[1]);
  if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff)
    throw refuse(signature, given, 'an OSD such as osd.3 or 3');
  return value;
}

function checkText(signature: ArgumentSignature, given: unknown): string {
  // A name that is all digits may come as a number.
  const text = typeof given === 'number' ? String(given) : given;
  if (typeof text !== 'string') throw refuse(signature, given, 'text');
  const expected = expectedText(signature, text);
  if (expected !== undefined) throw refuse(signature, given, expected);
  return text;
}

/** What `text` is not, if it is not. */
function expectedText(
  { choices, goodCharacters, type }: ArgumentSignature,
  text: string,
): string | undefined {
  switch (type) {
    case 'CephChoices':
      return choices.includes(text) ? undefined : `one of ${choices.join(', ')}`;
    case 'CephUUID':
      return parses(() => Uuid.parse(text)) ? undefined : 'a uuid';
    case 'CephIPAddr':
    case 'CephEntityAddr':
      return parses(() => EntityAddrVec.parse(text)) ? undefined : 'an address such as 10.0.0.1:6800/123';
    case 'CephPgid':
      return /^\d{1,19}\.[0-9a-fA-F]{1,8}$/.test(text) ? undefined : 'a PG such as 1.2f';
    case 'CephName':
      return /^(\*|mon|mgr|(osd|mon|client|mds|mgr)\..*)$/s.test(text) ? undefined : 'a name such as osd.3';
    case 'CephPoolname':
    case 'CephObjectname':
      return text === '' ? 'a name' : undefined;
    default:
      if (goodCharacters === undefined || goodCharacters.test(text)) return undefined;
      return `of the characters ${goodCharacters.source.slice(1, -2)} only`;
  }
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
