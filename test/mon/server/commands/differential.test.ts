/**
 * Commands on OSDs, pools and the CRUSH map, one after another, to a real ceph-mon and to our monitor: error
 * numbers, lines for the operator, plain and JSON output, and in the end the maps themselves agree in all that
 * is not a time, an id or an address. What is excused stands in the table below, and what of it differed is printed.
 *
 * @timeLimitSeconds 240
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noneSession } from '../../../../src/auth/none.ts';
import { decodeCrushMap, encodeCrushMap } from '../../../../src/maps/crush/codec.ts';
import { isUp } from '../../../../src/maps/osdmap.ts';
import { decodeOsdMap } from '../../../../src/maps/osdmap-codec.ts';
import { MonCommandError } from '../../../../src/mon/client/command-error.ts';
import { MonFloat } from '../../../../src/mon/client/commands.ts';
import { MonClient } from '../../../../src/mon/client/mon-client.ts';
import { EntityAuthName } from '../../../../src/wire/entity-name.ts';
import { haveCephTools, inTemporaryFolder, runTool } from '../../../maps/support/ceph-tools.ts';
import { CephCluster, requireCeph } from '../../../support/ceph-cluster.ts';
import { waitUntil } from '../../../support/timeout.ts';
import { LightOsd } from '../support/light-osd.ts';
import { differences } from './differences.ts';
import {
  crushClasses,
  crushItems,
  ends,
  everything,
  moreStates,
  newOsds,
  osdStates,
  pools,
  poolVariables,
  type Step,
  uuidOf,
} from './osd-steps.ts';

const manyKinds = fileURLToPath(new URL('./crush-of-many-kinds.txt', import.meta.url));

/** Of JSON answers: path, and why it may differ. */
const excused: readonly [RegExp, string][] = [
  [/(^|\.)(fsid|key)$/, 'id'],
  [
    /(^|\.)(nonce|(public|cluster|heartbeat_back|heartbeat_front)_addr)$/,
    'address: each run binds its own ports',
  ],
  [
    /(^|\.)addrs?\.addrvec\[\d+\]\.addr$|_addrs\.addrvec\[\d+\]\.addr$/,
    'address: each run binds its own ports',
  ],
  [/(^|\.)(created|modified|last_up_change|last_in_change|create_time|stamp|down_stamp|until)$/, 'time'],
  [/(^|\.)osd_(up|in)_since$|(^|\.)blocklist\.127/, 'time'],
  [
    /(^|\.)(epoch|crush_version|last_change|up_from|up_thru|down_at|snap_epoch|last_clean_(begin|end))$/,
    'version',
  ],
];

