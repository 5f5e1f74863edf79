/** What a monitor answered, printed as `ceph` prints it. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { MonCommandError } from '../../mon/client/command-error.ts';
import type { MonCommandResult } from '../../mon/client/commands.ts';
import { CliError } from '../cli-error.ts';

export interface AnswerOptions {
  readonly format?: string | undefined;
  /** A file for the output, in place of standard output; `-` is standard output, and nothing is added. */
  readonly outFile?: string | undefined;
}

/** Output to standard output or a file, status to standard error; answers the exit code. */
export async function printAnswer(
  answer: Promise<MonCommandResult>,
  options: AnswerOptions,
): Promise<number> {
  let output: Buffer;
  let status: string;
  let exitCode = 0;
  try {
    ({ output, status } = await answer);
  } catch (error) {
    if (!(error instanceof MonCommandError)) throw error;
    output = error.output;
    status = `Error ${error.errnoName}: ${error.status}`;
    exitCode = Math.abs(error.errno);
  }
  await writeOutput(output, options);
  if (status !== '') process.stderr.write(`${status}\n`);
  // Exit codes have eight bits; what does not fit must not become success.
  return exitCode > 255 ? 1 : exitCode;
}

async function writeOutput(output: Buffer, { format = '', outFile }: AnswerOptions): Promise<void> {
  if (outFile === undefined) {
    // `ceph` leaves a line free before JSON, which its users skip.
    if (format.startsWith('json')) process.stdout.write('\n');
    process.stdout.write(output);
  } else if (outFile === '-') process.stdout.write(output);
  else {
    const file = createWriteStream(outFile);
    file.end(output);
    try {
      await finished(file);
    } catch (cause) {
      throw new CliError(`the output file cannot be written: ${(cause as Error).message}`, { cause });
    }
  }
}
