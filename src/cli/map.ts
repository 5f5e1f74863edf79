/**
 * `msgr2 map`: questions about where things live, answered from a map in a file, in the words of
 * osdmaptool and `ceph osd map`.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { MsgrError } from '../errors.ts';
import { pgDistribution } from '../maps/distribution.ts';
import { findPool, type OSDMap, osdIn } from '../maps/osdmap.ts';
import { decodeOsdMap } from '../maps/osdmap-codec.ts';
import { formatPgId, parsePgId } from '../maps/pg.ts';
import { Placement } from '../maps/placement.ts';
import { formatDecimal, formatOsdMap } from '../maps/print.ts';
import {
  cephFsObjectName,
  checkFileLayout,
  defaultFileLayout,
  type FileLayout,
  objectBytes,
  objectCount,
  objectToFile,
  rbdObjectName,
} from '../maps/striping.ts';
import { CliError } from './cli-error.ts';
import { integer } from './values.ts';

/** Columns of the longest bar. */
const barColumnsMax = 50;
/** A file of more objects than this is not listed. */
const objectsMax = 100_000;

interface MapOptions {
  readonly map: string;
}

/** The command with all its subcommands; it is mounted by the program. `write` takes what is answered. */
export function mapCommand(
  write: (text: string) => void = (text) => void process.stdout.write(text),
): Command {
  const answer = answerWith(write);
  const map = new Command('map').description('where objects, PGs and files live, by an OSDMap in a file');
  const subcommand = (nameAndArguments: string, description: string): Command =>
    map
      .command(nameAndArguments)
      .description(description)
      .requiredOption('--map <file>', 'an encoded OSDMap, as `ceph osd getmap -o FILE` writes it');

  subcommand('print', 'the whole map, as osdmaptool --print shows it').action(
    answer((options: MapOptions) => formatOsdMap(readMap(options))),
  );
  subcommand('object <pool> <name>', 'the PG and the OSDs of an object')
    .option('--namespace <text>', 'the namespace of the object')
    .option('--key <text>', 'the locator key that is hashed in place of the name')
    .action(answer(objectText));
  subcommand('pg <pgid>', 'the OSDs of a PG: by CRUSH alone, up and acting').action(answer(pgText));
  subcommand('test-pgs', 'places every PG and shows how evenly they lie')
    .option('--pool <id>', 'only this pool', integer(0))
    .action(answer(testPgsText));

  map
    .command('file')
    .description('the objects that a file or an RBD image is striped over')
    .requiredOption('--size <bytes>', 'size of the file, with K, M, G or T', fileSize)
    .option('--object-size <bytes>', 'size of an object', fileSize, defaultFileLayout.objectSize)
    .option('--stripe-unit <bytes>', 'bytes in a row in one object; the object size unless given', fileSize)
    .option(
      '--stripe-count <n>',
      'objects that a stripe goes over',
      integer(1),
      defaultFileLayout.stripeCount,
    )
    .option('--inode <hex>', 'inode number of a CephFS file, for the names', inodeNumber, 0x10000000000n)
    .option('--image <id>', 'id of an RBD image, for the names')
    .option('--map <file>', 'an encoded OSDMap: shows PG and OSDs of every object; needs --pool')
    .option('--pool <name>', 'the pool with the data')
    .action(answer(fileText));
  return map;
}

/** Makes actions that write what `text` returns; a map that cannot be used is one line and exit code 1. */
function answerWith(write: (text: string) => void) {
  return <Arguments extends readonly unknown[]>(text: (...args: Arguments) => string) =>
    (...args: Arguments): void => {
      try {
        write(text(...args));
      } catch (error) {
        if (error instanceof MsgrError) throw new CliError(error.message, { cause: error });
        throw error;
      }
    };
}

function readMap({ map: path }: MapOptions): OSDMap {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new CliError((error as Error).message, { cause: error });
  }
  try {
    return decodeOsdMap(bytes);
  } catch (error) {
    if (error instanceof MsgrError)
      throw new CliError(`'${path}' is no OSDMap: ${error.message}`, { cause: error });
    throw error;
  }
}

function poolNamed(map: OSDMap, name: string): number {
  const found = findPool(map, name);
  if (found === undefined) {
    const names = [...map.poolNames.values()].map((known) => `'${known}'`).join(', ');
    throw new CliError(`there is no pool '${name}'; the map has ${names === '' ? 'none' : names}`);
  }
  return found.id;
}

function setText(osds: readonly number[], primary: number): string {
  return `([${osds}], p${primary})`;
}

function objectText(
  poolName: string,
  name: string,
  options: MapOptions & { namespace?: string; key?: string },
): string {
  const map = readMap(options);
  const id = poolNamed(map, poolName);
  const placement = new Placement(map);
  const { pg, rawPg } = placement.objectToPg(id, name, options);
  const { up, upPrimary, acting, actingPrimary } = placement.pgToUpActing(pg);
  const object = options.namespace === undefined ? name : `${options.namespace}/${name}`;
  return (
    `osdmap e${map.epoch} pool '${poolName}' (${id}) object '${object}' -> ` +
    `pg ${formatPgId(rawPg)} (${formatPgId(pg)}) -> ` +
    `up ${setText(up, upPrimary)} acting ${setText(acting, actingPrimary)}\n`
  );
}

