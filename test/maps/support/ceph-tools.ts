/**
 * Debian's osdmaptool and crushtool, the other side of every comparison.
 *
 * A test that needs them skips with a loud line when they are not installed, and fails instead when
 * MSGR2_REQUIRE_CEPH=1.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function installed(tool: string): boolean {
  return spawnSync(tool, ['--help'], { stdio: 'ignore' }).error === undefined;
}

/** True when the tools are there; says so when they are not, and throws when they must be. */
export function haveCephTools(what: string): boolean {
  const missing = ['osdmaptool', 'crushtool', 'monmaptool'].filter((tool) => !installed(tool));
  if (missing.length === 0) return true;
  const line = `${what}: ${missing.join(', ')} not installed`;
  if (process.env.MSGR2_REQUIRE_CEPH === '1') throw new Error(line);
  console.log(`SKIPPED ${line} (Debian: ceph-base, ceph-common)`);
  return false;
}

/** A folder that is removed when `body` is done. */
export function inTemporaryFolder<T>(body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-maps-'));
  try {
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same for work that takes its time. */
export async function inTemporaryFolderAsync<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-maps-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs a tool and gives what it wrote to standard output; its standard error is in the message when it
 * fails. Output goes by way of a file: it can be hundreds of megabytes.
 */
export function runTool(folder: string, tool: string, args: readonly string[]): string {
  const path = join(folder, 'stdout');
  const output = openSync(path, 'w');
  const result = spawnSync(tool, args, { stdio: ['ignore', output, 'pipe'], encoding: 'utf8' });
  closeSync(output);
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${tool} ${args.join(' ')}: exit ${result.status ?? result.signal}\n${result.stderr}`);
  }
  return readFileSync(path, 'utf8');
}
