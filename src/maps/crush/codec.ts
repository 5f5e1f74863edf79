/**
 * The binary form of the CRUSH map, as CrushWrapper writes it and as it lies inside the OSDMap.
 *
 * ```
 * u32 magic 0x00010000, i32 max_buckets, u32 max_rules, i32 max_devices
 * per bucket  u32 algorithm (0: none), i32 id, u16 type, u8 algorithm, u8 hash, u32 weight,
 *             u32 size, i32 items[size], weights after the algorithm
 * per rule    u32 present, u32 length, u8 ruleset, type, min_size, max_size, {u32 op, i32, i32}[length]
 * three maps  i32 id -> name: types, items, rules
 * sections    added one by one over the years, each may be the last: local, fallback and total tries;
 *             descend_once; vary_r; straw_calc_version; allowed_bucket_algs; stable; device classes;
 *             choose_args
 * ```
 * There is no length: the map ends where its buffer ends. What follows the last section is kept.
 */
import { Decoder } from '../../wire/decoder.ts';
import { Encoder } from '../../wire/encoder.ts';
import {
  decodeI32Array,
  decodeI32s,
  decodeMap,
  decodePoolId,
  decodeText,
  decodeU32Array,
  decodeU32s,
  encodeI32Array,
  encodeU32Array,
} from '../fields.ts';
import {
  BucketAlgorithm,
  type CrushBucket,
  type CrushChooseArg,
  type CrushMap,
  type CrushRule,
  type CrushTunables,
  crushSectionCount,
} from './map.ts';
import { crushProfiles } from './tunables.ts';

const magic = 0x00010000;

/**
 * @throws MsgrError `ERR_MSGR_MALFORMED` with the offset inside `bytes` and the field's name.
 */
export function decodeCrushMap(bytes: Uint8Array, name = 'crush'): CrushMap {
  const decoder = new Decoder(bytes, name);
  if (decoder.u32('magic') !== magic) decoder.fail('magic', `must be ${magic}`, 0);
  const bucketCount = decodeCount(decoder, 'max_buckets');
  const ruleCountAt = decoder.position;
  const ruleCount = decoder.u32('max_rules');
  const devicesAt = decoder.position;
  const maxDevices = decoder.i32('max_devices');
  if (maxDevices < 0) decoder.fail('max_devices', `${maxDevices} is negative`, devicesAt);
  checkCount(decoder, 'max_buckets', bucketCount, devicesAt);

  const buckets: (CrushBucket | undefined)[] = [];
  for (let index = 0; index < bucketCount; index++) {
    buckets.push(decoder.within(`buckets.${index}`, () => decodeBucket(decoder, index)));
  }
  checkCount(decoder, 'max_rules', ruleCount, ruleCountAt);
  const rules: (CrushRule | undefined)[] = [];
  for (let index = 0; index < ruleCount; index++) {
    rules.push(decoder.within(`rules.${index}`, () => decodeRule(decoder)));
  }
  const typeNames = decodeNames(decoder, 'type_map');
  const names = decodeNames(decoder, 'name_map');
  const ruleNames = decodeNames(decoder, 'rule_name_map');

  // Every section that is missing leaves the behaviour of the time before it.
  const tunables: { -readonly [Key in keyof CrushTunables]: CrushTunables[Key] } = {
    ...crushProfiles.argonaut,
  };
  let classes: ReadonlyMap<number, number> = new Map();
  let classNames: ReadonlyMap<number, string> = new Map();
  let classBuckets: ReadonlyMap<number, ReadonlyMap<number, number>> = new Map();
  let chooseArgs: ReadonlyMap<number, readonly CrushChooseArg[]> = new Map();
  const sectionReaders = [
    () => {
      tunables.chooseLocalTries = decoder.u32('choose_local_tries');
      tunables.chooseLocalFallbackTries = decoder.u32('choose_local_fallback_tries');
      tunables.chooseTotalTries = decoder.u32('choose_total_tries');
    },
    () => {
      tunables.chooseleafDescendOnce = decoder.u32('chooseleaf_descend_once');
    },
    () => {
      tunables.chooseleafVaryR = decoder.u8('chooseleaf_vary_r');
    },
    () => {
      tunables.strawCalcVersion = decoder.u8('straw_calc_version');
    },
    () => {
      tunables.allowedBucketAlgorithms = decoder.u32('allowed_bucket_algs');
    },
    () => {
      tunables.chooseleafStable = decoder.u8('chooseleaf_stable');
    },
    () => {
      classes = decodeIds(decoder, 'class_map');
      classNames = decodeMap(
        decoder,
        'class_name',
        8,
        () => decoder.i32('id'),
        (id) => decodeText(decoder, `${id}`),
      );
      classBuckets = decodeMap(
        decoder,
        'class_bucket',
        8,
        () => decoder.i32('id'),
        (id) => decodeIds(decoder, `${id}`),
      );
    },
    () => {
      chooseArgs = decodeChooseArgs(decoder, buckets);
    },
  ];
  let sections = 0;
  for (; sections < crushSectionCount && decoder.remaining > 0; sections++) sectionReaders[sections]!();
  return {
    maxDevices,
    buckets,
    rules,
    typeNames,
    names,
    ruleNames,
    tunables,
    classes,
    classNames,
    classBuckets,
    chooseArgs,
    sections,
    rest: decoder.rest(),
  };
}

