/** The text of a ceph.conf: what is read out of it, and where it is wrong. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { normalizeKey, parseConf } from '../../src/config/conf-grammar.ts';
import { ErrorCode, MsgrError } from '../../src/errors.ts';

/** Sections with their values, without the lines. */
function read(text: string): Record<string, Record<string, string>> {
  return Object.fromEntries(
    [...parseConf(text, 'f.conf')].map(([name, section]) => [
      name,
      Object.fromEntries([...section].map(([key, { value }]) => [key, value])),
    ]),
  );
}

function refusal(text: string): string {
  try {
    parseConf(text, 'f.conf');
  } catch (error) {
    assert.instance(error, MsgrError);
    assert.is((error as MsgrError).code, ErrorCode.Malformed);
    return (error as MsgrError).message;
  }
  throw new Error(`was read: ${JSON.stringify(text)}`);
}

test('sections, keys and values', () => {
  assert.equal(read('# a cluster\n\n[global] ; all\n  fsid = 1\n\tmon  host=a\n\n[osd.3]\nhost = h\n'), {
    global: { fsid: '1', mon_host: 'a' },
    'osd.3': { host: 'h' },
  });
  assert.equal(read(''), {});
  assert.equal(read('[global]\n'), { global: {} });
  assert.equal(read('lone = 1\n'), { global: { lone: '1' } }, 'one line needs no section');
  assert.equal(read('[a]\r\nx = 1\r\n[b]\ry = 2\r'), { a: { x: '1' }, b: { y: '2' } }, 'any line end');
});

test('keys: blanks are underscores, case and dashes matter', () => {
  for (const key of ['mon host', 'mon_host', 'mon \t host', ' mon host\t'])
    assert.is(normalizeKey(key), 'mon_host');
  assert.is(normalizeKey('mon-host'), 'mon-host');
  assert.is(normalizeKey('Mon Host'), 'Mon_Host');
});

test('values: quotes, escapes, comments, joined lines', () => {
  const value = (text: string): string => read(`[g]\nv = ${text}\n`).g!.v!;
  assert.is(value('a b  c '), 'a b  c');
  assert.is(value('"a b" '), 'a b');
  assert.is(value(`'say "x"'`), 'say "x"');
  assert.is(value('"say \\"x\\""'), 'say "x"');
  assert.is(value('" x "'), 'x', 'blanks go, quoted or not');
  assert.is(value('x"y"z'), 'x"y"z', 'a quote within is a character');
  assert.is(value('a # b'), 'a');
  assert.is(value('a;b'), 'a');
  assert.is(value('a \\# b \\; c \\\\ d \\n'), 'a # b ; c \\ d n');
  assert.is(value('"a \\# b" # c'), 'a # b');
  assert.is(value('a \\\n  b\\\r\nc'), 'a   bc');
  assert.is(value(''), '');
});

test('the last line with a key counts, and parts of a section join', () => {
  assert.equal(read('[g]\na = 1\nb = 2\na = 3\n[h]\n[g]\nb = 4\n'), { g: { a: '3', b: '4' }, h: {} });
});

test('lines are remembered', () => {
  const section = parseConf('# x\n[g]\n\na = 1 \\\n 2\n# y\nb = 3\n', 'f.conf').get('g')!;
  assert.is(section.get('a')!.line, 4);
  assert.is(section.get('b')!.line, 7);
});

test('what is wrong is told with file and line', () => {
  for (const [text, message] of [
    ['[global]\na = 1', /^f\.conf:2: the last line must end/],
    ['[global]\n\na = "x" y\n', /^f\.conf:3: "y" stands where the line should end/],
    ['[global]\na = "x # y"\n', /^f\.conf:2: the " is not closed on its line.*\\#/],
    ["[global]\na = 'x\n", /^f\.conf:2: the ' is not closed/],
    ['[global] a = 1\n', /^f\.conf:1: "a = 1" stands where/],
    ['[global\n', /^f\.conf:1: the section's '\]' is missing/],
    ['[]\n', /^f\.conf:1: a section needs a name/],
    ['  [global]\na = 1\n', /^f\.conf:1: a section's '\[' must be the first character/],
    ['[global]\na = 1\n\nmon host\nb = 2\n', /^f\.conf:4: "mon host" is neither/],
    ['a = 1\nb = 2\n', /^f\.conf:2: "b = 2" belongs to no section/],
    ['   \n[global]\n', /^f\.conf:1: a line of blanks/],
  ] as const) {
    assert.match(refusal(text), message);
  }
});

test('a file of many lines is read in one go', () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `key ${index} = ${index} \\\n more # comment`);
  const section = parseConf(`[g]\n${lines.join('\n')}\n`, 'f.conf').get('g')!;
  assert.is(section.size, 20_000);
  assert.equal(section.get('key_19999'), { value: '19999  more', line: 2 + 2 * 19_999 });
});

test.run();
