/**
 * Lengths of the straws that items of a `straw` bucket draw with, in 16.16 fixed point. The lighter item has
 * the length 1; each heavier one gets what makes its chance of the longest draw right, given those below it.
 * Version 0 is the calculation of old, which takes items of equal weight and of none into account wrongly; a
 * map says which one it was made with, and must go on with it.
 */
export function strawLengths(weights: readonly number[], version: number): Uint32Array {
  const straws = new Uint32Array(weights.length);
  // Ties stay in the order of the bucket.
  const order = weights.map((_, index) => index).sort((left, right) => weights[left]! - weights[right]!);
  const weightAt = (place: number): number => weights[order[place]!]!;

  let left = order.length;
  let straw = 1;
  let below = 0;
  let lastWeight = 0;
  for (let place = 0; place < order.length; ) {
    if (weightAt(place) === 0) {
      if (version > 0) left--;
      place++;
      continue;
    }
    straws[order[place]!] = straw * 0x10000;
    place++;
    if (place === order.length) break;
    const weight = weightAt(place - 1);
    if (version === 0 && weightAt(place) === weight) continue;
    below += (weight - lastWeight) * left;
    if (version > 0) left--;
    else for (let same = place; same < order.length && weightAt(same) === weightAt(place); same++) left--;
    const next = left * (weightAt(place) - weight);
    straw *= (1 / (below / (below + next))) ** (1 / left);
    lastWeight = weight;
  }
  return straws;
}