/** Ids, times, versions and addresses of texts. */
function masked(text: string): string {
  return text
    .replaceAll(/fsid [0-9a-f-]{36}/g, 'fsid FSID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+\+0000/g, 'TIME')
    .replaceAll(/\(since [\d.]+\w\)/g, '(since AGE)')
    .replaceAll(/\[?v2:127\.[\d.]+:\d+\/\d+\]?/g, 'ADDR')
    .replaceAll(
      /(epoch:? e?|osdmap e|in epoch |crush_version |last_change |up_from |up_thru |down_at )\d+/g,
      '$1N',
    )
    .replaceAll(/last_clean_interval \[\d+,\d+\)/g, 'last_clean_interval [N,N)')
    .replaceAll(/^\d+$/gm, (digits) => digits);
}

interface Answer {
  readonly result: number;
  readonly status: string;
  readonly output: Buffer;
}

async function ask(client: MonClient, { args, input, prefix }: Step): Promise<Answer> {
  const options = { timeoutMs: 15_000, ...(input !== undefined && { input: Buffer.from(input) }) };
  try {
    const { code, output, status } = await client.command({ prefix, ...args }, options);
    return { result: code, status, output };
  } catch (error) {
    if (!(error instanceof MonCommandError)) throw error;
    return { result: -error.errno, status: error.status, output: error.output };
  }
}

/** Both monitors, and what came out of asking them. */
class Comparison {
  readonly problems: string[] = [];
  readonly excusedPaths = new Map<string, Set<string>>();
  steps = 0;
  readonly #clients: readonly [MonClient, MonClient];

  constructor(clients: readonly [MonClient, MonClient]) {
    this.#clients = clients;
  }

  async ask(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const [real, ours] = await Promise.all(this.#clients.map((client) => ask(client, step)));
      this.steps++;
      if (step.excuse === undefined) this.#compare(step, real!, ours!);
    }
  }

  /** The newest map of both, field by field. */
  async compareMaps(): Promise<Uint8Array[]> {
    const answers = await Promise.all(
      this.#clients.map((client) => ask(client, { prefix: 'osd getmap', args: {} })),
    );
    const maps = answers.map(({ output }) => decodeOsdMap(output));
    const [real, ours] = maps.map((map) => {
      // Bytes are compared below; what is derived from them or says how they were written is not.
      const { crushBytes: _crush, ...fields } = map;
      return plain(fields);
    });
    this.#differ('the map', 'osd getmap', real, ours);
    const [crush, ownCrush] = maps.map(({ crush }) => Buffer.from(encodeCrushMap(crush)).toString('hex'));
    if (crush !== ownCrush) this.problems.push('the bytes of the CRUSH map differ');
    return answers.map(({ output }) => output);
  }

  #compare(step: Step, real: Answer, ours: Answer): void {
    const what = `${step.prefix} ${JSON.stringify(step.args)}`;
    const differ = (path: string, one: unknown, other: unknown): void => {
      this.problems.push(
        `${what} ${path}\n    real ${JSON.stringify(one)}\n    ours ${JSON.stringify(other)}`,
      );
    };
    if (real.result !== ours.result) differ('result', [real.result, real.status], [ours.result, ours.status]);
    const status = masked(ours.status);
    if (step.excuseStatus === undefined && masked(real.status) !== status)
      differ('status', masked(real.status), status);
    const [text, ownText] = [real.output.toString(), ours.output.toString()];
    const [parsed, own] = [parse(text), parse(ownText)];
    if (typeof parsed === 'object' && typeof own === 'object') {
      this.#differ(what, step.prefix, parsed, own);
      // Spelling and line ends too, once numbers that may differ are out of the way.
      if (text.endsWith('\n') !== ownText.endsWith('\n'))
        differ('line end', text.slice(-20), ownText.slice(-20));
    } else if (masked(text) !== masked(ownText)) {
      differ('output', masked(text), masked(ownText));
    }
  }

  #differ(what: string, prefix: string, real: unknown, ours: unknown): void {
    for (const difference of differences(real, ours)) {
      const reason = excused.find(([pattern]) => pattern.test(difference.path))?.[1];
      if (reason === undefined) {
        this.problems.push(
          `${what} ${difference.path}\n    real ${JSON.stringify(difference.real)}\n    ours ${JSON.stringify(difference.ours)}`,
        );
      } else {
        const paths = this.excusedPaths.get(reason) ?? new Set();
        this.excusedPaths.set(
          reason,
          paths.add(`${prefix}: ${difference.path.replaceAll(/\[\d+\]/g, '[]')}`),
        );
      }
    }
  }
}

function parse(text: string): unknown {
  try {
    // ceph-mon 16.2.15 writes the ranges of its blocklist, which it has none of, as a second value behind the first.
    return JSON.parse(text.replace(/\]\[\]\s*$/, ']'));
  } catch {
    return undefined;
  }
}

const timeFields = new Set(['sec', 'nsec']);
const versionFields = new Set([
  'epoch',
  'crushVersion',
  'lastChange',
  'upFrom',
  'upThru',
  'downAt',
  'snapEpoch',
]);

/** A map as JSON, without times, versions and addresses of this run. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (name, field) => {
      if (timeFields.has(name) || versionFields.has(name)) return undefined;
      if (/Addrs$|^fsid$|^lastClean/.test(name)) return undefined;
      if (typeof field === 'bigint') return String(field);
      if (field instanceof Map) return [...field];
      if (ArrayBuffer.isView(field)) return [...(field as Uint8Array)];
      if (typeof field === 'object' && field !== null && Symbol.iterator in field && !Array.isArray(field)) {
        return [...(field as Iterable<unknown>)];
      }
      return field;
    }),
  );
}

function clientOf(cluster: CephCluster): MonClient {
  const auth = noneSession(EntityAuthName.parse('client.admin'));
  return new MonClient({ name: 'client.admin', monHost: cluster.monAddrs.join(','), auth });
}

/**
 * The OSDs that hang in the tree, at the monitor of one cluster; up when this resolves. All of them: ceph-mon
 * 16.2.15 aborts (`num_down_in_osds <= num_in_osds`) when a tree is down with one in it that never booted.
 */
