/** The admin socket: `ceph daemon` itself, the bytes of its protocol, and who misuses it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { adminCommandBytesMax } from '../../../src/limits.ts';
import { askAdminSocket } from '../../../src/osd/admin/admin-client.ts';
import { AdminSocket } from '../../../src/osd/admin/admin-socket.ts';
import { adminCommands } from '../../../src/osd/admin/commands.ts';
import { requireCeph } from '../../support/ceph-cluster.ts';
import { madeUpDaemon } from './made-up-daemon.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'msgr2-admin-'));
const path = join(folder, 'osd.3.asok');
const daemon = madeUpDaemon();
for (const command of adminCommands(daemon)) daemon.commands.add(command);

const test = suite('admin socket');
let socket: AdminSocket;
test.before(async () => {
  socket = await AdminSocket.listen(path, daemon.commands);
});
test.after(async () => {
  await socket.close();
  assert.not.ok(existsSync(path), 'the socket is gone with its daemon');
  rmSync(folder, { recursive: true });
});

async function ask(prefix: string, more: object = {}): Promise<unknown> {
  return JSON.parse(await askAdminSocket(path, { prefix, ...more }));
}

/** What is answered to raw bytes, until the other side closes. */
async function exchange(bytes: Buffer | string): Promise<Buffer> {
  const client = connect(path);
  const chunks: Buffer[] = [];
  client.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  client.write(bytes);
  await once(client, 'close');
  return Buffer.concat(chunks);
}

test('answers with the fields of Ceph', async () => {
  assert.equal(await ask('version'), { version: '0.1.0', release: 'pacific', release_type: 'dev' });
  assert.equal(await ask('status'), {
    cluster_fsid: daemon.clusterFsid,
    osd_fsid: daemon.osdFsid,
    whoami: 3,
    state: 'active',
    oldest_map: 1,
    newest_map: 12,
    num_pgs: 0,
  });
  assert.equal(await ask('config get', { var: 'osd_heartbeat_grace' }), { osd_heartbeat_grace: '20' });
  assert.equal(await ask('config set', { var: 'osd_heartbeat_grace', val: ['25'] }), {
    success: "osd_heartbeat_grace = '25'",
  });
  assert.equal(await ask('config show'), { osd_heartbeat_grace: '25', osd_heartbeat_interval: '6' });
  assert.equal(await ask('perf dump'), { osd: { boots: 1 } });
  assert.equal(await ask('dump_osd_network', { value: 0 }), { threshold: 0, entries: [] });
});

test('shows messengers, and every peer on every network', async () => {
  const all = (await ask('dump_messenger')) as { messengers: { name: string; counters: object }[] };
  assert.is(all.messengers.length, 7);
  const one = (await ask('dump_messenger', { msgr: 'ms_hb_back_server' })) as typeof all;
  assert.equal(
    one.messengers.map(({ name }) => name),
    ['ms_hb_back_server'],
  );
  assert.ok('messages_sent' in one.messengers[0]!.counters);
  const peers = (await ask('dump_heartbeat_peers')) as { peers: { networks: { back: object } }[] };
  assert.is((peers.peers[0]!.networks.back as { state: string }).state, 'down');
});

test('says what is wrong with a command', async () => {
  for (const [prefix, more, expected] of [
    ['no such thing', {}, /^ERROR: \(22\)[\s\S]*unknown command 'no such thing'/],
    ['config get', {}, /^ERROR: \(22\)[\s\S]*parameter 'var' is missing/],
    ['config get', { var: 'colour' }, /^ERROR: \(2\)[\s\S]*no option is named 'colour'/],
    ['config set', { var: 'colour', val: 'red' }, /^ERROR: \(22\)[\s\S]*no option is named colour/],
    ['dump_osd_network', { value: 'slow' }, /^ERROR: \(22\)[\s\S]*"slow" is no number/],
    ['dump_messenger', { msgr: 'ms_none' }, /^ERROR: \(22\)[\s\S]*ms_public, ms_cluster/],
  ] as const) {
    assert.match(await askAdminSocket(path, { prefix, ...more }), expected);
  }
  assert.match(String(await exchange('not JSON\0')), /ERROR: \(22\)[\s\S]*not JSON/);
});

