/** Flags of `msgr2 osd`: those of ceph-osd, by its names. */
import { type Command, Option } from 'commander';
import type { CephConfig } from '../../config/ceph-config.ts';
import { addClusterFlags, type ClusterFlags, configOf } from '../cluster/flags.ts';
import { integer } from '../values.ts';

export interface OsdFlags extends Omit<ClusterFlags, 'id' | 'name' | 'user'> {
  readonly id: number;
  readonly osdData?: string;
  readonly publicAddr?: string;
  readonly clusterAddr?: string;
  readonly publicNetwork?: string;
  readonly clusterNetwork?: string;
  readonly fsid?: string;
  readonly osdUuid?: string;
  readonly mkfs?: true;
  readonly mkkey?: true;
  readonly metrics?: string;
  /** `-d`: the log goes to standard error, too. */
  readonly debug?: true;
}

const idMax = 2 ** 31 - 1;

export function addOsdFlags(command: Command): Command {
  command.addOption(
    new Option('-i, --id <number>', 'which OSD to be: osd.NUMBER')
      .argParser(integer(0, idMax))
      .makeOptionMandatory(),
  );
  const add = (flags: string, description: string, group: string): void => {
    command.addOption(new Option(flags, description).helpGroup(group));
  };
  add('--mkfs', "make the OSD's data folder, and end", 'Identity:');
  add('--mkkey', 'make a key and put it into the keyring, and end', 'Identity:');
  add('--osd-data <folder>', 'where its identity is: osd_data', 'Identity:');
  add('--osd-uuid <uuid>', "with --mkfs: the OSD's, as 'ceph osd new' was given it", 'Identity:');
  add('--fsid <uuid>', "with --mkfs: the cluster's, in place of fsid", 'Identity:');
  const networks = 'Networks:';
  add('--public-addr <address>', 'where clients and the front heartbeat find it: public_addr', networks);
  add('--cluster-addr <address>', 'where OSDs and the back heartbeat find it: cluster_addr', networks);
  add('--public-network <networks>', 'CIDR list: the address that the host has there', networks);
  add('--cluster-network <networks>', 'the same for cluster_addr', networks);
  add('--metrics <host:port>', 'Prometheus metrics over HTTP at /metrics', 'Running:');
  add('-d, --debug', 'the log goes to standard error even when log_file is set', 'Running:');
  // It never leaves the foreground; units and scripts of ceph-osd may say so all the same.
  command.addOption(new Option('-f, --foreground').hideHelp());
  return addClusterFlags(command, { without: ['--name', '--id', '--connect-timeout'] });
}

const optionFlags = {
  osd_data: 'osdData',
  public_addr: 'publicAddr',
  cluster_addr: 'clusterAddr',
  public_network: 'publicNetwork',
  cluster_network: 'clusterNetwork',
  fsid: 'fsid',
} as const satisfies Record<string, keyof OsdFlags>;

/** The configuration of `osd.ID` that flags, environment and ceph.conf make together. @throws CliError */
export function osdConfigOf(flags: OsdFlags): CephConfig {
  const { id, ...cluster } = flags;
  const option = { ...flags.option };
  for (const [name, flag] of Object.entries(optionFlags)) {
    const value = flags[flag];
    if (value !== undefined) option[name] = value;
  }
  return configOf({ ...cluster, name: `osd.${id}`, option });
}
