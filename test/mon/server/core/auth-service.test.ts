/** The durable key server: what is pending, on its way, and committed; global ids are never given twice. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CryptoKey } from '../../../../src/auth/cephx/crypto-key.ts';
import { KeyType } from '../../../../src/auth/cephx/key-type.ts';
import { AuthService, monitorName } from '../../../../src/mon/server/auth/auth-service.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import { StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { EntityAuthName, EntityType } from '../../../../src/wire/entity-name.ts';

const bob = EntityAuthName.parse('client.bob');
const caps = new Map([['mon', 'allow r']]);

function service(store: MemoryStore, now = (): number => 1_800_000_000_000): AuthService {
  return new AuthService({ store, now, options: resolveOptions({}) });
}

async function commit(auth: AuthService, store: MemoryStore): Promise<void> {
  const transaction = new StoreTransaction();
  const apply = auth.propose(transaction);
  await store.commit(transaction);
  apply();
}

async function begun(store = new MemoryStore()): Promise<{ auth: AuthService; store: MemoryStore }> {
  const auth = service(store);
  auth.set(monitorName, { key: CryptoKey.generate(KeyType.Aes), caps });
  auth.tick();
  await commit(auth, store);
  return { auth, store };
}

test('an entity is known to commands at once, and to handshakes when it is durable', async () => {
  const { auth, store } = await begun();
  const key = auth.generateKey();
  auth.set(bob, { key, caps });
  assert.ok(auth.pendingEntity(bob)!.key.equals(key));
  assert.is(auth.entity(bob), undefined);
  const transaction = new StoreTransaction();
  const apply = auth.propose(transaction);
  // While it is on its way a second command must not make another key.
  assert.ok(auth.pendingEntity(bob)!.key.equals(key));
  assert.is(auth.entity(bob), undefined);
  await store.commit(transaction);
  apply();
  assert.ok(auth.entity(bob)!.key.equals(key));
  assert.ok(service(store).entity(bob)!.key.equals(key));
  assert.equal([...service(store).entity(bob)!.caps], [...caps]);
});

test('what is removed is gone for commands at once', async () => {
  const { auth, store } = await begun();
  auth.set(bob, { key: auth.generateKey(), caps });
  await commit(auth, store);
  assert.ok(auth.delete(bob));
  assert.not(auth.delete(bob));
  assert.is(auth.pendingEntity(bob), undefined);
  assert.ok(auth.entity(bob) !== undefined);
  await commit(auth, store);
  assert.is(auth.entity(bob), undefined);
  assert.is(service(store).entity(bob), undefined);
});

test('secrets are made once, also when a tick falls between proposal and commit', async () => {
  const { auth, store } = await begun();
  let now = 1_800_000_000_000;
  const rotating = service(store, () => now);
  now += 2 * 3600_000 + 1;
  rotating.tick();
  const transaction = new StoreTransaction();
  const apply = rotating.propose(transaction);
  rotating.tick();
  await store.commit(transaction);
  apply();
  const made = rotating.rotatingSecrets(EntityType.Osd);
  await commit(rotating, store);
  rotating.tick();
  await commit(rotating, store);
  assert.is(rotating.rotatingSecrets(EntityType.Osd), made);
  const before = auth.rotatingSecrets(EntityType.Osd)!.maxId;
  assert.ok(rotating.rotatingSecrets(EntityType.Osd)!.maxId > before);
});

test('a global id is given once, whatever was on the disk when the monitor died', async () => {
  const { store } = await begun();
  const given = new Set<bigint>();
  for (let life = 0; life < 4; life++) {
    const auth = service(store);
    for (let count = 0; count < 12_000; count++) {
      if (auth.hasPending) await commit(auth, store);
      const id = auth.globalIds.assign();
      assert.not(given.has(id), `${id} was given twice`);
      given.add(id);
    }
    // It dies with the next reservation proposed and lost.
    if (auth.hasPending) auth.propose(new StoreTransaction());
  }
});

test('ids that are not reserved are not given', async () => {
  const { store } = await begun();
  const auth = service(store);
  await commit(auth, store);
  assert.throws(() => {
    for (let count = 0; count < 30_000; count++) auth.globalIds.assign();
  }, /no global id is reserved/);
});

test.run();
