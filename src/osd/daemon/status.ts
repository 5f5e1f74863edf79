/**
 * What an OSD daemon shows of itself: all that the admin socket, the metrics and the live view read. They
 * are built on this interface alone, so that they can be tried on a daemon that is made up.
 *
 * Everything is a picture of the moment it was asked for.
 */
import type { EventEmitter } from 'node:events';
import type { MessengerCounters } from '../../messenger/messenger.ts';
import type { OptionName } from '../../options.ts';
import type { DaemonVersion } from '../../version.ts';
import type { OsdHeartbeatInterface } from '../heartbeat/osd-heartbeat-types.ts';
import type { CommandTable } from './command-table.ts';
import type { OsdState } from './osd-state.ts';
import type { PerfDump, PerfSchema } from './perf-counters.ts';

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
  readonly version: DaemonVersion;
  readonly startedAt: Date;
  /** Range of OSDMaps that it holds; 0 before the first. */
  readonly oldestMap: number;
  readonly newestMap: number;
  readonly numPgs: number;
  readonly config: OsdDaemonConfig;
  readonly heartbeat: HeartbeatStatus;
  /** All seven; those of the heartbeats are asked for in their threads. Rejects once the daemon has stopped. */
  messengers(): Promise<readonly MessengerStatus[]>;
  /** Counters by group and name, as `perf dump` has them; the schema says what each means. */
  perfDump(): PerfDump;
  perfSchema(): PerfSchema;
  /** Every command that `ceph tell` and the admin socket may give. */
  readonly commands: CommandTable;
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

/** Peers, networks and ping times; see `OsdHeartbeatInterface`. */
export type HeartbeatStatus = Pick<
  OsdHeartbeatInterface,
  'heartbeatPeers' | 'peers' | 'faults' | 'dumpOsdNetwork' | 'metrics'
>;

export interface MessengerStatus {
  readonly name: OsdMessengerName;
  /** Ceph's text form with the nonce; empty while nothing is bound or learnt. */
  readonly addrs: string;
  readonly counters: MessengerCounters;
  /** Of the messengers of the main thread; those of the heartbeats tell only counts. */
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
