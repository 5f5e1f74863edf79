/**
 * Placement beside Ceph's own: generated clusters, every placement compared.
 *
 *   node --import tsx scripts/maps-differential.ts [--clusters N] [--placements N] [--seed N] [--osds N]
 *
 * Cluster i has seed `seed + i`; a difference is printed with its seed, and `--clusters 1 --seed S` repeats
 * it. Ends with 1 when anything differs.
 */
import { parseArgs } from 'node:util';
import { haveCephTools, inTemporaryFolder } from '../test/maps/support/ceph-tools.ts';
import { compareCluster } from '../test/maps/support/differential.ts';

const { values } = parseArgs({
  options: {
    clusters: { type: 'string', default: '220' },
    placements: { type: 'string', default: '1100000' },
    seed: { type: 'string', default: '1' },
    osds: { type: 'string', default: '2000' },
  },
});
const clusters = Number(values.clusters);
const placementsMin = Number(values.placements);
const seed = Number(values.seed);
const osdsMax = Number(values.osds);

if (!haveCephTools('maps-differential')) process.exit(1);

const perCluster = Math.ceil(placementsMin / clusters);
// About three quarters by osdmaptool; crushtool answers for each of four to eight rules.
const options = {
  osdsMax,
  pgs: Math.ceil(perCluster * 1.1),
  inputs: Math.max(1, Math.ceil(perCluster / 15)),
};
const features = new Map<string, number>();
let pgs = 0;
let inputs = 0;
let osds = 0;
let differing = 0;
const started = performance.now();
inTemporaryFolder((folder) => {
  for (let index = 0; index < clusters; index++) {
    const result = compareCluster(seed + index, folder, options);
    pgs += result.pgs;
    inputs += result.inputs;
    osds = Math.max(osds, result.osds);
    for (const feature of result.features) features.set(feature, (features.get(feature) ?? 0) + 1);
    if (result.differences.length > 0) differing++;
    for (const line of result.differences) console.log(line);
    if ((index + 1) % 20 === 0)
      console.log(`${index + 1} clusters, ${pgs + inputs} placements, ${differing} differ`);
  }
});

const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`\nclusters with each feature:`);
for (const [feature, count] of [...features].sort())
  console.log(`  ${String(count).padStart(4)}  ${feature}`);
console.log(
  `\nseeds ${seed} to ${seed + clusters - 1}, ${clusters} clusters of 1 to ${osds} OSDs, ${seconds} s`,
);
console.log(
  `${pgs} PGs against osdmaptool, ${inputs} rule inputs against crushtool: ${pgs + inputs} placements`,
);
console.log(`${differing} clusters differ`);
if (differing > 0) process.exitCode = 1;
if (pgs + inputs < placementsMin) {
  console.error(`only ${pgs + inputs} of ${placementsMin} placements were made`);
  process.exitCode = 1;
}
