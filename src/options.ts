/**
 * Ceph's options with Ceph's names, units and defaults (those of 16.2.15), as far as this project reads
 * them. `ceph.conf` and the `options` of a messenger use the same names; spaces, dashes and underscores
 * in a name are equal, as in Ceph.
 */
import { ErrorCode, MsgrError } from './errors.ts';
import { channelQueueBytesMax, sendHighWaterMarkDefault } from './limits.ts';

export type OptionValue = number | boolean | string;

/**
 * How a number is written in a ceph.conf: `int` with K, M, G… of 1000, `size` with those of 1024, `secs` as
 * `90` or `1h 30m`, `float` without units.
 */
export type NumberForm = 'int' | 'size' | 'secs' | 'float';

export interface OptionDefinition<T extends OptionValue> {
  readonly default: T;
  /** Of numbers; when absent, `float` for seconds and probabilities, `size` for bytes, `int` for all others. */
  readonly form?: NumberForm;
  /** What the number counts; absent for names and switches. */
  readonly unit?: 's' | 'bytes' | 'messages' | 'port' | 'us' | 'probability' | 'one in N' | 'connections';
  readonly min?: number;
  readonly max?: number;
}

const seconds = (value: number, form?: NumberForm): OptionDefinition<number> => ({
  default: value,
  unit: 's',
  ...(form && { form }),
  min: 0,
});
const bytes = (value: number, form?: NumberForm): OptionDefinition<number> => ({
  default: value,
  unit: 'bytes',
  ...(form && { form }),
  min: 0,
});
const port = (value: number): OptionDefinition<number> => ({
  default: value,
  unit: 'port',
  min: 1,
  max: 65535,
});
const ratio = (value: number): OptionDefinition<number> => ({
  default: value,
  form: 'float',
  min: 0,
  max: 1,
});
const text = (value: string): OptionDefinition<string> => ({ default: value });
const flag = (value: boolean): OptionDefinition<boolean> => ({ default: value });

