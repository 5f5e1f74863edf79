/** Monitor clients of a real cluster, whatever it authenticates with. */
import type { AuthSession } from '../../../src/auth/auth.ts';
import { CephxSession } from '../../../src/auth/cephx/session.ts';
import { Keyring } from '../../../src/auth/keyring.ts';
import { noneSession } from '../../../src/auth/none.ts';
import type { MonClientInit } from '../../../src/mon/client/init.ts';
import { MonClient } from '../../../src/mon/client/mon-client.ts';
import { type Options, resolveOptions } from '../../../src/options.ts';
import { EntityAuthName } from '../../../src/wire/entity-name.ts';
import type { CephCluster, CephClusterOptions } from '../../support/ceph-cluster.ts';

/** How a cluster authenticates; for titles and for {@link CephCluster.start}. */
export interface Protection {
  readonly title: string;
  readonly cluster: Pick<CephClusterOptions, 'auth' | 'mode'>;
  /** The client's options that agree with it. */
  readonly options: Partial<Options>;
}

export const protections: readonly Protection[] = [
  { title: 'auth none', cluster: { auth: 'none' }, options: {} },
  {
    title: 'cephx, crc',
    cluster: { auth: 'cephx', mode: 'crc' },
    options: { ms_mon_client_mode: 'crc' },
  },
  {
    title: 'cephx, secure',
    cluster: { auth: 'cephx', mode: 'secure' },
    options: { ms_mon_client_mode: 'secure' },
  },
];

/** What `client.admin` authenticates with. */
export function adminAuth(cluster: CephCluster, { cluster: { auth }, options }: Protection): AuthSession {
  const name = EntityAuthName.parse('client.admin');
  if (auth === 'none') return noneSession(name);
  const { key } = Keyring.load([cluster.keyringPath('client.admin')]).require(name);
  return new CephxSession({ name, key, options: resolveOptions(options) });
}

/** A client of the cluster that is not connected yet. */
export function adminClient(
  cluster: CephCluster,
  protection: Protection,
  init: Partial<MonClientInit> = {},
): MonClient {
  return new MonClient({
    name: 'client.admin',
    monHost: cluster.monAddrs.join(','),
    auth: adminAuth(cluster, protection),
    ...init,
    options: { ...protection.options, ...init.options },
  });
}
