/** `msgr2 mon` as a process, compiled once so that it starts in a fraction of the time that sources take. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const nativePath = join(root, 'build/cmake/Release/msgr2.node');

/** For programs that lie elsewhere: the core that the sources use, when it is built. */
export const programEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  ...(existsSync(nativePath) ? { MSGR2_NATIVE: nativePath } : {}),
};

/** A machine that stands still is no monitor that does not start. */
const readyTimeoutMs = 600_000;

export interface MonitorProcess {
  readonly child: ChildProcess;
  /** ms until it was ready; rejects when it ends before. */
  readonly ready: Promise<number>;
  readonly gone: Promise<void>;
  readonly isReady: () => boolean;
}

/** `main`: what {@link compileCli} made. */
export function startMonitorProcess(
  main: string,
  data: string,
  options: Readonly<Record<string, string | number | boolean>>,
): MonitorProcess {
  const startedMs = performance.now();
  const flags = Object.entries(options).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
  const child = spawn(process.execPath, [main, 'mon', '--data', data, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: programEnvironment,
  });
  let isReady = false;
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const gone = once(child, 'close').then(() => {});
  const ready = new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (!text.includes('is ready at')) return;
      isReady = true;
      resolve(performance.now() - startedMs);
    });
    void gone.then(() => reject(new Error(`the monitor did not start: ${errors || child.signalCode}`)));
    setTimeout(() => reject(new Error('the monitor is not ready')), readyTimeoutMs).unref();
  });
  ready.catch(() => {});
  return { child, ready, gone, isReady: () => isReady };
}

/** The command line as JavaScript, in a folder of its own with this repository's packages: it starts in a fraction of the time. */
export function compileCli(): { main: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-cli-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const out = ['--outDir', join(folder, 'dist'), '--declaration', 'false', '--sourceMap', 'false'];
  // Types are another test's business; what counts is that a program came out.
  const compiled = spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...out]);
  if (!existsSync(join(folder, 'dist/cli/main.js'))) throw new Error(`tsc: ${compiled.stdout}`);
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  return {
    main: join(folder, 'dist/cli/main.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
