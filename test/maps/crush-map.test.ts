/** The binary CRUSH map, and what the mapper makes of maps that no tool would write. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { decodeCrushMap, encodeCrushMap } from '../../src/maps/crush/codec.ts';
import { finalizeCrush } from '../../src/maps/crush/finalize.ts';
import { BucketAlgorithm, type CrushMap, crushItemNone, RuleOp } from '../../src/maps/crush/map.ts';
import { CrushMapper } from '../../src/maps/crush/mapper.ts';
import { crushProfiles } from '../../src/maps/crush/tunables.ts';
import { checkTruncation, hex, msgrError } from '../support/wire-checks.ts';

/** One root with two devices and one rule, as crushtool 16.2.15 compiled it. */
const golden = hex(
  '00000100', // magic
  '08000000 01000000 02000000', // max_buckets, max_rules, max_devices
  '05000000', // bucket 0: straw2
  'ffffffff 0b00 05 00', // id -1, type 11, alg 5, hash 0
  '00000300 02000000', // weight 3.0, two items
  '00000000 01000000', // osd.0, osd.1
  '00000100 00000200', // weights 1.0 and 2.0
  '00000000'.repeat(7), // buckets 1 to 7 are not there
  '01000000 03000000', // rule 0 is there, three steps
  '00 01 01 0a', // ruleset, type replicated, min_size 1, max_size 10
  '01000000 ffffffff 00000000', // take -1
  '02000000 00000000 00000000', // choose firstn 0 type 0
  '04000000 00000000 00000000', // emit
  '02000000 00000000 03000000 6f7364 0b000000 04000000 726f6f74', // types 0 "osd", 11 "root"
  '03000000 ffffffff 07000000 64656661756c74', // items -1 "default",
  '00000000 05000000 6f73642e30 01000000 05000000 6f73642e31', // 0 "osd.0", 1 "osd.1"
  '01000000 00000000 01000000 72', // rule 0 "r"
  '00000000 00000000 32000000', // local tries 0, fallback tries 0, total tries 50
  '01000000', // chooseleaf_descend_once
  '01', // chooseleaf_vary_r
  '01', // straw_calc_version
  '36000000', // allowed_bucket_algs
  '01', // chooseleaf_stable
  '00000000 00000000 00000000', // class_map, class_name, class_bucket
  '00000000', // choose_args
);

test('golden bytes: the fields, and the same bytes again', () => {
  const map = decodeCrushMap(golden);
  assert.is(map.maxDevices, 2);
  assert.equal([...map.buckets[0]!.items], [0, 1]);
  assert.is(map.buckets[0]!.algorithm, BucketAlgorithm.straw2);
  assert.equal(
    map.rules[0]!.steps.map(({ op }) => op),
    [RuleOp.take, RuleOp.chooseFirstn, RuleOp.emit],
  );
  assert.is(map.typeNames.get(11), 'root');
  assert.equal(map.tunables, crushProfiles.jewel);
  assert.is(map.sections, 8);
  assert.is(map.rest.byteLength, 0);
  assert.ok(golden.equals(encodeCrushMap(map)));
});

test('cut at every byte: refused, but where an older writer ended', () => {
  // The optional sections, from the last: 4, 12, 1, 4, 1, 1, 4 and 12 bytes.
  const end = golden.byteLength;
  const ends = [4, 16, 17, 21, 22, 23, 27, 39].map((bytes) => end - bytes);
  checkTruncation(golden, decodeCrushMap, ends);
  for (const length of ends) {
    const cut = golden.subarray(0, length);
    assert.ok(cut.equals(encodeCrushMap(decodeCrushMap(cut))), `${length} bytes`);
  }
  const old = decodeCrushMap(golden.subarray(0, end - 39));
  assert.equal(old.tunables, crushProfiles.argonaut, 'a map without tunables behaves as of old');
});

test('what a newer writer appends is kept', () => {
  const newer = Buffer.concat([golden, hex('0102030405')]);
  const map = decodeCrushMap(newer);
  assert.is(map.sections, 8);
  assert.is(map.rest.byteLength, 5);
  assert.ok(newer.equals(encodeCrushMap(map)));
});

