/**
 * PG mappings per second, ours and osdmaptool's, on the same maps in the same run, one thread each.
 *
 *   node --import tsx scripts/maps-speed.ts [--rounds N] [--pgs N]
 *
 * Rounds alternate. Of osdmaptool counts the processor time of `--test-map-pgs` less that of the same
 * command on a single PG (loading the map); of ours the processor time of the same work, in a process that
 * has placed every map once before. Processor time, because other processes may share the machine.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { decodeCrushMap } from '../src/maps/crush/codec.ts';
import { pgDistribution } from '../src/maps/distribution.ts';
import { emptyOsdMap, noOsdInfo, noOsdXinfo, type OSDMap, osdIn } from '../src/maps/osdmap.ts';
import { encodeOsdMap } from '../src/maps/osdmap-codec.ts';
import { makePool, PoolType } from '../src/maps/pool.ts';
import { OsdState } from '../src/maps/states.ts';
import { EntityAddrVec } from '../src/wire/entity-addrvec.ts';
import { Uuid } from '../src/wire/uuid.ts';
import { haveCephTools, inTemporaryFolder, runTool } from '../test/maps/support/ceph-tools.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, pgs: { type: 'string', default: '60000' } },
});
const rounds = Number(values.rounds);
const pgNum = Number(values.pgs);
if (!haveCephTools('maps-speed')) process.exit(1);

interface Shape {
  readonly name: string;
  readonly osds: number;
  /** Layers of `crushtool --build`. */
  readonly layers: readonly string[];
  readonly erasure: boolean;
  readonly size: number;
  readonly oddWeights: boolean;
}

const tree = ['host', 'straw2', '10', 'rack', 'straw2', '10', 'root', 'straw2', '0'];
const wideTree = ['host', 'straw2', '40', 'root', 'straw2', '0'];
const flat = ['root', 'straw2', '0'];
const shapes: Shape[] = [
  {
    name: '100 OSDs, hosts of 10, size 3',
    osds: 100,
    layers: [...tree.slice(0, 3), ...flat],
    erasure: false,
    size: 3,
    oddWeights: false,
  },
  {
    name: '1000 OSDs, 10 x 10 x 10, size 3',
    osds: 1000,
    layers: tree,
    erasure: false,
    size: 3,
    oddWeights: false,
  },
  { name: 'the same, odd weights', osds: 1000, layers: tree, erasure: false, size: 3, oddWeights: true },
  {
    name: '1000 OSDs, 10 x 10 x 10, EC 8+3',
    osds: 1000,
    layers: tree,
    erasure: true,
    size: 11,
    oddWeights: true,
  },
  {
    name: '2000 OSDs, hosts of 40, size 3',
    osds: 2000,
    layers: wideTree,
    erasure: false,
    size: 3,
    oddWeights: true,
  },
  {
    name: '500 OSDs in one bucket, size 3',
    osds: 500,
    layers: flat,
    erasure: false,
    size: 3,
    oddWeights: true,
  },
];

/** User and system seconds of a command. */
function processorSeconds(args: readonly string[]): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1';
  const { stderr } = spawnSync('bash', ['-c', script, 'bash', ...args], { encoding: 'utf8' });
  return stderr
    .trim()
    .split(/\s+/)
    .reduce((sum, part) => sum + Number(part), 0);
}

function ownSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function makeMap(shape: Shape, folder: string): OSDMap {
  const path = join(folder, 'crush');
  runTool(folder, 'crushtool', ['-o', path, '--build', '--num_osds', String(shape.osds), ...shape.layers]);
  const domain = shape.layers.length > 3 ? 'host' : 'osd';
  const mode = shape.erasure ? 'indep' : 'firstn';
  runTool(folder, 'crushtool', ['-d', path, '-o', `${path}.txt`]);
  const steps = `step take root\n\tstep chooseleaf ${mode} 0 type ${domain}\n\tstep emit`;
  const type = shape.erasure ? 'erasure' : 'replicated';
  let text = readFileSync(`${path}.txt`, 'utf8').replace(/# rules[\s\S]*/, '');
  if (shape.oddWeights)
    text = text.replaceAll(/item (osd\.\d*[13579]) weight 1\.000/g, 'item $1 weight 1.819');
  text += `rule own {\n\tid 0\n\ttype ${type}\n\tmin_size 1\n\tmax_size 20\n\t${steps}\n}\n`;
  writeFileSync(`${path}.txt`, text);
  runTool(folder, 'crushtool', ['-c', `${path}.txt`, '-o', path]);
  const crushBytes = readFileSync(path);
  const perOsd = <T>(value: T): T[] => new Array<T>(shape.osds).fill(value);
  const pool = makePool({
    type: shape.erasure ? PoolType.erasure : PoolType.replicated,
    size: shape.size,
    pgNum,
  });
  return {
    ...emptyOsdMap(decodeCrushMap(crushBytes), crushBytes),
    maxOsd: shape.osds,
    osdState: new Uint32Array(shape.osds).fill(OsdState.exists | OsdState.up),
    osdWeight: new Uint32Array(shape.osds).fill(osdIn),
    pools: new Map([[1, pool]]),
    poolNames: new Map([[1, 'data']]),
    poolMax: 1,
    clientAddrs: perOsd(EntityAddrVec.empty),
    clusterAddrs: perOsd(EntityAddrVec.empty),
    hbBackAddrs: perOsd(EntityAddrVec.empty),
    hbFrontAddrs: perOsd(EntityAddrVec.empty),
    osdInfo: perOsd(noOsdInfo),
    osdXinfo: perOsd(noOsdXinfo),
    osdUuid: perOsd(Uuid.zero),
  };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((left, right) => left - right)[numbers.length >> 1]!;
}

inTemporaryFolder((folder) => {
  console.log(`${pgNum} PGs per round, medians of ${rounds} alternating rounds, thousand PGs per second`);
  console.log('osdmaptool     ours    ratio  map');
  const maps = shapes.map((shape) => makeMap(shape, folder));
  for (const map of maps) pgDistribution(map, [1]);
  for (const [index, shape] of shapes.entries()) {
    const map = maps[index]!;
    const path = join(folder, 'osdmap');
    writeFileSync(path, encodeOsdMap(map));
    const theirs: number[] = [];
    const ours: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const command = ['osdmaptool', path, '--test-map-pgs'];
      const load = processorSeconds([...command, '--pg_num', '1']);
      theirs.push(pgNum / (processorSeconds(command) - load) / 1000);
      ours.push(pgNum / ownSeconds(() => pgDistribution(map, [1])) / 1000);
    }
    const ratio = median(ours.map((value, round) => value / theirs[round]!));
    const column = (value: number): string => value.toFixed(1).padStart(10);
    console.log(
      `${column(median(theirs))}${column(median(ours)).slice(1)}${ratio.toFixed(2).padStart(8)}x  ${shape.name}`,
    );
  }
});
