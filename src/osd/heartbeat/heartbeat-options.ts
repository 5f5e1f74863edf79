/** The options that heartbeats read, by Ceph's names; they may change at run time (`config set`). */
import type { OptionName, Options } from '../../options.ts';

export const heartbeatOptionNames = [
  'osd_heartbeat_interval',
  'osd_heartbeat_grace',
  'osd_heartbeat_min_peers',
  'osd_heartbeat_min_size',
  'osd_heartbeat_min_healthy_ratio',
  'osd_heartbeat_stale',
  'osd_mon_heartbeat_interval',
  'osd_mon_report_interval',
  'osd_fast_fail_on_connection_refused',
  'osd_op_thread_timeout',
  'osd_debug_drop_ping_probability',
  'osd_debug_drop_ping_duration',
  'debug_disable_randomized_ping',
  'debug_heartbeat_testing_span',
  'mon_warn_on_slow_ping_ratio',
  'mon_warn_on_slow_ping_time',
  'osd_mon_heartbeat_stat_stale',
  'mon_osd_reporter_subtree_level',
  'mon_osd_min_down_reporters',
] as const satisfies readonly OptionName[];

export type HeartbeatOptions = Pick<Options, (typeof heartbeatOptionNames)[number]>;

/** Of all options those that heartbeats read: what crosses to a worker. */
export function heartbeatOptionsOf(options: Options): HeartbeatOptions {
  return Object.fromEntries(heartbeatOptionNames.map((name) => [name, options[name]])) as HeartbeatOptions;
}

/** From how many ms on a ping is slow: 5 % of the grace unless mon_warn_on_slow_ping_time says otherwise. */
export function slowPingMs(options: HeartbeatOptions): number {
  const { mon_warn_on_slow_ping_time, mon_warn_on_slow_ping_ratio, osd_heartbeat_grace } = options;
  if (mon_warn_on_slow_ping_time > 0) return mon_warn_on_slow_ping_time;
  return osd_heartbeat_grace * 1000 * mon_warn_on_slow_ping_ratio;
}

/** How long a loop of ours may be late before it excuses its peers: a tenth of the grace, in ms. */
export function localHealthMs(options: HeartbeatOptions): number {
  return options.osd_heartbeat_grace * 100;
}
