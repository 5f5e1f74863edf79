/** `msgr2 osd` without a cluster: its identity, and one line for whatever is missing. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Keyring, parseAuthName } from '../../src/auth/keyring.ts';
import { run } from '../../src/cli/program.ts';
import { type CommandResult, runCommand } from './command-line.ts';

const cli = suite<{ folder: string; conf: string }>('msgr2 osd');
const fsid = 'a3f19a4c-26a5-4bb6-94f9-1d64ee1a3f8b';

cli.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'msgr2-osd-cli-'));
  context.conf = join(context.folder, 'ceph.conf');
  const global = [`fsid = ${fsid}`, 'mon host = [v2:127.0.0.1:1]', 'auth cluster required = none'];
  writeFileSync(context.conf, `[global]\n${global.join('\n')}\n[osd]\nosd data = ${context.folder}/$name\n`);
});

cli.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** In this process: what it refuses, it refuses before there is a daemon, and a start of Node takes seconds. */
async function runHere(...args: string[]): Promise<Pick<CommandResult, 'code' | 'stderr'>> {
  const { write } = process.stderr;
  let stderr = '';
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    stderr += chunk;
    return true;
  };
  try {
    return { code: await run([process.execPath, 'msgr2', ...args]), stderr };
  } finally {
    process.stderr.write = write;
  }
}

cli('makes a key and a data folder, once, and says so', async ({ conf, folder }) => {
  const uuid = '11111111-2222-4333-8444-555555555555';
  const make = () => runCommand('osd', '--id', '3', '-c', conf, '--mkkey', '--mkfs', '--osd-uuid', uuid);
  const first = await make();
  assert.is(first.code, 0, first.stderr);
  assert.match(first.stderr, /created new key in keyring .*osd\.3\/keyring/);
  assert.match(first.stderr, new RegExp(`created object store .*osd\\.3 for osd\\.3 fsid ${fsid}`));
  const keyring = join(folder, 'osd.3', 'keyring');
  const key = Keyring.load([keyring]).require(parseAuthName('osd.3')).key.toBase64();
  assert.is(statSync(keyring).mode & 0o777, 0o600);
  assert.not.match(first.stderr, new RegExp(key.replaceAll(/[+/=]/g, '.')), 'the key is no line of the log');
  assert.is(readFileSync(join(folder, 'osd.3', 'fsid'), 'utf8'), `${uuid}\n`);
  const second = await make();
  assert.is(second.code, 0);
  assert.match(second.stderr, /already have key in keyring/);
  assert.match(second.stderr, /object store is there already/);
  assert.is(Keyring.load([keyring]).require(parseAuthName('osd.3')).key.toBase64(), key);
});

cli('one line for what is missing or wrong, and no stack', async ({ conf, folder }) => {
  const line = async (code: number, pattern: RegExp, ...args: string[]): Promise<void> => {
    const refused = await runHere('osd', '-c', conf, ...args);
    assert.is(refused.code, code, refused.stderr);
    assert.match(refused.stderr, pattern);
    assert.not.match(refused.stderr, /\n {4}at /);
  };
  await line(2, /required option '-i, --id <number>'/);
  await line(2, /whole number/, '--id', 'x');
  await line(1, /holds no OSD: make it with 'msgr2 osd --id 3 --mkfs'/, '--id', '3');
  await runHere('osd', '-c', conf, '--id', '3', '--mkfs');
  assert.ok(existsSync(join(folder, 'osd.3', 'superblock')));
  await line(1, /OSD id 3 != my id 4/, '--id', '4', '--osd-data', join(folder, 'osd.3'));
  await line(
    2,
    /public_network 240\.1\.2\.0\/24: no IPv4 address/,
    '--id',
    '3',
    '--public-network',
    '240.1.2.0/24',
  );
  await line(2, /public_addr "node1"/, '--id', '3', '--public-addr', 'node1');
  await line(1, /cannot bind|EADDRNOTAVAIL/, '--id', '3', '--public-addr', '240.1.2.77');
  await line(1, /no keyring|keyring/, '--id', '3', '--option', 'auth_cluster_required=cephx');
});

cli.run();