/** The table: one line per option. */
export const optionTable = {
  /** Transport: `async` (native core), `simple` (node:net); Ceph's `async+posix` means `async`. */
  ms_type: text('async+posix'),
  /** Loop threads of the native transport; 0 runs the loop inline on the JavaScript thread. (Ceph: 3.) */
  ms_async_op_threads: { default: 0, min: 0, max: 1 } as OptionDefinition<number>,
  ms_bind_ipv4: flag(true),
  ms_bind_ipv6: flag(false),
  ms_bind_port_min: port(6800),
  ms_bind_port_max: port(7300),
  ms_bind_retry_count: { default: 3, min: 0, max: 1000 } as OptionDefinition<number>,
  ms_bind_retry_delay: seconds(5, 'int'),
  ms_tcp_nodelay: flag(true),
  ms_tcp_rcvbuf: bytes(0),
  ms_tcp_listen_backlog: {
    default: 512,
    min: 1,
    max: 65535,
    unit: 'connections',
  } as OptionDefinition<number>,
  ms_learn_addr_from_peer: flag(true),
  ms_initial_backoff: seconds(0.2),
  ms_max_backoff: seconds(15),
  ms_connection_ready_timeout: seconds(10, 'int'),
  ms_connection_idle_timeout: seconds(900, 'int'),
  ms_dispatch_throttle_bytes: bytes(104857600),
  ms_pq_max_tokens_per_priority: bytes(16777216, 'int'),
  ms_pq_min_cost: bytes(65536),
  ms_die_on_old_message: flag(false),
  ms_inject_socket_failures: {
    default: 0,

    min: 0,
    unit: 'one in N',
  } as OptionDefinition<number>,
  ms_inject_delay_type: text(''),
  ms_inject_delay_probability: {
    default: 0,
    min: 0,
    max: 1,
    unit: 'probability',
  } as OptionDefinition<number>,
  ms_inject_delay_max: seconds(1),
  ms_inject_internal_delays: seconds(0),
  ms_cluster_mode: text('crc secure'),
  ms_service_mode: text('crc secure'),
  ms_client_mode: text('crc secure'),
  ms_mon_cluster_mode: text('secure crc'),
  ms_mon_service_mode: text('secure crc'),
  ms_mon_client_mode: text('secure crc'),
  /** Methods between daemons, of clients at daemons, and of this client: `cephx`, `none`, or both. */
  auth_cluster_required: text('cephx'),
  auth_service_required: text('cephx'),
  auth_client_required: text('cephx, none'),
  /** How long a monitor's tickets are good: those for itself, and those for other services. */
  auth_mon_ticket_ttl: seconds(259200),
  auth_service_ticket_ttl: seconds(3600),
  /** Whether a monitor gives a global id back without the ticket it came with. (Ceph 16: true; CVE-2021-20288.) */
  auth_allow_insecure_global_id_reclaim: flag(false),
  /** Ours, with the name that Ceph's monitor map has for it: types of keys that are taken. */
  auth_allowed_ciphers: text('aes aes256k'),
  /** Ours, with the name that Ceph's monitor map has for it: the type of a monitor's rotating secrets. */
  auth_service_cipher: text('aes256k'),
  /** A round of hunting: the monitors dialled in it have this long before others are tried. */
  mon_client_hunt_interval: { default: 3, unit: 's', min: 0.05 } as OptionDefinition<number>,
  /** Each hunt that follows another lengthens the interval by this factor, up to the multiple below. */
  mon_client_hunt_interval_backoff: { default: 1.5, form: 'float', min: 1 } as OptionDefinition<number>,
  mon_client_hunt_interval_min_multiple: { default: 1, form: 'float', min: 1 } as OptionDefinition<number>,
  mon_client_hunt_interval_max_multiple: { default: 10, form: 'float', min: 1 } as OptionDefinition<number>,
  /** Monitors dialled at once; 0: all. */
  mon_client_hunt_parallel: { default: 3, min: 0 } as OptionDefinition<number>,
  mon_client_ping_interval: { default: 10, unit: 's', min: 0.05 } as OptionDefinition<number>,
  /** Silence after which the monitor is given up; 0: never. */
  mon_client_ping_timeout: seconds(30),
  mon_client_log_interval: { default: 1, unit: 's', min: 0.05 } as OptionDefinition<number>,
  mon_client_max_log_entries_per_message: {
    default: 1000,
    min: 1,
    unit: 'messages',
  } as OptionDefinition<number>,
  /** Attempts, after the first, to reach a monitor that a command is directed to. */
  mon_client_directed_command_retry: { default: 2, min: 0 } as OptionDefinition<number>,
  /** How long `connect` waits for a session with a monitor. */
  client_mount_timeout: seconds(300, 'secs'),
  /** How long a monitor command may take; 0: for ever. */
  rados_mon_op_timeout: seconds(0, 'secs'),
  // ── OSD heartbeats (facts: 5.12) ──
  /** The mean gap between two pings of a peer is a little over half of it: each is drawn anew. */
  osd_heartbeat_interval: {
    default: 6,
    unit: 's',
    form: 'int',
    min: 1,
    max: 60,
  } as OptionDefinition<number>,
  /** A ping unanswered for so long makes its peer a failed one. */
  osd_heartbeat_grace: { default: 20, unit: 's', form: 'int', min: 1 } as OptionDefinition<number>,
  osd_heartbeat_min_peers: { default: 10, min: 0 } as OptionDefinition<number>,
  /** Pings are padded to about so many bytes, so that a path that drops large packets is noticed. */
  osd_heartbeat_min_size: { ...bytes(2000), max: 65536 } as OptionDefinition<number>,
  osd_heartbeat_min_healthy_ratio: {
    default: 0.33,
    form: 'float',
    min: 0,
    max: 1,
  } as OptionDefinition<number>,
  /** Peers that have been failing for so long are forgotten when the peers are chosen anew. */
  osd_heartbeat_stale: seconds(600, 'int'),
  osd_heartbeat_use_min_delay_socket: flag(false),
  /** Ours: the NIC that each network's heartbeats are bound to, by its name; empty: none. */
  osd_heartbeat_front_device: text(''),
  osd_heartbeat_back_device: text(''),
  /** Ours: the CPU that each network's heartbeat thread is pinned to; -1: none. */
  osd_heartbeat_front_cpu: { default: -1, min: -1, max: 1023 } as OptionDefinition<number>,
  osd_heartbeat_back_cpu: { default: -1, min: -1, max: 1023 } as OptionDefinition<number>,
  /** Silence about peers after which a newer map is asked for: an OSD that has none. */
  osd_mon_heartbeat_interval: seconds(30, 'int'),
  osd_mon_report_interval: seconds(5, 'int'),
  osd_fast_fail_on_connection_refused: flag(true),
  /** How long a thread of the OSD may be stuck before its pings are no longer answered. */
  osd_op_thread_timeout: seconds(15, 'int'),
  osd_debug_drop_ping_probability: {
    default: 0,
    min: 0,
    max: 1,
    unit: 'probability',
  } as OptionDefinition<number>,
  /** Pings dropped in a row, counting from the first. */
  osd_debug_drop_ping_duration: { default: 0, min: 0 } as OptionDefinition<number>,
  debug_disable_randomized_ping: flag(false),
  /** Seconds over which ping times are averaged in place of 60; 0: 60. */
  debug_heartbeat_testing_span: { default: 0, form: 'int', min: 0 } as OptionDefinition<number>,
  /** Share of the grace from which on a ping counts as slow, and its absolute form in ms (0: the share). */
  mon_warn_on_slow_ping_ratio: { default: 0.05, form: 'float', min: 0 } as OptionDefinition<number>,
  mon_warn_on_slow_ping_time: { default: 0, form: 'float', min: 0 } as OptionDefinition<number>,
  osd_mon_heartbeat_stat_stale: seconds(3600, 'int'),
  /** CRUSH type of what fails as one ("host"); reporters and random heartbeat peers are of different ones. */
  mon_osd_reporter_subtree_level: text('host'),
  mon_osd_min_down_reporters: { default: 2, min: 0 } as OptionDefinition<number>,
  /**
   * Ours: "connection refused" marks an OSD down at once only when OSDs of two failure domains saw it, unless
   * no other domain has an OSD that is up. False: one report is enough, as in Ceph.
   */
  mon_osd_immediate_failure_needs_corroboration: flag(true),
  /** Below this share of OSDs that are up, nobody is marked down. */
  mon_osd_min_up_ratio: ratio(0.3),
  /** Below this share of OSDs that are in, nobody is marked out. */
  mon_osd_min_in_ratio: ratio(0.75),
  /** Whether OSDs that were marked down in error before are given more time. */
  mon_osd_adjust_heartbeat_grace: flag(true),
  mon_osd_adjust_down_out_interval: flag(true),
  /** Time in which the memory of an error loses half of its weight. */
  mon_osd_laggy_halflife: { default: 3600, unit: 's', form: 'int', min: 1 } as OptionDefinition<number>,
  /** How much the last failure counts beside those before it. */
  mon_osd_laggy_weight: ratio(0.3),
  /** Longest time down that is still taken for lagging; 0: any. */
  mon_osd_laggy_max_interval: seconds(300, 'int'),
  /** Silence after which an OSD is marked down whatever its peers say; OSDs send a beacon every 300 s. */
  mon_osd_report_timeout: seconds(900, 'int'),
  /** How long an OSD is down before it is marked out and its data moves; 0: never. */
  mon_osd_down_out_interval: seconds(600, 'int'),
  mon_osd_destroyed_out_interval: seconds(600, 'int'),
  /** When all of a subtree of this type is down, its OSDs are not marked out; empty: they are. */
  /** Ours: Ceph's warning that there is no manager, which this monitor never has. (Ceph: always.) */
  mon_warn_on_mgr_down: flag(false),
  mon_osd_down_out_subtree_limit: text('rack'),
  /** Which booting OSDs are marked in: all, those that the monitor marked out, those that were never in. */
  mon_osd_auto_mark_in: flag(false),
  mon_osd_auto_mark_auto_out_in: flag(true),
  mon_osd_auto_mark_new_in: flag(true),
  /** Placement groups that OSDs are asked to create at the same time; more wait. */
  mon_osd_max_creating_pgs: { default: 1024, min: 1 } as OptionDefinition<number>,
  /** Shares of an OSD's space from which on it is nearly full, takes no backfill, takes no writes. */
  mon_osd_nearfull_ratio: ratio(0.85),
  mon_osd_backfillfull_ratio: ratio(0.9),
  mon_osd_full_ratio: ratio(0.95),
  mon_osd_initial_require_min_compat_client: text('luminous'),
  /** Epochs of the OSDMap that are kept at least. */
  mon_min_osdmap_epochs: { default: 500, min: 1 } as OptionDefinition<number>,
  /** Epochs up to this one are forgotten although an OSD may still want them; 0: none. */
  mon_osd_force_trim_to: { default: 0, min: 0 } as OptionDefinition<number>,
  /** A service forgets versions when it may forget this many, and at most so many at once; 0: no limit. */
  paxos_service_trim_min: { default: 250, min: 0 } as OptionDefinition<number>,
  paxos_service_trim_max: { default: 500, min: 0 } as OptionDefinition<number>,
  /** A monitor's proposals: how long the first change waits for others, and how far apart proposals are at least. */
  paxos_min_wait: seconds(0.05),
  paxos_propose_interval: seconds(1),
  /** How often a monitor looks at what only time changes. */
  mon_tick_interval: { default: 5, form: 'int', unit: 's', min: 1 } as OptionDefinition<number>,
  /** Silence after which a monitor ends a client's session. */
  mon_session_timeout: { default: 300, form: 'int', unit: 's', min: 1 } as OptionDefinition<number>,
  /** Bytes of messages that a monitor takes in at once: from clients, and from daemons. */
  mon_client_bytes: bytes(104857600),
  mon_daemon_bytes: bytes(419430400),
  /** CRUSH type whose buckets hold one copy each in a new cluster's rule: 1 hosts, 0 OSDs. */
  osd_crush_chooseleaf_type: { default: 1, form: 'int', min: 0, max: 11 } as OptionDefinition<number>,
  osd_pool_default_erasure_code_profile: text('plugin=jerasure technique=reed_sol_van k=2 m=2'),
  /** What a new pool is given when `osd pool create` does not say; a min_size of 0 is more than half of the size. */
  osd_pool_default_size: { default: 3, min: 0, max: 10 } as OptionDefinition<number>,
  osd_pool_default_min_size: { default: 0, min: 0, max: 255 } as OptionDefinition<number>,
  osd_pool_default_pg_num: { default: 32, min: 1 } as OptionDefinition<number>,
  osd_pool_default_pgp_num: { default: 0, min: 0 } as OptionDefinition<number>,
  osd_pool_default_crush_rule: { default: -1, form: 'int' } as OptionDefinition<number>,
  osd_pool_default_pg_autoscale_mode: text('on'),
  osd_pool_erasure_code_stripe_unit: bytes(4096),
  /** Placement groups of one pool, of all pools per OSD that is in, and of a new pool before it grows. */
  mon_max_pool_pg_num: { default: 65536, min: 0 } as OptionDefinition<number>,
  mon_max_pg_per_osd: { default: 250, min: 1 } as OptionDefinition<number>,
  mon_osd_max_initial_pgs: { default: 1024, min: 0 } as OptionDefinition<number>,
  /** Whether pools may be deleted at all, and whether they may have no second copy. */
  mon_allow_pool_delete: flag(false),
  mon_allow_pool_size_one: flag(false),
  /** How long `osd blocklist add` lasts when it does not say. */
  mon_osd_blocklist_default_expire: seconds(3600),
  mon_max_osd: { default: 10000, min: 0 } as OptionDefinition<number>,
  /** Bytes and messages of clients that an OSD takes in at once. */
  osd_client_message_size_cap: bytes(524288000),
  osd_client_message_cap: { default: 256, min: 0, unit: 'messages' } as OptionDefinition<number>,
  /** Whether an OSD that starts takes its place in the CRUSH map, and its device class. */
  osd_crush_update_on_start: flag(true),
  osd_class_update_on_start: flag(true),
  /** The weight it comes with; below 0: by its size. (Ours holds no objects: its size is 0.) */
  osd_crush_initial_weight: { default: -1, form: 'float' } as OptionDefinition<number>,
  /** `root=default host=node1`; by default the host's name below `default`. */
  crush_location: text(''),
  /** How often an OSD says that it lives. */
  osd_beacon_report_interval: { default: 300, form: 'int', unit: 's', min: 1 } as OptionDefinition<number>,
  /** An OSD that was wrongly marked down more often than this within the period ends. */
  osd_max_markdown_count: { default: 5, min: 0 } as OptionDefinition<number>,
  osd_max_markdown_period: seconds(600, 'int'),
  /** On SIGTERM: end without tidying up, and whether the monitor is told before; else it waits for its word. */
  osd_fast_shutdown: flag(true),
  osd_fast_shutdown_notify_mon: flag(true),
  osd_mon_shutdown_timeout: seconds(5),
  /** OSDMaps in one message, and those a peer that is behind gets. */
  osd_map_message_max: { default: 40, min: 1 } as OptionDefinition<number>,
  osd_map_message_max_bytes: bytes(10485760),
  osd_map_share_max_epochs: { default: 40, min: 1 } as OptionDefinition<number>,
  osd_map_cache_size: { default: 50, min: 1 } as OptionDefinition<number>,
  /** Ours: how long the loop polls before it sleeps while traffic flows, in microseconds; 0 never polls. */
  ms_busy_poll_us: { default: 50, min: 0, max: 1000, unit: 'us' } as OptionDefinition<number>,
  /** Ours: busy connections within one host go on through shared memory when their peer can (`async` only). */
  ms_shared_memory: flag(true),
  /** Ours: `send()` answers false above this many bytes of backlog on a connection (`Channel.backlogBytes`). */
  ms_send_high_water_mark: {
    default: sendHighWaterMarkDefault,
    unit: 'bytes',
    min: channelQueueBytesMax,
  } as OptionDefinition<number>,
  /** Ours: TCP_CONGESTION of every socket (`reno`, `cubic`, `bbr`); empty: the system's, reno within one host. */
  ms_tcp_congestion_control: text(''),
} as const;

