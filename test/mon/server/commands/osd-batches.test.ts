/** Commands that are given at once become one epoch, and see each other; what they are told is durable by then. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MsgrError } from '../../../../src/errors.ts';
import { osdExists } from '../../../../src/maps/osdmap.ts';
import { checkArguments } from '../../../../src/mon/server/commands/arguments.ts';
import type { CommandReply } from '../../../../src/mon/server/commands/command.ts';
import { osdCommands } from '../../../../src/mon/server/commands/osd-commands.ts';
import { parseSignature } from '../../../../src/mon/server/commands/signature.ts';
import { Monitor } from '../../../../src/mon/server/monitor.ts';
import type { MonSession } from '../../../../src/mon/server/session.ts';

const byPrefix = new Map(osdCommands.map((command) => [parseSignature(command.signature).prefix, command]));
/** None of these commands asks who asks. */
const nobody = {} as MonSession;
const uuidOf = (osd: number): string => `00000000-0000-4000-8000-${String(osd).padStart(12, '0')}`;

async function run(monitor: Monitor, prefix: string, args: object = {}, input = ''): Promise<CommandReply> {
  const command = byPrefix.get(prefix)!;
  const checked = checkArguments(parseSignature(command.signature), { prefix, ...args });
  return command.run({
    args: checked,
    format: 'plain',
    input: Buffer.from(input),
    session: nobody,
    monitor,
  });
}

async function errnoOf(refused: Promise<unknown>): Promise<number | undefined> {
  try {
    await refused;
  } catch (error) {
    if (error instanceof MsgrError) return error.errno;
    throw error;
  }
  return 0;
}

const context = test;
let monitor: Monitor;
context.before.each(async () => {
  monitor = await Monitor.start({ publicAddr: 'v2:127.0.0.1:0', transport: 'simple' });
});
context.after.each(() => monitor.close());

test('OSDs that are made at once have ids of their own and come with one epoch', async () => {
  const { epoch } = monitor.osdMap;
  const ids = await Promise.all([5, 6, 7].map((osd) => run(monitor, 'osd new', { uuid: uuidOf(osd) })));
  assert.equal(
    ids.map(({ data }) => data),
    ['0\n', '1\n', '2\n'],
  );
  assert.is(monitor.osdMap.epoch, epoch + 1);
  const again = await Promise.all([6, 6].map((osd) => run(monitor, 'osd new', { uuid: uuidOf(osd) })));
  assert.equal(
    again.map(({ data }) => data),
    ['1\n', '1\n'],
  );
  assert.is(monitor.osdMap.epoch, epoch + 1, 'nothing changed, no epoch');
});

test('two of the same command at once: one changes, both are told when it is committed', async () => {
  const both = await Promise.all([0, 1].map(() => run(monitor, 'osd new', { uuid: uuidOf(1) })));
  assert.equal(
    both.map(({ data }) => data),
    ['0\n', '0\n'],
  );
  const pools = await Promise.all([0, 1].map(() => run(monitor, 'osd pool create', { pool: 'p' })));
  assert.equal(
    pools.map(({ message }) => message),
    ["pool 'p' created", "pool 'p' created"],
  );
  assert.equal([...monitor.osdMap.poolNames], [[1, 'p']]);
});

test('edits of the CRUSH map of one batch build on each other', async () => {
  await Promise.all([0, 1, 2].map((osd) => run(monitor, 'osd new', { uuid: uuidOf(osd) })));
  const { crushVersion } = monitor.osdMap;
  await Promise.all(
    [0, 1, 2].map((id) => run(monitor, 'osd crush add', { id, weight: 1, args: ['host=a', 'root=default'] })),
  );
  const { crush } = monitor.osdMap;
  assert.is(crush.buckets[0]!.weight, 3 * 0x10000);
  assert.equal([...crush.buckets[1]!.items], [0, 1, 2]);
  assert.is(monitor.osdMap.crushVersion, crushVersion + 1);
});

test('a command that is refused changes nothing, whatever it had begun', async () => {
  await run(monitor, 'osd new', { uuid: uuidOf(0) });
  const { epoch } = monitor.osdMap;
  const wrong: [string, object, number][] = [
    ['osd crush add', { id: 0, weight: 1, args: ['host=a', 'root=a'] }, 22],
    ['osd new', { uuid: uuidOf(9), id: 0 }, 22],
    ['osd pool create', { pool: 'p', pg_num: 8, rule: 'none' }, 2],
    ['osd pool set', { pool: 'p', var: 'size', val: '2' }, 2],
    ['osd purge', { id: 0 }, 1],
    ['osd setmaxosd', { newmax: 0 }, 16],
  ];
  for (const [prefix, args, errno] of wrong)
    assert.is(await errnoOf(run(monitor, prefix, args)), errno, prefix);
  assert.is(monitor.pendingOsdMap.isTouched, false);
  assert.is(monitor.osdMap.epoch, epoch);
});

test('secrets that are no keys are refused without being shown', async () => {
  const input = JSON.stringify({ cephx_secret: 'c2VjcmV0LXdvcmQ=' });
  try {
    await run(monitor, 'osd new', { uuid: uuidOf(0) }, input);
    assert.unreachable();
  } catch (error) {
    assert.instance(error, MsgrError);
    assert.not.match((error as MsgrError).message, /c2VjcmV0|secret-word/);
  }
  for (const junk of ['{', '[]', '5', '{"cephx_secret":5}', '{"dmcrypt_key":"k"}', '\xff\x00']) {
    assert.is(await errnoOf(run(monitor, 'osd new', { uuid: uuidOf(0) }, junk)), 22, junk);
  }
});

test('a CRUSH map that is none, or leaves pools without their rule, is refused', async () => {
  await run(monitor, 'osd new', { uuid: uuidOf(0) });
  await run(monitor, 'osd pool create', { pool: 'p', pg_num: 8 });
  for (const junk of ['', 'junk', '\x00\x00\x01\x00']) {
    assert.is(await errnoOf(run(monitor, 'osd setcrushmap', {}, junk)), 22, JSON.stringify(junk));
  }
});

test('a purged OSD is gone with its keys', async () => {
  const secret = 'AQDbMaVkAAAAABAAUV4YaZ+ZbqWB5wNnTgYrJw==';
  await run(monitor, 'osd new', { uuid: uuidOf(0) }, JSON.stringify({ cephx_secret: secret }));
  await run(monitor, 'osd crush add', { id: 0, weight: 1, args: ['host=a'] });
  const names = (): string[] => monitor.auth.entities().map(([name]) => String(name));
  assert.ok(names().includes('osd.0'));
  await run(monitor, 'osd purge', { id: 0, yes_i_really_mean_it: true });
  assert.not(names().includes('osd.0'));
  assert.not(osdExists(monitor.osdMap, 0));
  assert.not(monitor.osdMap.crush.names.has(0));
});

test.run();
