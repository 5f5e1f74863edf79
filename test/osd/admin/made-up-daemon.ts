/** A daemon that is made up: what the admin socket, the metrics and the live view show, without an OSD. */
import { EventEmitter } from 'node:events';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { noCounters } from '../../../src/messenger/connection.ts';
import { CommandTable } from '../../../src/osd/daemon/command-table.ts';
import {
  type HeartbeatStatus,
  type OsdDaemonEvents,
  type OsdDaemonStatus,
  osdMessengerNames,
} from '../../../src/osd/daemon/status.ts';
import type { NetworkMetrics, PeerStatus } from '../../../src/osd/heartbeat/osd-heartbeat-types.ts';
import { roundTripBucketsMs } from '../../../src/osd/heartbeat/round-trips.ts';

export const peers: PeerStatus[] = [
  {
    osd: 1,
    upFrom: 7,
    isHealthy: true,
    isUnhealthy: false,
    networks: {
      front: {
        state: 'up',
        reason: '',
        sinceMs: 5,
        isConnected: true,
        lastHeardMs: 1500,
        lastRttMs: 0.25,
        missed: 0,
      },
      back: {
        state: 'down',
        reason: 'no answer for 6.0 s',
        sinceMs: 9,
        isConnected: false,
        lastHeardMs: undefined,
        lastRttMs: 0,
        missed: 1,
      },
    },
  },
];

function networkMetrics(): NetworkMetrics {
  return {
    counters: { pingsSent: 12, repliesStale: 1 },
    lagMs: 1.5,
    lagMsMax: 20,
    restarts: 0,
    roundTrips: new Map([[1, { buckets: [...roundTripBucketsMs, 0].map(() => 3), sumMs: 6, count: 3 }]]),
  };
}

const heartbeat: HeartbeatStatus = {
  heartbeatPeers: () => [1],
  peers: () => peers,
  faults: () => [
    {
      network: 'back',
      owner: 1,
      isOwn: false,
      state: 'down',
      separated: [1],
      sinceMs: 9,
      reason: 'osd.1 answers on front only',
    },
  ],
  dumpOsdNetwork: (thresholdMs) => ({ threshold: thresholdMs ?? 1000, entries: [] }),
  metrics: () => ({
    failuresReported: 2,
    failuresImmediate: 1,
    failuresCancelled: 1,
    failuresSuppressed: 0,
    mainLagMs: 3,
    mainLagMsMax: 250,
    networks: { front: networkMetrics(), back: networkMetrics() },
  }),
};

export function madeUpDaemon(): OsdDaemonStatus {
  const options = new Map([
    ['osd_heartbeat_grace', '20'],
    ['osd_heartbeat_interval', '6'],
  ]);
  return Object.assign(new EventEmitter<OsdDaemonEvents>(), {
    whoami: 3,
    clusterFsid: '1d2f4b2e-7a3c-4b55-8a58-6f0a4f3c2b11',
    osdFsid: '9f1d6c2e-53b7-4f35-b4b8-0a8d0f5f7a22',
    state: 'active' as const,
    version: { version: '0.1.0', release: 'pacific', releaseType: 'dev' },
    startedAt: new Date(0),
    oldestMap: 1,
    newestMap: 12,
    numPgs: 0,
    config: {
      show: () => options,
      get: (name: string) => options.get(name),
      set: (name: string, value: string) => {
        if (!options.has(name)) throw new MsgrError(ErrorCode.InvalidArgument, `no option is named ${name}`);
        options.set(name, value);
        return { name: 'osd_heartbeat_grace' as const, needsRestart: false };
      },
      diff: () => new Map(),
    },
    heartbeat,
    messengers: async () =>
      osdMessengerNames.map((name) => ({
        name,
        addrs: 'v2:127.0.0.1:6800/1',
        counters: {
          ...noCounters(),
          messagesSent: 4,
          connections: 1,
          connectionsOpen: 1,
          connectionsSharingMemory: 0,
          acceptFailures: 0,
          messagesUnhandled: 0,
          dispatchQueueLength: 0,
          dispatchQueued: 0,
          dispatchQueueWaitSeconds: 0,
          dispatchThrottleBytes: 0,
        },
        connections: [],
      })),
    perfDump: () => ({ osd: { boots: 1 } }),
    perfSchema: () => ({ osd: { boots: { kind: 'counter' as const, description: 'Boots' } } }),
    commands: new CommandTable(),
  });
}