export type OptionName = keyof typeof optionTable;
/** Values by name; every option is present. */
export type Options = {
  readonly [Name in OptionName]: (typeof optionTable)[Name] extends OptionDefinition<infer T> ? T : never;
};

/** The form of a number's text. */
export function numberForm({ form, unit }: OptionDefinition<OptionValue>): NumberForm {
  if (form !== undefined) return form;
  return unit === 's' || unit === 'probability' ? 'float' : unit === 'bytes' ? 'size' : 'int';
}

function check(name: string, definition: OptionDefinition<OptionValue>, value: unknown): OptionValue {
  const expected = typeof definition.default;
  const { min, max } = definition;
  const isRightType = typeof value === expected && !(typeof value === 'number' && Number.isNaN(value));
  if (!isRightType) {
    throw new MsgrError(
      ErrorCode.InvalidArgument,
      `option ${name} must be a ${expected}, not ${String(value)}`,
    );
  }
  if (
    typeof value === 'number' &&
    ((min !== undefined && value < min) || (max !== undefined && value > max))
  ) {
    const range = max === undefined ? `at least ${min}` : `from ${min} to ${max}`;
    throw new MsgrError(ErrorCode.InvalidArgument, `option ${name} must be ${range}, not ${value}`);
  }
  return value as OptionValue;
}

/**
 * The whole set, with `given` in place of the defaults.
 * @throws MsgrError ERR_MSGR_INVALID_ARGUMENT naming the option that is unknown or out of range.
 */
export function resolveOptions(given: Partial<Options> = {}): Options {
  const resolved: Record<string, OptionValue> = {};
  for (const [name, definition] of Object.entries(optionTable)) resolved[name] = definition.default;
  for (const [rawName, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = rawName.replaceAll(/[ -]/g, '_');
    const definition = (optionTable as Record<string, OptionDefinition<OptionValue>>)[name];
    if (definition === undefined)
      throw new MsgrError(ErrorCode.InvalidArgument, `no option is named ${rawName}`);
    resolved[name] = check(name, definition, value);
  }
  return resolved as Options;
}
