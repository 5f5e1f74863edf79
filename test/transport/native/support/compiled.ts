/**
 * The library compiled to plain JavaScript in a temporary folder: child processes and workers start on it in
 * a tenth of the time that loading TypeScript takes, and it is what users run.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { nativePath } from '../../../../src/native.ts';
import { withTimeout } from '../../../support/timeout.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

export interface CompiledLibrary {
  /** URL of the folder that stands for src/, with a slash at its end. */
  readonly url: string;
  remove(): void;
}

export function compileLibrary(): CompiledLibrary {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-compiled-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    // Errors of type are the type checker's business; the files are written all the same.
    execFileSync(
      process.execPath,
      [
        join(root, 'node_modules/typescript/bin/tsc'),
        '-p',
        join(root, 'tsconfig.build.json'),
        '--outDir',
        join(folder, 'dist'),
        '--noCheck',
      ],
      { cwd: root, stdio: 'ignore' },
    );
  } catch (error) {
    remove();
    throw error;
  }
  return { url: `${pathToFileURL(join(folder, 'dist'))}/`, remove };
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs a script of this folder with the addon that this process loads; kills it when it takes too long. */
export async function runScript(
  name: string,
  script: readonly string[],
  timeoutMs: number,
  environment: NodeJS.ProcessEnv = {},
): Promise<ProcessEnd> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(name, import.meta.url)), ...script], {
    env: { ...process.env, MSGR2_NATIVE: nativePath(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
  try {
    return await withTimeout(ended, timeoutMs, `${name} ${script.slice(1).join(' ')}`);
  } finally {
    child.kill('SIGKILL');
  }
}
