/**
 * The command line against real daemons: with auth none, with cephx in crc mode, and with cephx in secure
 * mode; what `ceph` itself prints is the measure.
 *
 * @timeLimitSeconds 420
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CephCluster, type CephClusterOptions, requireCeph } from '../../support/ceph-cluster.ts';
import { limited } from '../../support/timeout.ts';
import { type CommandResult, runCommand, startCommand } from '../command-line.ts';

const limitMs = 120_000;

/** Exit code, standard output and standard error of `ceph`, without throwing. */
function ceph(cluster: CephCluster, ...args: string[]): CommandResult {
  const options = ['-c', cluster.confPath, '--connect-timeout', '30'];
  const { CEPH_ARGS: _, CEPH_CONF: __, ...env } = process.env;
  const { status, stderr, stdout } = spawnSync('ceph', [...options, ...args], {
    encoding: 'utf8',
    env,
    input: '',
  });
  return { code: status, stdout, stderr };
}

/** Warnings about keys of type aes, the only ones that this Ceph has, are left out. */
async function msgr2(cluster: CephCluster, command: string, ...args: string[]): Promise<CommandResult> {
  const { code, stderr, stdout } = await runCommand(
    ...command.split(' '),
    '--conf',
    cluster.confPath,
    ...args,
  );
  return {
    code,
    stdout,
    stderr: stderr.replaceAll(/^msgr2: warning: the key of .* is of type aes.*\n/gm, ''),
  };
}

/** What grows by itself between two questions. */
function withoutAges(text: string): string {
  return text
    .replaceAll(/\((age|since) [^)]*\)/g, '($1 …)')
    .replaceAll(/(since) [\d.]+[a-z]+/g, '$1 …')
    .replaceAll(/"quorum_age": ?\d+/g, '"quorum_age":…');
}

/** A cluster changes while it is asked twice; three different answers in a row are no accident. */
async function sameAnswer(ours: () => Promise<CommandResult>, theirs: () => CommandResult): Promise<void> {
  let answers: [CommandResult, CommandResult] | undefined;
  for (let attempt = 0; attempt < 3; attempt++) {
    answers = [await ours(), theirs()];
    const [one, other] = answers.map(({ code, stderr, stdout }) =>
      withoutAges(`${code}\n${stderr}\n${stdout}`),
    );
    if (one === other) return;
  }
  const [one, other] = answers!;
  assert.is(one.code, other.code, one.stderr);
  assert.is(withoutAges(one.stderr), withoutAges(other.stderr));
  assert.is(withoutAges(one.stdout), withoutAges(other.stdout));
}

const variants: readonly (readonly [name: string, options: CephClusterOptions, mode: 'crc' | 'secure'])[] = [
  ['auth none', { auth: 'none' }, 'crc'],
  ['cephx, crc mode', { auth: 'cephx', mode: 'crc' }, 'crc'],
  ['cephx, secure mode', { auth: 'cephx', mode: 'secure' }, 'secure'],
];

