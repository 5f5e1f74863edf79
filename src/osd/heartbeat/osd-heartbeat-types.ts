/** What the main side of the heartbeats is given, and what it tells; the class is in `osd-heartbeat.ts`. */
import type { OSDMap } from '../../maps/osdmap.ts';
import type { Clock } from '../../transport/clock.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type { MOSDFailure } from '../../wire/messages/m-osd-failure.ts';
import type { HeartbeatOptions } from './heartbeat-options.ts';
import type { LinkState, NetworkFault } from './link-state.ts';
import type { NetworkHost } from './network-host.ts';
import type { NetworkName } from './network-protocol.ts';

/** As in Ceph: which rules hold depends on where the OSD is in its life. */
export type OsdLife = 'preboot' | 'booting' | 'active' | 'waitingForHealthy' | 'stopping';

export interface OsdHeartbeatInit {
  readonly whoami: number;
  readonly options: HeartbeatOptions;
  /** Monotonic, the same base as the networks' (`monotonicClock`), or a virtual one. */
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly networks: Readonly<Record<NetworkName, NetworkHost>>;
  readonly hooks: OsdHeartbeatHooks;
  /**
   * The other OSDs of this OSD's PGs (up, acting, probed). When absent they are computed from the map,
   * which walks all PGs of the cluster whenever the map changes.
   */
  readonly pgPeers?: (map: OSDMap) => Iterable<number>;
}

/** What the daemon does for its heartbeats. */
export interface OsdHeartbeatHooks {
  /** To the monitor, over whatever session there is; without one the report is repeated by `monConnected`. */
  sendFailure(failure: MOSDFailure): void;
  /** The next map is wanted: Ceph's osdmap_subscribe(epoch + 1, not forced). */
  subscribeNextMap(): void;
  /** A peer's map is older than ours: share maps over the *cluster* connection (maybe_share_map). */
  shareMap?(osd: number, peerEpoch: number): void;
  /** A peer went down or was dropped: mark down the cluster connection to these addresses. */
  markDownCluster?(osd: number, addrs: EntityAddrVec): void;
  /** Lines with Ceph's wording. `level` is Ceph's debug level, -1 an error. */
  log?(level: number, line: string): void;
  /** A peer's state on one network changed. */
  linkChanged?(change: LinkChange): void;
  /** A network as a whole: one NIC of this host, or of a peer's. `faults` is the new complete list. */
  faultsChanged?(faults: readonly NetworkFault[]): void;
  /** This daemon itself was late. */
  slow?(report: SlowReport): void;
  /** A heartbeat thread ended; it is replaced by itself. */
  networkDied?(network: NetworkName, reason: Error): void;
  /** After a replacement the port could not be kept: the OSD must boot again with these. */
  addrsChanged?(network: NetworkName, addrs: EntityAddrVec): void;
}

export interface LinkChange {
  readonly osd: number;
  readonly network: NetworkName;
  readonly from: LinkState;
  readonly to: LinkState;
  readonly reason: string;
  readonly atMs: number;
}

export interface SlowReport {
  /** Which loop stood still: main, or that of a network. */
  readonly loop: 'main' | NetworkName;
  readonly lagMs: number;
  readonly atMs: number;
}

/** `_is_healthy` and why not. */
export interface HealthAnswer {
  readonly isHealthy: boolean;
  readonly healthyPeers: number;
  readonly peers: number;
  readonly reason: string;
}

/** One peer as an operator sees it. */
export interface PeerStatus {
  readonly osd: number;
  readonly upFrom: number;
  readonly isHealthy: boolean;
  readonly isUnhealthy: boolean;
  readonly networks: Readonly<Partial<Record<NetworkName, LinkStatus>>>;
}

export interface LinkStatus {
  readonly state: LinkState;
  readonly reason: string;
  readonly sinceMs: number;
  readonly isConnected: boolean;
  /** Age in ms of the last sign of life; undefined before the first. */
  readonly lastHeardMs: number | undefined;
  readonly lastRttMs: number;
  readonly missed: number;
}

/**
 * The interface of `OsdHeartbeat`, in the order of a daemon's life:
 *
 *      start ─► handleMap… / setLife… / monConnected… ─► rebind (wrongly marked down) ─► close
 */
export interface OsdHeartbeatInterface {
  /** Binds both heartbeat servers and starts the tick (1 s); resolves with the addresses for MOSDBoot. */
  start(): Promise<Record<NetworkName, EntityAddrVec>>;
  close(): Promise<void>;
  /** After each OSDMap: notes OSDs that went down or came up, chooses peers anew. */
  handleMap(map: OSDMap): void;
  setLife(life: OsdLife): void;
  /** Own up_from, once the map has this OSD up at its addresses. */
  setUpFrom(upFrom: number): void;
  setOptions(options: HeartbeatOptions): void;
  /** A session with a monitor began: requeue_failures and send_failures. */
  monConnected(): void;
  /** A connection (of any messenger) to an OSD was refused. */
  handleRefused(osd: number): void;
  /** PGs changed: choose the peers anew at the next tick. */
  peersChanged(): void;
  /** Wrongly marked down: new ports and nonces, all peers dropped. */
  rebind(avoidPorts: ReadonlySet<number>): Promise<Record<NetworkName, EntityAddrVec>>;
  /** `isAfterMarkdown`: the markdown log is not empty, so a share of the peers must be healthy before booting. */
  checkHealth(isAfterMarkdown: boolean): HealthAnswer;
  /** OSDs that are pinged, for osd_stat. */
  heartbeatPeers(): number[];
  peers(): PeerStatus[];
  faults(): readonly NetworkFault[];
  /** The answer to `dump_osd_network [threshold]`. */
  dumpOsdNetwork(thresholdMs?: number): unknown;
  metrics(): HeartbeatMetrics;
}

export interface HeartbeatMetrics {
  readonly failuresReported: number;
  readonly failuresImmediate: number;
  readonly failuresCancelled: number;
  /** Reports that were not sent because one about the same OSD was, within the grace. */
  readonly failuresSuppressed: number;
  readonly mainLagMsMax: number;
  readonly mainLagMs: number;
  readonly networks: Readonly<Record<NetworkName, NetworkMetrics>>;
}

export interface NetworkMetrics {
  readonly counters: Readonly<Record<string, number>>;
  readonly lagMs: number;
  readonly lagMsMax: number;
  readonly restarts: number;
  /** By OSD. Buckets as cumulative counts are of `roundTripBucketsMs`, +Inf last. */
  readonly roundTrips: ReadonlyMap<number, RoundTripHistogram>;
}

export interface RoundTripHistogram {
  readonly buckets: readonly number[];
  readonly sumMs: number;
  readonly count: number;
}
