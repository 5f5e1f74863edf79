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
  /** Ours: how long the loop polls before it sleeps while traffic flows, in microseconds; 0 never polls. */
  ms_busy_poll_us: { default: 50, min: 0, max: 1000, unit: 'us' } as OptionDefinition<number>,
  /** Ours: `send()` answers false above this many queued bytes on a connection. */
  ms_send_high_water_mark: {
    default: sendHighWaterMarkDefault,
    unit: 'bytes',
    min: channelQueueBytesMax,
  } as OptionDefinition<number>,
  /** Ours: TCP_CONGESTION of every socket (`reno`, `cubic`, `bbr`); empty: the system's default. */
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