test('takes a line end for the end, and the command of very old clients', async () => {
  const answer = await exchange('{"prefix":"version"}\n');
  assert.is(answer.readUInt32BE(0), answer.byteLength - 4);
  assert.match(String(answer), '"release": "pacific"');
  assert.match(String(await exchange('0\0')), '"release": "pacific"');
});

test('a client that says too much, or leaves, costs nothing', async () => {
  assert.is((await exchange(Buffer.alloc(adminCommandBytesMax + 1, 0x20))).byteLength, 0);
  for (let count = 0; count < 20; count++) {
    const client = connect(path);
    client.write('{"prefix":"dump_messenger"}\0');
    client.destroy();
  }
  assert.ok(await ask('version'));
});

test('is for its own user only, and for one daemon at a time', async () => {
  assert.is(statSync(path).mode & 0o777, 0o600);
  try {
    await AdminSocket.listen(path, daemon.commands);
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof MsgrError && error.code === ErrorCode.Bind);
    assert.match(error.message, /another daemon listens/);
  }
  assert.ok(await ask('version'), 'the one that was there goes on');
});

test('takes over what a dead daemon left', async () => {
  const stale = join(folder, 'stale.asok');
  const dead = createServer().listen(stale);
  await once(dead, 'listening');
  // Keep the file and close the listener, as kill -9 does.
  await run(process.execPath, [
    '-e',
    `require('node:fs').renameSync(process.argv[1], process.argv[1] + '.kept')`,
    stale,
  ]);
  dead.close();
  await run(process.execPath, [
    '-e',
    `require('node:fs').renameSync(process.argv[1] + '.kept', process.argv[1])`,
    stale,
  ]);
  await using another = await AdminSocket.listen(stale, daemon.commands);
  assert.match(await askAdminSocket(another.path, { prefix: 'version' }), 'pacific');
});

test('a path that cannot be is refused with the reason', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  chmodSync(file, 0o600);
  for (const bad of [join(file, 'x.asok'), join(folder, 'missing', 'x.asok')]) {
    try {
      await AdminSocket.listen(bad, daemon.commands);
      assert.unreachable();
    } catch (error) {
      assert.ok(error instanceof MsgrError && error.code === ErrorCode.Bind, String(error));
    }
  }
});

test('a client of it says when nobody answers, or nonsense', async () => {
  const nobody = await askAdminSocket(join(folder, 'nobody'), { prefix: 'version' }).catch((error) => error);
  assert.is(nobody.code, ErrorCode.Socket);
  const liar = createServer((client) => client.end(Buffer.from([0, 0, 1, 0, 65])));
  liar.listen(join(folder, 'liar'));
  await once(liar, 'listening');
  const wrong = await askAdminSocket(join(folder, 'liar'), { prefix: 'version' }).catch((error) => error);
  assert.is(wrong.code, ErrorCode.Malformed);
  liar.close();
});

if (requireCeph('ceph daemon at our admin socket')) {
  test('ceph daemon works on it', async () => {
    const ceph = async (...words: string[]): Promise<string> =>
      (await run('ceph', ['--admin-daemon', path, ...words])).stdout;
    assert.equal(JSON.parse(await ceph('version')).release, 'pacific');
    assert.equal(JSON.parse(await ceph('config', 'get', 'osd_heartbeat_interval')), {
      osd_heartbeat_interval: '6',
    });
    assert.equal(JSON.parse(await ceph('dump_osd_network', '0')).threshold, 0);
    assert.match(await ceph('help'), 'dump_heartbeat_peers');
    const refused = await run('ceph', ['--admin-daemon', path, 'nonsense']).catch((error) => error);
    assert.is(refused.code, 22, 'ceph checks the words by our descriptions');
  });
}

test.run();
