/** What an OSD daemon has from its first moment on: identity, options, key, messengers, monitor client, log. */
import type { CephConfig } from '../../config/ceph-config.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { nonZeroU32, systemRandom } from '../../messenger/random.ts';
import { MonClient } from '../../mon/client/mon-client.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import { monotonicClock } from '../heartbeat/monotonic-clock.ts';
import type { OsdData } from '../store/osd-data.ts';
import { DaemonLog } from './daemon-log.ts';
import { isRotational } from './host-facts.ts';
import { MonitorLine } from './monitor-line.ts';
import { type OsdAuth, osdAuth } from './osd-auth.ts';
import { makeOsdMessengers, type OsdMessengers } from './osd-messengers.ts';
import { RunningConfig } from './running-config.ts';

export interface OsdCoreInit {
  /** Of `osd.N`. */
  readonly config: CephConfig;
  /** Opened; the daemon closes it. */
  readonly data: OsdData;
  readonly log: { readonly level: number; readonly file?: string | undefined; readonly isOnStderr: boolean };
}

export interface OsdCore {
  readonly whoami: number;
  readonly cephConfig: CephConfig;
  readonly config: RunningConfig;
  readonly data: OsdData;
  /** The one that the heartbeat threads share. */
  readonly clock: Clock;
  readonly log: DaemonLog;
  readonly auth: OsdAuth;
  readonly messengers: OsdMessengers;
  readonly client: MonClient;
  readonly monitors: MonitorLine;
  readonly deviceClass: string;
}

export interface OsdCoreHooks {
  /** Of the newest map, for the log. */
  epoch(): number;
  optionsChanged(options: Options): void;
}

/** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for options, ERR_MSGR_KEYRING for a key that is not there. */
export function makeOsdCore({ config, data, log: logInit }: OsdCoreInit, hooks: OsdCoreHooks): OsdCore {
  const { identity } = data;
  const { whoami } = identity;
  const clock = monotonicClock;
  const running = new RunningConfig(config, hooks.optionsChanged);
  const { options } = running;
  const { monHost } = config;
  if (monHost === undefined) {
    const reason = `${config.file.path || 'the configuration'} does not say where the monitors are`;
    throw new MsgrError(ErrorCode.InvalidArgument, reason);
  }
  const log = new DaemonLog({ ...logInit, whoami, epoch: hooks.epoch });
  const auth = osdAuth(config, options);
  const nonce = nonZeroU32(systemRandom);
  const messengers = makeOsdMessengers({ whoami, auth: auth.session, options, nonce, clock });
  const client = new MonClient({
    name: config.name,
    monHost,
    fsid: identity.clusterFsid,
    auth: auth.session,
    messenger: messengers.public,
    options,
  });
  return {
    whoami,
    cephConfig: config,
    config: running,
    data,
    clock,
    log,
    auth,
    messengers,
    client,
    monitors: new MonitorLine({ client, identity, log: (level, line) => log.write(level, line) }),
    deviceClass: (isRotational(data.folder) ?? true) ? 'hdd' : 'ssd',
  };
}