/** A count of things that take four bytes each at least; read before what it counts comes. */
function decodeCount(decoder: Decoder, field: string): number {
  const at = decoder.position;
  const count = decoder.i32(field);
  if (count < 0) decoder.fail(field, `${count} is negative`, at);
  return count;
}

function checkCount(decoder: Decoder, field: string, count: number, at: number): void {
  if (count * 4 > decoder.remaining) {
    decoder.fail(field, `${count} entries do not fit the ${decoder.remaining} bytes left`, at);
  }
}

function decodeBucket(decoder: Decoder, index: number): CrushBucket | undefined {
  const at = decoder.position;
  const algorithm = decoder.u32('alg');
  if (algorithm === 0) return undefined;
  const idAt = decoder.position;
  const id = decoder.i32('id');
  if (id !== -1 - index) decoder.fail('id', `must be ${-1 - index}, not ${id}`, idAt);
  const type = decoder.u16('type');
  const algorithmAt = decoder.position;
  const repeated = decoder.u8('alg');
  if (repeated !== algorithm) decoder.fail('alg', `${repeated} after ${algorithm}`, algorithmAt);
  const hash = decoder.u8('hash');
  const weight = decoder.u32('weight');
  const items = decodeI32Array(decoder, 'items');
  const base = { id, type, hash, weight, items };
  const size = items.length;
  switch (algorithm) {
    case BucketAlgorithm.uniform:
      return { ...base, algorithm, itemWeight: decoder.u32('item_weight') };
    case BucketAlgorithm.list: {
      const [itemWeights, sumWeights] = decodePairs(decoder, size, 'item_weights');
      return { ...base, algorithm, itemWeights, sumWeights };
    }
    case BucketAlgorithm.tree: {
      const nodeCount = decoder.u8('num_nodes');
      return { ...base, algorithm, nodeWeights: decodeU32s(decoder, nodeCount, 'node_weights') };
    }
    case BucketAlgorithm.straw: {
      const [itemWeights, straws] = decodePairs(decoder, size, 'item_weights');
      return { ...base, algorithm, itemWeights, straws };
    }
    case BucketAlgorithm.straw2:
      return { ...base, algorithm, itemWeights: decodeU32s(decoder, size, 'item_weights') };
    default:
      return decoder.fail('alg', `${algorithm} is no known bucket algorithm`, at);
  }
}

/** Two arrays whose elements take turns. */
function decodePairs(decoder: Decoder, count: number, field: string): [Uint32Array, Uint32Array] {
  const both = decodeU32s(decoder, count * 2, field);
  const first = new Uint32Array(count);
  const second = new Uint32Array(count);
  for (let index = 0; index < count; index++) {
    first[index] = both[index * 2]!;
    second[index] = both[index * 2 + 1]!;
  }
  return [first, second];
}

function decodeRule(decoder: Decoder): CrushRule | undefined {
  const at = decoder.position;
  const present = decoder.u32('present');
  if (present === 0) return undefined;
  if (present !== 1) decoder.fail('present', `must be 0 or 1, not ${present}`, at);
  const lengthAt = decoder.position;
  const length = decoder.u32('len');
  const ruleset = decoder.u8('ruleset');
  const type = decoder.u8('type');
  const minSize = decoder.u8('min_size');
  const maxSize = decoder.u8('max_size');
  if (length * 12 > decoder.remaining) decoder.fail('len', `${length} steps do not fit`, lengthAt);
  const steps = Array.from({ length }, () => ({
    op: decoder.u32('op'),
    arg1: decoder.i32('arg1'),
    arg2: decoder.i32('arg2'),
  }));
  return { ruleset, type, minSize, maxSize, steps };
}

/** A name is never empty: old maps have 64-bit keys, whose upper half reads as an empty name. */
function decodeNames(decoder: Decoder, field: string): Map<number, string> {
  return decodeMap(
    decoder,
    field,
    8,
    () => decoder.i32('id'),
    (id) => {
      const at = decoder.position;
      const name = decodeText(decoder, `${id}`);
      if (name === '') decoder.fail(`${id}`, 'has no name, or a key of 64 bits', at);
      return name;
    },
  );
}

function decodeIds(decoder: Decoder, field: string): Map<number, number> {
  return decodeMap(
    decoder,
    field,
    8,
    () => decoder.i32('id'),
    () => decoder.i32('value'),
  );
}

