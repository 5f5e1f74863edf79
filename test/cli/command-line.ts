/** Runs `msgr2` as a user does: a process of its own, its output and its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withTimeout } from '../support/timeout.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const limitMs = 100_000;

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly result: Promise<CommandResult>;
  /** Resolves when standard output holds `text`. */
  printed(text: string): Promise<void>;
}

export function startCommand(...args: string[]): RunningCommand {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waits = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    for (const wait of [...waits]) wait();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<CommandResult>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const result = withTimeout(ended, limitMs, `msgr2 ${args.join(' ')}`).finally(() => child.kill('SIGKILL'));
  const printed = (text: string): Promise<void> =>
    withTimeout(
      new Promise((resolve) => {
        const check = (): void => {
          if (!stdout.includes(text)) return;
          waits.delete(check);
          resolve();
        };
        waits.add(check);
        check();
      }),
      limitMs,
      `'${text}' on standard output`,
    );
  return { child, result, printed };
}

export function runCommand(...args: string[]): Promise<CommandResult> {
  return startCommand(...args).result;
}
