/** Words of a command line become a command for the monitor: by a small table, and by Ceph's whole one. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../../src/cli/cli-error.ts';
import { parseCommandTable, usageOf } from '../../../src/cli/cluster/command-table.ts';
import { matchCommand } from '../../../src/cli/cluster/match-command.ts';
import { commandText } from '../../../src/mon/client/commands.ts';

const pool = { name: 'pool', type: 'CephPoolname' };
const table = parseCommandTable(
  JSON.stringify({
    cmd000: { sig: ['status'], help: 'show the state', flags: 0 },
    cmd001: {
      sig: [
        'osd',
        'tree',
        { name: 'epoch', type: 'CephInt', range: '0', req: 'false' },
        { name: 'states', type: 'CephChoices', strings: 'up|down|in|out', n: 'N', req: 'false' },
      ],
      help: 'show the tree',
    },
    cmd002: {
      sig: [
        'osd',
        'pool',
        'create',
        pool,
        { name: 'pg_num', type: 'CephInt', range: '0', req: 'fasle' },
        { name: 'pool_type', type: 'CephChoices', strings: 'replicated|erasure', req: 'false' },
        { name: 'size', type: 'CephInt', req: false },
        { name: 'bulk', type: 'CephBool', req: 'false' },
      ],
      help: 'make a pool',
    },
    cmd003: {
      sig: [
        'osd',
        'pool',
        'rm',
        pool,
        { name: 'sure', type: 'CephChoices', strings: '--yes-i-really-mean-it', req: 'false' },
      ],
      help: 'drop a pool',
    },
    cmd004: {
      sig: [
        'osd',
        'reweight',
        { name: 'id', type: 'CephOsdName' },
        { name: 'weight', type: 'CephFloat', range: '0|1' },
      ],
      help: 'weigh an osd',
    },
    cmd005: { sig: ['osd', 'down', { name: 'ids', type: 'CephString', n: 'N' }], help: 'mark down' },
    cmd006: {
      sig: [
        'config-key',
        'set',
        { name: 'key', type: 'CephString', goodchars: '[A-Za-z0-9-_.]' },
        { name: 'val', type: 'CephString', req: 'false' },
      ],
      help: 'keep',
    },
    cmd007: { sig: ['osd', 'old'], help: 'gone', flags: 2 },
    cmd008: { sig: ['osd', 'secret'], help: 'not to be shown', flags: 32 },
    cmd009: { sig: ['pg', 'map', { name: 'pgid', type: 'CephPgid' }], help: 'where a pg is' },
    cmd010: {
      sig: ['auth', 'get', { name: 'entity', type: 'CephString' }],
      help: 'show a key',
      avail: 'cli,rest',
    },
    cmd011: { sig: ['rest', 'only'], help: '', avail: 'rest' },
  }),
);

/** The JSON that would travel. */
function sent(...words: string[]): string {
  const { prefix, values } = matchCommand(table, words);
  return commandText({ prefix, ...values });
}

function refusal(...words: string[]): string {
  try {
    matchCommand(table, words);
  } catch (error) {
    assert.instance(error, CliError);
    assert.is((error as CliError).exitCode, 22, 'EINVAL, as with ceph');
    return (error as Error).message;
  }
  throw new Error(`${words.join(' ')} was taken`);
}

test('words, and arguments by their place', () => {
  assert.is(sent('status'), '{"prefix":"status"}');
  assert.is(sent('osd', 'tree'), '{"prefix":"osd tree"}');
  assert.is(
    sent('osd', 'pool', 'create', 'data', '8'),
    '{"prefix":"osd pool create","pool":"data","pg_num":8}',
  );
  assert.is(sent('osd', 'down', '1', 'osd.2', 'a,b'), '{"prefix":"osd down","ids":["1","osd.2","a,b"]}');
  assert.is(sent('osd', 'secret'), '{"prefix":"osd secret"}', 'hidden, not forbidden');
});

test('an argument that does not fit may be the next one', () => {
  assert.is(sent('osd', 'tree', 'up', 'in'), '{"prefix":"osd tree","states":["up","in"]}');
  assert.is(sent('osd', 'tree', '7', 'up'), '{"prefix":"osd tree","epoch":7,"states":["up"]}');
  assert.is(
    sent('osd', 'pool', 'create', 'data', 'erasure'),
    '{"prefix":"osd pool create","pool":"data","pool_type":"erasure"}',
  );
});

