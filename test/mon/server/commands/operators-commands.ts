/** What operators ask a monitor, in an order in which each answer depends on those before it. */

export interface Asked {
  readonly command: { readonly prefix: string; readonly [name: string]: unknown };
  readonly input?: string;
  readonly target?: string;
  /** Compared as text although it is JSON: its spelling matters. */
  readonly isText?: true;
  /** Why our line for the operator is another one; the error number is compared all the same. */
  readonly excuseStatus?: string;
  /** Why our output is another one in more than the table of excuses says. */
  readonly excuseOutput?: string;
}

type Arguments = Readonly<Record<string, unknown>>;

/** As it is, and in both JSON forms. */
function shown(prefix: string, args: Arguments = {}): Asked[] {
  return [
    { command: { prefix, ...args } },
    { command: { prefix, ...args, format: 'json' } },
    { command: { prefix, ...args, format: 'json-pretty' } },
  ];
}

function done(prefix: string, args: Arguments = {}, more: Partial<Asked> = {}): Asked {
  return { command: { prefix, ...args }, ...more };
}

const keyring = '[client.i]\n\tkey = AQB7z2dlAAAAABAAp3zOWxlHbgGm5Iv0t8JYkw==\n\tcaps mon = "allow r"\n';
const conf =
  '[global]\nfsid = 1\nmon_host = x\nosd_heartbeat_grace = 22\nbogus = 1\n[osd]\ndebug osd = 3\n[mon.a]\nfoo = bar\n';