if (requireCeph('test/cli/cluster/real-ceph')) {
  for (const [name, options, mode] of variants) {
    test(
      `${name}: the answers of ceph`,
      limited(limitMs, async () => {
        await using cluster = await CephCluster.start({ ...options, osds: 2 });
        await cluster.ceph('osd', 'pool', 'create', 'data', '8');
        const formats = [[], ['--format', 'json'], ['-f', 'json-pretty']];
        for (const format of formats) {
          await sameAnswer(
            () => msgr2(cluster, 'status', ...format),
            () => ceph(cluster, 'status', ...format),
          );
        }
        for (const [index, words] of ['osd tree', 'osd dump', 'mon dump', 'osd pool ls detail'].entries()) {
          const format = formats[index % formats.length]!;
          const theirs = (): CommandResult => ceph(cluster, ...words.split(' '), ...format);
          await sameAnswer(() => msgr2(cluster, 'command', words, ...format), theirs);
        }
        // Refused by the monitor, and before it sees them.
        for (const words of ['osd pool create other 8 no-such-rule', 'osd pool set data size 99']) {
          const theirs = ceph(cluster, ...words.split(' '));
          assert.equal(await msgr2(cluster, `command ${words}`), theirs, words);
          assert.is.not(theirs.code, 0);
        }
        const wrong = await msgr2(cluster, 'command osd reweight 0 1.5');
        assert.is(wrong.code, ceph(cluster, 'osd', 'reweight', '0', '1.5').code);
        assert.match(
          wrong.stderr,
          /^msgr2 command: weight is 1\.5, not from 0 to 1\nusage:\n {2}osd reweight /,
        );
      }),
    );

    test(
      `${name}: ping osd.0, front and back`,
      limited(limitMs, async () => {
        await using cluster = await CephCluster.start({ ...options, osds: 2 });
        const { hbBack, hbFront } = await cluster.addrsOf(0);
        const run = await msgr2(cluster, 'ping osd.0', '--count', '3', '-i', '0.05');
        assert.is(run.stderr, '');
        assert.is(run.code, 0);
        for (const [network, address] of [
          ['front', hbFront],
          ['back', hbBack],
        ] as const) {
          const escaped = address.replaceAll('.', '\\.');
          assert.match(
            run.stdout,
            new RegExp(`^PING osd\\.0 ${network} \\(${escaped}\\) as osd\\.1 .* ${mode} mode$`, 'm'),
          );
          assert.match(
            run.stdout,
            new RegExp(`^\\d+ bytes from osd\\.0 ${network} \\(${escaped}\\): ping_seq=3 `, 'm'),
          );
          assert.match(
            run.stdout,
            new RegExp(
              `^--- osd\\.0 ${network} \\(${escaped}\\) ping statistics ---\n3 pings sent, 3 replies, 0 lost \\(0%\\)$`,
              'm',
            ),
          );
        }
        const json = await msgr2(
          cluster,
          'ping osd.1',
          '-c',
          '2',
          '--interval',
          '0',
          '--network',
          'back',
          '--format',
          'json',
          '--transport',
          'simple',
        );
        assert.is(json.code, 0, json.stderr);
        const summary = JSON.parse(json.stdout);
        assert.equal(
          [summary.peer, summary.network, summary.from, summary.received, summary.transport],
          ['osd.1', 'back', 'osd.0', 2, 'simple'],
        );
      }),
    );
  }

  test(
    'cephx: a wrong key, no key, the wrong method, the wrong mode, the keys of daemons',
    limited(limitMs, async () => {
      await using cluster = await CephCluster.start({ auth: 'cephx', mode: 'crc', osds: 1 });
      const wrongKey = join(cluster.folder, 'wrong.keyring');
      const text = readFileSync(cluster.keyringPath('osd.0'), 'utf8');
      writeFileSync(wrongKey, text.replace('[osd.0]', '[client.admin]'));
      const key = /key = (\S+)/.exec(text)![1]!;

      const wrong = await msgr2(cluster, 'status', '-k', wrongKey);
      assert.is(wrong.code, 13, 'EACCES, as with ceph');
      assert.is(ceph(cluster, '-k', wrongKey, 'status').code, 13);
      assert.match(
        wrong.stderr,
        /refuses client\.admin with EACCES .*ceph auth get client\.admin.*wrong\.keyring/,
      );
      assert.not.match(wrong.stderr + wrong.stdout, new RegExp(key.slice(0, 12)), 'no key in a message');

      const none = await msgr2(cluster, 'status', '--id', 'nobody');
      assert.is(none.code, 1);
      assert.match(
        none.stderr,
        /^msgr2 status: no keyring for client\.nobody was found in \S+client\.nobody\.keyring: name one with --keyring/,
      );
      const other = await msgr2(cluster, 'status', '--id', 'nobody', '--keyring', wrongKey);
      assert.match(other.stderr, /wrong\.keyring has no key for client\.nobody, but for client\.admin/);

      const method = await msgr2(cluster, 'status', '--option', 'auth_client_required=none');
      assert.is(method.code, 1);
      assert.match(method.stderr, /refuses auth method none/);
      const secure = await msgr2(cluster, 'status', '--option', 'ms-mon-client-mode=secure');
      assert.is(secure.code, 1);
      assert.match(secure.stderr, /mode secure/);

      const status = ['status', '-c', cluster.confPath];
      assert.match(
        (await runCommand(...status)).stderr,
        /^msgr2: warning: the key of client\.admin is of type aes[^\n]*\n$/,
      );
      const noted = await runCommand(...status, '--option', 'auth_allowed_ciphers=aes aes256k');
      assert.equal([noted.code, noted.stderr], [0, '']);

      for (const daemon of ['osd.0', 'mon.']) {
        const run = await msgr2(cluster, 'command osd stat', '-n', daemon, '-k', cluster.keyringPath(daemon));
        assert.is(run.code, 0, run.stderr);
        assert.match(run.stdout, /^1 osds: 1 up/);
      }
    }),
  );

  test(
    'watch osdmap: a line for each change, until the count or a signal',
    limited(limitMs, async () => {
      await using cluster = await CephCluster.start({ osds: 2 });
      const flags = ['--conf', cluster.confPath];
      const { epoch } = await cluster.osdDump();
      const text = startCommand('watch', 'osdmap', ...flags);
      const json = startCommand('watch', 'osdmap', ...flags, '--format', 'json');
      await Promise.all([text.printed('\n'), json.printed('\n')]);
      await cluster.ceph('osd', 'set', 'noout');
      await text.printed(' noout set\n');
      await cluster.ceph('osd', 'reweight', '1', '0.5');
      await text.printed(' osd.1 weight 1 → 0.5\n');
      await cluster.killOsd(1);
      await text.printed('osd.1 down');
      text.child.kill('SIGINT');
      const ended = await text.result;
      assert.is(ended.code, 0);
      assert.is(ended.stderr, '');
      const lines = ended.stdout.trimEnd().split('\n');
      assert.match(lines[0]!, /^e\d+ 2 osds: 2 up, 2 in; 0 pools, 0 pgs$/);
      const epochs = lines.map((line) => Number(/^e(\d+) /.exec(line)![1]));
      assert.equal(
        epochs,
        epochs.map((_, index) => epochs[0]! + index),
        'every epoch, once and in order',
      );
      assert.ok(epochs[0]! >= epoch);

      await json.printed('"change":"weight","from":1,"to":0.5}');
      json.child.kill('SIGTERM');
      const output = await json.result;
      assert.is(output.code, 0);
      const [first, ...rest] = output.stdout
        .trimEnd()
        .split('\n')
        .map((each) => JSON.parse(each));
      assert.match(first.state, /^e\d+ 2 osds: /);
      const noout = rest.find(({ changes }) => changes[0]?.change === 'noout set');
      assert.ok(lines.includes(`e${noout.epoch} noout set`));

      const past = await runCommand('watch', 'osdmap', ...flags, '--from', '2', '--count', '2');
      assert.match(past.stdout, /^e2 .*\ne3 /);
      assert.is(past.code, 0);
    }),
  );

  test(
    'command: input, output, JSON as it is, one monitor by its name, $CEPH_ARGS',
    limited(limitMs, async () => {
      await using cluster = await CephCluster.start({ mons: 1 });
      const folder = mkdtempSync(join(tmpdir(), 'msgr2-command-'));
      try {
        const crush = join(folder, 'crush');
        const out = await msgr2(cluster, 'command osd getcrushmap', '-o', crush);
        assert.equal([out.code, out.stdout], [0, '']);
        assert.ok(readFileSync(crush).byteLength > 100);
        const into = await msgr2(cluster, 'command osd setcrushmap', '-i', crush);
        assert.is(into.code, 0, into.stderr);

        const json = await msgr2(
          cluster,
          'command',
          '{"prefix": "config-key set", "key": "k", "val": "a b"}',
        );
        assert.is(json.stderr, 'set k\n');
        assert.is((await msgr2(cluster, 'command', "config-key get 'k'")).stdout, 'a b');
        const bad = await msgr2(cluster, 'command', '{"prefix": ');
        assert.is(bad.code, 2);
        assert.match(bad.stderr, /a mon command is JSON/);

        const told = await msgr2(cluster, 'command tell mon.a version');
        assert.match(JSON.parse(told.stdout).version, /^\d+\.\d+\.\d+/);
        const osd = await msgr2(cluster, 'command tell osd.0 version');
        assert.is(osd.code, 22);

        process.env.CEPH_ARGS = `--conf ${cluster.confPath} --id admin`;
        const byEnvironment = await runCommand('command', 'fsid');
        assert.is(byEnvironment.stdout.trim(), cluster.fsid);
      } finally {
        delete process.env.CEPH_ARGS;
        rmSync(folder, { recursive: true });
      }
    }),
  );
}

test.run();
