/** Rules of a CRUSH map that is edited: one step down from a root to as many failure domains as a pool has copies. */

import { type CrushDraft, keyOf } from './edit.ts';
import { classIdOf } from './edit-classes.ts';
import { CrushErrno, crushRefusal } from './edit-error.ts';
import { type CrushRule, RuleOp } from './map.ts';

export interface SimpleRule {
  readonly name: string;
  readonly root: string;
  /** Type of the buckets of which no two copies share one; the map's type 0 for devices themselves. */
  readonly failureDomain: string;
  /** Empty for devices of any. */
  readonly deviceClass: string;
  /** `firstn` closes gaps, as replicated pools do; `indep` keeps positions, as erasure coding needs. */
  readonly mode: 'firstn' | 'indep';
  /** Of the pools that may use it. */
  readonly poolType: number;
  /** `indep` rules of erasure codes end at the number of chunks. */
  readonly maxSize?: number;
}

/** Makes the rule and answers its id. @throws MsgrError that says what there is not. */
export function addSimpleRule(draft: CrushDraft, rule: SimpleRule): number {
  if (ruleIdOf(draft, rule.name) !== undefined) {
    throw crushRefusal(CrushErrno.exists, `rule ${rule.name} exists`);
  }
  const type = rule.failureDomain === '' ? 0 : draft.typeIdOf(rule.failureDomain);
  const root = draft.idOf(rule.root);
  if (root === undefined) {
    throw crushRefusal(CrushErrno.notFound, `root item ${rule.root} does not exist`);
  }
  if (type === undefined) throw crushRefusal(CrushErrno.invalid, `unknown type ${rule.failureDomain}`);
  const from = shadowOf(draft, root, rule);
  const isFirstn = rule.mode === 'firstn';
  const id = draft.rules.includes(undefined) ? draft.rules.indexOf(undefined) : draft.rules.length;
  const step = (op: number, arg1 = 0, arg2 = 0) => ({ op, arg1, arg2 });
  const choose = isFirstn ? RuleOp.chooseFirstn : RuleOp.chooseIndep;
  const chooseleaf = isFirstn ? RuleOp.chooseleafFirstn : RuleOp.chooseleafIndep;
  const made: CrushRule = {
    ruleset: id,
    type: rule.poolType,
    minSize: isFirstn ? 1 : 3,
    maxSize: rule.maxSize ?? (isFirstn ? 10 : 20),
    steps: [
      ...(isFirstn ? [] : [step(RuleOp.setChooseleafTries, 5), step(RuleOp.setChooseTries, 100)]),
      step(RuleOp.take, from),
      type === 0 ? step(choose) : step(chooseleaf, 0, type),
      step(RuleOp.emit),
    ],
  };
  draft.rules[id] = made;
  draft.ruleNames.set(id, rule.name);
  return id;
}

export function ruleIdOf(draft: Pick<CrushDraft, 'ruleNames'>, name: string): number | undefined {
  return keyOf(draft.ruleNames, name);
}

export function removeRule(draft: CrushDraft, id: number): void {
  draft.rules[id] = undefined;
  draft.ruleNames.delete(id);
}

function shadowOf(draft: CrushDraft, root: number, { root: rootName, deviceClass }: SimpleRule): number {
  if (deviceClass === '') return root;
  const classId = classIdOf(draft, deviceClass);
  if (classId === undefined) {
    throw crushRefusal(CrushErrno.invalid, `device class ${deviceClass} does not exist`);
  }
  const shadow = draft.classBuckets.get(root)?.get(classId);
  if (shadow === undefined) {
    throw crushRefusal(CrushErrno.invalid, `root ${rootName} has no devices with class ${deviceClass}`);
  }
  return shadow;
}
