/**
 * A CRUSH map while it is edited: a copy to change, and the map that results. What Ceph's CrushWrapper does to
 * buckets, names and weight sets is done here in the same order, for the maps must be equal bit for bit: ids
 * and slots of new buckets, the order of items, weights that go up to the root, and shadow trees
 * (edit-classes.ts). Where items go by their place is in edit-items.ts, rules in edit-rules.ts.
 *
 * An edit that throws leaves the draft half-made: throw it away.
 */
import { makeBucket, weightsOf, withItem, withoutItemAt, withWeightAt } from './bucket-edit.ts';
import { CrushErrno, crushRefusal } from './edit-error.ts';
import { finalizeCrush } from './finalize.ts';
import {
  BucketAlgorithm,
  type CrushBucket,
  type CrushMap,
  type CrushRule,
  type CrushTunables,
  RuleOp,
} from './map.ts';

/** Slots for buckets that a map begins with; they double whenever they are used up. */
const bucketSlotsMin = 8;

/** Of new buckets: the first that the map allows. */
const preferredAlgorithms = [
  BucketAlgorithm.straw2,
  BucketAlgorithm.straw,
  BucketAlgorithm.tree,
  BucketAlgorithm.list,
  BucketAlgorithm.uniform,
] as const;

export interface DraftChooseArg {
  /** By position of the result, then by item. */
  weightSets: number[][];
  ids: number[];
}

export class CrushDraft {
  readonly buckets: (CrushBucket | undefined)[];
  readonly rules: (CrushRule | undefined)[];
  readonly typeNames: ReadonlyMap<number, string>;
  readonly names: Map<number, string>;
  readonly ruleNames: Map<number, string>;
  tunables: CrushTunables;
  readonly classes: Map<number, number>;
  readonly classNames: Map<number, string>;
  readonly classBuckets: Map<number, Map<number, number>>;
  /** By pool, then by the index of the bucket. */
  readonly chooseArgs: Map<number, Map<number, DraftChooseArg>>;
  readonly #base: CrushMap;

  constructor(map: CrushMap) {
    this.#base = map;
    this.buckets = [...map.buckets];
    this.rules = [...map.rules];
    this.typeNames = map.typeNames;
    this.names = new Map(map.names);
    this.ruleNames = new Map(map.ruleNames);
    this.tunables = map.tunables;
    this.classes = new Map(map.classes);
    this.classNames = new Map(map.classNames);
    this.classBuckets = new Map([...map.classBuckets].map(([id, shadows]) => [id, new Map(shadows)]));
    this.chooseArgs = new Map(
      [...map.chooseArgs].map(([pool, args]) => [
        pool,
        new Map(
          args.map(({ bucketIndex, weightSets, ids }) => [
            bucketIndex,
            { weightSets: weightSets.map((weights) => [...weights]), ids: [...ids] },
          ]),
        ),
      ]),
    );
  }

  /** The edited map, in Ceph's order of keys. */
  finish(): CrushMap {
    return finalizeCrush({
      ...this.#base,
      buckets: this.buckets,
      rules: this.rules,
      names: sorted(this.names),
      ruleNames: sorted(this.ruleNames),
      tunables: this.tunables,
      classes: sorted(this.classes),
      classNames: sorted(this.classNames),
      classBuckets: sorted(
        new Map([...this.classBuckets].map(([id, shadows]) => [id, sorted(shadows)] as const)),
      ),
      chooseArgs: new Map(
        [...this.chooseArgs].map(([pool, args]) => [
          pool,
          [...args].map(([bucketIndex, { weightSets, ids }]) => ({
            bucketIndex,
            weightSets: weightSets.map((weights) => Uint32Array.from(weights)),
            ids: Int32Array.from(ids),
          })),
        ]),
      ),
    });
  }

  // ── Names ──────────────────────────────────────────────────────────────────────────────────────

  idOf(name: string): number | undefined {
    return keyOf(this.names, name);
  }

  /** @throws MsgrError when the name has characters that Ceph does not take. */
  setName(id: number, name: string): void {
    checkCrushName(name);
    this.names.set(id, name);
  }

  typeIdOf(name: string): number | undefined {
    return keyOf(this.typeNames, name);
  }

