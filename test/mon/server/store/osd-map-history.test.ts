/** The osdmap's history: how it begins, grows, is trimmed, and what is said of one that is damaged. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyIncrementalChecked } from '../../../../src/maps/apply.ts';
import { decodeIncremental } from '../../../../src/maps/incremental-codec.ts';
import { decodeOsdMap } from '../../../../src/maps/osdmap-codec.ts';
import { initialOsdMap } from '../../../../src/mon/server/initial-maps.ts';
import { OsdMapEpochs } from '../../../../src/mon/server/osdmap/osd-map-epochs.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import { StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';
import { checkOsdMaps, putFirstOsdMap } from '../../../../src/mon/server/store/osd-map-history.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';

const now = 1_800_000_000_000;

/** As the monitor opens it: checked first. */
function load(store: MemoryStore): OsdMapEpochs | undefined {
  return checkOsdMaps(store) && new OsdMapEpochs(store);
}

/** A history of `epochs`, in which only flags change. */
async function history(epochs: number): Promise<{ store: MemoryStore; maps: OsdMapEpochs }> {
  const store = new MemoryStore();
  const first = new StoreTransaction();
  putFirstOsdMap(first, initialOsdMap({ fsid: Uuid.random(), now, options: resolveOptions({}) }));
  await store.commit(first);
  const maps = load(store)!;
  for (let epoch = 2; epoch <= epochs; epoch++) await commit(store, maps, epoch);
  return { store, maps };
}

async function commit(store: MemoryStore, maps: OsdMapEpochs, epoch: number): Promise<void> {
  maps.pending.setFlags(epoch % 2 === 0 ? 1 << 5 : 0, 1 << 5);
  const transaction = new StoreTransaction();
  const apply = maps.propose(transaction, now + epoch);
  await store.commit(transaction);
  apply();
}

test('a new store has none', () => {
  assert.is(load(new MemoryStore()), undefined);
});

test('every epoch is the one before and its incremental, down to the first one', async () => {
  const { store, maps } = await history(12);
  assert.is(maps.firstCommitted, 1);
  assert.is(maps.lastCommitted, 12);
  let map = decodeOsdMap(maps.fullBytes(1)!);
  assert.ok(Buffer.from(decodeIncremental(maps.incrementalBytes(1)!).fullMap).equals(maps.fullBytes(1)!));
  for (let epoch = 2; epoch <= 12; epoch++) {
    const next = applyIncrementalChecked(map, decodeIncremental(maps.incrementalBytes(epoch)!));
    assert.ok(Buffer.from(next.encoded).equals(maps.fullBytes(epoch)!), `epoch ${epoch}`);
    map = next.map;
  }
  assert.is(maps.fullBytes(13), undefined);
  assert.is(load(store)!.committed.epoch, 12);
});

test('what is proposed is not committed before it is durable; the next change builds on it', async () => {
  const { maps } = await history(3);
  maps.pending.setFlags(1 << 6, 0);
  const apply = maps.propose(new StoreTransaction(), now);
  assert.is(maps.lastCommitted, 3);
  assert.is(maps.fullBytes(4), undefined);
  assert.is(maps.pending.base.epoch, 4);
  assert.is(maps.pending.epoch, 5);
  apply();
  assert.is(maps.lastCommitted, 4);
});

test('trimmed epochs are gone, those kept can be read, and it starts from there', async () => {
  const { store, maps } = await history(20);
  const transaction = new StoreTransaction();
  maps.trim(transaction, 15);
  await store.commit(transaction);
  assert.is(maps.firstCommitted, 15);
  assert.is(maps.fullBytes(14), undefined);
  assert.is(maps.incrementalBytes(14), undefined);
  assert.ok(maps.fullBytes(15) !== undefined);
  assert.equal([...store.keys('osdmap')].slice(0, 2), ['15', '16']);
  const again = load(store)!;
  assert.is(again.firstCommitted, 15);
  await commit(store, again, 21);
  assert.is(load(store)!.lastCommitted, 21);
});

const damages: Record<string, { damage: (store: MemoryStore) => StoreTransaction; says: RegExp }> = {
  'a bit of the last full map': {
    damage: (store) => new StoreTransaction().put('osdmap', 'full_9', flipped(store, 'full_9', 60)),
    says: /full_9: .*crc/i,
  },
  'a bit of the last incremental': {
    damage: (store) => new StoreTransaction().put('osdmap', '9', flipped(store, '9', 40)),
    says: /: 9: .*crc/i,
  },
  'the last full map is missing': {
    damage: () => new StoreTransaction().erase('osdmap', 'full_9'),
    says: /full_9 is missing/,
  },
  'the last incremental is missing': {
    damage: () => new StoreTransaction().erase('osdmap', '9'),
    says: /: 9 is missing/,
  },
  'the full map of another epoch': {
    damage: (store) => new StoreTransaction().put('osdmap', 'full_9', store.get('osdmap', 'full_8')!),
    says: /full_9 is the map of epoch 8/,
  },
  'an incremental that does not fit': {
    damage: (store) => new StoreTransaction().put('osdmap', '9', store.get('osdmap', '8')!),
    says: /incremental 9 does not lead from full_8 on/,
  },
  'a base that is another map': {
    damage: (store) => new StoreTransaction().put('osdmap', 'full_8', store.get('osdmap', 'full_7')!),
    says: /incremental 9 does not lead from full_8 on/,
  },
  'first after last': {
    damage: () =>
      new StoreTransaction().put('osdmap', 'first_committed', Buffer.from([10, 0, 0, 0, 0, 0, 0, 0])),
    says: /first_committed 10, last_committed 9/,
  },
};

for (const [what, { damage, says }] of Object.entries(damages)) {
  test(`damaged: ${what}`, async () => {
    const { store } = await history(9);
    await store.commit(damage(store));
    assert.throws(
      () => load(store),
      (error: { code: string; message: string }) =>
        error.code === 'ERR_MSGR_STORE' && says.test(error.message),
    );
  });
}

function flipped(store: MemoryStore, key: string, at: number): Uint8Array {
  const bytes = Buffer.from(store.get('osdmap', key)!);
  bytes[at]! ^= 1;
  return bytes;
}

test.run();
