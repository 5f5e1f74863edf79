/**
 * `msgr2 cluster`, which `npm start` runs: a monitor and OSDs as processes; one is killed, one paused, each is
 * seen going down and coming back, and nothing is left behind.
 *
 * @timeLimitSeconds 240
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { runCommand, startCommand } from './command-line.ts';

const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('msgr2-cluster-'));

test('the whole story, with keys, and a summary', async () => {
  const before = leftovers();
  const { code, stderr, stdout } = await runCommand('cluster', '--time', '1');
  assert.is(code, 0, stdout + stderr);
  assert.is(stderr, '');
  for (const line of [
    /osd\.2 is killed \(SIGKILL\)/,
    /e\d+: osd\.2 down/,
    /osd\.2 is up again after [\d.]+ s/,
    /osd\.1 is paused \(SIGSTOP\)/,
    /e\d+: osd\.1 down/,
    /osd\.1 is up again after [\d.]+ s/,
    /osd\.2 killed \(SIGKILL\) +down after [\d.]+ s, up again after [\d.]+ s/,
    /osd\.1 paused \(SIGSTOP\) +down after [\d.]+ s, up again after [\d.]+ s/,
    /pings over front +p50 [\d.]+ ms/,
    /pings over back +p50 [\d.]+ ms/,
    /marked down +2 times, of which 0 without cause/,
  ]) {
    assert.match(stdout, line);
  }
  assert.equal(leftovers(), before, 'its temporary folder is gone');
});

test('held open, in a folder of its own: top looks at it, SIGINT ends it all', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'msgr2-held-'));
  const flags = ['--no-break', '--hold', '--time', '0', '--osds', '2', '--auth', 'none', '--folder', folder];
  const running = startCommand('cluster', ...flags);
  await running.printed('osd.0 up');
  await running.printed('osd.1 up');
  const sockets = [0, 1].map((osd) => join(folder, `osd.${osd}.asok`));
  const top = await runCommand('top', ...sockets);
  assert.is(top.code, 0, top.stderr);
  assert.match(top.stdout, /^front +osd\.0 +osd\.1$/m);
  const status = await runCommand('status', '--conf', join(folder, 'ceph.conf'));
  assert.match(status.stdout, /osd: 2 osds: 2 up/);
  running.child.kill('SIGINT');
  const { code } = await running.result;
  assert.is(code, 0);
  assert.not.ok(
    sockets.some((path) => existsSync(path)),
    'every daemon has ended',
  );
  assert.ok(existsSync(join(folder, 'ceph.conf')), 'a folder that was named is left');
  rmSync(folder, { recursive: true });
});

test('what cannot be is refused before anything starts', async () => {
  for (const [flags, reason] of [
    [['--osds', '1'], /--osds/],
    [['--break', 'everything'], /kill, pause/],
    [['--auth', 'kerberos'], /cephx/],
  ] as const) {
    const { code, stderr } = await runCommand('cluster', ...flags);
    assert.is(code, 2);
    assert.match(stderr, reason);
  }
});

test.run();
