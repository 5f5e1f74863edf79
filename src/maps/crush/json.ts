/** A CRUSH map as `ceph osd crush dump` shows it, and pieces of it. */
import { weightsOf } from './bucket-edit.ts';
import { BucketAlgorithm, type CrushBucket, type CrushMap, type CrushRule, RuleOp } from './map.ts';
import { crushProfiles } from './tunables.ts';

const algorithmNames = new Map<number, string>(
  Object.entries(BucketAlgorithm).map(([name, algorithm]) => [algorithm, name]),
);

export function crushMapJson(map: CrushMap): Record<string, unknown> {
  const types = [...map.typeNames].map(([type_id, name]) => ({ type_id, name }));
  return {
    devices: Array.from({ length: map.maxDevices }, (_, id) => ({
      id,
      name: map.names.get(id) ?? `device${id}`,
      class: deviceClassOf(map, id),
    })),
    types: map.typeNames.has(0) ? types : [{ type_id: 0, name: 'device' }, ...types],
    buckets: map.buckets.flatMap((bucket) => (bucket === undefined ? [] : [bucketJson(map, bucket)])),
    rules: crushRulesJson(map),
    tunables: crushTunablesJson(map),
    choose_args: chooseArgsJson(map),
  };
}

export function deviceClassOf(map: CrushMap, id: number): string | undefined {
  return map.classNames.get(map.classes.get(id) ?? -1);
}

function bucketJson(map: CrushMap, bucket: CrushBucket): Record<string, unknown> {
  const weights = weightsOf(bucket);
  return {
    id: bucket.id,
    name: map.names.get(bucket.id),
    type_id: bucket.type,
    type_name: map.typeNames.get(bucket.type),
    weight: bucket.weight,
    alg: algorithmNames.get(bucket.algorithm) ?? 'unknown',
    hash: bucket.hash === 0 ? 'rjenkins1' : 'unknown',
    items: [...bucket.items].map((id, pos) => ({ id, weight: weights[pos], pos })),
  };
}

export function crushRulesJson(map: CrushMap): Record<string, unknown>[] {
  return map.rules.flatMap((rule, id) => (rule === undefined ? [] : [crushRuleJson(map, rule, id)]));
}

export function crushRuleJson(map: CrushMap, rule: CrushRule, id: number): Record<string, unknown> {
  return {
    rule_id: id,
    rule_name: map.ruleNames.get(id),
    ruleset: rule.ruleset,
    type: rule.type,
    min_size: rule.minSize,
    max_size: rule.maxSize,
    steps: rule.steps.map(({ op, arg1, arg2 }) => stepJson(map, op, arg1, arg2)),
  };
}

const chooseOps = new Map<number, string>([
  [RuleOp.chooseFirstn, 'choose_firstn'],
  [RuleOp.chooseIndep, 'choose_indep'],
  [RuleOp.chooseleafFirstn, 'chooseleaf_firstn'],
  [RuleOp.chooseleafIndep, 'chooseleaf_indep'],
]);

function stepJson(map: CrushMap, op: number, arg1: number, arg2: number): Record<string, unknown> {
  const choose = chooseOps.get(op);
  if (choose !== undefined) return { op: choose, num: arg1, type: map.typeNames.get(arg2) };
  switch (op) {
    case RuleOp.noop:
      return { op: 'noop' };
    case RuleOp.take:
      return { op: 'take', item: arg1, item_name: map.names.get(arg1) };
    case RuleOp.emit:
      return { op: 'emit' };
    case RuleOp.setChooseTries:
      return { op: 'set_choose_tries', num: arg1 };
    case RuleOp.setChooseleafTries:
      return { op: 'set_chooseleaf_tries', num: arg1 };
    default:
      return { opcode: op, arg1, arg2 };
  }
}

const jewel = crushProfiles.jewel;
const argonaut = crushProfiles.argonaut;

export function crushTunablesJson(map: CrushMap): Record<string, unknown> {
  const { tunables } = map;
  const hasOp = (...ops: number[]): boolean =>
    map.rules.some((rule) => rule?.steps.some(({ op }) => ops.includes(op)));
  const hasV2Rules = hasOp(
    RuleOp.chooseIndep,
    RuleOp.chooseleafIndep,
    RuleOp.setChooseTries,
    RuleOp.setChooseleafTries,
  );
  const hasV3Rules = hasOp(RuleOp.setChooseleafVaryR);
  const hasV5Rules = hasOp(RuleOp.setChooseleafStable);
  const hasV4Buckets = map.buckets.some((bucket) => bucket?.algorithm === BucketAlgorithm.straw2);
  const tries =
    tunables.chooseLocalTries !== argonaut.chooseLocalTries ||
    tunables.chooseLocalFallbackTries !== argonaut.chooseLocalFallbackTries ||
    tunables.chooseTotalTries !== argonaut.chooseTotalTries;
  const bobtail = tunables.chooseleafDescendOnce !== 0;
  const firefly = tunables.chooseleafVaryR !== 0;
  const stable = tunables.chooseleafStable !== 0;
  const release =
    hasV5Rules || stable
      ? 'jewel'
      : hasV4Buckets
        ? 'hammer'
        : firefly
          ? 'firefly'
          : bobtail || tries
            ? 'bobtail'
            : 'argonaut';
  const profile = profileOf(map);
  return {
    choose_local_tries: tunables.chooseLocalTries,
    choose_local_fallback_tries: tunables.chooseLocalFallbackTries,
    choose_total_tries: tunables.chooseTotalTries,
    chooseleaf_descend_once: tunables.chooseleafDescendOnce,
    chooseleaf_vary_r: tunables.chooseleafVaryR,
    chooseleaf_stable: tunables.chooseleafStable,
    straw_calc_version: tunables.strawCalcVersion,
    allowed_bucket_algs: tunables.allowedBucketAlgorithms,
    profile,
    optimal_tunables: profile === 'jewel' ? 1 : 0,
    legacy_tunables: profile === 'argonaut' ? 1 : 0,
    minimum_required_version: release,
    require_feature_tunables: tries ? 1 : 0,
    require_feature_tunables2: bobtail ? 1 : 0,
    has_v2_rules: hasV2Rules ? 1 : 0,
    require_feature_tunables3: firefly ? 1 : 0,
    has_v3_rules: hasV3Rules ? 1 : 0,
    has_v4_buckets: hasV4Buckets ? 1 : 0,
    require_feature_tunables5: stable ? 1 : 0,
    has_v5_rules: hasV5Rules ? 1 : 0,
  };
}

/** The version of the straw calculation does not count. */
function profileOf({ tunables }: CrushMap): string {
  const names = Object.keys(jewel).filter((name) => name !== 'strawCalcVersion') as (keyof typeof jewel)[];
  const profiles = Object.entries(crushProfiles).reverse();
  return (
    profiles.find(([, profile]) => names.every((name) => profile[name] === tunables[name]))?.[0] ?? 'unknown'
  );
}

function chooseArgsJson(map: CrushMap): Record<string, unknown> {
  return Object.fromEntries(
    [...map.chooseArgs].map(([id, args]) => [
      String(id),
      args.map(({ bucketIndex, weightSets, ids }) => ({
        bucket_id: -1 - bucketIndex,
        weight_set:
          weightSets.length === 0
            ? undefined
            : weightSets.map((weights) => [...weights].map((weight) => Math.fround(weight) / 0x10000)),
        ids: ids.length === 0 ? undefined : [...ids],
      })),
    ]),
  );
}
