/**
 * The peers' own packages (bench/peers/package.json): what msgr2 is compared with is no dependency of msgr2.
 * Installed when a bench first wants them, without running any install script of theirs.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkoutFolder } from './checkout.ts';

const folder = join(checkoutFolder, 'bench/peers');
const installLimitMs = 180_000;

/** Whether npm has been here and is up to date with the lock file. */
export function peersInstalled(): boolean {
  const installed = lockedVersions('node_modules/.package-lock.json');
  const wanted = lockedVersions('package-lock.json');
  return Object.entries(wanted).every(([name, version]) => installed[name] === version);
}

/** Answers why it failed. */
export async function installPeers(): Promise<string | undefined> {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  try {
    await promisify(execFile)('npm', args, { cwd: folder, timeout: installLimitMs });
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split('\n').at(-1);
  }
}

/** Of the packages that the peers name themselves. */
export function peerVersions(): Record<string, string> {
  const { dependencies } = readJson(`${folder}/package.json`) as { dependencies: Record<string, string> };
  const installed = lockedVersions('node_modules/.package-lock.json');
  return Object.fromEntries(
    Object.keys(dependencies).map((name) => [name, installed[`node_modules/${name}`] ?? 'not installed']),
  );
}

function lockedVersions(file: string): Record<string, string> {
  const path = `${folder}/${file}`;
  if (!existsSync(path)) return {};
  const { packages } = readJson(path) as { packages: Record<string, { version?: string }> };
  return Object.fromEntries(
    Object.entries(packages).flatMap(([name, { version }]) =>
      name === '' || version === undefined ? [] : [[name, version]],
    ),
  );
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
