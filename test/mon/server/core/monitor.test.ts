/** The monitor in this process: its first start, what it keeps over a restart, whom it refuses, how it ends. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { KeyType } from '../../../../src/auth/cephx/key-type.ts';
import { CephxSession } from '../../../../src/auth/cephx/session.ts';
import { Keyring } from '../../../../src/auth/keyring.ts';
import { ErrorCode, MsgrError } from '../../../../src/errors.ts';
import { MonClient } from '../../../../src/mon/client/mon-client.ts';
import { Monitor } from '../../../../src/mon/server/monitor.ts';
import type { MonitorInit } from '../../../../src/mon/server/monitor-init.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import type { StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { EntityAuthName, EntityType } from '../../../../src/wire/entity-name.ts';
import { withTimeout } from '../../../support/timeout.ts';

const none = {
  auth_cluster_required: 'none',
  auth_service_required: 'none',
  auth_client_required: 'none',
  paxos_propose_interval: 0.02,
  paxos_min_wait: 0.01,
} as const;

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-mon-'));
  folders.push(folder);
  return join(folder, 'data');
}
test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** On a free port of loopback. */
function start(init: Partial<MonitorInit> = {}): Promise<Monitor> {
  return Monitor.start({ publicAddr: 'v2:127.0.0.1:0', transport: 'simple', options: none, ...init });
}

async function connect(
  monitor: Monitor,
  init: { auth?: CephxSession; name?: string } = {},
): Promise<MonClient> {
  const monHost = String(monitor.publicAddrs.front).replace(/\/\d+$/, '');
  const options = { auth_client_required: init.auth === undefined ? 'none' : 'cephx' };
  const client = new MonClient({ name: 'client.admin', monHost, transport: 'simple', options, ...init });
  await client.connect({ timeoutMs: 10_000 });
  return client;
}

function admin(data: string): CephxSession {
  const name = EntityAuthName.parse('client.admin');
  const { key } = Keyring.load([join(data, 'ceph.client.admin.keyring')]).require(name);
  return new CephxSession({ name, key, options: resolveOptions({}) });
}

async function failureOf(work: Promise<unknown>): Promise<MsgrError> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, MsgrError);
    return error as MsgrError;
  }
  throw new Error('it did not fail');
}

test('a first start makes a cluster, its keys are for the owner alone, and a second start finds it', async () => {
  const data = newFolder();
  const first = await start({ data });
  const { fsid, publicAddrs } = first;
  assert.is(first.osdMap.epoch, 1);
  assert.is(first.monMap.epoch, 1);
  assert.is(statSync(data).mode & 0o777, 0o700);
  for (const file of ['keyring', 'ceph.client.admin.keyring', 'store.lmdb']) {
    assert.is(statSync(join(data, file)).mode & 0o777, 0o600, file);
  }
  assert.ok(readFileSync(join(data, 'keyring'), 'utf8').includes('[mon.]'));
  await first.close();
  assert.is(await first.ended, undefined);

  const second = await start({ data });
  assert.ok(second.fsid.equals(fsid));
  assert.ok(second.publicAddrs.equals(publicAddrs), `${second.publicAddrs} is not ${publicAddrs}`);
  await second.close();
});

test('one monitor per folder; the folder of another cluster or another monitor is refused', async () => {
  const data = newFolder();
  const first = await start({ data });
  const inUse = await failureOf(start({ data }));
  assert.is(inUse.code, ErrorCode.Store);
  assert.match(inUse.message, /another monitor is running on/);
  await first.close();
  const otherCluster = await failureOf(start({ data, fsid: 'c38a29e7-3411-4fa3-9d39-eca1f40257d3' }));
  assert.match(otherCluster.message, /the store is of cluster .*, not of c38a29e7/);
  const otherName = await failureOf(start({ data, name: 'b' }));
  assert.match(otherName.message, /the store is of monitor a, not of b/);
  // Whoever was refused has let go of the folder.
  await (await start({ data })).close();
});

test('a monitor that moves says so in its monmap', async () => {
  const store = new MemoryStore();
  await (await start({ store })).close();
  const moved = await start({ store, publicAddr: 'v2:127.0.0.2:0' });
  assert.is(moved.monMap.epoch, 2);
  assert.is(moved.publicAddrs.front!.host, '127.0.0.2');
  const client = await connect(moved);
  assert.is(client.monMap!.epoch, 2);
  await client.close();
  await moved.close();
});

test('a new cluster needs an address', async () => {
  const error = await failureOf(Monitor.start({ transport: 'simple' }));
  assert.is(error.code, ErrorCode.InvalidArgument);
  assert.match(error.message, /needs a public address/);
});

test('cephx: keys, rotating secrets and global ids outlive a restart', async () => {
  const data = newFolder();
  const first = await start({ data, options: { paxos_propose_interval: 0.02, paxos_min_wait: 0.01 } });
  const client = await connect(first, { auth: admin(data) });
  assert.is(client.currentMon!.name, 'a');
  const given = client.globalId;
  const secrets = first.auth.rotatingSecrets(EntityType.Osd)!;
  assert.is(secrets.secrets.size, 3);
  const key = first.auth.generateKey();
  const name = EntityAuthName.parse('osd.7');
  first.auth.set(name, { key, caps: new Map([['mon', 'allow profile osd']]) });
  assert.is(first.auth.entity(name), undefined);
  await first.propose();
  assert.ok(first.auth.entity(name)!.key.equals(key));
  await client.close();
  await first.close();

  const second = await start({ data, options: {} });
  assert.ok(second.auth.entity(name)!.key.equals(key));
  const again = second.auth.rotatingSecrets(EntityType.Osd)!;
  assert.equal([...again.secrets.keys()], [...secrets.secrets.keys()]);
  for (const [id, secret] of secrets.secrets) assert.ok(again.secrets.get(id)!.key.equals(secret.key));
  const later = await connect(second, { auth: admin(data) });
  assert.ok(later.globalId > given, `${later.globalId} was given again`);
  await later.close();
  await second.close();
});