function decodeChooseArgs(
  decoder: Decoder,
  buckets: readonly (CrushBucket | undefined)[],
): Map<number, CrushChooseArg[]> {
  return decodeMap(
    decoder,
    'choose_args',
    12,
    () => decodePoolId(decoder, 'id'),
    (id) =>
      decoder.list(`${id}`, 12, () => {
        const at = decoder.position;
        const bucketIndex = decoder.u32('bucket_index');
        if (bucketIndex >= buckets.length) {
          decoder.fail('bucket_index', `${bucketIndex} of ${buckets.length} buckets`, at);
        }
        const weightSets = decoder.list('weight_set', 4, () => decodeU32Array(decoder, 'weights'));
        const idsAt = decoder.position;
        const idCount = decoder.count('ids', 4);
        const itemCount = buckets[bucketIndex]?.items.length ?? 0;
        if (idCount !== 0 && idCount !== itemCount) {
          decoder.fail('ids', `${idCount} for ${itemCount} items`, idsAt);
        }
        return { bucketIndex, weightSets, ids: decodeI32s(decoder, idCount, 'ids') };
      }),
  );
}

/** The bytes that the map was read from; for a map of one's own, those that Pacific would write. */
export function encodeCrushMap(map: CrushMap): Uint8Array {
  const encoder = new Encoder(4096);
  encoder.u32(magic).i32(map.buckets.length).u32(map.rules.length).i32(map.maxDevices);
  for (const bucket of map.buckets) encodeBucket(encoder, bucket);
  for (const rule of map.rules) encodeRule(encoder, rule);
  for (const names of [map.typeNames, map.names, map.ruleNames]) encodeNames(encoder, names);
  const { tunables } = map;
  const sectionWriters = [
    () =>
      encoder
        .u32(tunables.chooseLocalTries)
        .u32(tunables.chooseLocalFallbackTries)
        .u32(tunables.chooseTotalTries),
    () => encoder.u32(tunables.chooseleafDescendOnce),
    () => encoder.u8(tunables.chooseleafVaryR),
    () => encoder.u8(tunables.strawCalcVersion),
    () => encoder.u32(tunables.allowedBucketAlgorithms),
    () => encoder.u8(tunables.chooseleafStable),
    () => {
      encodeIds(encoder, map.classes);
      encodeNames(encoder, map.classNames);
      encoder.map(
        map.classBuckets,
        (id) => encoder.i32(id),
        (ids) => encodeIds(encoder, ids),
      );
    },
    () => encodeChooseArgs(encoder, map.chooseArgs),
  ];
  for (const write of sectionWriters.slice(0, map.sections)) write();
  return encoder.raw(map.rest).take();
}

function encodeBucket(encoder: Encoder, bucket: CrushBucket | undefined): void {
  encoder.u32(bucket?.algorithm ?? 0);
  if (bucket === undefined) return;
  encoder.i32(bucket.id).u16(bucket.type).u8(bucket.algorithm).u8(bucket.hash).u32(bucket.weight);
  encodeI32Array(encoder, bucket.items);
  switch (bucket.algorithm) {
    case BucketAlgorithm.uniform:
      encoder.u32(bucket.itemWeight);
      break;
    case BucketAlgorithm.list:
      encodePairs(encoder, bucket.itemWeights, bucket.sumWeights);
      break;
    case BucketAlgorithm.tree:
      encoder.u8(bucket.nodeWeights.length);
      for (const weight of bucket.nodeWeights) encoder.u32(weight);
      break;
    case BucketAlgorithm.straw:
      encodePairs(encoder, bucket.itemWeights, bucket.straws);
      break;
    case BucketAlgorithm.straw2:
      for (const weight of bucket.itemWeights) encoder.u32(weight);
      break;
  }
}

function encodePairs(encoder: Encoder, first: Uint32Array, second: Uint32Array): void {
  for (let index = 0; index < first.length; index++) encoder.u32(first[index]!).u32(second[index]!);
}

function encodeRule(encoder: Encoder, rule: CrushRule | undefined): void {
  encoder.u32(rule === undefined ? 0 : 1);
  if (rule === undefined) return;
  encoder.u32(rule.steps.length).u8(rule.ruleset).u8(rule.type).u8(rule.minSize).u8(rule.maxSize);
  for (const { op, arg1, arg2 } of rule.steps) encoder.u32(op).i32(arg1).i32(arg2);
}

function encodeNames(encoder: Encoder, names: ReadonlyMap<number, string>): void {
  encoder.map(
    names,
    (id) => encoder.i32(id),
    (name) => encoder.string(name),
  );
}

function encodeIds(encoder: Encoder, ids: ReadonlyMap<number, number>): void {
  encoder.map(
    ids,
    (id) => encoder.i32(id),
    (value) => encoder.i32(value),
  );
}

function encodeChooseArgs(
  encoder: Encoder,
  chooseArgs: ReadonlyMap<number, readonly CrushChooseArg[]>,
): void {
  encoder.map(
    chooseArgs,
    (id) => encoder.i64(id),
    (args) => {
      encoder.list(args, ({ bucketIndex, weightSets, ids }) => {
        encoder.u32(bucketIndex);
        encoder.list(weightSets, (weights) => encodeU32Array(encoder, weights));
        encodeI32Array(encoder, ids);
      });
    },
  );
}
