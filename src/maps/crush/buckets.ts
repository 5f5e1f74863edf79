/**
 * How each kind of bucket chooses one of its items for an input `x` and a try `r`.
 *
 * All return an item's id; a bucket asked here is never empty. Products that Ceph takes in 64 bits are
 * below 2^53 here or are split, so that doubles hold them exactly.
 */
import { crushHash3, crushHash4 } from '../hash.ts';
import type { CompiledBucket, CompiledChooseArg, DrawWeights } from './compiled.ts';
import { hashItems } from './hash-items.ts';
import { crushLnTable } from './ln.ts';
import { BucketAlgorithm, crushItemNone } from './map.ts';

/** The one hash that buckets use; with any other number Ceph's hash functions answer 0. */
const rjenkins1 = 0;

/** Dispatches on the bucket's algorithm. `position` picks the weight set of `arg`. */
export function chooseItem(
  bucket: CompiledBucket,
  hashes: Uint16Array,
  x: number,
  r: number,
  arg: CompiledChooseArg | undefined,
  position: number,
): number {
  // Every algorithm chooses the only item; tries that fail on a full host often ask for nothing else.
  if (bucket.size === 1) return bucket.items[0]!;
  switch (bucket.algorithm) {
    case BucketAlgorithm.straw2:
      return chooseStraw2(bucket, hashes, x, r, arg, position);
    case BucketAlgorithm.uniform:
      return choosePermuted(bucket, x, r);
    case BucketAlgorithm.list:
      return chooseList(bucket, x, r);
    case BucketAlgorithm.tree:
      return chooseTree(bucket, x, r);
    default:
      return chooseStraw(bucket, hashes, x, r);
  }
}

function chooseStraw2(
  bucket: CompiledBucket,
  hashes: Uint16Array,
  x: number,
  r: number,
  arg: CompiledChooseArg | undefined,
  position: number,
): number {
  let draw = bucket.draw;
  let ids = bucket.items;
  if (arg !== undefined) {
    const sets = arg.weightSets;
    if (sets.length > 0) draw = sets[position < sets.length ? position : sets.length - 1]!;
    if (arg.ids.length > 0) ids = arg.ids;
  }
  const size = bucket.size;
  if (bucket.hash === rjenkins1) hashItems(x, ids, r, size, hashes);
  else hashes.fill(0, 0, size);
  return bucket.items[draw.equal ? winnerEqual(draw, hashes, size) : winnerWeighted(draw, hashes, size)]!;
}

/**
 * The index with the highest draw, the first among equals; a draw is ln(hash) / weight, cut to an integer.
 *
 * |ln| is an integer of at most 2^48 and the divisor w one below 2^32, so the exact quotient is 1/w away
 * from the next integer if it is none, while the division's rounding error is at most 2^-5/w: truncating
 * the double gives the truncated quotient, always. Products with the reciprocal are off by less than 1/4;
 * they decide when they differ by 2 or more, and dividing, which is slow, settles the few other cases.
 */
function winnerWeighted(draw: DrawWeights, hashes: Uint16Array, size: number): number {
  const ln = crushLnTable();
  const { divisors, reciprocals } = draw;
  let high = 0;
  let highLn = ln[hashes[0]!]!;
  // Nothing is below the draw of a weight of 0; the reciprocal of 0 gives that by itself.
  let highNear = highLn * reciprocals[0]!;
  for (let index = 1; index < size; index++) {
    const value = ln[hashes[index]!]!;
    const near = value * reciprocals[index]!;
    if (
      near > highNear + 2 ||
      (near > highNear - 2 && Math.trunc(value / divisors[index]!) > Math.trunc(highLn / divisors[high]!))
    ) {
      high = index;
      highLn = value;
      highNear = near;
    }
  }
  return high;
}

/**
 * The same for one weight: ln never falls as the hash grows, except once, by one step, at the top. Two
 * draws that are a divisor apart before the division differ after it.
 */
function winnerEqual(draw: DrawWeights, hashes: Uint16Array, size: number): number {
  const ln = crushLnTable();
  const divisor = draw.divisors[0]!;
  let high = 0;
  let highHash = hashes[0]!;
  for (let index = 1; index < size; index++) {
    const hash = hashes[index]!;
    if (hash + 1 < highHash || hash === highHash) continue;
    const value = ln[hash]!;
    const highLn = ln[highHash]!;
    if (value >= highLn + divisor || Math.trunc(value / divisor) > Math.trunc(highLn / divisor)) {
      high = index;
      highHash = hash;
    }
  }
  return high;
}

function chooseStraw(bucket: CompiledBucket, hashes: Uint16Array, x: number, r: number): number {
  const { items, lengths, size } = bucket;
  if (bucket.hash === rjenkins1) hashItems(x, items, r, size, hashes);
  else hashes.fill(0, 0, size);
  let high = 0;
  let highDraw = hashes[0]! * lengths[0]!;
  for (let index = 1; index < size; index++) {
    const draw = hashes[index]! * lengths[index]!;
    if (draw > highDraw) {
      high = index;
      highDraw = draw;
    }
  }
  return items[high]!;
}

/** From the newest item to the oldest: each is taken with the chance of its weight in the sum so far. */
function chooseList(bucket: CompiledBucket, x: number, r: number): number {
  const { items, weights, lengths, id } = bucket;
  for (let index = bucket.size - 1; index >= 0; index--) {
    const hash = bucket.hash === rjenkins1 ? crushHash4(x, items[index]!, r, id) & 0xffff : 0;
    if (Math.floor((hash * lengths[index]!) / 0x10000) < weights[index]!) return items[index]!;
  }
  return items[0]!;
}

/** Down a binary tree whose nodes are numbered in order: a node's height is its count of trailing zeros. */
function chooseTree(bucket: CompiledBucket, x: number, r: number): number {
  const nodes = bucket.weights;
  let node = nodes.length >> 1;
  while (node !== 0 && (node & 1) === 0) {
    const hash = bucket.hash === rjenkins1 ? crushHash4(x, node, r, bucket.id) : 0;
    const target = multiplyHigh32(hash, nodes[node]!);
    const step = (node & -node) >> 1;
    node = target < nodes[node - step]! ? node - step : node + step;
  }
  // A tree whose weights are all 0 leads beyond its items; Ceph reads out of bounds there.
  const index = node >> 1;
  return index < bucket.size ? bucket.items[index]! : crushItemNone;
}

/** The upper half of a product of two u32. */
function multiplyHigh32(left: number, right: number): number {
  const low = (right & 0xffff) * left;
  const high = (right >>> 16) * left;
  return Math.floor((high + Math.floor(low / 0x10000)) / 0x10000);
}

/**
 * The item at place r of a pseudo-random permutation of the bucket, which is worked out only as far as it
 * is asked for. Uniform buckets choose by it, and every bucket does when local fallback tries are on.
 */
export function choosePermuted(bucket: CompiledBucket, x: number, r: number): number {
  const { items, perm, size } = bucket;
  const place = (r >>> 0) % size;
  if (bucket.permInput !== x || bucket.permCount === 0) {
    bucket.permInput = x;
    for (let index = 0; index < size; index++) perm[index] = index;
    bucket.permCount = 0;
  }
  while (bucket.permCount <= place) {
    const at = bucket.permCount++;
    if (at >= size - 1) break;
    const hash = bucket.hash === rjenkins1 ? crushHash3(x, bucket.id, at) : 0;
    const other = at + (hash % (size - at));
    const swapped = perm[other]!;
    perm[other] = perm[at]!;
    perm[at] = swapped;
  }
  return items[perm[place]!]!;
}
