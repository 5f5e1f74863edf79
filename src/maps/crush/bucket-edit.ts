/**
 * Buckets made anew from their items and weights, with everything that Ceph derives from them: sums of a
 * list, nodes of a tree, lengths of straws. An edit takes a bucket apart and puts it together again.
 */
import { CrushErrno, crushRefusal } from './edit-error.ts';
import { BucketAlgorithm, type CrushBucket, type TreeBucket } from './map.ts';
import { strawLengths } from './straw-lengths.ts';

/** 16.16 fixed point in a u32. */
const weightMax = 0xffffffff;

export interface BucketInit {
  readonly id: number;
  readonly type: number;
  readonly hash: number;
  readonly algorithm: BucketAlgorithm;
  readonly items: readonly number[];
  /** As many as items. */
  readonly weights: readonly number[];
  /** Of a uniform bucket without items, which has nobody else to tell it. */
  readonly itemWeight?: number;
  readonly strawCalcVersion: number;
}

/** @throws MsgrError when the weights do not fit the algorithm, or their sum the map. */
export function makeBucket(init: BucketInit): CrushBucket {
  const { id, type, hash, weights } = init;
  const weight = weights.reduce((sum, each) => sum + each, 0);
  if (weight > weightMax) throw crushRefusal(CrushErrno.range);
  const items = Int32Array.from(init.items);
  const itemWeights = Uint32Array.from(weights);
  const base = { id, type, hash, weight, items };
  switch (init.algorithm) {
    case BucketAlgorithm.uniform: {
      const itemWeight = weights[0] ?? init.itemWeight ?? 0;
      if (weights.some((each) => each !== itemWeight)) throw crushRefusal(CrushErrno.invalid);
      return { ...base, algorithm: init.algorithm, itemWeight };
    }
    case BucketAlgorithm.list:
      return { ...base, algorithm: init.algorithm, itemWeights, sumWeights: runningSums(weights) };
    case BucketAlgorithm.tree:
      return { ...base, algorithm: init.algorithm, nodeWeights: treeNodes(weights) };
    case BucketAlgorithm.straw: {
      const straws = strawLengths(weights, init.strawCalcVersion);
      return { ...base, algorithm: init.algorithm, itemWeights, straws };
    }
    case BucketAlgorithm.straw2:
      return { ...base, algorithm: init.algorithm, itemWeights };
  }
}

export function weightsOf(bucket: CrushBucket): number[] {
  switch (bucket.algorithm) {
    case BucketAlgorithm.uniform:
      return [...bucket.items].map(() => bucket.itemWeight);
    case BucketAlgorithm.tree:
      return [...bucket.items].map((_, index) => bucket.nodeWeights[2 * index + 1] ?? 0);
    default:
      return [...bucket.itemWeights];
  }
}

/** The same bucket with other items. */
export function rebuilt(
  bucket: CrushBucket,
  items: readonly number[],
  weights: readonly number[],
  strawCalcVersion: number,
): CrushBucket {
  const { id, type, hash, algorithm } = bucket;
  const itemWeight = bucket.algorithm === BucketAlgorithm.uniform ? { itemWeight: bucket.itemWeight } : {};
  return makeBucket({ id, type, hash, algorithm, items, weights, strawCalcVersion, ...itemWeight });
}

export function withItem(
  bucket: CrushBucket,
  item: number,
  weight: number,
  strawCalcVersion: number,
): CrushBucket {
  // Ceph holds a new item against the weight that the bucket was made with, even when it is empty.
  if (bucket.algorithm === BucketAlgorithm.uniform && weight !== bucket.itemWeight) {
    throw crushRefusal(CrushErrno.invalid);
  }
  return rebuilt(bucket, [...bucket.items, item], [...weightsOf(bucket), weight], strawCalcVersion);
}

/** A tree keeps the places of the items behind the one that is taken out: they are what its hash goes by. */
export function withoutItemAt(bucket: CrushBucket, index: number, strawCalcVersion: number): CrushBucket {
  const items = [...bucket.items];
  const weights = weightsOf(bucket);
  if (bucket.algorithm === BucketAlgorithm.tree) {
    items[index] = 0;
    weights[index] = 0;
    while (weights.length > 0 && weights.at(-1) === 0) {
      items.pop();
      weights.pop();
    }
  } else {
    items.splice(index, 1);
    weights.splice(index, 1);
  }
  return rebuilt(bucket, items, weights, strawCalcVersion);
}

/** In a uniform bucket the weight is that of all items. */
export function withWeightAt(
  bucket: CrushBucket,
  index: number,
  weight: number,
  strawCalcVersion: number,
): CrushBucket {
  const weights = weightsOf(bucket);
  if (bucket.algorithm === BucketAlgorithm.uniform) weights.fill(weight);
  else weights[index] = weight;
  return rebuilt(bucket, [...bucket.items], weights, strawCalcVersion);
}

function runningSums(weights: readonly number[]): Uint32Array {
  let sum = 0;
  return Uint32Array.from(weights, (weight) => {
    sum += weight;
    return sum;
  });
}

/** Item i is node 2i + 1 of a binary tree in order; every node above holds the sum of what is below it. */
function treeNodes(weights: readonly number[]): TreeBucket['nodeWeights'] {
  if (weights.length === 0) return new Uint32Array(0);
  const depth = 33 - Math.clz32(weights.length - 1);
  const nodes = new Uint32Array(2 ** depth);
  for (const [index, weight] of weights.entries()) {
    let node = 2 * index + 1;
    nodes[node]! += weight;
    for (let level = 1; level < depth; level++) {
      const step = node & -node;
      node = (node & (step << 1)) === 0 ? node + step : node - step;
      nodes[node]! += weight;
    }
  }
  return nodes;
}
