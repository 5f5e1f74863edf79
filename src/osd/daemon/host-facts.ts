/** What the host is, as `ceph osd metadata` shows it for every daemon; what cannot be found out is left out. */
import { readFileSync, statSync } from 'node:fs';
import { cpus, hostname, machine, networkInterfaces, release, totalmem, type, version } from 'node:os';

export function shortHostName(): string {
  return hostname().replace(/\..*$/, '');
}

/** Kernel, processor, memory and distribution, by Ceph's names. */
export function hostMetadata(): Map<string, string> {
  const facts = new Map([
    ['arch', machine()],
    ['hostname', shortHostName()],
    ['os', type()],
    ['kernel_version', release()],
    ['kernel_description', version()],
    ['mem_total_kb', String(Math.round(totalmem() / 1024))],
    ['mem_swap_kb', swapKb()],
  ]);
  const model = cpus()[0]?.model;
  if (model !== undefined) facts.set('cpu', model);
  for (const [name, key] of [
    ['ID', 'distro'],
    ['VERSION_ID', 'distro_version'],
    ['PRETTY_NAME', 'distro_description'],
  ] as const) {
    const value = osRelease(name);
    if (value !== undefined) facts.set(key, value);
  }
  return facts;
}

/** The interface that has an address; empty for loopback addresses without an entry, as with Ceph. */
export function interfaceOf(address: string): string {
  for (const [device, addresses = []] of Object.entries(networkInterfaces())) {
    if (addresses.some((each) => each.address === address)) return device;
  }
  return '';
}

/** Whether the disk below a folder spins; undefined when its driver does not say, as in memory or on a network. */
export function isRotational(folder: string): boolean | undefined {
  try {
    const device = statSync(folder, { bigint: true }).dev;
    const [major, minor] = majorMinor(device);
    for (const place of ['queue', '../queue']) {
      const text = readIfThere(`/sys/dev/block/${major}:${minor}/${place}/rotational`);
      if (text !== undefined) return text.trim() === '1';
    }
  } catch {
    // Without the folder, or without /sys, nothing is known.
  }
  return undefined;
}

/** Linux's encoding of a device number. */
function majorMinor(device: bigint): [major: bigint, minor: bigint] {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return [major, minor];
}

function swapKb(): string {
  return /^SwapTotal:\s+(\d+) kB$/m.exec(readIfThere('/proc/meminfo') ?? '')?.[1] ?? '0';
}

function osRelease(name: string): string | undefined {
  return new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(readIfThere('/etc/os-release') ?? '')?.[1];
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
