/** What the daemon gives its heartbeats, and how it makes them: a seam, so that tests need no threads. */
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import type { NetworkHost } from '../heartbeat/network-host.ts';
import type { NetworkName } from '../heartbeat/network-protocol.ts';
import type { OsdHeartbeatHooks, OsdHeartbeatInterface, OsdLife } from '../heartbeat/osd-heartbeat-types.ts';
import type { OsdAuth } from './osd-auth.ts';
import { OsdState } from './osd-state.ts';

export interface HeartbeatSetup {
  readonly whoami: number;
  readonly options: Options;
  readonly clock: Clock;
  readonly nonce: number;
  /** IP that each network's messengers bind. */
  readonly hosts: Readonly<Record<NetworkName, string>>;
  readonly auth: OsdAuth;
  readonly hooks: OsdHeartbeatHooks;
}

export interface DaemonHeartbeat {
  readonly heartbeat: OsdHeartbeatInterface;
  readonly networks: Readonly<Record<NetworkName, NetworkHost>>;
  /** After the heartbeats were closed. */
  stop(): void;
}

export type MakeHeartbeat = (setup: HeartbeatSetup) => DaemonHeartbeat;

const lives: Readonly<Record<OsdState, OsdLife>> = {
  [OsdState.Initializing]: 'preboot',
  [OsdState.Preboot]: 'preboot',
  [OsdState.Booting]: 'booting',
  [OsdState.Active]: 'active',
  [OsdState.WaitingForHealthy]: 'waitingForHealthy',
  [OsdState.Stopping]: 'stopping',
};

export function lifeOf(state: OsdState): OsdLife {
  return lives[state];
}
