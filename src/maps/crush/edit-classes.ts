/**
 * Device classes of a map that is edited. For each class Ceph keeps a shadow of every tree, `default~ssd`
 * beside `default`, with the devices of that class only; rules that want SSDs begin there. After each change
 * of a tree or a class all shadows are made anew, from the leaves up, with the ids that they had before.
 */
import { weightsOf } from './bucket-edit.ts';
import { type CrushDraft, keyOf } from './edit.ts';
import { CrushErrno, crushRefusal } from './edit-error.ts';
import { RuleOp } from './map.ts';

export function classIdOf(draft: CrushDraft, name: string): number | undefined {
  return keyOf(draft.classNames, name);
}

/** One above the highest that there is. */
export function makeClass(draft: CrushDraft, name: string): number {
  const known = classIdOf(draft, name);
  if (known !== undefined) return known;
  const id = draft.classNames.size === 0 ? 0 : Math.max(...draft.classNames.keys()) + 1;
  draft.classNames.set(id, name);
  return id;
}

/** False when it has the class already. @throws MsgrError busy when it has another one. */
export function setDeviceClass(draft: CrushDraft, osd: number, name: string): boolean {
  const old = draft.classNames.get(draft.classes.get(osd) ?? -1);
  if (old === name) return false;
  if (old !== undefined) {
    throw crushRefusal(
      CrushErrno.busy,
      `osd.${osd} has already bound to class '${old}', can not reset class to '${name}'; ` +
        "use 'ceph osd crush rm-device-class <id>' to remove old class first",
    );
  }
  draft.classes.set(osd, makeClass(draft, name));
  rebuildShadows(draft);
  return true;
}

export function removeDeviceClass(draft: CrushDraft, osd: number): void {
  draft.classes.delete(osd);
  rebuildShadows(draft);
}

/** Rules that begin at a shadow tree of the class. */
export function rulesOfClass(draft: CrushDraft, classId: number): number[] {
  const roots = new Set([...draft.classBuckets.values()].flatMap((shadows) => shadows.get(classId) ?? []));
  return draft.rules.flatMap((rule, index) =>
    rule?.steps.some(({ op, arg1 }) => op === RuleOp.take && roots.has(arg1)) ? [index] : [],
  );
}

/** After every change of a tree: classes that nobody uses go, and shadow trees are made anew. */
export function rebuildShadows(draft: CrushDraft): void {
  const before = new Map([...draft.classBuckets].map(([id, shadows]) => [id, new Map(shadows)]));
  const used = new Set([...draft.classes].filter(([id]) => id >= 0).map(([, classId]) => classId));
  for (const classId of [...draft.classNames.keys()]) {
    if (used.has(classId) || rulesOfClass(draft, classId).length > 0) continue;
    draft.classNames.delete(classId);
  }
  for (const root of draft.roots('shadow')) removeTree(draft, root);
  draft.classBuckets.clear();
  const taken = new Set([...before.values()].flatMap((shadows) => [...shadows.values()]));
  const classIds = [...draft.classNames.keys()].sort((left, right) => left - right);
  for (const root of draft.roots('real')) {
    for (const classId of classIds) new ShadowMaker(draft, classId, before, taken).make(root);
  }
}

function removeTree(draft: CrushDraft, id: number): void {
  const bucket = draft.bucket(id);
  // Trees may share branches; the second one finds nothing.
  if (bucket === undefined) return;
  for (const item of bucket.items) if (item < 0) removeTree(draft, item);
  draft.dropBucket(id);
  draft.names.delete(id);
  draft.classBuckets.delete(id);
  draft.classes.delete(id);
}

/** Copies one tree for one class. */
class ShadowMaker {
  readonly #draft: CrushDraft;
  readonly #classId: number;
  readonly #before: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** Ids that any shadow had before: they may come back to it, and to no other. */
  readonly #taken: ReadonlySet<number>;

  constructor(
    draft: CrushDraft,
    classId: number,
    before: ReadonlyMap<number, ReadonlyMap<number, number>>,
    taken: ReadonlySet<number>,
  ) {
    this.#draft = draft;
    this.#classId = classId;
    this.#before = before;
    this.#taken = taken;
  }

  /** Id of the copy; a branch that hangs in two places is copied once. */
  make(originalId: number): number {
    const draft = this.#draft;
    const name = `${draft.names.get(originalId)}~${draft.classNames.get(this.#classId)}`;
    const made = draft.idOf(name);
    if (made !== undefined) return made;
    const original = draft.bucket(originalId)!;
    const weights = weightsOf(original);
    const items: { item: number; weight: number; from: number }[] = [];
    for (const [from, item] of original.items.entries()) {
      if (item >= 0) {
        if (draft.classes.get(item) === this.#classId) items.push({ item, weight: weights[from]!, from });
      } else {
        const copy = this.make(item);
        items.push({ item: copy, weight: draft.bucket(copy)!.weight, from });
      }
    }
    const id = this.#before.get(originalId)?.get(this.#classId) ?? this.#freeId();
    const { type, hash, algorithm } = original;
    draft.placeBucket({ id, type, hash, algorithm });
    for (const { item, weight } of items) draft.addItem(id, item, weight);
    draft.classes.set(id, this.#classId);
    draft.names.set(id, name);
    const shadows = draft.classBuckets.get(originalId) ?? new Map<number, number>();
    draft.classBuckets.set(originalId, shadows.set(this.#classId, id));
    this.#copyWeightSets(originalId, id, items);
    return id;
  }

  #freeId(): number {
    let id = -1;
    while (this.#draft.bucket(id) !== undefined || this.#taken.has(id)) id--;
    return id;
  }

  /** Devices weigh what they do in the original's sets, branches the sum of theirs. */
  #copyWeightSets(
    originalId: number,
    id: number,
    items: readonly { readonly item: number; readonly from: number }[],
  ): void {
    for (const args of this.#draft.chooseArgs.values()) {
      const original = args.get(-1 - originalId);
      if (original === undefined || original.weightSets.length === 0) continue;
      const weightSets = original.weightSets.map((weights, position) =>
        items.map(({ item, from }) => {
          if (item >= 0) return weights[from]!;
          const below = args.get(-1 - item)?.weightSets[position] ?? [];
          return below.reduce((sum, weight) => sum + weight, 0);
        }),
      );
      args.set(-1 - id, { weightSets, ids: [] });
    }
  }
}
