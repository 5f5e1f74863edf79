/**
 * CRUSH maps that are edited. The first one became in ceph-mon 16.2.15 what it becomes here;
 * test/mon/server/commands/differential.test.ts compares many more steps with a live one.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeCrushMap, encodeCrushMap } from '../../src/maps/crush/codec.ts';
import { CrushDraft } from '../../src/maps/crush/edit.ts';
import { removeDeviceClass, setDeviceClass } from '../../src/maps/crush/edit-classes.ts';
import {
  createOrMoveItem,
  fixedWeight,
  insertItem,
  moveBucket,
  removeItem,
  removeItemUnder,
  reweightAll,
  updateItem,
} from '../../src/maps/crush/edit-items.ts';
import { addSimpleRule, removeRule } from '../../src/maps/crush/edit-rules.ts';
import { crushMapJson } from '../../src/maps/crush/json.ts';
import type { CrushMap } from '../../src/maps/crush/map.ts';
import { crushTree } from '../../src/maps/crush/tree.ts';
import { PoolType } from '../../src/maps/pool.ts';
import { initialOsdMap } from '../../src/mon/server/initial-maps.ts';
import { resolveOptions } from '../../src/options.ts';
import { Uuid } from '../../src/wire/uuid.ts';

function firstMap(): CrushMap {
  return initialOsdMap({ fsid: Uuid.zero, now: 0, options: resolveOptions({}) }).crush;
}

const place = (text: string) => new Map(text.split(' ').map((pair) => pair.split('=') as [string, string]));

function add(draft: CrushDraft, osd: number, weight: number, where: string): void {
  insertItem(draft, { id: osd, name: `osd.${osd}`, weight, place: place(where) });
}

/** `id name weight [items]` of each bucket, as `ceph osd crush dump` had them. */
function buckets(map: CrushMap): string[] {
  return map.buckets.flatMap((bucket) =>
    bucket === undefined
      ? []
      : [`${bucket.id} ${map.names.get(bucket.id)} ${bucket.weight} [${bucket.items}]`],
  );
}

/** Two hosts, a device of a class beside them: two device classes in all. */
function recorded(): CrushDraft {
  const draft = new CrushDraft(firstMap());
  draft.setName(7, 'osd.7');
  setDeviceClass(draft, 7, 'ssd');
  createOrMoveItem(draft, { id: 5, name: 'osd.5', weight: 0.5, place: place('host=h3 root=default') });
  createOrMoveItem(draft, { id: 5, name: 'osd.5', weight: 0.7, place: place('host=h3 root=default') });
  createOrMoveItem(draft, { id: 5, name: 'osd.5', weight: 0.7, place: place('host=h2 root=default') });
  add(draft, 0, 0.7, 'junk=h2 root=default');
  return draft;
}

test('ids, slots, weights and shadow trees are those of ceph-mon', () => {
  const draft = recorded();
  assert.equal(buckets(draft.finish()), [
    '-1 default 78643 [-3,-5,0]',
    '-2 default~ssd 0 [-4,-6]',
    '-3 h3 0 []',
    '-4 h3~ssd 0 []',
    '-5 h2 32768 [5]',
    '-6 h2~ssd 0 []',
  ]);
  assert.is(draft.finish().buckets.length, 8, 'slots double only when they are used up');
});

test('shadows of a class that is gone go, and no other one takes their ids before', () => {
  const draft = recorded();
  draft.setName(1, 'osd.1');
  setDeviceClass(draft, 0, 'hdd');
  setDeviceClass(draft, 1, 'hdd');
  removeDeviceClass(draft, 7);
  const map = draft.finish();
  assert.equal([...map.classNames], [[1, 'hdd']]);
  assert.equal(
    buckets(map).filter((line) => line.includes('~')),
    ['-7 h3~hdd 0 []', '-8 h2~hdd 0 []', '-9 default~hdd 45875 [-7,-8,0]'],
  );
  assert.is(map.buckets.length, 16);
  assert.is(map.classes.get(-9), 1);
  assert.equal([...map.classBuckets.get(-1)!], [[1, -9]]);
});

test('a map that was edited is read back to the same bytes', () => {
  const bytes = encodeCrushMap(recorded().finish());
  assert.equal(encodeCrushMap(decodeCrushMap(bytes)), bytes);
});

test('an edit leaves the map alone that it began with', () => {
  const map = firstMap();
  const before = encodeCrushMap(map);
  add(new CrushDraft(map), 0, 1, 'host=a root=default');
  assert.equal(encodeCrushMap(map), before);
});

test('weights are cut to 16.16 by way of a float', () => {
  assert.is(fixedWeight(0.7), 45875);
  assert.is(fixedWeight(1.1), 72089);
  assert.throws(() => fixedWeight(100_000_000), /\(75\) Value too large/);
});

