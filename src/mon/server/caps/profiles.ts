/** The grants that the named profiles of Ceph 16 stand for; an unknown profile stands for none. */
import type { EntityAuthName } from '../../../wire/entity-name.ts';
import type { ArgumentConstraint, Grant } from './mon-caps.ts';
import { Permission } from './permission.ts';

const { r, w, x, all } = Permission;

const on = (service: string, allow: number): Grant => ({ service, allow });
const run = (command: string, args: Record<string, ArgumentConstraint> = {}): Grant => ({
  command,
  commandArgs: new Map(Object.entries(args)),
  allow: 0,
});
const equal = (value: string): ArgumentConstraint => ({ kind: 'equal', value });
const prefix = (value: string): ArgumentConstraint => ({ kind: 'prefix', value });
const regex = (value: string): ArgumentConstraint => ({ kind: 'regex', value });

const readsMaps = [on('mon', r), on('osd', r)];
const radosClient = [...readsMaps, on('pg', r)];

/** A client whose lock holder died may block that one process, by address and nonce. */
const blocksDeadClient = ['osd blacklist', 'osd blocklist'].map((command) =>
  run(command, {
    [command === 'osd blacklist' ? 'blacklistop' : 'blocklistop']: equal('add'),
    addr: regex('^[^/]+/[0-9]+$'),
  }),
);
const rbdClient = [...radosClient, ...blocksDeadClient];

function createsKeys(entities: string, caps: Record<string, ArgumentConstraint>): Grant {
  return run('auth get-or-create', { entity: prefix(entities), ...caps });
}

const rbdOsdCaps = regex(
  `^([ ,]*profile(=|[ ]+)['"]?rbd[^ ,'"]*['"]?([ ]+pool(=|[ ]+)['"]?[^,'"]+['"]?)?)+$`,
);

const profiles: Record<string, readonly Grant[]> = {
  'read-only': [{ allow: r }],
  'read-write': [{ allow: r | w }],
  mon: [on('mon', all), on('log', all)],
  osd: [on('osd', all), on('mon', r), on('pg', r | w), on('log', w)],
  mds: [
    on('mds', all),
    ...readsMaps,
    run('osd pool rmsnap'),
    run('osd blacklist'),
    run('osd blocklist'),
    on('log', w),
  ],
  mgr: [
    on('mgr', all),
    ...['log', 'mon', 'mds', 'fs', 'osd', 'config-key', 'config'].map((service) => on(service, r | w)),
    on('auth', r | w | x),
  ],
  'bootstrap-osd': [...readsMaps, run('mon getmap'), run('osd new'), run('osd purge-new')],
  'bootstrap-mds': [
    ...readsMaps,
    run('mon getmap'),
    createsKeys('mds.', {
      caps_mon: equal('allow profile mds'),
      caps_osd: equal('allow rwx'),
      caps_mds: equal('allow'),
    }),
  ],
  'bootstrap-mgr': [
    ...readsMaps,
    run('mon getmap'),
    createsKeys('mgr.', { caps_mon: equal('allow profile mgr') }),
  ],
  'bootstrap-rgw': [
    ...readsMaps,
    run('mon getmap'),
    createsKeys('client.rgw.', { caps_mon: equal('allow rw'), caps_osd: equal('allow rwx') }),
  ],
  'bootstrap-rbd': [
    on('mon', r),
    createsKeys('client.', { caps_mon: equal('profile rbd'), caps_osd: rbdOsdCaps }),
  ],
  'bootstrap-rbd-mirror': [
    on('mon', r),
    createsKeys('client.', { caps_mon: equal('profile rbd-mirror'), caps_osd: rbdOsdCaps }),
  ],
  'fs-client': [on('mon', r), on('mds', r), on('osd', r), on('pg', r)],
  'simple-rados-client': radosClient,
  rbd: rbdClient,
  'rbd-mirror': [...rbdClient, run('config-key get', { key: prefix('rbd/mirror/') })],
  crash: [on('mon', r)],
  'role-definer': [on('mon', r), on('auth', all)],
};

const withPrivateKeys: ReadonlySet<string> = new Set(['osd', 'mds', 'mon', 'mgr']);
const privateKeyCommands = ['get', 'put', 'set', 'exists', 'delete'];

export function profileGrants(profile: string, entity: EntityAuthName): readonly Grant[] {
  const grants = Object.hasOwn(profiles, profile) ? profiles[profile]! : [];
  if (!withPrivateKeys.has(profile)) return grants;
  const key = prefix(`daemon-private/${entity}/`);
  return [...grants, ...privateKeyCommands.map((command) => run(`config-key ${command}`, { key }))];
}
