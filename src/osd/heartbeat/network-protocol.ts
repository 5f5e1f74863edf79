/**
 * What crosses between the main side of the heartbeats and a network's half, which may live in a worker
 * thread: commands in, batches of events out. All of it is plain data that structured cloning takes.
 *
 *      OsdHeartbeat ── NetworkCommand ──►  HeartbeatNetwork (front)
 *           │  ▲ ──────────────────────►  HeartbeatNetwork (back)
 *           │  └── NetworkBatch, about one a second, and at once when a peer's health changes ──┘
 *
 * Times are milliseconds of the process's monotonic clock, the same in all of its threads.
 */
import type { HeartbeatOptions } from './heartbeat-options.ts';
import type { MapView } from './map-view.ts';
import type { PingTimes } from './ping-times.ts';

/** Front is the public network, back the cluster's. */
export const networkNames = ['back', 'front'] as const;
export type NetworkName = (typeof networkNames)[number];

export interface NetworkPeer {
  readonly osd: number;
  /** Where its heartbeat server of this network listens: the text form of an EntityAddrVec. */
  readonly addrs: string;
  /** The epoch at which it came up: a peer that came up anew is another one. */
  readonly upFrom: number;
}

export type NetworkCommand =
  | { readonly kind: 'options'; readonly options: HeartbeatOptions }
  | { readonly kind: 'map'; readonly map: MapView }
  /** A known peer with another `upFrom` is dropped first. */
  | { readonly kind: 'addPeers'; readonly peers: readonly NetworkPeer[] }
  | { readonly kind: 'removePeers'; readonly osds: readonly number[] }
  /** Ceph's internal heartbeat map: false and pings are not answered, because threads of the OSD are stuck. */
  | { readonly kind: 'internalHealth'; readonly isHealthy: boolean }
  /** The next beat comes at once. */
  | { readonly kind: 'kick' };

/** Columns of a peer's row in {@link NetworkBatch.peers}; times are 0 when it never happened. */
export const PeerField = {
  osd: 0,
  firstTx: 1,
  lastTx: 2,
  /** The last reply that proves the peer alive; stale ones do not. */
  lastRx: 3,
  /** When the oldest ping without an answer was sent, and until when it may be answered; 0 when none is. */
  oldestTx: 4,
  oldestDeadline: 5,
  /** 1 when that deadline is past, as this network's half sees it. */
  isUnhealthy: 6,
  /** When a PING of the peer's own arrived last. */
  lastPingIn: 7,
  lastRttMs: 8,
  /** Share, 0 to 1, of the last pings that had no answer within the slow-ping threshold. */
  missed: 9,
  /** 1 while there is a session with the peer's heartbeat server. */
  isConnected: 10,
  upFrom: 11,
  count: 12,
} as const;

export type NetworkEvent =
  /** The peer's map is older than ours, and was not when it was told last. */
  | { readonly kind: 'peerEpoch'; readonly osd: number; readonly epoch: number }
  | { readonly kind: 'youDied'; readonly osd: number; readonly epoch: number }
  /** Nothing listens at the peer's heartbeat address. */
  | { readonly kind: 'refused'; readonly osd: number; readonly upFrom: number }
  /** An established connection broke; it is being opened again. */
  | { readonly kind: 'reset'; readonly osd: number }
  /** This network's own loop stood still for `lagMs`, up to `atMs`. */
  | { readonly kind: 'late'; readonly lagMs: number; readonly atMs: number }
  /** The main thread stood still, as seen from here. */
  | { readonly kind: 'mainLate'; readonly lagMs: number; readonly atMs: number };

export interface NetworkCounters {
  pingsSent: number;
  pingsReceived: number;
  repliesSent: number;
  repliesReceived: number;
  /** Replies to pings sent before a pause of our own: neither latency nor a sign of life. */
  repliesStale: number;
  /** Pings that were not answered: a debug option, or stuck threads. */
  pingsDropped: number;
  youDiedSent: number;
  resets: number;
  refusals: number;
}

export interface PeerPingTimes {
  readonly osd: number;
  readonly times: PingTimes;
}

export interface NetworkBatch {
  readonly network: NetworkName;
  /** When it was made. */
  readonly atMs: number;
  /** Rows of {@link PeerField}, one for each peer that changed since the batch before. */
  readonly peers: Float64Array;
  /** Pairs of OSD and round trip in ms, one for each reply since the batch before. */
  readonly roundTrips: Float64Array;
  /** Of peers whose minute ended. */
  readonly pingTimes: readonly PeerPingTimes[];
  readonly events: readonly NetworkEvent[];
  readonly counters: Readonly<NetworkCounters>;
  /** The longest delays of this loop's timer, and of main's, since the batch before; ms. */
  readonly lagMs: number;
  readonly mainLagMs: number;
}
