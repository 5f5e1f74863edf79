/** OSDs of one process with real sockets on loopback, as far as heartbeats go: no daemon, no monitor. */

import { authNone } from '../../../src/auth/none.ts';
import type { OSDMap } from '../../../src/maps/osdmap.ts';
import { OsdState } from '../../../src/maps/states.ts';
import type { Options } from '../../../src/options.ts';
import { resolveOptions } from '../../../src/options.ts';
import { heartbeatOptionsOf } from '../../../src/osd/heartbeat/heartbeat-options.ts';
import { MainTicks } from '../../../src/osd/heartbeat/main-watch.ts';
import { monotonicClock, processStartMs } from '../../../src/osd/heartbeat/monotonic-clock.ts';
import type { NetworkHost } from '../../../src/osd/heartbeat/network-host.ts';
import { type NetworkName, networkNames } from '../../../src/osd/heartbeat/network-protocol.ts';
import { OsdHeartbeat } from '../../../src/osd/heartbeat/osd-heartbeat.ts';
import type { SlowReport } from '../../../src/osd/heartbeat/osd-heartbeat-types.ts';
import { InThreadHost } from '../../../src/osd/network/in-thread-host.ts';
import { WorkerHost, type WorkerHostInit } from '../../../src/osd/network/worker-host.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { EntityAuthName } from '../../../src/wire/entity-name.ts';
import type { MOSDFailure } from '../../../src/wire/messages/m-osd-failure.ts';
import { smallMap } from '../../maps/support/small-map.ts';

export interface SmallOsd {
  readonly id: number;
  readonly heartbeat: OsdHeartbeat;
  readonly hosts: Readonly<Record<NetworkName, NetworkHost>>;
  readonly failures: MOSDFailure[];
  readonly slow: SlowReport[];
  readonly log: string[];
  readonly died: NetworkName[];
  readonly addrsChanged: NetworkName[];
  addrs: Record<NetworkName, EntityAddrVec>;
}

export interface SmallOsdInit {
  readonly id: number;
  readonly kind: 'worker' | 'inThread';
  readonly transport?: 'async' | 'simple';
  readonly options?: Partial<Options>;
  readonly host?: Partial<Pick<WorkerHostInit, 'socketOptions' | 'cpu' | 'auth'>>;
}

/** Pings each half second or second, so that a test needs no minutes. */
export const quick: Partial<Options> = { osd_heartbeat_interval: 1, osd_heartbeat_grace: 5 };

const ticks = new MainTicks(monotonicClock);
ticks.start();

export async function startOsd(init: SmallOsdInit): Promise<SmallOsd> {
  const { id, kind, transport = 'simple' } = init;
  const options = resolveOptions({ ...quick, ...init.options });
  const startMs = processStartMs();
  const common = {
    whoami: id,
    nonce: 1000 + id,
    options,
    transport,
    startMs,
    startWallMs: Date.now() - (monotonicClock.nowMs() - startMs),
  };
  const make = (network: NetworkName): NetworkHost => {
    const bindAddr = `v2:127.0.${network === 'front' ? 1 : 2}.${10 + id}:0`;
    if (kind === 'inThread') {
      const auth = authNone(EntityAuthName.parse(`osd.${id}`));
      return new InThreadHost({
        ...common,
        network,
        bindAddr,
        auth,
        clock: monotonicClock,
        random: Math.random,
      });
    }
    const { socketOptions = {}, cpu, auth = { kind: 'none' } as const } = init.host ?? {};
    return new WorkerHost({
      ...common,
      network,
      bindAddr,
      auth,
      socketOptions,
      cpu,
      mainTicks: ticks.shared,
    });
  };
  const hosts = { back: make('back'), front: make('front') };
  const [failures, slow, log, died, addrsChanged] = [[], [], [], [], []] as [
    MOSDFailure[],
    SlowReport[],
    string[],
    NetworkName[],
    NetworkName[],
  ];
  const heartbeat = new OsdHeartbeat({
    whoami: id,
    options: heartbeatOptionsOf(options),
    clock: monotonicClock,
    random: Math.random,
    networks: hosts,
    pgPeers: () => [],
    hooks: {
      sendFailure: (failure) => failures.push(failure),
      subscribeNextMap() {},
      slow: (report) => slow.push(report),
      log: (_, line) => log.push(line),
      networkDied: (network) => died.push(network),
      addrsChanged: (network) => addrsChanged.push(network),
    },
  });
  const addrs = await heartbeat.start();
  return { id, heartbeat, hosts, failures, slow, log, died, addrsChanged, addrs };
}

/** A map in which all of them are up, each a host of its own; handed to each. */
export function publish(osds: readonly SmallOsd[], epoch = 10, down: readonly number[] = []): OSDMap {
  const count = Math.max(...osds.map(({ id }) => id)) + 1;
  const map = smallMap(count, 1);
  const ids = Array.from({ length: count }, (_, osd) => osd);
  const of = (network: NetworkName): EntityAddrVec[] =>
    ids.map((id) => osds.find((osd) => osd.id === id)?.addrs[network] ?? EntityAddrVec.empty);
  const published: OSDMap = {
    ...map,
    epoch,
    clientAddrs: ids.map((osd) => EntityAddrVec.parse(`v2:127.0.1.${10 + osd}:6800/1`)),
    hbFrontAddrs: of('front'),
    hbBackAddrs: of('back'),
    osdInfo: map.osdInfo.map((info) => ({ ...info, upFrom: 5 })),
    osdState: map.osdState.map((state, osd) => (down.includes(osd) ? OsdState.exists : state)),
  };
  for (const { heartbeat } of osds) {
    heartbeat.handleMap(published);
    heartbeat.setUpFrom(5);
    heartbeat.setLife('active');
  }
  return published;
}

/** Until each peer of each OSD is healthy. */
export async function untilHealthy(osds: readonly SmallOsd[]): Promise<void> {
  await until(() =>
    osds.every(
      ({ heartbeat }) =>
        heartbeat.peers().length > 0 && heartbeat.peers().every(({ isHealthy }) => isHealthy),
    ),
  );
}

export async function until(isSo: () => boolean, timeoutMs = 20_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function closeAll(osds: readonly SmallOsd[]): Promise<void> {
  await Promise.all(osds.map(({ heartbeat }) => heartbeat.close()));
}

export function counterOf(osd: SmallOsd, network: NetworkName, name: string): number {
  return osd.heartbeat.metrics().networks[network].counters[name] ?? 0;
}

export { networkNames };
