/**
 * Devices and buckets of a map that is edited, by their places: `host=a root=default`. A place is looked for
 * from the innermost type outwards; buckets that are not there yet are made, empty, and hung into the first
 * one that is.
 */

import { weightsOf } from './bucket-edit.ts';
import { type CrushDraft, checkCrushName } from './edit.ts';
import { rebuildShadows } from './edit-classes.ts';
import { CrushErrno, crushRefusal } from './edit-error.ts';

/** Names of buckets by the names of their types. */
export type CrushPlace = ReadonlyMap<string, string>;

const fixedPointOne = 0x10000;
const weightMax = 0x7fffffff;

/** As C++ does it: through a single-precision float, cut. @throws MsgrError overflow */
export function fixedWeight(weight: number): number {
  const fixed = Math.trunc(Math.fround(Math.fround(weight) * fixedPointOne));
  if (fixed > weightMax) throw crushRefusal(CrushErrno.overflow);
  return fixed;
}

/** `{host=a,root=default}`, by type, as Ceph prints a place. */
export function placeText(place: CrushPlace): string {
  const pairs = [...place].sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${pairs.map(([type, name]) => `${type}=${name}`)}}`;
}

/** Types of the map that the place names, innermost first. */
function* stepsOf(draft: CrushDraft, place: CrushPlace): Generator<readonly [type: number, name: string]> {
  const types = [...draft.typeNames].sort(([left], [right]) => left - right);
  for (const [type, typeName] of types) {
    const name = place.get(typeName);
    if (type !== 0 && name !== undefined) yield [type, name];
  }
}

/** Weight of the item in the innermost bucket of the place; undefined when it is not there. */
export function weightAtPlace(draft: CrushDraft, item: number, place: CrushPlace): number | undefined {
  for (const [, name] of stepsOf(draft, place)) {
    const bucket = draft.bucket(draft.idOf(name) ?? 0);
    const index = bucket?.items.indexOf(item) ?? -1;
    return index < 0 ? undefined : weightsOf(bucket!)[index];
  }
  return undefined;
}

export interface ItemToPlace {
  readonly id: number;
  readonly name: string;
  /** 1.0 is one. */
  readonly weight: number;
  readonly place: CrushPlace;
  /** Weight sets take the weight too; for buckets they never do. */
  readonly withWeightSets?: boolean;
}

/** Hangs an item at a place, whether it hangs elsewhere or not. @throws MsgrError */
export function insertItem(draft: CrushDraft, item: ItemToPlace): void {
  const { id, name, place, withWeightSets = true } = item;
  checkPlace(name, place);
  const weight = fixedWeight(item.weight);
  const known = draft.idOf(name);
  if (known === undefined) draft.setName(id, name);
  else if (known !== id) throw crushRefusal(CrushErrno.exists);

  let current = id;
  for (const [type, bucketName] of stepsOf(draft, place)) {
    const bucketId = draft.idOf(bucketName);
    if (bucketId === undefined) {
      const made = draft.addBucket(type);
      draft.addItem(made.id, current, 0);
      draft.setName(made.id, bucketName);
      current = made.id;
      continue;
    }
    const bucket = draft.bucket(bucketId);
    if (bucket === undefined || draft.contains(bucketId, current) || bucket.type !== type) {
      throw crushRefusal(CrushErrno.invalid);
    }
    if (draft.contains(current, bucketId)) throw crushRefusal(CrushErrno.loop);
    draft.addItem(bucketId, current, 0);
    break;
  }

  let isThere = false;
  for (const [, bucketName] of [...place].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const bucketId = draft.idOf(bucketName);
    if (bucketId === undefined) continue;
    if (draft.adjustWeightIn(bucketId, id, weight, id >= 0 && withWeightSets)) isThere = true;
  }
  if (!isThere) throw crushRefusal(CrushErrno.invalid);
  rebuildShadows(draft);
}

/** `osd crush set`: moves the item there and gives it the weight. False when it was so already. */
export function updateItem(draft: CrushDraft, item: ItemToPlace): boolean {
  const { id, name, place } = item;
  checkPlace(name, place);
  const weight = fixedWeight(item.weight);
  const old = weightAtPlace(draft, id, place);
  if (old === undefined) {
    if (draft.names.has(id)) removeItem(draft, id, { unlinkOnly: false });
    insertItem(draft, item);
    return true;
  }
  if (old === weight && draft.names.get(id) === name) return false;
  if (old !== weight) {
    for (const bucketName of place.values()) {
      draft.adjustWeightIn(draft.idOf(bucketName) ?? 0, id, weight, true);
    }
  }
  draft.setName(id, name);
  return true;
}

/** `osd crush create-or-move`: an item that hangs elsewhere keeps its weight. False when it was there already. */
export function createOrMoveItem(draft: CrushDraft, item: ItemToPlace): boolean {
  checkPlace(item.name, item.place);
  fixedWeight(item.weight);
  if (weightAtPlace(draft, item.id, item.place) !== undefined) return false;
  let { weight } = item;
  if (draft.isPlaced(item.id)) {
    weight = Math.fround(draft.weightOf(item.id)! / fixedPointOne);
    removeItem(draft, item.id, { unlinkOnly: true });
  }
  insertItem(draft, { ...item, weight });
  return true;
}

/** Takes a bucket with all that it has out of where it hangs, and hangs it elsewhere. */
export function moveBucket(draft: CrushDraft, id: number, place: CrushPlace): void {
  const bucket = draft.bucket(id);
  if (bucket === undefined) throw crushRefusal(CrushErrno.invalid);
  const { weight } = bucket;
  const parent = draft.parentOf(id);
  if (parent !== undefined) draft.removeItem(parent, id);
  insertBucket(draft, id, weight, place);
}

/** Hangs a bucket into one more place. */
export function linkBucket(draft: CrushDraft, id: number, place: CrushPlace): void {
  const bucket = draft.bucket(id);
  if (bucket === undefined) throw crushRefusal(CrushErrno.invalid);
  insertBucket(draft, id, bucket.weight, place);
}

function insertBucket(draft: CrushDraft, id: number, fixed: number, place: CrushPlace): void {
  const weight = Math.fround(fixed) / fixedPointOne;
  insertItem(draft, { id, name: draft.names.get(id)!, weight, place, withWeightSets: false });
}

export interface RemoveOptions {
  /** The item stays in the map, only what has it lets it go. */
  readonly unlinkOnly: boolean;
}

/** From everywhere. @throws MsgrError not found, not empty, or busy when a rule begins there. */
export function removeItem(draft: CrushDraft, item: number, { unlinkOnly }: RemoveOptions): void {
  if (item < 0 && !unlinkOnly) {
    const bucket = draft.bucket(item);
    if (bucket === undefined) throw crushRefusal(CrushErrno.notFound);
    if (bucket.items.length > 0) throw crushRefusal(CrushErrno.notEmpty);
    if (draft.isUsed(item)) throw crushRefusal(CrushErrno.busy);
  }
  let found = false;
  for (const { id } of draft.eachBucket()) if (removeFrom(draft, id, item)) found = true;
  if (removeLastInstance(draft, item, unlinkOnly)) found = true;
  if (!found) throw crushRefusal(CrushErrno.notFound);
}

/** From one tree only. @throws MsgrError */
export function removeItemUnder(
  draft: CrushDraft,
  item: number,
  ancestor: number,
  { unlinkOnly }: RemoveOptions,
): void {
  if (!unlinkOnly && draft.isUsed(item)) throw crushRefusal(CrushErrno.busy);
  if (draft.bucket(ancestor) === undefined) throw crushRefusal(CrushErrno.invalid);
  if (!removeBelow(draft, item, ancestor)) throw crushRefusal(CrushErrno.notFound);
  if (item < 0 && !unlinkOnly && draft.bucket(item)!.items.length > 0)
    throw crushRefusal(CrushErrno.notEmpty);
  removeLastInstance(draft, item, unlinkOnly);
}

function removeBelow(draft: CrushDraft, item: number, bucketId: number): boolean {
  let found = removeFrom(draft, bucketId, item);
  for (const child of draft.bucket(bucketId)?.items ?? []) {
    if (child < 0 && removeBelow(draft, item, child)) found = true;
  }
  return found;
}

/** Every time that the bucket has it. */
function removeFrom(draft: CrushDraft, bucketId: number, item: number): boolean {
  let found = false;
  while (draft.bucket(bucketId)?.items.includes(item)) {
    draft.removeItem(bucketId, item);
    found = true;
  }
  return found;
}

/** What hangs nowhere any more loses its name and class, and a bucket its slot. */
function removeLastInstance(draft: CrushDraft, item: number, unlinkOnly: boolean): boolean {
  if (draft.isPlaced(item)) return false;
  if (item < 0 && draft.isUsed(item)) return false;
  if (item < 0 && !unlinkOnly) {
    draft.classBuckets.delete(item);
    draft.classes.delete(item);
    draft.dropBucket(item);
  }
  if (item >= 0 || !unlinkOnly) {
    draft.names.delete(item);
    if (item >= 0 && !unlinkOnly) draft.classes.delete(item);
  }
  rebuildShadows(draft);
  return true;
}

/** `osd crush reweight-subtree`: one weight for all devices below a bucket. */
export function reweightSubtree(draft: CrushDraft, root: number, weight: number): void {
  const fixed = fixedWeight(weight);
  const queue = [root];
  for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
    let hasDevices = false;
    for (const item of draft.bucket(id)?.items ?? []) {
      if (item < 0) queue.push(item);
      else hasDevices = draft.adjustWeightIn(id, item, fixed, true) || hasDevices;
    }
    if (hasDevices) draft.adjustWeight(id, draft.bucket(id)!.weight, true);
  }
  rebuildShadows(draft);
}

/** `osd crush reweight-all`: every bucket weighs what its items do. */
export function reweightAll(draft: CrushDraft): void {
  for (const root of draft.roots('real')) draft.recount(root);
  rebuildShadows(draft);
}

function checkPlace(name: string, place: CrushPlace): void {
  checkCrushName(name);
  for (const [type, bucketName] of place) {
    checkCrushName(type);
    checkCrushName(bucketName);
  }
}