test('weights go up to the root, and down again when an item leaves', () => {
  const draft = new CrushDraft(firstMap());
  add(draft, 0, 1, 'host=a rack=r root=default');
  add(draft, 1, 2, 'host=a rack=r root=default');
  assert.is(draft.bucket(-1)!.weight, 3 * 0x10000);
  draft.adjustWeight(1, fixedWeight(0.5), true);
  assert.equal(
    [-1, -2, -3].map((id) => draft.bucket(id)!.weight),
    [0x18000, 0x18000, 0x18000],
  );
  removeItem(draft, 0, { unlinkOnly: false });
  assert.equal(
    [-1, -2, -3].map((id) => draft.bucket(id)!.weight),
    [0x8000, 0x8000, 0x8000],
  );
  reweightAll(draft);
  assert.is(draft.bucket(-1)!.weight, 0x8000);
});

test('moves: a device keeps its weight, a bucket what it has, and no bucket goes into itself', () => {
  const draft = new CrushDraft(firstMap());
  add(draft, 0, 1.5, 'host=a root=default');
  add(draft, 1, 1, 'host=b rack=r root=default');
  moveBucket(draft, draft.idOf('a')!, place('rack=r'));
  assert.is(draft.bucket(draft.idOf('r')!)!.weight, 2.5 * 0x10000);
  assert.throws(() => moveBucket(draft, draft.idOf('r')!, place('host=a')), /\(22\)|\(40\)/);
});

test('set says whether it changed anything', () => {
  const draft = new CrushDraft(firstMap());
  const item = { id: 0, name: 'osd.0', weight: 1, place: place('host=a root=default') };
  assert.is(updateItem(draft, item), true);
  assert.is(updateItem(draft, item), false);
  assert.is(updateItem(draft, { ...item, weight: 2 }), true);
});

test('what is not empty, in use or not there is not removed', () => {
  const draft = new CrushDraft(firstMap());
  add(draft, 0, 1, 'host=a root=default');
  assert.throws(() => removeItem(draft, draft.idOf('a')!, { unlinkOnly: false }), /\(39\)/);
  removeItem(draft, 0, { unlinkOnly: false });
  removeItem(draft, draft.idOf('a')!, { unlinkOnly: false });
  assert.throws(() => removeItem(draft, -1, { unlinkOnly: false }), /\(16\)/, 'a rule begins there');
  assert.is(draft.idOf('a'), undefined);
});

test('removed from one tree, an item stays in the other', () => {
  const draft = new CrushDraft(firstMap());
  add(draft, 0, 1, 'host=a root=default');
  add(draft, 0, 1, 'host=b root=other');
  removeItemUnder(draft, 0, draft.idOf('other')!, { unlinkOnly: false });
  assert.is(draft.isPlaced(0), true);
  assert.is(draft.names.get(0), 'osd.0');
});

test('rules: for a class, with failure domains of devices, in the first free slot', () => {
  const draft = recorded();
  const rule = { root: 'default', poolType: PoolType.replicated } as const;
  const ssd = addSimpleRule(draft, {
    ...rule,
    name: 'ssd',
    failureDomain: 'host',
    deviceClass: 'ssd',
    mode: 'firstn',
  });
  const osds = addSimpleRule(draft, {
    ...rule,
    name: 'o',
    failureDomain: 'osd',
    deviceClass: '',
    mode: 'indep',
  });
  assert.equal([ssd, osds], [1, 2]);
  const { rules } = crushMapJson(draft.finish()) as { rules: { steps: unknown[]; min_size: number }[] };
  assert.equal(rules[1]!.steps[0], { op: 'take', item: -2, item_name: 'default~ssd' });
  assert.equal(rules[2]!.steps.at(-2), { op: 'choose_indep', num: 0, type: 'osd' });
  assert.is(rules[2]!.min_size, 3);
  removeRule(draft, ssd);
  const again = { ...rule, name: 'x', failureDomain: 'host', deviceClass: '', mode: 'firstn' } as const;
  assert.is(addSimpleRule(draft, again), 1);
  for (const wrong of [{ root: 'none' }, { failureDomain: 'none' }, { deviceClass: 'none' }]) {
    assert.throws(
      () => addSimpleRule(draft, { ...again, name: 'y', ...wrong }),
      /does not exist|unknown type/,
    );
  }
});

test('the tree is listed by names, then by classes and numbers', () => {
  const names = crushTree(recorded().finish()).map(({ id }) => id);
  assert.equal(names, [-1, -5, 5, -3, 0]);
  const shown = crushTree(recorded().finish(), { isShown: (osd) => osd === 0 }).map(({ id }) => id);
  assert.equal(shown, [-1, 0]);
});

test.run();
