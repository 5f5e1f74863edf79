/** Which addresses the OSD's servers bind: by the configuration, else by the route to the monitors. */
import type { CephConfig } from '../../config/ceph-config.ts';
import { parseMonHost, resolveMonHosts, systemLookup } from '../../mon/client/mon-host.ts';
import type { Options } from '../../options.ts';
import { EntityAddr } from '../../wire/entity-addr.ts';
import { pickAddresses } from './pick-addresses.ts';
import { routedAddress } from './routed-address.ts';

export interface BindAddresses {
  readonly public: EntityAddr;
  readonly cluster: EntityAddr;
}

/** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT when what is configured fits no address of this host. */
export async function bindAddresses(config: CephConfig, options: Options): Promise<BindAddresses> {
  const picked = pickAddresses({
    publicAddr: config.get('public_addr'),
    clusterAddr: config.get('cluster_addr'),
    publicNetwork: config.get('public_network'),
    clusterNetwork: config.get('cluster_network'),
    ipv4: options.ms_bind_ipv4,
    ipv6: options.ms_bind_ipv6,
  });
  const publicAddr = picked.public ?? new EntityAddr({ host: await routeToMonitors(config), port: 0 });
  return { public: publicAddr, cluster: picked.cluster ?? publicAddr.with({ port: 0 }) };
}

async function routeToMonitors(config: CephConfig): Promise<string> {
  const { addrs, failures } = await resolveMonHosts(parseMonHost(config.monHost ?? ''), systemLookup);
  if (addrs[0] === undefined) throw failures[0]!;
  return routedAddress(addrs[0]);
}