test('arguments by their name', () => {
  assert.is(
    sent('osd', 'pool', 'create', '--pool=data', '--pg-num', '8', '--bulk'),
    '{"prefix":"osd pool create","pool":"data","pg_num":8,"bulk":true}',
  );
  assert.is(
    sent('osd', 'pool', 'create', 'data', '--size', '3', '8'),
    '{"prefix":"osd pool create","pool":"data","size":3,"pg_num":8}',
  );
  assert.is(sent('osd', 'down', '--ids=1,2', '3'), '{"prefix":"osd down","ids":["1","2","3"]}');
  assert.is(
    sent('osd', 'pool', 'rm', 'data', '--yes-i-really-mean-it'),
    '{"prefix":"osd pool rm","pool":"data","sure":"--yes-i-really-mean-it"}',
  );
});

test('floats stay floats, OSDs become numbers', () => {
  assert.is(sent('osd', 'reweight', 'osd.3', '1'), '{"prefix":"osd reweight","id":3,"weight":1.0}');
  assert.is(sent('osd', 'reweight', '*', '.5'), '{"prefix":"osd reweight","id":"*","weight":0.5}');
});

test('values are checked', () => {
  for (const [words, message] of [
    [
      ['osd', 'reweight', '3', '1.5'],
      /^weight is 1\.5, not from 0 to 1\nusage:\n {2}osd reweight <id\|osd\.id> <weight:float>\n/,
    ],
    [['osd', 'reweight', '3', 'x'], /^weight is "x", not a number/],
    [['osd', 'reweight', 'mon.a', '1'], /^id is "mon\.a", not an OSD/],
    [['osd', 'reweight', '3'], /^<weight:float> is missing/],
    [['osd', 'tree', '-1'], /^epoch is -1, less than 0\n/],
    [['osd', 'pool', 'create', 'data', '1.5'], /^pg_num is "1\.5", not a whole number/],
    [['osd', 'pool', 'create', 'data', '--typo', '8'], /^--typo is no argument/],
    [
      ['osd', 'pool', 'create', 'data', '99999999999999999999'],
      /^pg_num is 99999999999999999999, which is beyond 2\^53/,
    ],
    [['config-key', 'set', 'a/b'], /^key is "a\/b"; only \[A-Za-z0-9-_\.\] may be in it, not "\/"/],
    [['pg', 'map', '1'], /^pgid is "1", not a PG such as 1\.2f/],
    [['status', 'now'], /^"now" is more than the command takes/],
  ] as const) {
    assert.match(refusal(...words), message, words.join(' '));
  }
});

test('what was meant is offered', () => {
  assert.match(
    refusal('osd', 'pool'),
    /^no command 'osd pool'; closest are:\n {2}osd pool create <pool> .*\n {2}osd pool rm/,
  );
  assert.match(refusal('osd', 'tre'), /\n {2}osd tree /);
  assert.match(refusal('osd', 'pol', 'create', 'data'), /\n {2}osd pool create /);
  assert.match(refusal('satus'), /\n {2}status$/);
  assert.match(refusal('osd', 'old'), /^no command 'osd old'/);
  assert.not.match(refusal('osd'), /secret|old/);
  assert.is(refusal('quux'), "no command 'quux'");
  assert.match(refusal('rest', 'only'), /^no command/);
});

test('usage, as ceph writes it', () => {
  assert.equal(table.map(usageOf).slice(0, 5), [
    'status',
    'osd tree [<epoch:int>] [up|down|in|out...]',
    'osd pool create <pool> [<pg_num:int>] [replicated|erasure] [<size:int>] [--bulk]',
    'osd pool rm <pool> [--yes-i-really-mean-it]',
    'osd reweight <id|osd.id> <weight:float>',
  ]);
});

test('what is no table is refused', () => {
  assert.throws(() => parseCommandTable('<html>'), /not JSON/);
  assert.equal(parseCommandTable('null'), []);
  assert.equal(parseCommandTable('{"cmd000": {"help": "no sig"}}'), []);
});

test.run();