  // ── Buckets ────────────────────────────────────────────────────────────────────────────────────

  bucket(id: number): CrushBucket | undefined {
    return id < 0 ? this.buckets[-1 - id] : undefined;
  }

  *eachBucket(): Generator<CrushBucket> {
    // Edits replace buckets while this runs.
    for (let index = 0; index < this.buckets.length; index++) {
      const bucket = this.buckets[index];
      if (bucket !== undefined) yield bucket;
    }
  }

  /** An empty bucket of the algorithm that new ones have, in the first free slot. */
  addBucket(type: number): CrushBucket {
    const algorithms = this.tunables.allowedBucketAlgorithms;
    const algorithm = preferredAlgorithms.find((candidate) => (algorithms & (1 << candidate)) !== 0);
    if (algorithm === undefined) throw crushRefusal(CrushErrno.invalid);
    const free = this.buckets.indexOf(undefined);
    const id = -1 - (free < 0 ? this.buckets.length : free);
    return this.placeBucket({ id, type, hash: 0, algorithm });
  }

  /** An empty bucket with a known id. */
  placeBucket(init: Pick<CrushBucket, 'id' | 'type' | 'hash' | 'algorithm'>): CrushBucket {
    const index = -1 - init.id;
    while (index >= this.buckets.length) {
      const slots = this.buckets.length === 0 ? bucketSlotsMin : this.buckets.length * 2;
      while (this.buckets.length < slots) this.buckets.push(undefined);
    }
    const bucket = makeBucket({ ...init, items: [], weights: [], strawCalcVersion: this.#strawVersion });
    this.buckets[index] = bucket;
    return bucket;
  }

  /** The slot is free again; whoever refers to the bucket is not told. */
  dropBucket(id: number): void {
    this.buckets[-1 - id] = undefined;
    for (const args of this.chooseArgs.values()) args.delete(-1 - id);
  }

  /** Puts an item at the end of a bucket; the buckets above keep their weights. */
  addItem(bucketId: number, item: number, weight: number): void {
    const bucket = this.bucket(bucketId)!;
    this.buckets[-1 - bucketId] = withItem(bucket, item, weight, this.#strawVersion);
    for (const arg of this.#argsOf(bucketId)) {
      for (const weights of arg.weightSets) weights.push(weight);
      if (arg.ids.length > 0) arg.ids.push(item);
    }
  }

  /** Takes the first such item out of a bucket; its weight goes from all buckets above first. */
  removeItem(bucketId: number, item: number): void {
    this.adjustWeightIn(bucketId, item, 0, true);
    const bucket = this.bucket(bucketId)!;
    const index = bucket.items.indexOf(item);
    this.buckets[-1 - bucketId] = withoutItemAt(bucket, index, this.#strawVersion);
    for (const arg of this.#argsOf(bucketId)) {
      for (const weights of arg.weightSets) weights.splice(index, 1);
      if (arg.ids.length > 0) arg.ids.splice(index, 1);
    }
  }

  /** Sets the weight of an item in every bucket that has it, and of these in theirs. True when one has it. */
  adjustWeight(item: number, weight: number, withWeightSets: boolean): boolean {
    let found = false;
    for (const { id } of this.eachBucket()) {
      if (this.adjustWeightIn(id, item, weight, withWeightSets)) found = true;
    }
    return found;
  }

  /** In one bucket, and from there up. True when it has the item. */
  adjustWeightIn(bucketId: number, item: number, weight: number, withWeightSets: boolean): boolean {
    const items = this.bucket(bucketId)?.items ?? [];
    let found = false;
    for (let index = 0; index < items.length; index++) {
      if (items[index] !== item) continue;
      found = true;
      if (withWeightSets) {
        for (const { weightSets } of this.#argsOf(bucketId))
          for (const set of weightSets) set[index] = weight;
      }
      const changed = withWeightAt(this.bucket(bucketId)!, index, weight, this.#strawVersion);
      this.buckets[-1 - bucketId] = changed;
      this.adjustWeight(bucketId, changed.weight, withWeightSets);
    }
    if (this.chooseArgs.size > 0 && items.length > 0) this.#sumWeightSets(bucketId);
    return found;
  }

  /** Weight of the first place where the item is; of a bucket its own. */
  weightOf(id: number): number | undefined {
    if (id < 0) return this.bucket(id)?.weight;
    for (const bucket of this.eachBucket()) {
      const index = bucket.items.indexOf(id);
      if (index >= 0) return weightsOf(bucket)[index];
    }
    return undefined;
  }

  /** Recounts all weights below a bucket, and its own. */
  recount(bucketId: number): void {
    const bucket = this.bucket(bucketId);
    if (bucket === undefined) return;
    for (const [index, item] of bucket.items.entries()) {
      if (item >= 0) continue;
      this.recount(item);
      const changed = withWeightAt(
        this.bucket(bucketId)!,
        index,
        this.bucket(item)?.weight ?? 0,
        this.#strawVersion,
      );
      this.buckets[-1 - bucketId] = changed;
    }
  }

  // ── What hangs where ───────────────────────────────────────────────────────────────────────────

  /** True when some bucket has it. */
  isPlaced(item: number): boolean {
    return this.buckets.some((bucket) => bucket?.items.includes(item));
  }

  isShadow(id: number): boolean {
    return this.names.get(id)?.includes('~') ?? false;
  }

  /** Buckets that hang in no other, lowest id first. */
  roots(kind: 'shadow' | 'real'): number[] {
    const placed = new Set(this.buckets.flatMap((bucket) => [...(bucket?.items ?? [])]));
    return this.buckets
      .flatMap((bucket) => (bucket !== undefined && !placed.has(bucket.id) ? [bucket.id] : []))
      .filter((id) => this.isShadow(id) === (kind === 'shadow'))
      .sort((left, right) => left - right);
  }

  /** True when `item` is `root` or somewhere below it. */
  contains(root: number, item: number): boolean {
    if (root === item) return true;
    return [...(this.bucket(root)?.items ?? [])].some((child) => this.contains(child, item));
  }

  /** The first bucket that has it, shadows left out. */
  parentOf(item: number): number | undefined {
    return this.buckets.find((bucket) => bucket && !this.isShadow(bucket.id) && bucket.items.includes(item))
      ?.id;
  }

  /** True when a rule begins at the bucket or at one of its shadows, or when it is a shadow itself. */
  isUsed(bucketId: number): boolean {
    for (const shadows of this.classBuckets.values()) {
      for (const shadow of shadows.values()) if (shadow === bucketId) return true;
    }
    const own = new Set(this.classBuckets.get(bucketId)?.values());
    return this.rules.some((rule) =>
      rule?.steps.some(({ op, arg1 }) => op === RuleOp.take && (arg1 === bucketId || own.has(arg1))),
    );
  }

  get #strawVersion(): number {
    return this.tunables.strawCalcVersion;
  }

  #argsOf(bucketId: number): DraftChooseArg[] {
    return [...this.chooseArgs.values()].flatMap((args) => args.get(-1 - bucketId) ?? []);
  }

  /** What a bucket weighs in the weight sets of those above is the sum of its own sets. */
  #sumWeightSets(bucketId: number): void {
    for (const args of this.chooseArgs.values()) {
      const own = args.get(-1 - bucketId);
      if (own === undefined || own.weightSets.length === 0) continue;
      const sums = own.weightSets.map((weights) => weights.reduce((sum, weight) => sum + weight, 0));
      for (const parent of this.eachBucket()) {
        const index = parent.items.indexOf(bucketId);
        const above = index < 0 ? undefined : args.get(-1 - parent.id);
        if (above === undefined) continue;
        for (const [position, weights] of above.weightSets.entries())
          weights[index] = sums[position] ?? sums[0]!;
        this.#sumWeightSets(parent.id);
      }
    }
  }
}

/** @throws MsgrError */
export function checkCrushName(name: string): void {
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) throw crushRefusal(CrushErrno.invalid);
}

export function keyOf(names: ReadonlyMap<number, string>, wanted: string): number | undefined {
  for (const [id, name] of names) if (name === wanted) return id;
  return undefined;
}

function sorted<V>(map: ReadonlyMap<number, V>): Map<number, V> {
  return new Map([...map].sort(([left], [right]) => left - right));
}
