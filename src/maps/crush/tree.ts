/**
 * A CRUSH map from its roots to its leaves, in the order in which Ceph lists trees: roots by id, below each
 * bucket its buckets by name, then devices by class and number.
 */
import { weightsOf } from './bucket-edit.ts';
import { deviceClassOf } from './json.ts';
import { type CrushMap, defaultChooseArgs } from './map.ts';

export interface CrushTreeItem {
  readonly id: number;
  /** Undefined for a root. */
  readonly parent: number | undefined;
  readonly depth: number;
  /** 1.0 is one. */
  readonly weight: number;
  /** In reverse order, as Ceph lists them. */
  readonly children: readonly number[];
}

export interface CrushTreeOptions {
  /** With the trees of device classes. */
  readonly shadows?: boolean;
  /** Instead of all roots. */
  readonly root?: number;
  /** Leaves that count; buckets without any of them are left out. All count when absent. */
  readonly isShown?: (osd: number) => boolean;
}

const fixedPointOne = 0x10000;

export function crushTree(map: CrushMap, options: CrushTreeOptions = {}): CrushTreeItem[] {
  const { isShown, root, shadows = false } = options;
  const items: CrushTreeItem[] = [];
  const shown = (id: number): boolean => {
    if (isShown === undefined) return true;
    return id >= 0 ? isShown(id) : [...(map.buckets[-1 - id]?.items ?? [])].some(shown);
  };
  const visit = (id: number, parent: number | undefined, depth: number, weight: number): void => {
    const children = id < 0 ? childrenOf(map, id).filter(({ id: child }) => shown(child)) : [];
    items.push({ id, parent, depth, weight, children: children.map(({ id: child }) => child).reverse() });
    for (const child of children) visit(child.id, id, depth + 1, child.weight);
  };
  const roots = root === undefined ? rootsOf(map, shadows) : [root];
  for (const id of roots.filter(shown)) {
    visit(id, undefined, 0, (map.buckets[-1 - id]?.weight ?? 0) / fixedPointOne);
  }
  return items;
}

function rootsOf(map: CrushMap, shadows: boolean): number[] {
  const placed = new Set(map.buckets.flatMap((bucket) => [...(bucket?.items ?? [])]));
  return map.buckets
    .flatMap((bucket) => (bucket === undefined || placed.has(bucket.id) ? [] : [bucket.id]))
    .filter((id) => shadows || !(map.names.get(id) ?? '').includes('~'))
    .sort((left, right) => left - right);
}

function childrenOf(map: CrushMap, id: number): { id: number; weight: number }[] {
  const bucket = map.buckets[-1 - id];
  if (bucket === undefined) return [];
  const weights = weightsOf(bucket);
  const sortKey = (item: number): string =>
    item < 0
      ? `_${map.names.get(item) ?? ''}`
      : `${deviceClassOf(map, item) ?? ''}_osd.${String(item).padStart(8, '0')}`;
  const byKey = new Map<string, { id: number; weight: number }>();
  for (let index = bucket.items.length - 1; index >= 0; index--) {
    const item = bucket.items[index]!;
    byKey.set(sortKey(item), { id: item, weight: weights[index]! / fixedPointOne });
  }
  return [...byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, child]) => child);
}

/** What every listing shows of an item in JSON; the caller adds what it knows more. */
export function crushTreeItemJson(
  map: CrushMap,
  item: CrushTreeItem,
  poolNames: ReadonlyMap<number, string>,
): Record<string, unknown> {
  const { id, parent, depth, weight } = item;
  const type = id < 0 ? (map.buckets[-1 - id]?.type ?? 0) : 0;
  return {
    id,
    device_class: deviceClassOf(map, id),
    name: id < 0 ? map.names.get(id) : `osd.${id}`,
    type: map.typeNames.get(type),
    type_id: type,
    ...(id < 0 ? {} : { crush_weight: Math.fround(weight), depth }),
    ...(parent === undefined ? {} : { pool_weights: poolWeights(map, id, parent, poolNames) }),
  };
}

/** What the item weighs in the weight sets of pools, by the pools' names. */
function poolWeights(
  map: CrushMap,
  id: number,
  parent: number,
  poolNames: ReadonlyMap<number, string>,
): Record<string, number[]> {
  const index = map.buckets[-1 - parent]?.items.indexOf(id) ?? -1;
  const weights: Record<string, number[]> = {};
  for (const [pool, args] of map.chooseArgs) {
    const arg = args.find(({ bucketIndex }) => bucketIndex === -1 - parent);
    if (arg === undefined || arg.weightSets.length === 0) continue;
    const name = pool === defaultChooseArgs ? '(compat)' : (poolNames.get(pool) ?? String(pool));
    weights[name] = arg.weightSets.map((set) => Math.fround((set[index] ?? 0) / fixedPointOne));
  }
  return weights;
}
