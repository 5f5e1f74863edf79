/**
 * Random CRUSH maps as text for `crushtool -c`, so that straw lengths, tree nodes and the shadow trees of
 * device classes are Ceph's own. Only maps are made for which Ceph itself does not read out of bounds:
 * tree buckets never weigh nothing.
 */
import type { SeededRandom } from './random.ts';

export interface GeneratedRule {
  readonly id: number;
  readonly erasure: boolean;
}

export interface GeneratedCrush {
  readonly text: string;
  readonly osdCount: number;
  readonly rules: readonly GeneratedRule[];
  /** What is special about this map, for the summary. */
  readonly features: readonly string[];
}

const profiles = {
  //          local, fallback, total, once, vary_r, stable, straw_calc
  argonaut: [2, 5, 19, 0, 0, 0, 0],
  bobtail: [0, 0, 50, 1, 0, 0, 0],
  firefly: [0, 0, 50, 1, 1, 0, 0],
  hammer: [0, 0, 50, 1, 1, 0, 0],
  jewel: [0, 0, 50, 1, 1, 1, 1],
} as const;
const tunableNames = [
  'choose_local_tries',
  'choose_local_fallback_tries',
  'choose_total_tries',
  'chooseleaf_descend_once',
  'chooseleaf_vary_r',
  'chooseleaf_stable',
  'straw_calc_version',
];
const types = ['osd', 'host', 'rack', 'row', 'root'];
const classes = ['hdd', 'ssd', 'nvme'];

interface Node {
  readonly name: string;
  readonly id: number;
  readonly type: number;
  readonly weight: number;
  readonly children: readonly Node[];
}

