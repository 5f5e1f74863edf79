/** Heartbeats as the daemon runs them: a worker thread for each network, on that network's address and NIC. */
import type { TransportName } from '../../messenger/transports.ts';
import type { Options } from '../../options.ts';
import { heartbeatOptionsOf } from '../heartbeat/heartbeat-options.ts';
import { MainTicks } from '../heartbeat/main-watch.ts';
import { processStartMs } from '../heartbeat/monotonic-clock.ts';
import type { NetworkName } from '../heartbeat/network-protocol.ts';
import { OsdHeartbeat } from '../heartbeat/osd-heartbeat.ts';
import { WorkerHost } from '../network/worker-host.ts';
import type { WorkerAuth } from '../network/worker-protocol.ts';
import { collectOnOwnThread } from './collector-flags.ts';
import type { DaemonHeartbeat, HeartbeatSetup } from './heartbeat-setup.ts';

export function workerHeartbeat(setup: HeartbeatSetup): DaemonHeartbeat {
  const { auth, clock, hooks, hosts, nonce, options, whoami } = setup;
  collectOnOwnThread();
  const ticks = new MainTicks(clock);
  const startMs = processStartMs();
  const snapshot = auth.snapshot();
  const workerAuth: WorkerAuth = snapshot === undefined ? { kind: 'none' } : { kind: 'cephx', snapshot };
  const host = (network: NetworkName): WorkerHost =>
    new WorkerHost({
      network,
      whoami,
      nonce,
      bindAddr: bindAddrOf(hosts[network]),
      options,
      auth: workerAuth,
      transport: transportOf(options),
      socketOptions: socketOptionsOf(options, network),
      cpu: cpuOf(options, network),
      startMs,
      startWallMs: Date.now() - (clock.nowMs() - startMs),
      mainTicks: ticks.shared,
    });
  const networks = { front: host('front'), back: host('back') };
  auth.onChange = () => {
    const fresh = auth.snapshot();
    if (fresh !== undefined) for (const each of Object.values(networks)) each.updateAuth(fresh);
  };
  const heartbeat = new OsdHeartbeat({
    whoami,
    options: heartbeatOptionsOf(options),
    clock,
    random: Math.random,
    networks,
    hooks,
  });
  ticks.start();
  return { heartbeat, networks, stop: () => ticks.stop() };
}

function bindAddrOf(host: string): string {
  return host.includes(':') ? `v2:[${host}]:0` : `v2:${host}:0`;
}

/** Ceph's default means the best there is. */
function transportOf({ ms_type: type }: Options): TransportName {
  return type === 'async' || type === 'simple' ? type : 'auto';
}

function socketOptionsOf(options: Options, network: NetworkName): { device?: string } {
  const device = network === 'front' ? options.osd_heartbeat_front_device : options.osd_heartbeat_back_device;
  return device === '' ? {} : { device };
}

function cpuOf(options: Options, network: NetworkName): number | undefined {
  const cpu = network === 'front' ? options.osd_heartbeat_front_cpu : options.osd_heartbeat_back_cpu;
  return cpu < 0 ? undefined : cpu;
}
