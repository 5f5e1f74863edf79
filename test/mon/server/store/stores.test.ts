/** One contract, two stores: in memory and on LMDB. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareKeys } from '../../../../src/mon/server/store/keys.ts';
import { LmdbStore } from '../../../../src/mon/server/store/lmdb-store.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import { type MonStore, StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();
const bytes = (value: string): Uint8Array => Buffer.from(value);

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-store-'));
  folders.push(folder);
  return folder;
}

test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const kinds: Record<string, () => Promise<MonStore>> = {
  memory: async () => new MemoryStore(),
  lmdb: () => LmdbStore.open(newFolder()),
};

for (const [kind, open] of Object.entries(kinds)) {
  test(`${kind}: a transaction is whole, in order, and prefixes are apart`, async () => {
    const store = await open();
    const first = new StoreTransaction().put('a', 'x', bytes('1')).put('b', 'x', bytes('2'));
    first.put('a', 'x', bytes('3')).put('a', 'y', bytes('4')).erase('a', 'y').erase('a', 'missing');
    await store.commit(first);
    assert.is(text(store.get('a', 'x')), '3');
    assert.is(text(store.get('b', 'x')), '2');
    assert.is(store.get('a', 'y'), undefined);
    assert.is(store.get('c', 'x'), undefined);
    assert.equal([...store.keys('a')], ['x']);
    await store.commit(new StoreTransaction());
    await store.close();
  });

  test(`${kind}: versions are ordered by value and come before names`, async () => {
    const store = await open();
    const keys = ['full_9', '10', '9', '100', 'a', '0', '9007199254740991', '007', 'full_10', ''];
    const transaction = new StoreTransaction();
    for (const key of keys) transaction.put('p', key, bytes(key));
    // Neighbours by name must not be found among them.
    transaction.put('o', '1', bytes('')).put('pp', '1', bytes('')).put('q', '1', bytes(''));
    await store.commit(transaction);
    const ordered = ['0', '9', '10', '100', '9007199254740991', '', '007', 'a', 'full_10', 'full_9'];
    assert.equal([...store.keys('p')], ordered);
    assert.equal([...store.keys('p', '10')], ordered.slice(2));
    assert.equal([...store.keys('p', '11')], ordered.slice(3));
    assert.equal([...store.keys('p', 'full_')], ordered.slice(8));
    assert.equal([...store.keys('none')], []);
    await store.close();
  });

  test(`${kind}: what was given out stays as it was`, async () => {
    const store = await open();
    await store.commit(new StoreTransaction().put('a', 'x', bytes('before')));
    const before = store.get('a', 'x');
    await store.commit(new StoreTransaction().put('a', 'x', bytes('after!')));
    assert.is(text(before), 'before');
    assert.is(text(store.get('a', 'x')), 'after!');
    await store.close();
  });

  test(`${kind}: agrees with a plain map over random transactions`, async () => {
    const key = fc.oneof(fc.nat(30).map(String), fc.constantFrom('full_1', 'full_2', 'last', 'é', 'z'));
    const operation = fc.record({
      prefix: fc.constantFrom('a', 'ab', 'b'),
      key,
      value: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 8 }), { maxLength: 6 }), async (rounds) => {
        const store = await open();
        const model = new Map<string, Map<string, Uint8Array>>();
        for (const round of rounds) {
          const transaction = new StoreTransaction();
          for (const { prefix, key: name, value } of round) {
            const values = model.get(prefix) ?? new Map<string, Uint8Array>();
            model.set(prefix, values);
            if (value === undefined) transaction.erase(prefix, name);
            else transaction.put(prefix, name, value);
            if (value === undefined) values.delete(name);
            else values.set(name, value);
          }
          await store.commit(transaction);
          for (const [prefix, values] of model) {
            assert.equal([...store.keys(prefix)], [...values.keys()].sort(compareKeys));
            for (const [name, value] of values) {
              assert.is(Buffer.compare(store.get(prefix, name)!, value), 0);
            }
          }
        }
        await store.close();
      }),
      { numRuns: kind === 'lmdb' ? 15 : 100 },
    );
  });
}

test('lmdb: what was committed is there when it is opened again, in files of its owner alone', async () => {
  const folder = newFolder();
  const store = await LmdbStore.open(folder);
  await store.commit(new StoreTransaction().put('osdmap', '17', bytes('seventeen')));
  await store.close();
  assert.is(statSync(join(folder, 'store.lmdb')).mode & 0o777, 0o600);
  const again = await LmdbStore.open(folder);
  assert.is(text(again.get('osdmap', '17')), 'seventeen');
  assert.equal([...again.keys('osdmap')], ['17']);
  await again.close();
});

test('lmdb: a folder that cannot be one, and a file that is no store, are named', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'file'), 'x');
  assert.throws(
    () => LmdbStore.makeFolder(join(folder, 'file')),
    (error: { code?: string; message: string }) =>
      error.code === 'ERR_MSGR_STORE' && error.message.includes(join(folder, 'file')),
  );
  writeFileSync(join(folder, 'store.lmdb'), Buffer.alloc(8192, 7));
  const failure = await LmdbStore.open(folder).catch((error) => error);
  assert.is(failure.code, 'ERR_MSGR_STORE');
  assert.ok(failure.message.includes('store.lmdb'), failure.message);
  writeFileSync(join(folder, 'store.lmdb'), '');
  await (await LmdbStore.open(folder)).close();
});

test.run();
