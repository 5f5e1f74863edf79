/**
 * Another revision of this project, complete and built in a temporary folder. The harness stays this one's; what is
 * measured is the other's public exports (against-ends.ts).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliError } from '../src/cli/cli-error.ts';
import type { LiveLine } from '../src/cli/live-line.ts';
import { checkoutFolder } from './checkout.ts';

const addonPath = 'build/cmake/Release/msgr2.node';
const stepLimitMs = 900_000;

export interface Checkout extends AsyncDisposable {
  /** Its folder. */
  readonly root: string;
  /** The commit, as short as it is unique. */
  readonly commit: string;
}

export async function checkoutRevision(revision: string, live: LiveLine): Promise<Checkout> {
  const commit = resolveCommit(revision);
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-against-'));
  try {
    live.update(`${revision}: unpacking ${commit}`);
    const archive = execFileSync('git', ['-C', checkoutFolder, 'archive', commit], { maxBuffer: 2 ** 30 });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    live.update(`${revision}: its packages`);
    providePackages(folder);
    live.update(`${revision}: compiling`);
    step('npm', ['run', 'build:ts'], folder);
    live.update(`${revision}: its core`);
    const how = provideAddon(folder, commit);
    live.print(`beside ${revision}: ${commit}, ${how}`);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    root: folder,
    commit,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function resolveCommit(revision: string): string {
  const { status, stdout } = spawnSync(
    'git',
    ['-C', checkoutFolder, 'rev-parse', '--verify', '--short', '--end-of-options', `${revision}^{commit}`],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new CliError(`git knows no revision ${revision}`, { exitCode: 2 });
  return stdout.trim();
}

/** This checkout's, where both want the same ones. */
function providePackages(folder: string): void {
  const lock = (path: string): string => readFileSync(join(path, 'package-lock.json'), 'utf8');
  if (lock(folder) === lock(checkoutFolder)) {
    symlinkSync(join(checkoutFolder, 'node_modules'), join(folder, 'node_modules'));
  } else {
    step('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], folder);
  }
}

/** This checkout's, where it was built from the same sources; else one of its own. */
function provideAddon(folder: string, commit: string): string {
  if (process.env.MSGR2_NATIVE === 'off') return 'without its core: MSGR2_NATIVE=off';
  const to = join(folder, addonPath);
  if (canReuseCore(commit)) {
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(checkoutFolder, addonPath), to);
    return 'with the same core';
  }
  step(join(folder, 'node_modules/.bin/cmake-js'), ['build', '-d', 'native', '-O', 'build/cmake'], folder);
  if (!existsSync(to)) throw new CliError(`the core of ${commit} was built elsewhere than in ${addonPath}`);
  return 'its core built';
}

/** Whether this checkout's core was built from the sources that the revision has. */
export function canReuseCore(commit: string): boolean {
  const addon = join(checkoutFolder, addonPath);
  if (!existsSync(addon)) return false;
  const { status } = spawnSync('git', ['-C', checkoutFolder, 'diff', '--quiet', commit, '--', 'native']);
  if (status !== 0) return false;
  const builtAt = statSync(addon).mtimeMs;
  const sources = readdirSync(join(checkoutFolder, 'native'), { recursive: true, encoding: 'utf8' });
  return sources
    .filter((name) => /\.(cc|h|txt)$/.test(name))
    .every((name) => statSync(join(checkoutFolder, 'native', name)).mtimeMs <= builtAt);
}

function step(program: string, args: readonly string[], cwd: string): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: stepLimitMs,
  });
  if (status === 0) return;
  const tail = (stdout + stderr).trim().split('\n').slice(-20).join('\n');
  throw new CliError(`${program} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}\n${tail}`);
}
