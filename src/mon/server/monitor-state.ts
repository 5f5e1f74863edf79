/**
 * What the rules and commands of the monitor see of it: the committed state of each service, what is
 * pending, and the time. Whoever changes something pending calls `propose`.
 */
import type { MonMap } from '../../maps/mon-map.ts';
import type { OSDMap } from '../../maps/osdmap.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import type { Uuid } from '../../wire/uuid.ts';
import type { AuthService } from './auth/auth-service.ts';
import type { ConfigService } from './config/config-service.ts';
import type { HealthService } from './health/health-service.ts';
import type { LogService } from './log/log-service.ts';
import type { OsdMonitor } from './osdmap/osd-monitor.ts';
import type { PendingOsdMap } from './osdmap/pending-osd-map.ts';
import type { Proposer } from './service.ts';
import type { MonSession } from './session.ts';
import type { MonStore } from './store/mon-store.ts';

export interface MonitorState extends Proposer {
  /** The monitor's own name, `a`. */
  readonly name: string;
  readonly fsid: Uuid;
  readonly options: Options;
  readonly clock: Clock;
  /** Wall clock, ms since 1970: what is written into maps and logs. Rules that measure use `clock`. */
  wallMs(): number;
  /** When it began to serve, by `clock`. */
  readonly startedMs: number;
  readonly monMap: MonMap;
  readonly store: MonStore;
  readonly osdMap: OSDMap;
  /** The one that grows now; another one after each proposal, with the proposed map as its base. */
  readonly pendingOsdMap: PendingOsdMap;
  readonly osd: OsdMonitor;
  readonly auth: AuthService;
  readonly config: ConfigService;
  readonly log: LogService;
  readonly health: HealthService;
  /** Those that are open. */
  readonly sessions: Iterable<MonSession>;
  /** Epochs that the store still has of the osdmap. */
  readonly osdMapFirstCommitted: number;
}
