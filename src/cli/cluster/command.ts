/**
 * `msgr2 command`: anything that `ceph` asks of the monitors, by the commands that they describe themselves.
 * Commands of the managers go by way of the monitor, which passes them on.
 */
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { optionNamed } from '../../config/option-text.ts';
import type { MonClient } from '../../mon/client/mon-client.ts';
import { CliError } from '../cli-error.ts';
import { printAnswer } from './answer.ts';
import { parseCommandTable } from './command-table.ts';
import { addClusterFlags, type ClusterFlags, formatOption, outputFormats } from './flags.ts';
import { matchCommand } from './match-command.ts';
import { openCluster } from './open-cluster.ts';
import { splitWords } from './split-words.ts';

interface CommandFlags extends ClusterFlags {
  format?: string;
  inFile?: string;
  outFile?: string;
}

const examples = `
Examples:
  msgr2 command osd tree --format json
  msgr2 command 'osd pool create data 8'
  msgr2 command osd pool set data size 2
  msgr2 command '{"prefix": "osd reweight", "id": 3, "weight": 1.0}'
  msgr2 command tell mon.a version`;

export function commandCommand(): Command {
  const command = new Command('command')
    .description('have the monitors carry out a command, in the words of ceph')
    .argument('<words...>', 'words and arguments, as one text too; or the JSON of a command')
    .allowUnknownOption()
    .addOption(formatOption(...outputFormats))
    .addOption(new Option('-i, --in-file <file>', "the command's input; -: standard input"))
    .addOption(new Option('-o, --out-file <file>', 'where its output goes; -: standard output'));
  return addClusterFlags(command).addHelpText('after', examples).action(runCommand);
}

async function runCommand(given: readonly string[], flags: CommandFlags): Promise<void> {
  const { options, words } = takeOptions(given.length === 1 ? splitWords(given[0]!) : given);
  const input = readInput(flags.inFile);
  await using cluster = await openCluster({ ...flags, option: { ...options, ...flags.option } });
  const { format, outFile } = flags;
  const { target, rest } = takeTarget(words);
  const command = await readCommand(cluster.client, rest, { format, target });
  const answer = cluster.client.command(command, {
    ...(input === undefined ? {} : { input }),
    ...(target === undefined ? {} : { target }),
  });
  process.exitCode = await printAnswer(answer, { format, outFile });
}

/** JSON goes as it is. */
async function readCommand(
  client: MonClient,
  words: readonly string[],
  { format, target }: { format: string | undefined; target: string | undefined },
): Promise<string | { prefix: string }> {
  if (words.length === 1 && /^\s*\{/.test(words[0]!)) return words[0]!;
  const { output } = await client.command(
    { prefix: 'get_command_descriptions' },
    target === undefined ? {} : { target },
  );
  const { prefix, values } = matchCommand(parseCommandTable(output.toString('utf8')), words);
  return { prefix, ...values, ...(format === undefined ? {} : { format }) };
}

/** `--ms-mon-client-mode secure` among the words is an option of ceph.conf, as with `ceph`. */
function takeOptions(given: readonly string[]): { options: Record<string, string>; words: string[] } {
  const options: Record<string, string> = {};
  const words: string[] = [];
  for (let index = 0; index < given.length; index++) {
    const word = given[index]!;
    const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const option = optionNamed(name);
    if (option === undefined) words.push(word);
    else options[option] = value ?? given[++index] ?? '';
  }
  return { options, words };
}

/** `tell mon.a …`: only that monitor may answer. */
function takeTarget(words: readonly string[]): { target: string | undefined; rest: readonly string[] } {
  if (words[0] !== 'tell') return { target: undefined, rest: words };
  const target = words[1];
  if (target === undefined || !/^mon\../.test(target)) {
    throw new CliError(`tell ${target ?? ''}: only monitors can be told here, by name (mon.a)`, {
      exitCode: 22,
    });
  }
  if (words.length < 3) throw new CliError(`tell ${target}: what?`, { exitCode: 22 });
  return { target, rest: words.slice(2) };
}

function readInput(path: string | undefined): Uint8Array | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path === '-' ? 0 : path);
  } catch (cause) {
    throw new CliError(`the input file cannot be read: ${(cause as Error).message}`, { cause });
  }
}
