/** Words within one text, words that were mistyped, $CEPH_ARGS, and the names of OSDs to ping. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../../src/cli/cli-error.ts';
import { closestWords, editDistance } from '../../../src/cli/cluster/closest-words.ts';
import { configOf, parseCephArgs } from '../../../src/cli/cluster/flags.ts';
import { splitWords } from '../../../src/cli/cluster/split-words.ts';
import { ConfFolder } from '../../config/support/ceph-conf.ts';

test('words of one text', () => {
  assert.equal(splitWords(' osd  pool create data\t8 '), ['osd', 'pool', 'create', 'data', '8']);
  assert.equal(splitWords(`set "a b" 'c "d' e\\ f "g\\"h" ''`), ['set', 'a b', 'c "d', 'e f', 'g"h', '']);
  assert.equal(splitWords(' {"prefix": "a b"}'), [' {"prefix": "a b"}']);
  assert.equal(splitWords(''), []);
  assert.throws(
    () => splitWords('a "b'),
    (error: unknown) => error instanceof CliError && error.exitCode === 22,
  );
});

test('distances, and what is near', () => {
  for (const [one, other, distance] of [
    ['tree', 'tree', 0],
    ['tree', 'tre', 1],
    ['tree', 'rtee', 1],
    ['tree', 'three', 1],
    ['tree', '', 4],
    ['kitten', 'sitting', 3],
  ] as const) {
    assert.is(editDistance(one, other), distance, `${one} ${other}`);
    assert.is(editDistance(other, one), distance, `${other} ${one}`);
  }
  const lists = new Map([
    ['tree', ['osd', 'tree']],
    ['tier', ['osd', 'tier', 'add']],
    ['status', ['status']],
  ]);
  assert.equal(closestWords(lists, ['osd', 'tere']), ['tree']);
  assert.equal(closestWords(lists, ['sttus', 'x']), ['status']);
  assert.equal(closestWords(lists, ['nothing', 'of', 'that']), []);
});

test('$CEPH_ARGS: flags of ours, and any option', () => {
  assert.equal(parseCephArgs(''), { option: {} });
  assert.equal(
    parseCephArgs(
      ' -c /x.conf  --id foo --keyring=/k --ms-mon-client-mode secure --ms_tcp_nodelay=false --flag',
    ),
    {
      conf: '/x.conf',
      id: 'foo',
      keyring: '/k',
      option: { ms_mon_client_mode: 'secure', ms_tcp_nodelay: 'false', flag: 'true' },
    },
  );
});

test('flags before $CEPH_ARGS before ceph.conf', () => {
  using folder = new ConfFolder();
  const path = folder.write('[global]\nmon host = file\nkeyring = /file\nms_type = simple\n');
  const environment = { HOME: folder.path, CEPH_ARGS: `-c ${path} --id env -m env --ms-type=env` };
  const one = configOf({}, environment);
  assert.equal(
    [one.file.path, String(one.name), one.monHost, one.get('keyring'), one.get('ms_type')],
    [path, 'client.env', 'env', '/file', 'env'],
  );
  const other = configOf(
    { name: 'osd.3', monHost: 'flag', keyring: '/flag', option: { ms_type: 'flag' } },
    environment,
  );
  assert.equal(
    [String(other.name), other.monHost, other.get('keyring'), other.get('ms_type')],
    ['osd.3', 'flag', '/flag', 'flag'],
  );
  assert.is(String(configOf({ id: 'x' }, environment).name), 'client.x');
  assert.is(String(configOf({ name: 'mon.' }, environment).name), 'mon.');
  assert.throws(() => configOf({ name: 'nobody' }, environment), /expected TYPE\.ID/);
});

test.run();
