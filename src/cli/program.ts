/**
 * The command line `msgr2`, as a function of its arguments. Whatever goes wrong becomes one line on standard
 * error and an exit code: 1 when the work failed, 2 when the command line was wrong. Only a bug shows its
 * stack.
 */
import { Command, CommanderError } from 'commander';
import { ErrorCode, MsgrError } from '../errors.ts';
import { packageVersion } from '../version.ts';
import { benchCommand } from './bench/command.ts';
import { CliError } from './cli-error.ts';
import { commandCommand } from './cluster/command.ts';
import { statusCommand } from './cluster/status.ts';
import { watchCommand } from './cluster/watch.ts';
import { clusterCommand } from './local-cluster/command.ts';
import { mapCommand } from './map.ts';
import { monCommand } from './mon/command.ts';
import { osdCommand } from './osd/command.ts';
import { pingCommand } from './ping/command.ts';
import { topCommand } from './top/command.ts';

/** Runs one command line (`process.argv` whole) and answers the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = makeProgram();
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return report(error, ['msgr2', ...argv.slice(2, 3).filter((word) => /^[a-z]+$/.test(word))].join(' '));
  }
}

function makeProgram(): Command {
  const program = new Command('msgr2')
    .description("Ceph's messenger for Node.js: the command line")
    .version(packageVersion(), '--version')
    .addCommand(statusCommand())
    .addCommand(commandCommand())
    .addCommand(watchCommand())
    .addCommand(pingCommand())
    .addCommand(topCommand())
    .addCommand(clusterCommand())
    .addCommand(monCommand())
    .addCommand(osdCommand())
    .addCommand(benchCommand())
    .addCommand(mapCommand());
  throwInsteadOfExit(program);
  return program;
}

/** Commands of commands too; commander hands these settings down only to those it makes itself. */
function throwInsteadOfExit(command: Command, path = command.name()): void {
  command.exitOverride().showHelpAfterError(`(see '${path} --help')`);
  for (const child of command.commands) throwInsteadOfExit(child, `${path} ${child.name()}`);
}

function report(error: unknown, name: string): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof CliError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof MsgrError) {
    process.stderr.write(`${name}: ${error.message}\n`);
    return error.code === ErrorCode.InvalidArgument ? 2 : 1;
  }
  process.stderr.write(`${name}: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}
