/** Commands as they come from strangers: carried out, or answered with an errno; nothing else. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { mayCommand } from '../../../src/osd/daemon/command-caps.ts';
import { CommandTable } from '../../../src/osd/daemon/command-table.ts';

function table(): CommandTable {
  const commands = new CommandTable();
  commands.add({
    signature: 'echo name=words,type=CephString,n=N name=loud,type=CephBool,req=false',
    help: 'says it again',
    run: ({ words }) => ({ words }),
  });
  commands.add({ signature: 'say text', help: 'plain', run: () => 'plain words' });
  commands.add({
    signature: 'fail',
    help: 'does not work',
    run: () => {
      throw new MsgrError(ErrorCode.InvalidArgument, 'not today', { errno: 95 });
    },
  });
  return commands;
}

test('an answer is JSON, text stays text, a failure has its errno', async () => {
  const run = (command: object) => table().run(JSON.stringify(command));
  const compact = await run({ prefix: 'echo', words: ['a'], format: 'json' });
  assert.is(compact.output.toString(), '{"words":["a"]}\n');
  assert.match((await run({ prefix: 'echo', words: ['a'] })).output.toString(), /^\{\n {4}"words"/);
  assert.is((await run({ prefix: 'say text' })).output.toString(), 'plain words');
  const failed = await run({ prefix: 'fail' });
  assert.equal([failed.result, failed.status, failed.output.byteLength], [-95, 'not today', 0]);
});

test('what is no command is refused with EINVAL', async () => {
  for (const text of [
    '',
    '{',
    '[]',
    'null',
    '1',
    '{"prefix":"nonsense"}',
    `{"prefix":"${'x'.repeat(1 << 17)}"}`,
  ]) {
    const { result, status } = await table().run(text);
    assert.is(result, -22, text.slice(0, 30));
    assert.ok(status !== '');
  }
});

test('descriptions are those that ceph reads', async () => {
  const { output } = await table().run('{"prefix":"get_command_descriptions"}');
  const entries = Object.values(JSON.parse(output.toString())) as { sig: unknown[]; module: string }[];
  const echo = entries.find(({ sig }) => sig[0] === 'echo')!;
  assert.equal(echo.sig, [
    'echo',
    { name: 'words', type: 'CephString', n: 'N' },
    { name: 'loud', type: 'CephBool', req: false },
  ]);
  assert.is(echo.module, 'osd');
  assert.ok(entries.some(({ sig }) => sig.join(' ') === 'help'));
});

test('a prefix has one meaning', () => {
  const commands = table();
  assert.throws(() => commands.add({ signature: 'say text', help: '', run: () => '' }), TypeError);
});

test('with cephx only those who may do everything command', () => {
  const may = (caps: string | undefined) =>
    mayCommand({ auth: { caps } } as unknown as Parameters<typeof mayCommand>[0], true);
  for (const caps of ['allow *', 'allow rwx pool=a, allow *', 'profile rbd; allow *'])
    assert.ok(may(caps), caps);
  for (const caps of [
    'allow rwx',
    'allow * pool=a',
    'allow rw, allow * namespace=b',
    '',
    undefined,
    'disallow *',
  ]) {
    assert.not(may(caps), String(caps));
  }
});

test.run();
