/**
 * What an OSD daemon shows of itself: all that the admin socket, the metrics and the live view read. They
 * are built on this interface alone, so that they can be tried on a daemon that is made up.
 *
 * Everything is a picture of the moment it was asked for. What lies in the heartbeat workers is asked for
 * there, which is why those methods answer with a promise; they reject with ERR_MSGR_CLOSED once the daemon
 * has stopped.
 */
import type { EventEmitter } from 'node:events';
import type { MessengerCounters } from '../../messenger/messenger.ts';
import type { OptionName } from '../../options.ts';
import type { OsdState } from './osd-state.ts';

/** The messengers of an OSD, by Ceph's names. */
export const osdMessengerNames = [
  'ms_public',
  'ms_cluster',
  'ms_hb_front_client',
  'ms_hb_back_client',
  'ms_hb_front_server',
  'ms_hb_back_server',
  'ms_objecter',
] as const;
export type OsdMessengerName = (typeof osdMessengerNames)[number];

export type HeartbeatNetwork = 'front' | 'back';

export interface OsdDaemonEvents {
  state: [state: OsdState, before: OsdState];
  /** A newer OSDMap is in use. */
  osdmap: [epoch: number];
  /** The last event: every socket is closed. */
  stopped: [];
}

export interface OsdDaemonStatus extends EventEmitter<OsdDaemonEvents> {
  readonly whoami: number;
  readonly clusterFsid: string;
  readonly osdFsid: string;
  readonly state: OsdState;
  /** `msgr2 version 0.1.0 …`, as `ceph osd metadata` shows it. */
  readonly version: DaemonVersion;
  readonly startedAt: Date;
  /** Range of OSDMaps that it holds; 0 before the first. */
  readonly oldestMap: number;
  readonly newestMap: number;
  readonly numPgs: number;
  readonly config: OsdDaemonConfig;
  messengers(): Promise<readonly MessengerStatus[]>;
  heartbeatPeers(): Promise<readonly HeartbeatPeerStatus[]>;
  /** Whether this process itself was slow of late. */
  slowness(): Promise<SlownessStatus>;
  /** Counters by group and name, as `perf dump` has them; the schema says what each means. */
  perfDump(): Readonly<Record<string, Readonly<Record<string, number>>>>;
  perfSchema(): Readonly<Record<string, Readonly<Record<string, PerfCounterSchema>>>>;
}

export interface DaemonVersion {
  readonly version: string;
  readonly release: string;
  readonly releaseType: string;
}

/** Options by Ceph's names, as text, and where each is from. */
export interface OsdDaemonConfig {
  /** Of every option that is known; keys are left out. */
  show(): ReadonlyMap<string, string>;
  /** Undefined for an option that nobody knows. */
  get(name: string): string | undefined;
  /**
   * In use from now on; `needsRestart` when the part that reads the option reads it only once.
   * @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for an unknown name or a value that it cannot have.
   */
  set(name: string, value: string): { readonly name: OptionName; readonly needsRestart: boolean };
  /** Options whose value is not the default, and who said so. */
  diff(): ReadonlyMap<OptionName, ConfigDifference>;
}

export type ConfigSource = 'default' | 'mon' | 'file' | 'override';

export interface ConfigDifference {
  readonly default: string;
  readonly value: string;
  readonly source: ConfigSource;
}

export interface MessengerStatus {
  readonly name: OsdMessengerName;
  /** Ceph's text form with the nonce; empty while nothing is bound or learnt. */
  readonly addrs: string;
  readonly isBound: boolean;
  readonly counters: MessengerCounters;
  readonly connections: readonly ConnectionStatus[];
}

export interface ConnectionStatus {
  /** `osd.3`, `client.4123`; a number of -1 is not known yet. */
  readonly peer: string;
  readonly addrs: string;
  readonly state: string;
  readonly isSecure: boolean;
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly queuedBytes: number;
}

/** Of one peer on one network; times in milliseconds by the monotonic clock of the daemon. */
export interface HeartbeatPathStatus {
  readonly addrs: string;
  readonly isConnected: boolean;
  /** Since the last reply; undefined when none ever came. */
  readonly lastReplyAgeMs: number | undefined;
  readonly lastPingMs: number | undefined;
  /** Over the last 1, 5 and 15 minutes. */
  readonly pingMs: PingSummary | undefined;
  /** Round trips since the daemon began: upper bounds in milliseconds and how many were at or below each. */
  readonly histogram: readonly (readonly [lessOrEqualMs: number, count: number])[];
}

export interface PingSummary {
  readonly averageMs: readonly [one: number, five: number, fifteen: number];
  readonly minMs: readonly [one: number, five: number, fifteen: number];
  readonly maxMs: readonly [one: number, five: number, fifteen: number];
  /** Milliseconds since 1970 of the last update. */
  readonly updatedAt: number;
}

export interface HeartbeatPeerStatus {
  readonly osd: number;
  /** `up`, `degraded`, `one-way`, `down`: ours, beyond Ceph's up and down. */
  readonly state: string;
  readonly front: HeartbeatPathStatus | undefined;
  readonly back: HeartbeatPathStatus | undefined;
  readonly isReported: boolean;
}

export interface SlownessStatus {
  readonly isSlow: boolean;
  /** The longest that the loop of each thread stood still in the last minute, in milliseconds. */
  readonly loopLagMs: { readonly main: number; readonly front: number; readonly back: number };
}

export interface PerfCounterSchema {
  readonly kind: 'counter' | 'gauge';
  readonly description: string;
}
