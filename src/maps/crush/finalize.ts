/**
 * What Ceph does to a CRUSH map when it reads one, and therefore to the bytes when it writes it again:
 * the number of devices is counted anew, and weight sets are made to fit their buckets.
 */
import { BucketAlgorithm, type CrushChooseArg, type CrushMap, crushSectionCount } from './map.ts';

/** One more than the highest device in a bucket or with a name; what the map itself states does not count. */
export function countDevices(map: CrushMap): number {
  let count = 0;
  for (const id of map.names.keys()) if (id >= count) count = id + 1;
  for (const bucket of map.buckets) {
    for (const item of bucket?.items ?? []) if (item >= count) count = item + 1;
  }
  return count;
}

/** The map as Pacific would write it after reading it. */
export function finalizeCrush(map: CrushMap): CrushMap {
  const chooseArgs = new Map(
    [...map.chooseArgs]
      .sort(([left], [right]) => left - right)
      .map(([id, args]) => [id, finalizeArgs(map, args)] as const),
  );
  return { ...map, maxDevices: countDevices(map), chooseArgs, sections: crushSectionCount };
}

/** Only straw2 buckets have weight sets; each set has one weight per item, 0 where it had none. */
function finalizeArgs(map: CrushMap, args: readonly CrushChooseArg[]): CrushChooseArg[] {
  const positions = Math.max(0, ...args.map((arg) => arg.weightSets.length));
  return args
    .filter(({ bucketIndex, weightSets, ids }) => {
      const used = weightSets.length > 0 || ids.length > 0;
      return used && map.buckets[bucketIndex]?.algorithm === BucketAlgorithm.straw2;
    })
    .map((arg) => {
      const size = map.buckets[arg.bucketIndex]!.items.length;
      // Buckets with another number of sets than the rest are left alone.
      if (arg.weightSets.length !== positions) return arg;
      return { ...arg, weightSets: arg.weightSets.map((weights) => resized(weights, size)) };
    })
    .sort((left, right) => left.bucketIndex - right.bucketIndex);
}

function resized(weights: Uint32Array, size: number): Uint32Array {
  if (weights.length === size) return weights;
  const result = new Uint32Array(size);
  result.set(weights.subarray(0, size));
  return result;
}
