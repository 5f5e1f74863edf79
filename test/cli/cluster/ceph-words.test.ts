/**
 * Every command that a real monitor describes, with right and wrong arguments: what Ceph's own Python makes
 * of the words, this project makes of them.
 *
 * @timeLimitSeconds 240
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommandTable } from '../../../src/cli/cluster/command-table.ts';
import { matchCommand } from '../../../src/cli/cluster/match-command.ts';
import { MonFloat } from '../../../src/mon/client/commands.ts';
import { Random } from '../../../src/transport/memory/random.ts';
import { CephCluster, requireCeph } from '../../support/ceph-cluster.ts';
import { limited } from '../../support/timeout.ts';
import { runCommand } from '../command-line.ts';

/** Debian's place; the `ceph` tool is written around it. */
const module = '/usr/lib/python3/dist-packages/ceph_argparse.py';

/** Reads word lists from standard input, writes what each becomes; an empty object is a refusal. */
const python = `
import contextlib, io, json, sys
sys.path.insert(0, '/usr/lib/python3/dist-packages')
from ceph_argparse import parse_json_funcsigs, validate_command
table = parse_json_funcsigs(open(sys.argv[1]).read(), 'cli')
results = []
for words in json.load(sys.stdin):
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            results.append(validate_command(table, words))
        except Exception:
            results.append({})
print(json.dumps(results))
`;

interface RawArgument {
  name: string;
  type: string;
  n?: string;
  req?: string | boolean;
  strings?: string;
}

const goodValues: Readonly<Record<string, readonly string[]>> = {
  CephInt: ['0', '1', '5', '1000', '0x1f'],
  CephFloat: ['0', '0.5', '1', '1e0'],
  CephBool: ['true', 'false', '1'],
  CephOsdName: ['0', 'osd.1', '*'],
  CephName: ['osd.1', 'mon.a', '*', 'mgr'],
  CephPgid: ['1.2f'],
  CephUUID: ['123e4567-e89b-12d3-a456-426614174000'],
  CephIPAddr: ['10.0.0.1:6789'],
  CephEntityAddr: ['10.0.0.1:0/3', '10.0.0.1'],
};
const texts = ['foo', 'a,b', 'x-1', 'osd.3'];
const anyValues = [
  ...[
    '0',
    '8',
    '-1',
    '1.5',
    'abc',
    'osd.0',
    'osd.x',
    '1.2f',
    '*',
    'true',
    '0x10',
    '08',
    'mon.a',
    'a b',
    '1e3',
    'all',
  ],
  ...['--bulk', '--size=3', '--yes-i-really-mean-it', '--nope', 'x/y', '1_0'],
];

/** Word lists that fit the command, most of them; the rest is wrong in one place or two. */
function makeWords(random: Random, sig: readonly (string | RawArgument)[]): string[] {
  const pick = <T>(choices: readonly T[]): T => choices[random.integer(0, choices.length - 1)]!;
  const words = sig.filter((part) => typeof part === 'string');
  for (const argument of sig.filter((part) => typeof part !== 'string')) {
    const { name, n, req, strings, type } = argument;
    const isOptional = req !== undefined && req !== true && req !== 'true';
    if (isOptional && random.chance(0.5)) continue;
    const values = type === 'CephChoices' ? strings!.split('|') : (goodValues[type] ?? texts);
    for (let count = n === 'N' ? random.integer(1, 3) : 1; count > 0; count--) {
      const value = pick(random.chance(0.08) ? anyValues : values);
      if (random.chance(0.8)) words.push(value);
      else if (type === 'CephBool') words.push(`--${name.replaceAll('_', '-')}`);
      else if (random.chance(0.5)) words.push(`--${name.replaceAll('_', '-')}=${value}`);
      else words.push(`--${name}`, value);
    }
  }
  if (random.chance(0.1)) words.push(pick(anyValues));
  if (random.chance(0.05)) words.pop();
  return words;
}

function ours(
  table: ReturnType<typeof parseCommandTable>,
  words: string[],
): Record<string, unknown> | undefined {
  try {
    const { prefix, values } = matchCommand(table, words);
    const plain = (value: unknown): unknown => (value instanceof MonFloat ? value.value : value);
    return {
      prefix,
      ...Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.map(plain) : plain(value),
        ]),
      ),
    };
  } catch {
    return undefined;
  }
}

if (requireCeph('test/cli/cluster/ceph-words') && existsSync(module)) {
  test(
    'words become what they become in ceph',
    limited(200_000, async () => {
      await using cluster = await CephCluster.start();
      const path = join(cluster.folder, 'descriptions');
      const asked = await runCommand(
        'command',
        '{"prefix": "get_command_descriptions"}',
        '-c',
        cluster.confPath,
        '-o',
        path,
      );
      assert.is(asked.code, 0, asked.stderr);
      const json = readFileSync(path, 'utf8');
      const table = parseCommandTable(json);
      assert.ok(table.length > 300, `${table.length} commands`);

      const seed = Number(process.env.WORDS_SEED ?? 1);
      const random = new Random(seed);
      const raw = Object.values(JSON.parse(json) as Record<string, { sig: (string | RawArgument)[] }>);
      const cases = raw.map(({ sig }) => makeWords(random, sig));
      const answer = spawnSync('/usr/bin/python3', ['-c', python, path], {
        input: JSON.stringify(cases),
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      assert.is(answer.status, 0, answer.stderr);
      const theirs = JSON.parse(answer.stdout) as Record<string, unknown>[];

      const sorted = (value: object): string => JSON.stringify(Object.entries(value).sort());
      const onlyOurs: string[] = [];
      let agreed = 0;
      for (const [index, words] of cases.entries()) {
        // Where the command goes and how often is not among what is sent; `tell` has a way of its own.
        const { poll: _, target: __, ...their } = theirs[index]!;
        const our = ours(table, words);
        if (words[0] === 'tell') continue;
        const what = `seed ${seed}: ${JSON.stringify(words)}`;
        if (their.prefix === undefined) {
          if (our !== undefined) onlyOurs.push(what);
        } else {
          assert.ok(our !== undefined, `${what} is refused; ceph sends ${sorted(their)}`);
          assert.is(sorted(our), sorted(their), what);
          agreed++;
        }
      }
      assert.ok(agreed > cases.length / 2, `${agreed} of ${cases.length} were taken by both`);
      // Ceph gives up where the words fit two commands; those that fit one of them are taken here.
      assert.ok(onlyOurs.length < cases.length / 50, onlyOurs.join('\n'));
    }),
  );
}

test.run();