function pgText(text: string, options: MapOptions): string {
  const pg = parsePgId(text);
  const map = readMap(options);
  if (!map.pools.has(pg.pool)) throw new CliError(`there is no pool ${pg.pool}`);
  const placement = new Placement(map);
  const { raw, primary } = placement.pgToRaw(pg);
  const { up, upPrimary, acting, actingPrimary } = placement.pgToUpActing(pg);
  return (
    ` parsed '${text}' -> ${formatPgId(pg)}\n` +
    `${formatPgId(pg)} raw ${setText(raw, primary)} ` +
    `up ${setText(up, upPrimary)} acting ${setText(acting, actingPrimary)}\n`
  );
}

function testPgsText(options: MapOptions & { pool?: number }): string {
  const map = readMap(options);
  if (options.pool !== undefined && !map.pools.has(options.pool)) {
    throw new CliError(`There is no pool ${options.pool}`);
  }
  const pools = options.pool === undefined ? [...map.pools.keys()] : [options.pool];
  const { osds, average, standardDeviation, expectedDeviation, min, max, sizes } = pgDistribution(map, pools);
  const lines = pools.map((pool) => `pool ${pool} pg_num ${map.pools.get(pool)!.pgNum}`);
  lines.push('#osd\tcount\tfirst\tprimary\tc wt\twt');
  for (const { osd, count, first, primary, crushWeight } of osds) {
    const weights = [crushWeight / 0x10000, map.osdWeight[osd]! / osdIn].map(formatDecimal);
    lines.push([`osd.${osd}`, count, first, primary, ...weights].join('\t'));
  }
  const relative = (deviation: number): string => `${formatDecimal(deviation / average)}x`;
  lines.push(
    ` in ${osds.length}`,
    ` avg ${average} stddev ${formatDecimal(standardDeviation)} (${relative(standardDeviation)}) ` +
      `(expected ${formatDecimal(expectedDeviation)} ${relative(expectedDeviation)}))`,
  );
  if (min !== undefined) lines.push(` min osd.${min.osd} ${min.count}`);
  if (max !== undefined) lines.push(` max osd.${max.osd} ${max.count}`);
  for (const [size, pgs] of sizes) lines.push(`size ${size}\t${pgs}`);
  if (max !== undefined) {
    lines.push('');
    const width = `osd.${osds.at(-1)!.osd}`.length;
    for (const { osd, count } of osds) {
      const bar = '#'.repeat(Math.round((count / max.count) * barColumnsMax));
      lines.push(`${`osd.${osd}`.padEnd(width)} |${bar.padEnd(barColumnsMax)}| ${count}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

interface FileOptions {
  readonly size: number;
  readonly objectSize: number;
  readonly stripeUnit?: number;
  readonly stripeCount: number;
  readonly inode: bigint;
  readonly image?: string;
  readonly map?: string;
  readonly pool?: string;
}

function fileText(options: FileOptions): string {
  const layout: FileLayout = {
    objectSize: options.objectSize,
    stripeUnit: options.stripeUnit ?? options.objectSize,
    stripeCount: options.stripeCount,
  };
  checkFileLayout(layout);
  const place = placeObjects(options);
  const count = objectCount(layout, options.size);
  if (count > objectsMax)
    throw new CliError(`${count} objects are more than ${objectsMax}, too many to list`);
  const lines = [
    `size ${options.size} object_size ${layout.objectSize} stripe_unit ${layout.stripeUnit} ` +
      `stripe_count ${layout.stripeCount} -> ${count} objects`,
  ];
  for (let objectNumber = 0; objectNumber < count; objectNumber++) {
    const name =
      options.image === undefined
        ? cephFsObjectName(options.inode, objectNumber)
        : rbdObjectName(options.image, objectNumber);
    const offset = objectToFile(layout, objectNumber, 0);
    const bytes = objectBytes(layout, options.size, objectNumber);
    lines.push(` object '${name}' -> file offset ${offset} bytes ${bytes}${place(name)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What to say about the place of each object: nothing without a map. */
function placeObjects({ map: path, pool }: FileOptions): (name: string) => string {
  if ((path === undefined) !== (pool === undefined)) throw new CliError('--map and --pool go together');
  if (path === undefined || pool === undefined) return () => '';
  const map = readMap({ map: path });
  const id = poolNamed(map, pool);
  const placement = new Placement(map);
  return (name) => {
    const { pg } = placement.objectToPg(id, name);
    const { acting, actingPrimary } = placement.pgToUpActing(pg);
    return ` -> pg ${formatPgId(pg)} -> acting ${setText(acting, actingPrimary)}`;
  };
}

const sizeUnits: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `4M`, `1GiB`, `4194304`: bytes, at most 8 PiB. */
function fileSize(text: string): number {
  const match = /^(\d{1,16})\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim());
  const bytes = match === null ? Number.NaN : Number(match[1]) * sizeUnits[match[2]!.toLowerCase()]!;
  if (!Number.isSafeInteger(bytes)) throw new CliError(`'${text}' is no size such as 4194304, 4M or 1GiB`);
  return bytes;
}

function inodeNumber(text: string): bigint {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(text)) throw new CliError(`'${text}' is no inode number in hexadecimal`);
  return BigInt(`0x${text.replace(/^0x/i, '')}`);
}
