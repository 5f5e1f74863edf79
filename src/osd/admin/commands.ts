/**
 * The commands of `ceph daemon osd.N`, with the fields that Ceph 16 answers, and two of our own: what each
 * messenger does, and how each peer is reached over each network.
 */
import { Errno } from '../../auth/errno.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { CommandArguments, DaemonCommand } from '../daemon/command-table.ts';
import type { MessengerStatus, OsdDaemonStatus } from '../daemon/status.ts';
import type { HeartbeatMetrics, PeerStatus } from '../heartbeat/osd-heartbeat-types.ts';

export function adminCommands(daemon: OsdDaemonStatus): DaemonCommand[] {
  return [
    { signature: 'version', help: 'version of the daemon', run: () => versionOf(daemon) },
    { signature: '0', help: '', run: () => versionOf(daemon) },
    { signature: 'status', help: 'state, identity and range of maps', run: () => statusOf(daemon) },
    {
      signature: 'config show',
      help: 'all options',
      run: () => Object.fromEntries(daemon.config.show()),
    },
    {
      signature: 'config get name=var,type=CephString',
      help: 'one option',
      run: (parameters) => configGet(daemon, textOf(parameters, 'var')),
    },
    {
      signature: 'config set name=var,type=CephString name=val,type=CephString,n=N',
      help: 'changes one option until the daemon ends',
      run: (parameters) => configSet(daemon, textOf(parameters, 'var'), textOf(parameters, 'val')),
    },
    {
      signature: 'config diff',
      help: 'options that differ from their defaults, and who says so',
      run: () => ({ diff: Object.fromEntries(daemon.config.diff()) }),
    },
    { signature: 'perf dump', help: 'counters', run: () => daemon.perfDump() },
    { signature: 'perf schema', help: 'what the counters mean', run: () => daemon.perfSchema() },
    {
      signature: 'dump_osd_network name=value,type=CephInt,req=false',
      help: 'ping times of peers that are slower than the threshold in ms (default: that of the health check)',
      run: (parameters) => daemon.heartbeat.dumpOsdNetwork(thresholdOf(parameters)),
    },
    {
      signature: 'dump_messenger name=msgr,type=CephString,req=false',
      help: 'addresses, counters and connections of the messengers, or of one',
      run: (parameters) => dumpMessengers(daemon, parameters.msgr),
    },
    {
      signature: 'dump_heartbeat_peers',
      help: 'state of every peer on every network, and the NICs that stand out',
      run: () => ({
        osd: daemon.whoami,
        state: daemon.state,
        peers: daemon.heartbeat.peers().map(peerFields),
        faults: daemon.heartbeat.faults(),
        reports: reportFields(daemon.heartbeat.metrics()),
      }),
    },
  ];
}

function versionOf({ version: { version, release, releaseType } }: OsdDaemonStatus): unknown {
  return { version, release, release_type: releaseType };
}

function statusOf(daemon: OsdDaemonStatus): unknown {
  return {
    cluster_fsid: daemon.clusterFsid,
    osd_fsid: daemon.osdFsid,
    whoami: daemon.whoami,
    state: daemon.state,
    oldest_map: daemon.oldestMap,
    newest_map: daemon.newestMap,
    num_pgs: daemon.numPgs,
  };
}

function invalid(reason: string, errno: number = Errno.EINVAL): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, reason, { errno });
}

/** A parameter's text; of several words the whole. */
function textOf(parameters: CommandArguments, name: string): string {
  const value = parameters[name];
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.length > 0) return value.join(' ');
  throw invalid(`parameter '${name}' is missing`);
}

function thresholdOf({ value }: CommandArguments): number | undefined {
  if (value === undefined) return undefined;
  const threshold = Number(value);
  if (!Number.isFinite(threshold)) throw invalid(`threshold ${JSON.stringify(value)} is no number of ms`);
  return threshold;
}

function configGet({ config }: OsdDaemonStatus, name: string): unknown {
  const value = config.get(name);
  if (value === undefined) throw invalid(`no option is named '${name}'`, Errno.ENOENT);
  return { [name]: value };
}

function configSet({ config }: OsdDaemonStatus, name: string, value: string): unknown {
  const { name: option, needsRestart } = config.set(name, value);
  const note = needsRestart ? ' (not observed, change may require restart)' : '';
  return { success: `${option} = '${value}'${note}` };
}

async function dumpMessengers(daemon: OsdDaemonStatus, name: unknown): Promise<unknown> {
  const all = await daemon.messengers();
  const wanted = name === undefined ? all : all.filter((messenger) => messenger.name === name);
  if (wanted.length === 0) {
    throw invalid(`no messenger is named '${name}'; there are ${all.map((one) => one.name).join(', ')}`);
  }
  return { messengers: wanted.map(messengerFields) };
}

function messengerFields({ name, addrs, counters, connections }: MessengerStatus): unknown {
  return {
    name,
    addrs,
    counters: snakeCase(counters),
    connections: connections.map((connection) => snakeCase(connection)),
  };
}

function peerFields(peer: PeerStatus): unknown {
  const networks = Object.entries(peer.networks).map(([network, link]) => [network, snakeCase(link)]);
  return {
    osd: peer.osd,
    up_from: peer.upFrom,
    healthy: peer.isHealthy,
    networks: Object.fromEntries(networks),
  };
}

function reportFields(metrics: HeartbeatMetrics): unknown {
  return {
    failures: metrics.failuresReported,
    immediate: metrics.failuresImmediate,
    cancelled: metrics.failuresCancelled,
    suppressed: metrics.failuresSuppressed,
  };
}

/** Ceph's formatters write fields_like_this. */
function snakeCase(fields: object): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]) => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    value,
  ]);
  return Object.fromEntries(entries);
}
