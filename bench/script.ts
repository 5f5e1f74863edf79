/** The frame of a script that people start: a failure they can understand is one line, a bug keeps its stack. */
import { CliError } from '../src/cli/cli-error.ts';
import type { LiveLine } from '../src/cli/live-line.ts';

/** Runs `body`; what it throws is printed under `name` and becomes the exit code. */
export async function runScript(name: string, live: LiveLine, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    live.clear();
    const text =
      error instanceof Error && !(error instanceof CliError) ? error.stack : (error as Error).message;
    process.stderr.write(`${name}: ${text}\n`);
    process.exitCode = error instanceof CliError ? error.exitCode : 1;
  }
}
