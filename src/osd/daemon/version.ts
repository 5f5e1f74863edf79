/**
 * What this daemon says it is. `ceph versions` groups daemons by `ceph_version`, so ours stands there under
 * its own name; `ceph_release` and `ceph_version_short` name the Ceph whose OSD it stands in for, which is
 * what monitors compare.
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

/** src/osd/daemon and dist/osd/daemon are equally deep below the package. */
function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
