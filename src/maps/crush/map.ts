/**
 * The CRUSH map: the cluster as a tree of weighted buckets, and the rules that walk it.
 *
 * Plain data, as decoded; nobody changes it after decoding. What placement needs in another shape is
 * derived once per map (crush/compiled.ts). Weights are 16.16 fixed point: 0x10000 is 1.0.
 */

/** How a bucket chooses among its items; the values are Ceph's. */
export const BucketAlgorithm = { uniform: 1, list: 2, tree: 3, straw: 4, straw2: 5 } as const;
export type BucketAlgorithm = (typeof BucketAlgorithm)[keyof typeof BucketAlgorithm];

/** No OSD at this position; a hole in the result of an indep rule. */
export const crushItemNone = 0x7fffffff;

interface BucketBase {
  /** Negative: the bucket at index i of the map has id -1 - i. */
  readonly id: number;
  /** Index of the type's name in {@link CrushMap.typeNames}; 0 is a device and no bucket has it. */
  readonly type: number;
  /** 0 is rjenkins1, the only hash there is; Ceph hashes everything to 0 for any other. */
  readonly hash: number;
  readonly weight: number;
  /** Ids of devices (from 0) and buckets (negative). */
  readonly items: Int32Array;
}

export interface UniformBucket extends BucketBase {
  readonly algorithm: typeof BucketAlgorithm.uniform;
  /** Of every item. */
  readonly itemWeight: number;
}

export interface ListBucket extends BucketBase {
  readonly algorithm: typeof BucketAlgorithm.list;
  readonly itemWeights: Uint32Array;
  /** Sum of the weights of this item and all before it. */
  readonly sumWeights: Uint32Array;
}

export interface TreeBucket extends BucketBase {
  readonly algorithm: typeof BucketAlgorithm.tree;
  /** Of a binary tree in order; item i is node 2i + 1. */
  readonly nodeWeights: Uint32Array;
}

export interface StrawBucket extends BucketBase {
  readonly algorithm: typeof BucketAlgorithm.straw;
  readonly itemWeights: Uint32Array;
  readonly straws: Uint32Array;
}

export interface Straw2Bucket extends BucketBase {
  readonly algorithm: typeof BucketAlgorithm.straw2;
  readonly itemWeights: Uint32Array;
}

export type CrushBucket = UniformBucket | ListBucket | TreeBucket | StrawBucket | Straw2Bucket;

/** What a step of a rule does; the values are Ceph's. */
export const RuleOp = {
  noop: 0,
  take: 1,
  chooseFirstn: 2,
  chooseIndep: 3,
  emit: 4,
  chooseleafFirstn: 6,
  chooseleafIndep: 7,
  setChooseTries: 8,
  setChooseleafTries: 9,
  setChooseLocalTries: 10,
  setChooseLocalFallbackTries: 11,
  setChooseleafVaryR: 12,
  setChooseleafStable: 13,
} as const;

export interface CrushRuleStep {
  readonly op: number;
  readonly arg1: number;
  readonly arg2: number;
}

export interface CrushRule {
  /** Equal to the rule's index in maps of this decade. */
  readonly ruleset: number;
  /** 1 replicated, 3 erasure. */
  readonly type: number;
  readonly minSize: number;
  readonly maxSize: number;
  readonly steps: readonly CrushRuleStep[];
}

/** Weights and ids that replace those of one bucket, for one pool or for all. */
export interface CrushChooseArg {
  /** Index of the bucket: -1 - id. */
  readonly bucketIndex: number;
  /** One set per position of the result; the last one serves all positions beyond. */
  readonly weightSets: readonly Uint32Array[];
  /** What is hashed in place of the items' ids; empty for the items themselves. */
  readonly ids: Int32Array;
}

export interface CrushTunables {
  readonly chooseLocalTries: number;
  readonly chooseLocalFallbackTries: number;
  readonly chooseTotalTries: number;
  readonly chooseleafDescendOnce: number;
  readonly chooseleafVaryR: number;
  readonly chooseleafStable: number;
  readonly strawCalcVersion: number;
  /** Bit per {@link BucketAlgorithm}. */
  readonly allowedBucketAlgorithms: number;
}

export interface CrushMap {
  readonly maxDevices: number;
  /** Index i holds the bucket with id -1 - i. */
  readonly buckets: readonly (CrushBucket | undefined)[];
  readonly rules: readonly (CrushRule | undefined)[];
  readonly typeNames: ReadonlyMap<number, string>;
  /** Of devices and buckets, by id. */
  readonly names: ReadonlyMap<number, string>;
  readonly ruleNames: ReadonlyMap<number, string>;
  readonly tunables: CrushTunables;
  /** Device class of each device, and of each shadow bucket, by id. */
  readonly classes: ReadonlyMap<number, number>;
  readonly classNames: ReadonlyMap<number, string>;
  /** bucket → class → its shadow bucket, which holds only the devices of that class. */
  readonly classBuckets: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** By pool id; {@link defaultChooseArgs} serves pools that have none of their own. */
  readonly chooseArgs: ReadonlyMap<number, readonly CrushChooseArg[]>;
  /** How many of the optional trailing sections were present when read; older writers end early. */
  readonly sections: number;
  /** What a newer writer put after the sections known here. */
  readonly rest: Uint8Array;
}

/** Key of the weight sets for all pools. */
export const defaultChooseArgs = -1;

/** Number of optional sections after the names, in the order in which they were added over the years. */
export const crushSectionCount = 8;
