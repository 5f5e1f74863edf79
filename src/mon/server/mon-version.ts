/**
 * What this monitor says it is: its own name first, so that `ceph versions` tells it from Ceph's, and the
 * release whose protocol it speaks, which is what others compare.
 */
import { readFileSync } from 'node:fs';
import { Release, releaseName } from '../../maps/states.ts';

export const spokenVersion = '16.2.15';
export const spokenRelease: string = releaseName(Release.pacific);

/** `msgr2 version 0.1.0, for ceph version 16.2.15 pacific (stable)` */
export function monVersion(): string {
  return `msgr2 version ${packageVersion()}, for ceph version ${spokenVersion} ${spokenRelease} (stable)`;
}

let version: string | undefined;

/** src/mon/server and dist/mon/server are equally deep below the package. */
function packageVersion(): string {
  version ??= (
    JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version;
  return version;
}
