/** What was measured, by name and version. */
import { execFileSync } from 'node:child_process';
import { checkoutFolder } from './checkout.ts';
import { peerVersions } from './install-peers.ts';
import { compilerVersion } from './native-peers.ts';
import { natsServerVersion } from './nats-server.ts';

export function describeVersions(): Record<string, string> {
  const versions: Record<string, string | undefined> = {
    msgr2: revision(),
    openssl: process.versions.openssl,
    v8: process.versions.v8,
    ...peerVersions(),
    libzmq: lineOf('pkg-config', ['--modversion', 'libzmq']),
    'nats-server': natsServerVersion(),
    ceph: lineOf('ceph-osd', ['--version'])?.replace(/^ceph version /, ''),
    compiler: compilerVersion(),
  };
  return Object.fromEntries(Object.entries(versions).filter((entry) => entry[1] !== undefined)) as Record<
    string,
    string
  >;
}

export function versionsText(versions: Record<string, string>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

/** The commit, and whether the work tree differs from it. */
function revision(): string | undefined {
  return lineOf('git', ['-C', checkoutFolder, 'describe', '--always', '--dirty', '--abbrev=12']);
}

function lineOf(program: string, args: readonly string[]): string | undefined {
  try {
    const text = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text.trim().split('\n')[0];
  } catch {
    return undefined;
  }
}
