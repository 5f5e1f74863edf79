/** `msgr2 mon` as an operator meets it: one line when it is ready, a clean end, and refusals that say why. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withTimeout } from '../../../support/timeout.ts';

const main = fileURLToPath(new URL('../../../../src/cli/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'msgr2-mon-cli-'));
const host = `127.${randomInt(16, 250)}.${randomInt(1, 250)}.1`;
const children = new Set<ChildProcess>();

test.after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

function start(...args: string[]): { child: ChildProcess; ready: Promise<string>; ended: Promise<Ended> } {
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'mon', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  let out = '';
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close').then(([code]): Ended => {
    children.delete(child);
    return { code, out, errors };
  });
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (out.includes('\n')) resolve(out);
    });
    void ended.then(() => reject(new Error(`it ended: ${errors}`)));
  });
  ready.catch(() => {});
  return { child, ready, ended };
}

test('one line when it is ready; a second one is refused; SIGTERM ends it; it comes back as it was', async () => {
  const data = join(folder, 'data');
  const first = start('--data', data, '--public-addr', host, '--auth', 'none', '--id', 'x');
  const line = await withTimeout(first.ready, 60_000, 'the monitor to be ready');
  const [, fsid] = /^mon\.x of ([0-9a-f-]{36}) is ready at v2:[\d.]+:3300\/0\n$/.exec(line) ?? [];
  assert.ok(fsid !== undefined, line);
  const conf = readFileSync(join(data, 'ceph.conf'), 'utf8');
  assert.ok(conf.includes(`fsid = ${fsid}\n`) && conf.includes(`mon host = [v2:${host}:3300]\n`), conf);
  assert.ok(conf.includes('auth service required = none\n'), conf);
  assert.is(statSync(data).mode & 0o777, 0o700);
  assert.is(statSync(join(data, 'ceph.client.admin.keyring')).mode & 0o777, 0o600);

  const second = await start('--data', data, '--id', 'x').ended;
  assert.is(second.code, 1);
  assert.is(second.errors, `msgr2 mon: another monitor is running on ${data}\n`);

  first.child.kill('SIGTERM');
  const ended = await withTimeout(first.ended, 20_000, 'the monitor to end');
  assert.equal(ended, { code: 0, out: line, errors: '' });

  // Address, name of the cluster and authentication are known by now.
  const again = start('--data', data, '--id', 'x');
  assert.is(await withTimeout(again.ready, 60_000, 'the monitor to be ready again'), line);
  again.child.kill('SIGINT');
  assert.is((await again.ended).code, 0);
});

test('an address that is in use, or is none, is said in one line', async () => {
  const holder = createServer().listen({ host, port: 3301 });
  await once(holder, 'listening');
  const data = join(folder, 'other');
  const inUse = await start(
    '--data',
    data,
    '--public-addr',
    `${host}:3301`,
    '--option',
    'ms_bind_retry_count=0',
  ).ended;
  holder.close();
  assert.is(inUse.code, 1);
  assert.match(inUse.errors, /^msgr2 mon: .*3301.*\n$/);
  // Nothing was begun that the next start would stumble over.
  assert.not(existsSync(join(data, 'ceph.conf')));
  const [noAddress, badAddress] = await Promise.all([
    start('--data', data).ended,
    start('--data', join(folder, 'third'), '--public-addr', 'nowhere:1:2').ended,
  ]);
  assert.is(noAddress.code, 2);
  assert.match(noAddress.errors, /^msgr2 mon: a new monitor needs a public address\n$/);
  assert.is(badAddress.code, 2);
  assert.match(badAddress.errors, /nowhere:1:2/);
});

test.run();
