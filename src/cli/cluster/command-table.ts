/**
 * The commands that monitors take, as they describe them themselves (`get_command_descriptions`): words, then
 * arguments with names and types, in one JSON object.
 *
 *      {"cmd042": {"sig": ["osd", "in", {"name": "ids", "type": "CephString", "n": "N"}], "help": "…", "flags": 0}, …}
 */
import { CliError } from '../cli-error.ts';

export interface CommandArgument {
  readonly name: string;
  /** `CephInt`, `CephChoices` and so on. */
  readonly type: string;
  readonly isRequired: boolean;
  /** How many values; Infinity for one or more. */
  readonly count: number;
  /** Of CephChoices. */
  readonly choices: readonly string[];
  /** Of CephInt and CephFloat: `[min]` or `[min, max]`. */
  readonly range: readonly number[];
  /** Of CephString: a character class such as `[A-Za-z0-9-_.]`. */
  readonly goodCharacters: string | undefined;
}

export interface CommandSignature {
  readonly words: readonly string[];
  readonly arguments: readonly CommandArgument[];
  readonly help: string;
  /** Still answered, but not to be offered. */
  readonly isHidden: boolean;
}

/** Bits of `flags` (MonCommand.h). */
const flagObsolete = 1 << 1;
const flagDeprecated = 1 << 2;
const flagHidden = 1 << 5;

interface RawArgument {
  name?: string;
  type?: string;
  n?: string | number;
  req?: string | boolean;
  strings?: string;
  range?: string;
  goodchars?: string;
}

interface RawCommand {
  sig?: readonly (string | RawArgument)[];
  help?: string;
  flags?: number;
  avail?: string;
}

/** @throws CliError when the monitor sent something else. */
export function parseCommandTable(json: string): CommandSignature[] {
  let raw: Record<string, RawCommand>;
  try {
    raw = JSON.parse(json);
  } catch (cause) {
    throw new CliError('the monitor describes its commands in something that is not JSON', { cause });
  }
  return Object.values(raw ?? {})
    .filter(
      ({ avail, flags = 0, sig }) =>
        Array.isArray(sig) && (flags & flagObsolete) === 0 && /cli|^$/.test(avail ?? ''),
    )
    .map(parseCommand);
}

function parseCommand({ flags = 0, help = '', sig }: RawCommand): CommandSignature {
  const parts = sig ?? [];
  return {
    words: parts.filter((part) => typeof part === 'string'),
    arguments: parts.filter((part) => typeof part !== 'string').map(parseArgument),
    help,
    isHidden: (flags & (flagDeprecated | flagHidden)) !== 0,
  };
}

function parseArgument(raw: RawArgument): CommandArgument {
  const { goodchars, n = 1, name = '', range = '', req = true, strings = '', type = 'CephString' } = raw;
  return {
    name,
    type,
    // Spelled in several ways, and misspelled in Ceph 16 ('fasle').
    isRequired: [true, 'true', 'True'].includes(req),
    count: /^n$/i.test(String(n)) ? Number.POSITIVE_INFINITY : Number(n),
    choices: strings === '' ? [] : strings.split('|'),
    range: range === '' ? [] : range.split('|').map(Number),
    goodCharacters: goodchars === '' ? undefined : goodchars,
  };
}

/** One line, as `ceph --help` shows commands: `osd reweight <id|osd.id> <weight:float>`. */
export function usageOf(command: CommandSignature): string {
  return [...command.words, ...command.arguments.map(argumentText)].join(' ');
}

/** `[<pg_num:int>]`, `<ids>...`. */
export function argumentText(argument: CommandArgument): string {
  const text = `${typeText(argument)}${argument.count === Number.POSITIVE_INFINITY ? '...' : ''}`;
  return argument.isRequired ? text : `[${text}]`;
}

function typeText({ choices, name, type }: CommandArgument): string {
  switch (type) {
    case 'CephBool':
      return `--${name.replaceAll('_', '-')}`;
    case 'CephChoices':
      return name === 'format' ? `--format {${choices.join('|')}}` : choices.join('|');
    case 'CephOsdName':
      return '<id|osd.id>';
    case 'CephName':
      return '<type.id>';
    case 'CephInt':
      return `<${name}:int>`;
    case 'CephFloat':
      return `<${name}:float>`;
    default:
      return `<${name}>`;
  }
}
