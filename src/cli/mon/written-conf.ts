/** The ceph.conf that a first start leaves in its folder: `ceph -c DIR/ceph.conf -s` works with it as it is. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Monitor } from '../../mon/server/monitor.ts';

export const confFileName = 'ceph.conf';

/** Nothing is written over: the file may have grown since. */
export function writeConf(data: string, monitor: Monitor, given: Readonly<Record<string, string>>): void {
  const path = join(data, confFileName);
  if (existsSync(path)) return;
  const { auth_client_required, auth_cluster_required, auth_service_required } = monitor.options;
  const lines: Record<string, string> = {
    fsid: String(monitor.fsid),
    'mon host': `[${String(monitor.publicAddrs.front).replace(/\/\d+$/, '')}]`,
    'auth cluster required': auth_cluster_required,
    'auth service required': auth_service_required,
    'auth client required': auth_client_required,
    keyring: join(data, 'ceph.$name.keyring'),
    'ms bind msgr1': 'false',
  };
  for (const [name, value] of Object.entries(given)) lines[name.replaceAll('_', ' ')] = value;
  const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(
    path,
    `# Written by the first start of msgr2 mon; yours to change.\n[global]\n${text.join('')}`,
  );
}
