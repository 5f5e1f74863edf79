/** Our own clients of a real cluster with cephx: who they are, with their keys from the cluster's keyrings. */
import { CephxSession, type CephxSessionInit } from '../../src/auth/cephx/session.ts';
import { Keyring } from '../../src/auth/keyring.ts';
import type { MonClientInit } from '../../src/mon/client/init.ts';
import { MonClient } from '../../src/mon/client/mon-client.ts';
import { type Options, resolveOptions } from '../../src/options.ts';
import { EntityAuthName } from '../../src/wire/entity-name.ts';
import type { CephCluster } from './ceph-cluster.ts';

/** A client that is connected to the cluster's monitors, and the tickets it has. */
export interface ClusterClient {
  readonly client: MonClient;
  readonly session: CephxSession;
}

export function cephxSession(
  cluster: CephCluster,
  name: string,
  options: Partial<Options> = {},
  init: Partial<CephxSessionInit> = {},
): CephxSession {
  const entity = EntityAuthName.parse(name);
  const { key } = Keyring.load([cluster.keyringPath(name)]).require(entity);
  return new CephxSession({ name: entity, key, options: resolveOptions(options), ...init });
}

/** Not connected yet. */
export function clusterClient(
  cluster: CephCluster,
  name = 'client.admin',
  init: Partial<MonClientInit> = {},
): ClusterClient {
  const session = cephxSession(cluster, name, init.options);
  const monHost = cluster.monAddrs.join(',');
  const client = new MonClient({ name, monHost, auth: session, ...init });
  return { client, session };
}
