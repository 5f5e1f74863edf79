/** Signatures, arguments, replies: how a command is described, checked and answered. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCommandTable } from '../../../../src/cli/cluster/command-table.ts';
import { ErrorCode, MsgrError } from '../../../../src/errors.ts';
import { allCommands } from '../../../../src/mon/server/commands/all-commands.ts';
import { checkArguments } from '../../../../src/mon/server/commands/arguments.ts';
import { argumentsForCaps } from '../../../../src/mon/server/commands/caps-arguments.ts';
import { CommandRegistry } from '../../../../src/mon/server/commands/registry.ts';
import { formatJson } from '../../../../src/mon/server/commands/reply.ts';
import { parseSignature } from '../../../../src/mon/server/commands/signature.ts';
import { durationText, table } from '../../../../src/mon/server/commands/text.ts';

// ── Signatures ───────────────────────────────────────────────────────────────────────────────────────

test('words, then arguments with all that is said of them', () => {
  const {
    arguments: args,
    prefix,
    words,
  } = parseSignature(
    'osd pool create name=pool,type=CephPoolname name=pg_num,type=CephInt,range=0|9,req=false ' +
      'name=rest,type=CephString,n=N,goodchars=[a-z=]',
  );
  assert.is(prefix, 'osd pool create');
  assert.equal(words, ['osd', 'pool', 'create']);
  assert.equal(
    args.map(({ isList, isRequired, name, range, type }) => [name, type, isRequired, isList, range]),
    [
      ['pool', 'CephPoolname', true, false, []],
      ['pg_num', 'CephInt', false, false, [0, 9]],
      ['rest', 'CephString', true, true, []],
    ],
  );
  assert.ok(args[2]!.goodCharacters!.test('a=b'));
  assert.not(args[2]!.goodCharacters!.test('A'));
});

for (const wrong of [
  '',
  'name=a,type=CephInt',
  'osd name=a,type=CephInt more',
  'osd name=a,type=Int',
  'osd type=CephInt',
]) {
  test(`'${wrong}' is no signature`, () => assert.throws(() => parseSignature(wrong), TypeError));
}

// ── Arguments ────────────────────────────────────────────────────────────────────────────────────────

interface Case {
  readonly argument: string;
  readonly taken: readonly (readonly [given: unknown, value: unknown])[];
  readonly refused: readonly (readonly [given: unknown, says: RegExp])[];
}

const cases: readonly Case[] = [
  {
    argument: 'type=CephInt,range=1|10',
    taken: [
      [1, 1],
      [10, 10],
      ['7', 7],
    ],
    refused: [
      [0, /from 1 to 10/],
      [11, /from 1 to 10/],
      [1.5, /whole number/],
      ['x', /whole number/],
      ['', /whole number/],
      [true, /whole number/],
      [[1], /whole number/],
      [1e300, /whole number/],
    ],
  },
  { argument: 'type=CephInt,range=-2', taken: [[-2, -2]], refused: [[-3, /-2 or more/]] },
  {
    argument: 'type=CephFloat,range=0|1',
    taken: [
      [0.25, 0.25],
      ['.5', 0.5],
    ],
    refused: [
      ['nan', /a number/],
      [1.1, /from 0 to 1/],
    ],
  },
  {
    argument: 'type=CephChoices,strings=a|b',
    taken: [['b', 'b']],
    refused: [
      ['c', /one of a, b/],
      ['', /one of/],
      [5, /one of/],
    ],
  },
  {
    argument: 'type=CephString,goodchars=[A-Za-z0-9-_.]',
    taken: [
      ['a-B.9_', 'a-B.9_'],
      [12, '12'],
    ],
    refused: [
      ['a b', /characters \[A-Za-z0-9-_\.\] only/],
      [{}, /text/],
    ],
  },
  {
    argument: 'type=CephOsdName',
    taken: [
      ['osd.3', 3],
      ['3', 3],
      [3, 3],
      ['*', '*'],
    ],
    refused: [
      ['osd.x', /an OSD/],
      [-1, /an OSD/],
      [1.5, /an OSD/],
      ['mon.a', /an OSD/],
    ],
  },
  {
    argument: 'type=CephUUID',
    taken: [['11111111-2222-3333-4444-555555555555', '11111111-2222-3333-4444-555555555555']],
    refused: [['1111', /a uuid/]],
  },
  {
    argument: 'type=CephPgid',
    taken: [['1.2f', '1.2f']],
    refused: [
      ['1', /a PG/],
      ['1.x', /a PG/],
    ],
  },
  {
    argument: 'type=CephEntityAddr',
    taken: [['10.0.0.1:6800/5', '10.0.0.1:6800/5']],
    refused: [['nowhere', /an address/]],
  },
  { argument: 'type=CephPoolname', taken: [['data', 'data']], refused: [['', /a name/]] },
  {
    argument: 'type=CephBool',
    taken: [
      [true, true],
      ['true', true],
      [false, false],
    ],
    refused: [['maybe', /true or false/]],
  },
];

for (const { argument, refused, taken } of cases) {
  const signature = parseSignature(`x name=a,${argument}`);
  test(`${argument}: what is taken`, () => {
    for (const [given, value] of taken) {
      const args = checkArguments(signature, { prefix: 'x', a: given });
      const read =
        typeof value === 'number'
          ? args.number('a')
          : typeof value === 'boolean'
            ? args.flag('a')
            : args.text('a');
      assert.is(read, value);
    }
  });
  test(`${argument}: what is refused, and why`, () => {
    for (const [given, says] of refused) {
      try {
        checkArguments(signature, { prefix: 'x', a: given });
      } catch (error) {
        assert.instance(error, MsgrError);
        assert.is((error as MsgrError).code, ErrorCode.InvalidArgument);
        assert.match((error as MsgrError).message, says);
        continue;
      }
      assert.unreachable(`${JSON.stringify(given)} was taken`);
    }
  });
}

test('what is missing, too much, one or several', () => {
  const signature = parseSignature('x name=a,type=CephString name=b,type=CephString,n=N,req=false');
  assert.throws(() => checkArguments(signature, { prefix: 'x' }), /missing required parameter a\(<string>\)/);
  assert.throws(() => checkArguments(signature, { prefix: 'x', a: '1', c: '2' }), /"c" is no parameter/);
  const args = checkArguments(signature, {
    prefix: 'x',
    a: '1',
    b: ['2', '3'],
    format: 'json',
    target: ['mon', 'a'],
  });
  assert.equal(args.list('b'), ['2', '3']);
  assert.equal(args.list('a'), ['1']);
  assert.is(args.text('b'), undefined);
  assert.equal(checkArguments(signature, { prefix: 'x', a: '1', b: '2' }).list('b'), ['2']);
});

test('inherited names are no arguments', () => {
  const signature = parseSignature('x name=constructor,type=CephString,req=false');
  assert.is(checkArguments(signature, { prefix: 'x' }).text('constructor'), undefined);
});

test('what capabilities see of arguments', () => {
  const args = argumentsForCaps({
    prefix: 'auth add',
    entity: 'client.x',
    caps: ['mon', 'allow r', 'osd'],
    size: 3,
  });
  assert.equal(
    [...args],
    [
      ['entity', 'client.x'],
      ['caps_mon', 'allow r'],
      ['size', '3'],
    ],
  );
});

// ── Several definitions of one prefix ────────────────────────────────────────────────────────────────

test('the first definition that takes the arguments is run', async () => {
  const ran: string[] = [];
  const define = (signature: string) => ({
    signature,
    help: '',
    module: 'mon' as const,
    permissions: 'r' as const,
    run: () => {
      ran.push(signature);
      return { result: 0 };
    },
  });
  const registry = new CommandRegistry([define('x name=a,type=CephInt'), define('x name=b,type=CephString')]);
  const session = { caps: { allows: () => true }, addrs: '', entity: '' } as never;
  const monitor = { log: { audit: () => {} } } as never;
  const run = (text: string) => registry.run({ command: [text], input: Buffer.alloc(0), session }, monitor);
  assert.is((await run('{"prefix":"x","b":"1"}')).result, 0);
  assert.is((await run('{"prefix":"x","a":1}')).result, 0);
  assert.equal(ran, ['x name=b,type=CephString', 'x name=a,type=CephInt']);
  const refused = await run('{"prefix":"x"}');
  assert.is(refused.result, -22);
  assert.match(refused.message, 'a(<int>)');
});

// ── Descriptions ─────────────────────────────────────────────────────────────────────────────────────

test('our own command line reads every description', () => {
  const registry = new CommandRegistry(allCommands);
  const parsed = parseCommandTable(registry.descriptions);
  assert.is(parsed.length, allCommands.length);
  const log = parsed.find(({ words }) => words.join(' ') === 'log last')!;
  assert.equal(
    log.arguments.map(({ choices, isRequired, name, range, type }) => ({
      name,
      type,
      isRequired,
      range,
      choices,
    })),
    [
      { name: 'num', type: 'CephInt', isRequired: false, range: [1], choices: [] },
      {
        name: 'level',
        type: 'CephChoices',
        isRequired: false,
        range: [],
        choices: ['debug', 'info', 'sec', 'warn', 'error'],
      },
      {
        name: 'channel',
        type: 'CephChoices',
        isRequired: false,
        range: [],
        choices: ['*', 'cluster', 'audit', 'cephadm'],
      },
    ],
  );
});

// ── Forms ────────────────────────────────────────────────────────────────────────────────────────────

test('JSON as Ceph writes it', () => {
  const value = {
    a: [],
    b: {},
    c: [1, { d: 'x"\n\x01\x7f' }],
    e: 0.1,
    f: 12345678901234567890n,
    g: true,
    h: undefined,
  };
  assert.is(
    formatJson(value, 'json'),
    '{"a":[],"b":{},"c":[1,{"d":"x\\"\\n\\u0001\\u007f"}],"e":0.10000000000000001,"f":12345678901234567890,"g":true}',
  );
  assert.is(
    formatJson({ a: [1, { b: 2 }], c: {} }, 'json-pretty'),
    '{\n    "a": [\n        1,\n        {\n            "b": 2\n        }\n    ],\n    "c": {}\n}\n',
  );
  const numbers: readonly [number, string][] = [
    [1, '1'],
    [-0.5, '-0.5'],
    [0.0194854736328125, '0.0194854736328125'],
    [1e-7, '9.9999999999999995e-08'],
    [1e21, '1e+21'],
  ];
  for (const [number, text] of numbers) assert.is(formatJson(number, 'json'), text);
});

test('lengths of time in the largest unit that says enough', () => {
  const texts: readonly [number, string][] = [
    [0, '0s'],
    [1500, '1.5s'],
    [2000, '2s'],
    [119_999, '119s'],
    [120_000, '2m'],
    [7_199_000, '119m'],
    [7_200_000, '2h'],
    [172_800_000, '2d'],
    [14 * 86_400_000, '2w'],
    [60 * 86_400_000, '2M'],
    [800 * 86_400_000, '2y'],
  ];
  for (const [ms, text] of texts) assert.is(durationText(ms), text);
});

test('columns as wide as their widest cell', () => {
  assert.is(
    table([{ heading: 'A' }, { heading: 'LONG', align: 'right' }], [['abc', '1']]),
    'A    LONG\nabc     1',
  );
});

test.run();
