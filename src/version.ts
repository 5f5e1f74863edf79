/**
 * What our daemons say they are. `ceph versions` groups daemons by `ceph_version`, so ours stand there under
 * their own name; `ceph_release` and `ceph_version_short` name the Ceph whose daemons they stand in for, which
 * is what monitors and OSDs compare.
 */
import { readFileSync } from 'node:fs';

/** The release whose protocol and encodings this code speaks. */
export const spokenRelease = 'pacific';
export const spokenVersion = '16.2.15';

export interface DaemonVersion {
  /** `msgr2 version 0.1.0, for ceph version 16.2.15 pacific (stable)` */
  readonly version: string;
  readonly release: string;
  readonly releaseType: string;
}

export function daemonVersion(): DaemonVersion {
  const version = `msgr2 version ${packageVersion()}, for ceph version ${spokenVersion} ${spokenRelease} (stable)`;
  return { version, release: spokenRelease, releaseType: 'stable' };
}

let read: string | undefined;

/** Of the package; src and dist are equally deep below its root. */
export function packageVersion(): string {
  if (read === undefined) {
    const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    read = (JSON.parse(text) as { version: string }).version;
  }
  return read;
}