async function bootOsds(cluster: CephCluster, client: MonClient): Promise<LightOsd[]> {
  const [, subnet] = /127\.(\d+)\./.exec(cluster.monAddrs[0]!)!;
  const osds = [0, 1, 2, 3].map(
    (id) => new LightOsd({ id, monHost: cluster.monAddrs.join(','), host: `127.${subnet}.1.1${id}` }),
  );
  for (const osd of osds) await osd.start(`127.${subnet}.1.1${osd.id}`);
  await untilUp(client, osds.length);
  return osds;
}

async function untilUp(client: MonClient, count: number): Promise<void> {
  await waitUntil(
    async () => {
      const map = decodeOsdMap((await ask(client, { prefix: 'osd getmap', args: {} })).output);
      return [...map.osdState.keys()].filter((osd) => isUp(map, osd)).length === count;
    },
    20_000,
    `${count} OSDs to be up`,
  );
}

const conf = {
  'osd pool default pg autoscale mode': 'on',
  'osd pool default size': '3',
  'osd crush chooseleaf type': '1',
  'mon allow pool delete': 'true',
  'mon allow pool size one': 'false',
  'osd heartbeat grace': '3600',
};

test('a real ceph-mon and ours: every command on OSDs, pools and the CRUSH map', async () => {
  if (!requireCeph()) return;
  const [real, ours] = await Promise.all([
    CephCluster.start({ conf }),
    CephCluster.start({ conf, monitor: 'ours' }),
  ]);
  const clients = [clientOf(real), clientOf(ours)] as const;
  const comparison = new Comparison(clients);
  const osds: LightOsd[] = [];
  let maps: Uint8Array[] = [];
  try {
    await comparison.ask([
      ...everything,
      ...newOsds,
      ...crushItems,
      ...crushClasses,
      ...pools,
      ...poolVariables,
    ]);
    await comparison.compareMaps();
    comparison.problems.push(...(await compareTool([real, ours])));
    osds.push(...(await bootOsds(real, clients[0])), ...(await bootOsds(ours, clients[1])));
    await comparison.ask(osdStates);
    await Promise.all(clients.map((client) => untilUp(client, 4)));
    await comparison.ask(moreStates);
    await Promise.all(osds.splice(0).map((osd) => osd[Symbol.asyncDispose]()));
    await comparison.ask([{ prefix: 'osd down', args: { ids: ['all'] }, excuse: 'each says which ones' }]);
    await Promise.all(clients.map((client) => untilUp(client, 0)));
    await comparison.ask(ends);
    maps = await comparison.compareMaps();
  } finally {
    await Promise.all(osds.map((osd) => osd[Symbol.asyncDispose]()));
    await Promise.all([...clients.map((client) => client.close()), real.stop(), ours.stop()]);
  }
  console.log(`${comparison.steps} commands; what differed and may:`);
  for (const [reason, paths] of comparison.excusedPaths) {
    const fields = new Set([...paths].map((path) => path.replace(/^.*?: /, '')));
    console.log(`  ${reason}: ${[...fields].join(', ')}`);
  }
  checkWithTools(maps[1]!);
  const { problems } = comparison;
  if (problems.length > 0) throw new Error(`${problems.length} differ:\n${problems.join('\n')}`);
});

const f = (value: number): MonFloat => new MonFloat(value);

/** Edits of a map with every kind of bucket, with weight sets and device classes. */
// Not everything can be compared, for ceph-mon 16.2.15 aborts when an item is added to a uniform bucket, does not come
// back from taking one out of a list, and writes memory that it never set into trees.
const edits: readonly [string, Record<string, unknown>][] = [
  ['osd crush reweight', { name: 'osd.0', weight: f(1.25) }],
  ['osd crush reweight', { name: 'osd.2', weight: f(0.31) }],
  ['osd crush reweight', { name: 'osd.5', weight: f(7.7) }],
  ['osd crush add', { id: 7, weight: f(2.5), args: ['host=hl'] }],
  ['osd crush add', { id: 8, weight: f(0.5), args: ['host=ht'] }],
  ['osd crush add', { id: 9, weight: f(0.5), args: ['host=new', 'rack=rs', 'root=default'] }],
  ['osd crush set-device-class', { class: 'nvme', ids: ['7', '8'] }],
  ['osd crush rm', { name: 'osd.4' }],
  ['osd crush rm', { name: 'osd.8' }],
  ['osd crush set-tunable', { tunable: 'straw_calc_version', value: 0 }],
  ['osd crush reweight', { name: 'osd.9', weight: f(1.9) }],
  ['osd crush set', { id: 3, weight: f(0.9), args: ['host=other', 'root=default'] }],
  ['osd crush move', { name: 'new', args: ['root=default'] }],
  ['osd crush set-tunable', { tunable: 'straw_calc_version', value: 1 }],
  ['osd crush reweight-subtree', { name: 'rs', weight: f(0.75) }],
  ['osd crush rename-bucket', { srcname: 'rs', dstname: 'renamed' }],
  ['osd crush class rm', { class: 'nvme' }],
  ['osd crush rm', { name: 'hu' }],
];

