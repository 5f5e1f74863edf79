/**
 * One generated cluster, placed by Ceph's tools and by us, line against line.
 *
 * osdmaptool answers for whole PGs (raw, up, acting and their primaries) on a map that our encoder wrote;
 * crushtool answers for single rules with result sizes and reweights that no pool has.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCrushMap, encodeCrushMap } from '../../../src/maps/crush/codec.ts';
import { defaultChooseArgs } from '../../../src/maps/crush/map.ts';
import { CrushMapper } from '../../../src/maps/crush/mapper.ts';
import { osdIn } from '../../../src/maps/osdmap.ts';
import { decodeOsdMap, encodeOsdMap } from '../../../src/maps/osdmap-codec.ts';
import { formatPgId } from '../../../src/maps/pg.ts';
import { Placement } from '../../../src/maps/placement.ts';
import { runTool } from './ceph-tools.ts';
import { type GeneratedCrush, generateCrush } from './generate-crush.ts';
import { generateOsdMap } from './generate-osdmap.ts';
import { SeededRandom } from './random.ts';

export interface ClusterResult {
  readonly osds: number;
  /** PGs placed by osdmaptool and by us. */
  readonly pgs: number;
  /** Rule inputs placed by crushtool and by us. */
  readonly inputs: number;
  readonly features: readonly string[];
  /** The first differences, readable; empty when there is none. */
  readonly differences: readonly string[];
}

export interface ClusterOptions {
  readonly osdsMax: number;
  readonly pgs: number;
  /** Inputs per rule and result size. */
  readonly inputs: number;
}

const differencesMax = 5;
/** The pool whose weight sets crushtool takes. */
const crushtoolPool = 0;

/**
 * Makes the cluster of a seed and compares every placement. `folder` is for temporary files; `spoil` changes
 * our answers, to see that it is noticed.
 */
export function compareCluster(
  seed: number,
  folder: string,
  options: ClusterOptions,
  spoil: (line: string) => string = (line) => line,
): ClusterResult {
  const random = new SeededRandom(seed);
  const crush = generateCrush(random, options.osdsMax);
  const textPath = join(folder, 'crush.txt');
  const crushPath = join(folder, 'crush');
  writeFileSync(textPath, crush.text);
  runTool(folder, 'crushtool', ['-c', textPath, '-o', crushPath, '--enable-unsafe-tunables']);
  const crushBytes = asDefaultChooseArgs(readFileSync(crushPath));
  writeFileSync(crushPath, crushBytes);
  const differences: string[] = [];
  const note = (line: string): void => {
    if (differences.length < differencesMax) differences.push(`seed ${seed}: ${line}`);
  };
  if (!crushBytes.equals(encodeCrushMap(decodeCrushMap(crushBytes)))) note('crush map encodes differently');

  const { map, features } = generateOsdMap(random, crush, crushBytes, options.pgs);
  const encoded = encodeOsdMap(map);
  const mapPath = join(folder, 'osdmap');
  writeFileSync(mapPath, encoded);
  const read = decodeOsdMap(encoded);
  const pgs = compareLines(
    runTool(folder, 'osdmaptool', [mapPath, '--test-map-pgs-dump-all']),
    dumpPgs(new Placement(read)),
    spoil,
    note,
  );
  const inputs = compareRules(random, folder, crushPath, crush, crushBytes, options.inputs, note);
  return {
    osds: crush.osdCount,
    pgs,
    inputs,
    features: [...crush.features, ...features],
    differences,
  };
}

/** Text has no way to write the key of weight sets for all pools: those of pool 0 become it. */
function asDefaultChooseArgs(bytes: Buffer): Buffer {
  const crush = decodeCrushMap(bytes);
  const args = crush.chooseArgs.get(crushtoolPool);
  if (args === undefined) return bytes;
  return Buffer.from(encodeCrushMap({ ...crush, chooseArgs: new Map([[defaultChooseArgs, args]]) }));
}

/** What osdmaptool prints for every PG of every pool, line by line. */
export function* dumpPgs(placement: Placement): Generator<string> {
  for (const [pool, { pgNum }] of placement.map.pools) {
    for (let seed = 0; seed < pgNum; seed++) {
      const pg = { pool, seed };
      const { raw, primary } = placement.pgToRaw(pg);
      const { up, upPrimary, acting, actingPrimary } = placement.pgToUpActing(pg);
      yield `${formatPgId(pg)} raw ([${raw}], p${primary}) up ([${up}], p${upPrimary}) acting ([${acting}], p${actingPrimary})`;
    }
  }
}

/** Compares each line of the form `POOL.SEED raw …` with the next one of ours; returns how many there were. */
function compareLines(
  output: string,
  ours: Iterator<string>,
  spoil: (line: string) => string,
  note: (line: string) => void,
): number {
  let count = 0;
  for (const line of output.split('\n')) {
    if (!/^\d+\.[0-9a-f]+\s+raw /.test(line)) continue;
    count++;
    const next = ours.next();
    const own = next.done === true ? undefined : spoil(next.value);
    const theirs = line.replaceAll(/\s+/g, ' ').trim();
    if (theirs !== own) note(`\n    ceph ${theirs}\n    ours ${own}`);
  }
  if (ours.next().done !== true) note(`osdmaptool printed ${count} PGs, there are more`);
  return count;
}

function compareRules(
  random: SeededRandom,
  folder: string,
  crushPath: string,
  crush: GeneratedCrush,
  crushBytes: Uint8Array,
  inputs: number,
  note: (line: string) => void,
): number {
  const crushMap = decodeCrushMap(crushBytes);
  const mapper = new CrushMapper(crushMap);
  const weights = new Uint32Array(mapper.crush.maxDevices).fill(osdIn);
  const weightArgs: string[] = [];
  for (let index = 0; index < Math.min(crush.osdCount, 10); index++) {
    if (!random.chance(0.4)) continue;
    const osd = random.between(0, crush.osdCount - 1);
    // crushtool reads a decimal and cuts it to 16 bits of fraction.
    const weight = random.between(0, 0x10000);
    weights[osd] = weight;
    weightArgs.push('--weight', String(osd), String(weight / 0x10000));
  }
  let count = 0;
  for (const rule of crush.rules) {
    const size = random.between(1, 8);
    const first = random.between(0, 1_000_000);
    const args = [
      '-i',
      crushPath,
      '--test',
      '--show-mappings',
      '--rule',
      String(rule.id),
      '--num-rep',
      String(size),
      '--min-x',
      String(first),
      '--max-x',
      String(first + inputs - 1),
      ...weightArgs,
    ];
    for (const line of runTool(folder, 'crushtool', args).split('\n')) {
      const match = /^CRUSH rule (\d+) x (\d+) \[(.*)\]$/.exec(line.trim());
      if (match === null) continue;
      count++;
      const chooseArgs = mapper.crush.chooseArgsOf(crushtoolPool);
      const length = mapper.doRule(rule.id, Number(match[2]), size, weights, chooseArgs);
      const own = mapper.result.subarray(0, length).join(',');
      if (own !== match[3]) note(`rule ${rule.id} x ${match[2]}: ceph [${match[3]}] ours [${own}]`);
    }
  }
  if (count !== crush.rules.length * inputs) note(`crushtool printed ${count} mappings`);
  return count;
}
