/**
 * A CRUSH map in the shape that placement runs on: every bucket one object of the same hidden class, its
 * items and weights in typed arrays, divisions prepared.
 *
 * Derived from a {@link CrushMap} and cached with it; it also holds the scratch space of the choices, so
 * one compiled map serves one placement at a time (JavaScript runs one at a time anyway).
 */

import { countDevices } from './finalize.ts';
import { hashItemsLength } from './hash-items.ts';
import { BucketAlgorithm, type CrushBucket, type CrushMap, defaultChooseArgs } from './map.ts';

/** Weights of a straw2 bucket, prepared for draws. */
export interface DrawWeights {
  /** As Ceph divides: a u32 read as a signed 32-bit integer. 0 never draws. */
  readonly divisors: Float64Array;
  /** 1 / divisor, good for telling that a draw cannot win; Infinity for 0. */
  readonly reciprocals: Float64Array;
  /** True when all divisors are the same and positive: then the hash alone decides who can win. */
  readonly equal: boolean;
}

/** What choose_args put in place of a bucket's own weights and ids. */
export interface CompiledChooseArg {
  /** By position; the last serves all beyond it. Empty: the bucket's own. */
  readonly weightSets: readonly DrawWeights[];
  readonly ids: Int32Array;
}

/** By bucket index. */
export type CompiledChooseArgs = readonly (CompiledChooseArg | undefined)[];

const noWeights: DrawWeights = {
  divisors: new Float64Array(0),
  reciprocals: new Float64Array(0),
  equal: false,
};
const noIntegers = new Uint32Array(0);

export class CompiledBucket {
  readonly index: number;
  readonly id: number;
  readonly type: number;
  readonly algorithm: number;
  readonly hash: number;
  readonly size: number;
  /** Padded for {@link hashItems}; only the first `size` are items. */
  readonly items: Int32Array;
  readonly draw: DrawWeights;
  /** List and straw2: the items' weights. Tree: the nodes' weights. */
  readonly weights: Uint32Array;
  /** List: running sums. Straw: straw lengths. */
  readonly lengths: Uint32Array;
  /** A permutation of the items for input `permInput`, right in its first `permCount` places. */
  readonly perm: Uint32Array;
  permInput = 0;
  permCount = 0;

  constructor(index: number, bucket: CrushBucket) {
    const size = bucket.items.length;
    this.index = index;
    this.id = bucket.id;
    this.type = bucket.type;
    this.algorithm = bucket.algorithm;
    this.hash = bucket.hash;
    this.size = size;
    this.items = padded(bucket.items);
    this.draw =
      bucket.algorithm === BucketAlgorithm.straw2 ? drawWeights(bucket.itemWeights, size) : noWeights;
    this.weights =
      bucket.algorithm === BucketAlgorithm.tree
        ? bucket.nodeWeights
        : bucket.algorithm === BucketAlgorithm.list
          ? bucket.itemWeights
          : noIntegers;
    this.lengths =
      bucket.algorithm === BucketAlgorithm.list
        ? bucket.sumWeights
        : bucket.algorithm === BucketAlgorithm.straw
          ? bucket.straws
          : noIntegers;
    this.perm = new Uint32Array(size);
  }
}

function padded(items: Int32Array): Int32Array {
  const result = new Int32Array(hashItemsLength(items.length));
  result.set(items);
  return result;
}

/** `size` weights; a set that is too short weighs 0 beyond its end. */
function drawWeights(weights: Uint32Array, size: number): DrawWeights {
  const divisors = Float64Array.from({ length: size }, (_, index) => (weights[index] ?? 0) | 0);
  const first = divisors[0] ?? 0;
  return {
    divisors,
    reciprocals: divisors.map((divisor) => 1 / divisor),
    equal: first > 0 && divisors.every((divisor) => divisor === first),
  };
}

export class CompiledCrush {
  readonly map: CrushMap;
  readonly buckets: readonly (CompiledBucket | undefined)[];
  /** One more than the highest device there is. */
  readonly maxDevices: number;
  /** Hashes of one bucket's items. */
  readonly hashes: Uint16Array;
  readonly #chooseArgs = new Map<number, CompiledChooseArgs>();

  constructor(map: CrushMap) {
    this.map = map;
    this.buckets = map.buckets.map((bucket, index) => bucket && new CompiledBucket(index, bucket));
    const sizeMax = map.buckets.reduce((max, bucket) => Math.max(max, bucket?.items.length ?? 0), 0);
    this.maxDevices = countDevices(map);
    this.hashes = new Uint16Array(hashItemsLength(sizeMax));
  }

  /** The weight sets of a pool: its own, else those for all pools, else none. */
  chooseArgsOf(pool: number): CompiledChooseArgs | undefined {
    const { chooseArgs } = this.map;
    if (chooseArgs.size === 0) return undefined;
    const key = chooseArgs.has(pool) ? pool : defaultChooseArgs;
    const source = chooseArgs.get(key);
    if (source === undefined) return undefined;
    let compiled = this.#chooseArgs.get(key);
    if (compiled === undefined) {
      const byBucket: (CompiledChooseArg | undefined)[] = new Array(this.buckets.length).fill(undefined);
      for (const { bucketIndex, weightSets, ids } of source) {
        const size = this.buckets[bucketIndex]?.size ?? 0;
        byBucket[bucketIndex] = {
          weightSets: weightSets.map((weights) => drawWeights(weights, size)),
          ids: padded(ids),
        };
      }
      compiled = byBucket;
      this.#chooseArgs.set(key, compiled);
    }
    return compiled;
  }
}

const cache = new WeakMap<CrushMap, CompiledCrush>();

/** The compiled form of a map, made once per map. */
export function compileCrush(map: CrushMap): CompiledCrush {
  let compiled = cache.get(map);
  if (compiled === undefined) {
    compiled = new CompiledCrush(map);
    cache.set(map, compiled);
  }
  return compiled;
}