test('a CRUSH map with straw, straw2, list and uniform buckets is edited to the same bytes', async () => {
  if (!requireCeph() || !haveCephTools('a CRUSH map of every kind')) return;
  const [real, ours] = await Promise.all([
    CephCluster.start({ conf }),
    CephCluster.start({ conf, monitor: 'ours' }),
  ]);
  const clients = [clientOf(real), clientOf(ours)] as const;
  const problems: string[] = [];
  try {
    const input = inTemporaryFolder((folder) => {
      runTool(folder, 'crushtool', ['-c', manyKinds, '-o', join(folder, 'map')]);
      return readFileSync(join(folder, 'map'));
    });
    const both = (prefix: string, args: Record<string, unknown>, more: Partial<Step> = {}) =>
      Promise.all(clients.map((client) => ask(client, { prefix, args, ...more })));
    for (let osd = 0; osd < 10; osd++) await both('osd new', { uuid: uuidOf(osd) });
    const set = await Promise.all(
      clients.map((client) => client.command({ prefix: 'osd setcrushmap' }, { input })),
    );
    assert.equal(
      set.map(({ code }) => code),
      [0, 0],
    );
    for (const [prefix, args] of edits) {
      const what = `${prefix} ${JSON.stringify(args)}`;
      const [theirs, own] = await both(prefix, args).catch((cause) => {
        throw new Error(`${what}: ${(cause as Error).message}\n${problems.join('\n')}`, { cause });
      });
      if (theirs!.result !== own!.result || theirs!.status !== own!.status) {
        problems.push(
          `${what}\n    real ${theirs!.result} ${theirs!.status}\n    ours ${own!.result} ${own!.status}`,
        );
      }
      const [bytes, ownBytes] = await both('osd getcrushmap', {});
      if (bytes!.output.equals(ownBytes!.output)) continue;
      const [map, ownMap] = [bytes!, ownBytes!].map(({ output }) => plain(decodeCrushMap(output)));
      const first = differences(map, ownMap)
        .slice(0, 4)
        .map((each) => JSON.stringify(each));
      problems.push(`after ${what} the maps differ\n    ${first.join('\n    ')}`);
    }
  } finally {
    await Promise.all([...clients.map((client) => client.close()), real.stop(), ours.stop()]);
  }
  if (problems.length > 0) throw new Error(`${problems.length} differ:\n${problems.join('\n')}`);
});

/** What Ceph's own tool prints for people. */
async function compareTool(clusters: readonly CephCluster[]): Promise<string[]> {
  const problems: string[] = [];
  for (const words of [
    'osd tree',
    'osd stat',
    'osd dump',
    'osd pool ls detail',
    'osd map eight foo',
    'osd crush tree',
  ]) {
    const [real, ours] = await Promise.all(clusters.map((cluster) => cluster.ceph(...words.split(' '))));
    if (masked(real!) === masked(ours!)) continue;
    problems.push(`ceph ${words}\n    real ${JSON.stringify(real)}\n    ours ${JSON.stringify(ours)}`);
  }
  return problems;
}

/** Ceph's own tools read what ours wrote. */
function checkWithTools(map: Uint8Array): void {
  if (!haveCephTools('our maps')) return;
  inTemporaryFolder((folder) => {
    writeFileSync(join(folder, 'map'), map);
    assert.match(runTool(folder, 'osdmaptool', ['--print', join(folder, 'map')]), /^pool 2|^max_osd/m);
    runTool(folder, 'osdmaptool', ['--export-crush', join(folder, 'crush'), join(folder, 'map')]);
    assert.match(runTool(folder, 'crushtool', ['-d', join(folder, 'crush')]), /^root default {/m);
  });
}

test.run();
