/** What a monitor tells of its machine, by Ceph's names; `mon metadata` shows it. */
import { readFileSync } from 'node:fs';
import * as os from 'node:os';
import { daemonVersion, spokenRelease, spokenVersion } from '../../version.ts';
import type { MonitorState } from './monitor-state.ts';

export function hostName(): string {
  return os.hostname().split('.')[0] ?? '';
}

export function monMetadata({ monMap, name }: MonitorState): Map<string, string> {
  const { id = '', name: distribution = '', version = '' } = distributionOf();
  const kib = (bytes: number): string => String(Math.floor(bytes / 1024));
  return new Map([
    ['addrs', String(monMap.monitors.get(name)?.publicAddrs ?? '')],
    ['arch', os.arch() === 'x64' ? 'x86_64' : os.arch() === 'arm64' ? 'aarch64' : os.arch()],
    ['ceph_release', spokenRelease],
    ['ceph_version', daemonVersion().version],
    ['ceph_version_short', spokenVersion],
    ['compression_algorithms', 'none'],
    ['cpu', os.cpus()[0]?.model ?? ''],
    ['distro', id],
    ['distro_description', distribution],
    ['distro_version', version],
    ['hostname', hostName()],
    ['kernel_description', os.version()],
    ['kernel_version', os.release()],
    ['mem_total_kb', kib(os.totalmem())],
    ['os', os.type()],
  ]);
}

function distributionOf(): { readonly id?: string; readonly name?: string; readonly version?: string } {
  let text: string;
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    return {};
  }
  const value = (key: string): string => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: value('ID'), name: value('PRETTY_NAME'), version: value('VERSION_ID') };
}
