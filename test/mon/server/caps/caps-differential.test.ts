/**
 * The same capabilities in a real ceph-mon and in ours: which texts are none, and what those that are one
 * let a client do, command by command.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CryptoKey } from '../../../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../../../src/auth/cephx/key-type.ts';
import { CephxSession } from '../../../../src/auth/cephx/session.ts';
import { MonCommandError } from '../../../../src/mon/client/command-error.ts';
import type { MonCommand } from '../../../../src/mon/client/commands.ts';
import { MonClient } from '../../../../src/mon/client/mon-client.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { EntityAuthName } from '../../../../src/wire/entity-name.ts';
import { CephCluster, requireCeph } from '../../../support/ceph-cluster.ts';
import { clusterClient } from '../../../support/cluster-client.ts';

async function resultOf(client: MonClient, command: MonCommand, input = ''): Promise<string> {
  try {
    const { code } = await client.command(command, { timeoutMs: 15_000, input: Buffer.from(input) });
    return String(code);
  } catch (error) {
    if (!(error instanceof MonCommandError)) throw error;
    return `${error.errnoName} ${error.status}`;
  }
}

const texts: readonly string[] = [
  'foo',
  'allow',
  'allow wr',
  'allow r,',
  'allow r foo',
  'allow r, foo',
  'allow r;allow w',
  ' allow r',
  'allow  r',
  'allow\tr',
  'allow r allow w',
  'allow r, allow service',
  'allow service osd',
  'allow service=osd rw',
  'allow service "os d" rw',
  'allow command',
  'allow command "osd new" with',
  'allow command "osd new" with a',
  'allow command "osd new" with a=b c prefix d, allow r',
  'allow command osd',
  'allow command foo with a=b  c=d',
  'profile',
  'profile osd',
  'profile=osd',
  'allow profile "osd"',
  'profile nobody-knows',
  'allow r network 10.0.0.0/8',
  'allow r network',
  'allow r network nowhere',
  'allow all',
  'allow *',
  'allow * ',
  'allow rwx  ;  allow *',
  'allow rwxa',
  "allow command 'a b' with c='d e'",
  'allow command "unclosed',
];

const commands: readonly MonCommand[] = [
  { prefix: 'fsid' },
  { prefix: 'log', logtext: ['a'] },
  { prefix: 'health mute', code: 'X', sticky: true },
  { prefix: 'config set', who: 'global', name: 'osd_heartbeat_grace', value: '20' },
  { prefix: 'config get', who: 'global.x' },
  { prefix: 'config dump' },
  { prefix: 'config-key get', key: 'daemon-private/client.x/k' },
  { prefix: 'config-key set', key: 'rbd/mirror/k', val: 'v' },
  { prefix: 'config-key exists', key: 'rbd/mirror/k' },
  { prefix: 'auth ls' },
  { prefix: 'auth get-or-create', entity: 'client.made', caps: ['mon', 'allow r'] },
  { prefix: 'mgr stat' },
  { prefix: 'fs ls' },
  { prefix: 'mds versions' },
  { prefix: 'get_command_descriptions' },
];

const capsOfClients: readonly (readonly [entity: string, caps: string])[] = [
  ['client.r', 'allow r'],
  ['client.rw', 'allow rw'],
  ['client.rwx', 'allow rwx'],
  ['client.x', 'allow x'],
  ['client.all', 'allow *'],
  ['client.none', 'allow service nothing r'],
  ['client.readonly', 'profile read-only'],
  ['client.rados', 'allow profile simple-rados-client'],
  ['client.role', 'profile role-definer'],
  ['client.mirror', 'profile rbd-mirror'],
  ['client.crash', 'profile crash'],
  ['client.service', 'allow service mon r, allow service auth rx'],
  ['client.key', 'allow command "config-key get" with key prefix daemon-private/'],
  ['client.make', 'allow r, allow command "auth get-or-create" with entity=client.made caps_mon="allow r"'],
  ['client.make2', 'allow r, allow command "auth get-or-create" with entity=client.made caps_mon="allow rw"'],
  ['client.here', 'allow r network 127.0.0.0/8'],
  ['client.there', 'allow * network 10.0.0.0/8'],
  ['osd.0', 'allow profile osd'],
  ['mgr.x', 'allow profile mgr'],
];

function clientOf(cluster: CephCluster, name: string, key: CryptoKey): MonClient {
  const auth = new CephxSession({ name: EntityAuthName.parse(name), key, options: resolveOptions({}) });
  return new MonClient({ name, monHost: cluster.monAddrs.join(','), auth });
}

test('a real ceph-mon and ours take the same capabilities, and they allow the same', async () => {
  if (!requireCeph()) return;
  const clusters = await Promise.all([
    CephCluster.start({ auth: 'cephx' }),
    CephCluster.start({ auth: 'cephx', monitor: 'ours' }),
  ]);
  const admins = clusters.map((cluster) => clusterClient(cluster).client);
  const differing: string[] = [];
  const seen = new Map<string, number>();
  const compare = (what: string, [real, ours]: string[]): void => {
    seen.set(real!, (seen.get(real!) ?? 0) + 1);
    if (real !== ours) differing.push(`${what}\n    real ${real}\n    ours ${ours}`);
  };
  const both = (ask: (cluster: CephCluster, admin: MonClient) => Promise<string>): Promise<string[]> =>
    Promise.all(clusters.map((cluster, index) => ask(cluster, admins[index]!)));
  try {
    for (const [index, text] of texts.entries()) {
      const command = { prefix: 'auth add', entity: `client.text${index}`, caps: ['mon', text] };
      compare(JSON.stringify(text), await both((_cluster, admin) => resultOf(admin, command)));
    }
    const key = CryptoKey.generate(KeyType.Aes);
    const keyring = capsOfClients
      .map(
        ([name, caps]) =>
          `[${name}]\n\tkey = ${key.toBase64()}\n\tcaps mon = "${caps.replaceAll('"', '\\"')}"\n`,
      )
      .join('');
    compare('import', await both((_cluster, admin) => resultOf(admin, { prefix: 'auth import' }, keyring)));
    await Promise.all(
      capsOfClients.map(async ([name, caps]) => {
        const clients = clusters.map((cluster) => clientOf(cluster, name, key));
        try {
          for (const command of commands) {
            const results = await Promise.all(clients.map((client) => resultOf(client, command)));
            compare(`${name} '${caps}': ${command.prefix}`, results);
          }
        } finally {
          await Promise.all(clients.map((client) => client.close()));
        }
      }),
    );
  } finally {
    await Promise.all([
      ...admins.map((admin) => admin.close()),
      ...clusters.map((cluster) => cluster.stop()),
    ]);
  }
  // Both outcomes were seen, and often: a test in which everything is refused compares nothing.
  for (const outcome of ['0', 'EACCES access denied']) assert.ok(seen.get(outcome)! > 50, outcome);
  assert.is(differing.length, 0, `\n${differing.join('\n')}`);
});

test.run();