test('the invalid neighbours are refused with their names', () => {
  const refusal = (at: number, value: number, bytes = 4): string | undefined => {
    const changed = Buffer.from(golden);
    changed.writeUIntLE(value, at, bytes);
    return msgrError(() => decodeCrushMap(changed)).field;
  };
  assert.is(refusal(0, 0x00010001), 'crush.magic');
  for (const huge of [0x7fffffff, 0x80000000, 0xffffffff]) {
    assert.is(refusal(4, huge), 'crush.max_buckets');
    assert.is(refusal(8, huge), 'crush.max_rules');
    assert.is(refusal(32, huge), 'crush.buckets.0.items');
    assert.is(refusal(84, huge), 'crush.rules.0.len');
  }
  assert.is(refusal(12, 0xffffffff), 'crush.max_devices');
  assert.is(refusal(16, 6), 'crush.buckets.0.alg');
  assert.is(refusal(20, 7), 'crush.buckets.0.id');
  assert.is(refusal(26, 4, 1), 'crush.buckets.0.alg');
  assert.is(refusal(80, 2), 'crush.rules.0.present');
});

function withBuckets(map: CrushMap, items: readonly number[][], type = 11): CrushMap {
  return {
    ...map,
    buckets: items.map((ids, index) => ({
      id: -1 - index,
      type,
      hash: 0,
      weight: 0,
      items: Int32Array.from(ids),
      algorithm: BucketAlgorithm.straw2,
      itemWeights: new Uint32Array(ids.length).fill(0x10000),
    })),
  };
}

const weights = new Uint32Array(4).fill(0x10000);

test('broken trees: an item that is no bucket is a bad item, a tree that holds itself ends', () => {
  const map = decodeCrushMap(golden);
  const place = (broken: CrushMap): number[] => {
    const mapper = new CrushMapper(broken);
    return [...mapper.result.subarray(0, mapper.doRule(0, 1, 3, weights))];
  };
  assert.equal(place(withBuckets(map, [[-7]])), []);
  assert.equal(place(withBuckets(map, [[]])), []);
  const error = msgrError(() => place(withBuckets(map, [[-1]])), ErrorCode.Malformed);
  assert.is(error.field, 'crush.rules');
  assert.equal(new CrushMapper(map).doRule(5, 1, 3, weights), 0, 'no such rule');
  assert.equal(new CrushMapper(map).doRule(0, 1, 0, weights), 0, 'no room');
});

test('an endless rule stops: two billion tries for an OSD that is out', () => {
  const map = decodeCrushMap(golden);
  const steps = [{ op: RuleOp.setChooseTries, arg1: 0x7fffffff, arg2: 0 }, ...map.rules[0]!.steps];
  const mapper = new CrushMapper({ ...map, rules: [{ ...map.rules[0]!, steps }] });
  msgrError(() => mapper.doRule(0, 1, 3, new Uint32Array(2)), ErrorCode.Malformed);
});

test('indep leaves holes where firstn closes ranks', () => {
  const map = decodeCrushMap(golden);
  const out = Uint32Array.from([0, 0x10000]);
  const [take, , emit] = map.rules[0]!.steps;
  const indep = { ...map.rules[0]!, steps: [take!, { op: RuleOp.chooseIndep, arg1: 0, arg2: 0 }, emit!] };
  const mapper = new CrushMapper({ ...map, rules: [map.rules[0], indep] });
  assert.is(mapper.doRule(0, 1, 3, out), 1);
  assert.equal([...mapper.result.subarray(0, 1)], [1]);
  assert.is(mapper.doRule(1, 1, 3, out), 3);
  assert.equal(
    [...mapper.result].sort((left, right) => left - right),
    [1, crushItemNone, crushItemNone],
  );
});

test('finalized: devices are counted by items and names, weight sets fit their buckets', () => {
  const map = decodeCrushMap(golden);
  assert.is(finalizeCrush({ ...map, maxDevices: 99 }).maxDevices, 2);
  assert.is(finalizeCrush({ ...map, names: new Map([[6, 'osd.6']]) }).maxDevices, 7);
  const sets = [{ bucketIndex: 0, weightSets: [Uint32Array.of(5)], ids: new Int32Array(0) }];
  const [arg] = finalizeCrush({ ...map, chooseArgs: new Map([[-1, sets]]) }).chooseArgs.get(-1)!;
  assert.equal([...arg!.weightSets[0]!], [5, 0]);
  const none = [{ bucketIndex: 0, weightSets: [], ids: new Int32Array(0) }];
  assert.equal(finalizeCrush({ ...map, chooseArgs: new Map([[1, none]]) }).chooseArgs.get(1), []);
});

test.run();
