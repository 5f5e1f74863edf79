/**
 * From the words of a command line to a command for the monitor, by the commands that the monitor
 * describes. Words are matched from the left; arguments are given by place or by name (`--size 3`,
 * `--size=3`, `--bulk`), as with `ceph`.
 */

import { CliError } from '../cli-error.ts';
import { closestWords } from './closest-words.ts';
import { argumentText, type CommandArgument, type CommandSignature, usageOf } from './command-table.ts';
import { ArgumentProblem, type ArgumentValue, parseArgumentValue } from './command-values.ts';

export type CommandValues = Record<string, ArgumentValue | ArgumentValue[]>;

export interface MatchedCommand {
  readonly prefix: string;
  readonly values: CommandValues;
}

/** What `ceph` exits with for a command line that no monitor sees: EINVAL. */
const exitCodeInvalid = 22;
const suggestionsMax = 20;

/** @throws CliError with the commands that come closest, or with the usage of the one that was meant. */
export function matchCommand(
  commands: readonly CommandSignature[],
  given: readonly string[],
): MatchedCommand {
  const meant = commands
    .filter(
      ({ words }) => words.length <= given.length && words.every((word, index) => word === given[index]),
    )
    // The most words first; of the same words the one that asks for the least.
    .sort((one, other) => other.words.length - one.words.length || requiredCount(one) - requiredCount(other));
  const problems: { command: CommandSignature; problem: ArgumentProblem }[] = [];
  for (const command of meant) {
    try {
      const values = assignArguments(command.arguments, given.slice(command.words.length));
      return { prefix: command.words.join(' '), values };
    } catch (error) {
      if (!(error instanceof ArgumentProblem)) throw error;
      problems.push({ command, problem: error });
    }
  }
  if (problems.length > 0) throw invalidArguments(problems);
  throw unknownCommand(commands, given);
}

function requiredCount(command: CommandSignature): number {
  return command.arguments.filter(({ isRequired }) => isRequired).length;
}

// ── Arguments ────────────────────────────────────────────────────────────────────────────────────────

/** Confirmations that older monitors describe as text. */
const confirmations: readonly string[] = [
  '--yes-i-really-mean-it',
  '--yes-i-really-really-mean-it',
  '--yes-i-really-really-mean-it-not-faking',
  '--force',
];

class Assignment {
  readonly values: CommandValues = {};
  readonly words: string[];
  readonly #arguments: readonly CommandArgument[];
  /** Values that each argument has got, by name or by place since its turn came. */
  readonly counts = new Map<CommandArgument, number>();

  constructor(args: readonly CommandArgument[], words: readonly string[]) {
    this.#arguments = args;
    this.words = [...words];
  }

  /** True when the next words give an argument by its name; they are taken then. */
  takeNamed(): boolean {
    const match = /^--([^=]+)(?:=(.+))?$/s.exec(this.words[0] ?? '');
    if (match === null) return false;
    const name = match[1]!.replaceAll('-', '_');
    const argument = this.#arguments.find((candidate) => candidate.name === name);
    if (argument === undefined) return false;
    let value = match[2];
    let taken = 1;
    if (value === undefined) {
      if (argument.type === 'CephBool') value = 'true';
      else if (this.words.length < 2) return false;
      else {
        value = this.words[1]!;
        taken = 2;
      }
    }
    this.store(argument, value, true);
    this.words.splice(0, taken);
    return true;
  }

  /** @throws ArgumentProblem that names the argument. */
  store(argument: CommandArgument, word: string, isNamed = false): void {
    let parsed: ArgumentValue[];
    const isList = argument.count === Number.POSITIVE_INFINITY;
    // Texts by place may hold commas of their own.
    const parts = isList && (isNamed || argument.type !== 'CephString') ? word.split(',') : [word];
    try {
      parsed = parts.map((part) => parseArgumentValue(argument, part));
    } catch (error) {
      if (error instanceof ArgumentProblem) error.message = `${argument.name} ${error.message}`;
      throw error;
    }
    const { name } = argument;
    const before = this.values[name];
    if (isList) this.values[name] = Array.isArray(before) ? [...before, ...parsed] : parsed;
    else this.values[name] = parsed[0]!;
    this.counts.set(argument, (this.counts.get(argument) ?? 0) + 1);
  }
}

/** @throws ArgumentProblem that says which argument is missing, wrong or too much. */
export function assignArguments(args: readonly CommandArgument[], words: readonly string[]): CommandValues {
  const assignment = new Assignment(args, words);
  let passedOver: ArgumentProblem | undefined;
  for (const argument of args) {
    assignment.counts.set(argument, 0);
    while (assignment.counts.get(argument)! < argument.count) {
      const word = assignment.words[0];
      if (word === undefined) break;
      if (assignment.takeNamed()) continue;
      refuseUnknownFlag(argument, word);
      try {
        assignment.store(argument, word);
      } catch (error) {
        if (!(error instanceof ArgumentProblem) || argument.isRequired) throw error;
        // It may be meant for the next one.
        passedOver ??= error;
        break;
      }
      passedOver = undefined;
      assignment.words.shift();
    }
    if (argument.isRequired && !(argument.name in assignment.values)) {
      throw new ArgumentProblem(`${argumentText(argument)} is missing`);
    }
  }
  if (assignment.words.length > 0) {
    const rest = assignment.words.map((word) => JSON.stringify(word)).join(', ');
    throw passedOver ?? new ArgumentProblem(`${rest} is more than the command takes`);
  }
  return assignment.values;
}

/** A flag that is spelled wrong must not become the value of the next argument. */
function refuseUnknownFlag({ name, type }: CommandArgument, word: string): void {
  const mayHoldFlags = type === 'CephChoices' || name === 'injected_args';
  if (!word.startsWith('--') || mayHoldFlags || confirmations.includes(word)) return;
  throw new ArgumentProblem(`${word} is no argument of this command`);
}

// ── What was meant? ──────────────────────────────────────────────────────────────────────────────────

function invalidArguments(
  problems: readonly { command: CommandSignature; problem: ArgumentProblem }[],
): CliError {
  // Those of the longest words; the others share only the beginning.
  const longest = problems[0]!.command.words.length;
  const meant = problems.filter(({ command }) => command.words.length === longest);
  const usages = meant.map(
    ({ command }) => `  ${usageOf(command)}${command.help === '' ? '' : `\n      ${command.help}`}`,
  );
  return new CliError(`${meant.at(-1)!.problem.message}\nusage:\n${usages.join('\n')}`, {
    exitCode: exitCodeInvalid,
  });
}

function unknownCommand(commands: readonly CommandSignature[], given: readonly string[]): CliError {
  const shown = commands.filter(({ isHidden }) => !isHidden);
  const close = closestCommands(shown, given);
  const lines = close.slice(0, suggestionsMax).map((command) => `  ${usageOf(command)}`);
  if (close.length > suggestionsMax) lines.push(`  … and ${close.length - suggestionsMax} more`);
  const offer = lines.length === 0 ? '' : `; closest are:\n${lines.join('\n')}`;
  return new CliError(`no command '${given.join(' ')}'${offer}`, { exitCode: exitCodeInvalid });
}

/** Those that begin with all the words, else those whose words are nearest in spelling. */
function closestCommands(
  commands: readonly CommandSignature[],
  given: readonly string[],
): CommandSignature[] {
  const starting = commands.filter(({ words }) =>
    given.every((word, index) => words[index]?.startsWith(word)),
  );
  if (starting.length > 0) return starting;
  const texts = new Map(commands.map((command) => [command, command.words] as const));
  return closestWords(texts, given);
}