export const commands: readonly Asked[] = [
  ...shown('status'),
  ...shown('health'),
  ...shown('health', { detail: 'detail' }),
  ...shown('fsid'),
  ...shown('mon dump'),
  ...shown('mon stat'),
  done('mon dump', { epoch: 7 }),
  ...shown('mon feature ls'),
  done('mon feature ls', { with_value: '--with-value' }),
  ...shown('quorum_status'),
  done('mon ok-to-stop', { ids: ['a'] }),
  done('mon ok-to-rm', { id: 'a' }),
  done('mon ok-to-add-offline'),
  ...shown('mon metadata').slice(1),
  done('mon metadata', { id: 'zz' }),
  done('mon count-metadata', { property: 'arch' }),
  ...shown('mon versions').slice(1),
  ...shown('versions').slice(1),
  ...shown('node ls'),
  done('node ls', { type: 'mon' }),
  done('features', { format: 'json' }),
  done('time-sync-status', { format: 'json' }),
  ...shown('df'),
  done('df', { detail: 'detail' }),
  done('health mute', { code: 'OSD_DOWN' }),
  done('health mute', { code: 'OSD_DOWN', ttl: '1h', sticky: true }),
  ...shown('health', { detail: 'detail' }),
  done('health unmute', { code: 'OSD_DOWN' }),
  // ── Managers and file systems that there are none of
  done('mgr stat'),
  ...shown('mgr dump'),
  done('mgr dump', { epoch: 9 }, { excuseStatus: 'a real one waits for ever' }),
  done('mgr module ls'),
  done('mgr services'),
  done('mgr metadata'),
  done('mgr metadata', { who: 'x' }),
  done('mgr versions'),
  done('mgr fail'),
  done('mgr fail', { who: 'x' }),
  ...shown('fs dump'),
  ...shown('mds stat'),
  ...shown('fs ls'),
  done('fs get', { fs_name: 'x' }),
  done('mds metadata'),
  done('mds versions'),
  // ── Keys of others
  done('config-key set', { key: 'a/b', val: 'v' }),
  done('config-key set', { key: 'bin' }, { input: 'abc' }),
  done('config-key get', { key: 'a/b' }),
  done('config-key get', { key: 'zz' }),
  done('config-key exists', { key: 'a/b' }),
  done('config-key exists', { key: 'zz' }),
  ...shown('config-key ls'),
  ...shown('config-key dump'),
  done('config-key dump', { key: 'a/' }),
  done('config-key rm', { key: 'zz' }),
  done('config-key rm', { key: 'bin' }),
  done('config-key ls'),
  // ── Options
  done('config set', { who: 'global', name: 'bogus', value: '1' }),
  done('config set', { who: 'osd', name: 'debug_osd', value: '10' }),
  done('config set', { who: 'osd/host:a', name: 'debug_osd', value: '11' }),
  done('config set', { who: 'osd/class:ssd', name: 'osd_max_backfills', value: 'x' }),
  done('config set', { who: 'global', name: 'mon host', value: 'x' }),
  done('config set', { who: 'osd.1', name: 'osd_heartbeat_grace', value: '30' }),
  done('config set', { who: 'client.rgw', name: 'rgw_frontends', value: 'beast port=80' }),
  done('config set', { who: 'client.rgw.a', name: 'rgw_thread_pool_size', value: '4K' }),
  done('config set', { who: 'mds', name: 'mds_cache_memory_limit', value: '4G' }),
  done('config set', { who: 'global', name: 'mon_osd_min_in_ratio', value: '.5' }),
  done('config set', { who: 'global', name: 'osd_pool_default_pg_autoscale_mode', value: 'warn' }),
  done('config set', { who: 'foo', name: 'osd_heartbeat_grace', value: '30' }),
  done('config set', { who: 'osd/rack', name: 'osd_heartbeat_grace', value: '30' }),
  done('config set', { who: 'global', name: 'bogus_opt', value: '1', force: true }),
  done('config set', { who: 'global', name: 'osd_heartbeat_grace', value: '9'.repeat(23) }),
  done('config set', { who: 'mon', name: 'auth_supported', value: 'none' }),
  ...shown('config get', { who: 'osd.1' }),
  ...shown('config get', { who: 'client.rgw.a' }),
  ...shown('config get', { who: 'mon.a' }),
  done('config get', { who: 'osd.1', key: 'osd_heartbeat_grace' }),
  done('config get', { who: 'osd.1', key: 'debug_osd' }),
  done('config get', { who: 'osd.1', key: 'osd_max_backfills' }),
  done('config get', { who: 'osd.1', key: 'nope' }),
  done('config get', { who: 'foo' }),
  ...shown('config dump'),
  done('config rm', { who: 'global', name: 'bogus_opt' }),
  done('config rm', { who: 'global', name: 'bogus_opt' }),
  done('config rm', { who: 'foo', name: 'bogus_opt' }),
  done('config assimilate-conf', {}, { input: conf }),
  ...shown('config dump'),
  ...shown('config log', { num: 4 }),
  ...shown('config log'),
  done('config set', { who: 'osd', name: 'osd_heartbeat_grace', value: '23' }),
  done('config set', { who: 'osd', name: 'osd_heartbeat_grace', value: '24' }),
  done('config set', { who: 'osd', name: 'osd_heartbeat_grace', value: '24' }),
  ...shown('config log', { num: 3 }),
  done('config reset', { num: 99 }, { excuseStatus: 'in our words' }),
  done('config reset', { num: 4 }),
  ...shown('config log', { num: 2 }),
  ...shown('config dump'),
  done('config reset', { num: 0 }),
  ...shown('config log', { num: 1 }),
  done('config log', { num: 0 }),
  done('config dump'),
  done('config generate-minimal-conf'),
  done('config help', { key: 'zz' }),
  done('config help', { key: 'osd_heartbeat_grace' }),
  // ── Entities
  done('auth get', { entity: 'client.admin' }),
  done('auth get', { entity: 'client.admin', format: 'json' }),
  done('auth get', { entity: 'client.zz' }),
  done('auth get', { entity: 'zz' }),
  done('auth get-key', { entity: 'client.admin' }),
  done('auth print-key', { entity: 'client.admin', format: 'json' }),
  done('auth get-key', { entity: 'client.zz' }),
  done('auth add', { entity: 'client.x', caps: ['mon', 'allow r'] }),
  done('auth add', { entity: 'client.x', caps: ['mon', 'allow r'] }),
  done('auth add', { entity: 'client.x', caps: ['mon', 'allow rw'] }),
  done('auth add', { entity: 'zz', caps: ['mon', 'allow rw'] }),
  done('auth add', { entity: 'client.y', caps: ['mon'] }),
  ...['mon', 'osd', 'mgr', 'mds', 'foo'].map((service) =>
    done('auth add', { entity: 'client.y', caps: [service, 'foo'] }),
  ),
  done('auth get-or-create', { entity: 'client.x', caps: ['mon', 'allow r'] }),
  done('auth get-or-create', { entity: 'client.x' }),
  done('auth get-or-create', { entity: 'client.x', caps: ['mon', 'allow rw'] }),
  done('auth get-or-create', { entity: 'client.x', format: 'json' }),
  done('auth get-or-create', { entity: 'client.new', caps: ['osd', 'allow rw', 'mon', 'allow r'] }),
  done('auth get-or-create-key', { entity: 'client.x', caps: ['mon', 'allow r'] }),
  done('auth get-or-create-key', { entity: 'client.x', format: 'json' }),
  done('auth caps', { entity: 'client.x', caps: ['mon', 'allow rw', 'osd', 'allow r'] }),
  done('auth caps', { entity: 'client.zz', caps: ['mon', 'allow rw'] }),
  done('auth export', { entity: 'client.x' }, { excuseStatus: 'a real one shows the key in its message' }),
  done(
    'auth export',
    { entity: 'client.zz' },
    { excuseStatus: 'a real one shows an empty key in its message' },
  ),
  done('auth export'),
  ...shown('auth ls'),
  done('auth rm', { entity: 'client.zz' }),
  done('auth rm', { entity: 'client.x' }),
  done('auth import', {}, { input: '' }),
  done('auth import', {}, { input: keyring }),
  done('auth import', {}, { input: 'garbage', excuseStatus: 'ours says which line is wrong' }),
  done('auth add', { entity: 'client.j' }, { input: keyring.replaceAll('client.i', 'client.j') }),
  done('auth ls', { format: 'json' }),
  // ── The log
  done('log', { logtext: ['hello', 'world'] }),
  done('log last', { num: 1, channel: 'cluster', level: 'info' }),
  done('log last', { num: 'x' }, { excuseStatus: 'ours says what is wrong with it' }),
  // ── What is no command
  done('nope'),
  done('osd pool create', {}, { excuseStatus: 'ours names the parameter that is missing' }),
  // ── To the monitor itself
  done('mon_status', {}, { target: 'a' }),
  done('nope', {}, { target: 'a', excuseStatus: 'ours says it as of other commands' }),
];