test('a cluster of aes256k keys: whatever it makes is of that type', async () => {
  const data = newFolder();
  const monitor = await start({ data, options: { auth_allowed_ciphers: 'aes256k' }, keyType: 'aes256k' });
  const client = await connect(monitor, { auth: admin(data) });
  const { secrets } = monitor.auth.rotatingSecrets(EntityType.Osd)!;
  for (const { key } of [...secrets.values(), { key: monitor.auth.generateKey() }]) {
    assert.is(key.type, KeyType.Aes256k);
  }
  await client.close();
  await monitor.close();
});

test('secrets rotate with the wall clock, durably', async () => {
  const store = new MemoryStore();
  let now = 1_800_000_000_000;
  const options = { ...none, mon_tick_interval: 1, auth_service_ticket_ttl: 3600 };
  const monitor = await start({ store, options, wallMs: () => now });
  const before = [...monitor.auth.rotatingSecrets(EntityType.Osd)!.secrets.keys()];
  now += 2 * 3600_000 + 1;
  const rotated = (): boolean => monitor.auth.rotatingSecrets(EntityType.Osd)!.maxId > BigInt(before.length);
  await withTimeout(
    (async () => {
      while (!rotated()) await new Promise((resolve) => setTimeout(resolve, 50));
    })(),
    10_000,
    'the secrets to rotate',
  );
  assert.ok(!monitor.auth.rotatingSecrets(EntityType.Osd)!.secrets.has(before[0]!));
  assert.ok(store.get('auth', `rotating/${EntityType.Osd}`) !== undefined);
  await monitor.close();
});

test('a store that fails ends the monitor, which says why and answers nothing', async () => {
  class FullStore extends MemoryStore {
    isFull = false;
    override commit(transaction: StoreTransaction): Promise<void> {
      if (this.isFull) return Promise.reject(new MsgrError(ErrorCode.Store, 'no space left on device'));
      return super.commit(transaction);
    }
  }
  const store = new FullStore();
  const monitor = await start({ store });
  const client = await connect(monitor);
  store.isFull = true;
  let isAnswered = false;
  const command = client.command({ prefix: 'config-key set', key: 'a', val: 'b' }).then(
    () => {
      isAnswered = true;
    },
    () => {},
  );
  const failure = await withTimeout(monitor.ended, 10_000, 'the monitor to end');
  assert.is(failure!.message, 'no space left on device');
  await client.close();
  await command;
  assert.not(isAnswered);
});

test('subscribers of the osdmap hear of each epoch once, in order', async () => {
  const monitor = await start();
  const clients = await Promise.all(Array.from({ length: 5 }, () => connect(monitor)));
  const last = 12;
  const heard = clients.map(async (client) => {
    const epochs: number[] = [];
    for await (const { epoch } of client.osdMaps()) {
      epochs.push(epoch);
      if (epoch === last) return epochs;
    }
    return epochs;
  });
  while (monitor.osdMap.epoch < last) {
    monitor.pendingOsdMap.setFlags(monitor.osdMap.epoch % 2 === 0 ? 1 << 5 : 0, 1 << 5);
    await monitor.propose();
  }
  for (const epochs of await withTimeout(Promise.all(heard), 10_000, 'all epochs')) {
    const first = epochs[0]!;
    assert.equal(
      epochs,
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
  }
  await Promise.all(clients.map((client) => client.close()));
  await monitor.close();
});

test('options that are set for it in the configuration database hold at once, and after a restart', async () => {
  const store = new MemoryStore();
  const monitor = await start({ store, options: { ...none, mon_osd_min_up_ratio: 0.4 } });
  assert.is(monitor.options.mon_osd_down_out_interval, 600);
  await monitor.config.set('mon/mon_osd_down_out_interval', '1234');
  await monitor.config.set('mon.a/mon_osd_laggy_weight', '0.9');
  await monitor.config.set('mon/mon_osd_min_up_ratio', '0.1');
  await monitor.config.set('osd/mon_osd_min_in_ratio', '0.1');
  await monitor.config.set('global/auth_service_required', 'cephx');
  await monitor.config.set('mon/mon_osd_report_timeout', 'soon');
  const check = ({ options }: Monitor): void => {
    assert.is(options.mon_osd_down_out_interval, 1234);
    assert.is(options.mon_osd_laggy_weight, 0.9);
    assert.is(options.mon_osd_min_up_ratio, 0.4, 'what it was started with wins');
    assert.is(options.mon_osd_min_in_ratio, 0.75, 'what is for OSDs is not for it');
    assert.is(options.auth_service_required, 'none');
    assert.is(options.mon_osd_report_timeout, 900);
  };
  check(monitor);
  await monitor.close();
  const again = await start({ store, options: { ...none, mon_osd_min_up_ratio: 0.4 } });
  check(again);
  await again.config.set('mon/mon_osd_down_out_interval', undefined);
  assert.is(again.options.mon_osd_down_out_interval, 600);
  await again.close();
});

test('versions of maps', async () => {
  const monitor = await start();
  const client = await connect(monitor);
  assert.equal(await client.getVersion('osdmap'), { newest: 1n, oldest: 1n });
  assert.equal(await client.getVersion('monmap'), { newest: 1n, oldest: 1n });
  await client.close();
  await monitor.close();
});

test.run();