export function generateCrush(random: SeededRandom, osdCountMax = 2000): GeneratedCrush {
  const features: string[] = [];
  const note = (feature: string): string => {
    features.push(feature);
    return feature;
  };
  // Small clusters are where choices fail, large ones where everything is big: both often.
  const osdCount = random.chance(0.5)
    ? random.between(1, Math.min(30, osdCountMax))
    : random.between(1, osdCountMax);
  const profile = random.pick(Object.keys(profiles) as (keyof typeof profiles)[]);
  note(`tunables ${profile}`);
  // crushtool refuses a bucket that weighs more than 10,000.
  const weightings = ['equal', 'odd', 'odd', 'zeros', 'tiny', osdCount < 100 ? 'huge' : 'odd'];
  const weighting = note(`weights ${random.pick(weightings)}`);
  const levels = random.between(0, 3);
  note(`levels ${levels + 2}`);
  const algorithm = note(
    `buckets ${random.pick(['straw2', 'straw2', 'straw2', 'straw', 'list', 'tree', 'uniform', 'mixed'])}`,
  );
  // crushtool makes no shadow trees of uniform buckets, and those of tree buckets may weigh nothing.
  const hasClasses = random.chance(0.5) && /straw|list/.test(algorithm);
  if (hasClasses) note('device classes');

  const lines = [
    ...tunableNames.map((name, index) => `tunable ${name} ${profiles[profile][index]}`),
    'tunable allowed_bucket_algs 62',
  ];
  const deviceClass: (string | undefined)[] = [];
  for (let osd = 0; osd < osdCount; osd++) {
    deviceClass.push(hasClasses && !random.chance(0.05) ? random.pick(classes) : undefined);
    lines.push(
      `device ${osd} osd.${osd}${deviceClass[osd] === undefined ? '' : ` class ${deviceClass[osd]}`}`,
    );
  }
  for (const [index, name] of types.entries()) lines.push(`type ${index} ${name}`);

  let nextId = -1;
  const bucketLines: string[] = [];
  const buckets: Node[] = [];
  const algorithmOf = (children: readonly Node[]): string => {
    const wanted = algorithm.slice('buckets '.length);
    const chosen = wanted === 'mixed' ? random.pick(['straw2', 'straw', 'list', 'tree', 'uniform']) : wanted;
    const total = children.reduce((sum, child) => sum + child.weight, 0);
    // More than 64 items overflow a tree's 8-bit count of nodes, and crushtool aborts; so it does when a
    // uniform bucket is empty.
    if (chosen === 'tree' && (total === 0 || children.length > 64)) return 'straw2';
    if (children.length === 0) return 'straw2';
    // A uniform bucket has one weight, and crushtool makes none that weighs nothing.
    const first = children[0]!.weight;
    if (chosen === 'uniform' && (first === 0 || children.some(({ weight }) => weight !== first)))
      return 'straw2';
    if (chosen === 'straw' && children.length > 300) return 'straw2';
    return chosen;
  };
  const addBucket = (name: string, type: number, children: readonly Node[]): Node => {
    const weight = children.reduce((sum, child) => sum + child.weight, 0);
    const node: Node = { name, id: nextId--, type, weight, children };
    bucketLines.push(
      `${types[type]} ${name} {`,
      `\tid ${node.id}`,
      `\talg ${algorithmOf(children)}`,
      '\thash 0',
      ...children.map((child) => `\titem ${child.name} weight ${child.weight.toFixed(5)}`),
      '}',
    );
    buckets.push(node);
    return node;
  };

  let nodes: Node[] = Array.from({ length: osdCount }, (_, osd) => ({
    name: `osd.${osd}`,
    id: osd,
    type: 0,
    weight: 0,
    children: [],
  }));
  const hostWeight = weightOf(random, weighting);
  nodes = nodes.map((node) => ({
    ...node,
    weight:
      weighting === 'weights equal' || algorithm === 'buckets uniform'
        ? hostWeight
        : weightOf(random, weighting),
  }));
  for (let level = 1; level <= levels; level++) {
    const fanout = random.between(2, 14);
    const next: Node[] = [];
    for (let at = 0; at < nodes.length; ) {
      // Uneven on purpose, so that some buckets are too small for the rules.
      const size = random.chance(0.2) ? random.between(1, fanout) : fanout;
      next.push(addBucket(`${types[level]}${next.length}`, level, nodes.slice(at, at + size)));
      at += size;
    }
    if (random.chance(0.1)) next.push(addBucket(`${types[level]}-empty`, level, []));
    nodes = next;
  }
  addBucket('default', 4, nodes);
  lines.push(...bucketLines);

  const rules: GeneratedRule[] = [];
  const usedClasses = [...new Set(deviceClass.filter((name) => name !== undefined))];
  const failureDomain = types[random.between(0, levels)]!;
  const take = (): string =>
    usedClasses.length > 0 && random.chance(0.7) ? `default class ${random.pick(usedClasses)}` : 'default';
  const addRule = (erasure: boolean, steps: readonly string[]): void => {
    const id = rules.length;
    rules.push({ id, erasure });
    lines.push(
      `rule rule${id} {`,
      `\tid ${id}`,
      `\ttype ${erasure ? 'erasure' : 'replicated'}`,
      '\tmin_size 1',
      '\tmax_size 20',
      ...steps.map((step) => `\tstep ${step}`),
      '}',
    );
  };
  addRule(false, [`take ${take()}`, `chooseleaf firstn 0 type ${failureDomain}`, 'emit']);
  addRule(true, [
    'set_chooseleaf_tries 5',
    'set_choose_tries 100',
    `take ${take()}`,
    `chooseleaf indep 0 type ${failureDomain}`,
    'emit',
  ]);
  addRule(false, [`take ${take()}`, 'choose firstn 0 type osd', 'emit']);
  addRule(true, [`take ${take()}`, 'choose indep 0 type osd', 'emit']);
  if (levels > 0) {
    const upper = types[levels]!;
    addRule(false, [
      `take ${take()}`,
      `choose firstn 2 type ${upper}`,
      'chooseleaf firstn 2 type osd',
      'emit',
    ]);
    addRule(true, [`take ${take()}`, `choose indep 3 type ${upper}`, 'chooseleaf indep 2 type osd', 'emit']);
    addRule(false, [
      `take ${take()}`,
      `chooseleaf firstn 1 type ${failureDomain}`,
      'emit',
      `take ${take()}`,
      `chooseleaf firstn -1 type ${failureDomain}`,
      'emit',
    ]);
    addRule(false, [
      'set_chooseleaf_vary_r 2',
      'set_chooseleaf_stable 0',
      `take ${take()}`,
      `chooseleaf firstn 0 type ${failureDomain}`,
      'emit',
    ]);
  }
  if (random.chance(0.25)) {
    note('choose_args');
    lines.push(...chooseArgsLines(random, buckets, random.chance(0.5) ? 1 : 0, hasClasses));
  }
  return { text: `${lines.join('\n')}\n`, osdCount, rules, features };
}

function weightOf(random: SeededRandom, weighting: string): number {
  switch (weighting) {
    case 'weights tiny':
      return random.between(1, 40) / 10000;
    case 'weights huge':
      return random.between(100, 300) / 3;
    case 'weights zeros':
      return random.chance(0.25) ? 0 : random.between(1, 400) / 100;
    case 'weights equal':
      return random.pick([1, 3.637, 0.9]);
    default:
      return Math.round(random.between(1, 600_000) / 7) / 10000;
  }
}

/** Weight sets for some buckets: one or several positions, sometimes with other ids to hash. */
function chooseArgsLines(
  random: SeededRandom,
  buckets: readonly Node[],
  pool: number,
  hasClasses: boolean,
): string[] {
  const lines = [`choose_args ${pool} {`];
  for (const bucket of buckets) {
    if (bucket.children.length === 0 || random.chance(0.3)) continue;
    const weights = (): string =>
      bucket.children.map(() => weightOf(random, 'weights odd').toFixed(5)).join(' ');
    const positions = random.between(1, 3);
    lines.push('  {', `    bucket_id ${bucket.id}`, '    weight_set [');
    for (let position = 0; position < positions; position++) lines.push(`      [ ${weights()} ]`);
    lines.push('    ]');
    if (!hasClasses && random.chance(0.3)) {
      lines.push(`    ids [ ${bucket.children.map(() => -random.between(1, 100000)).join(' ')} ]`);
    }
    lines.push('  }');
  }
  return [...lines, '}'];
}
