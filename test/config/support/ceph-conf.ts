/** Debian's ceph-conf, which says how Ceph itself reads a ceph.conf. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** True when ceph-conf is there; says so when it is not, and throws when it must be. */
export function haveCephConf(what: string): boolean {
  if (spawnSync('ceph-conf', ['--help'], { stdio: 'ignore' }).error === undefined) return true;
  const line = `${what}: ceph-conf not installed`;
  if (process.env.MSGR2_REQUIRE_CEPH === '1') throw new Error(line);
  console.log(`SKIPPED ${line} (Debian: ceph-common)`);
  return false;
}

/** A folder of its own with one file, `f.conf` unless named otherwise. */
export class ConfFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'msgr2-conf-'));

  write(text: string | Uint8Array, name = 'f.conf'): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  /** Standard output without its line end; undefined when the exit code is not 0. */
  ask(args: readonly string[], environment: NodeJS.ProcessEnv = {}): string | undefined {
    const { CEPH_CONF: _, CEPH_ARGS: __, ...own } = process.env;
    const env = { ...own, HOME: this.path, ...environment };
    const result = spawnSync('ceph-conf', args, { encoding: 'utf8', cwd: this.path, env });
    if (result.error !== undefined) throw result.error;
    return result.status === 0 ? result.stdout.replace(/\n$/, '') : undefined;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
