/**
 * What the command line says when there is no cluster to speak to: one line that names what is missing.
 *
 * @timeLimitSeconds 180
 */
import { createServer, type Server } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfFolder } from '../../config/support/ceph-conf.ts';
import { limited } from '../../support/timeout.ts';
import { type CommandResult, runCommand } from '../command-line.ts';

const limitMs = 60_000;
const none = ['--option', 'auth_client_required=none'];

async function refusal(code: number, ...args: string[]): Promise<string> {
  const run: CommandResult = await runCommand(...args);
  assert.is(run.code, code, run.stderr);
  assert.is(run.stdout, '');
  assert.is(run.stderr.trimEnd().split('\n').length, 1, run.stderr);
  return run.stderr;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

test(
  'no ceph.conf, one that cannot be opened, one without monitors, one with a mistake',
  limited(limitMs, async () => {
    using folder = new ConfFolder();
    process.env.HOME = folder.path;
    const cluster = ['--cluster', 'no-such-cluster'];
    assert.match(
      await refusal(1, 'status', ...cluster),
      /^msgr2 status: no ceph\.conf was found \(\/etc\/ceph\/no-such-cluster\.conf, .*\): name one with --conf, or the monitors with --mon-host$/m,
    );
    assert.match(
      await refusal(2, 'status', '-c', '/no/such.conf'),
      /: no ceph\.conf can be opened: \/no\/such\.conf \(ENOENT\)$/m,
    );
    const empty = folder.write('[global]\nfsid = x\n');
    assert.match(
      await refusal(1, 'command', 'status', '-c', empty),
      /f\.conf does not say where the monitors are: it has no 'mon host'/,
    );
    const wrong = folder.write('[global]\nfsid = x\nmon host\n');
    assert.match(await refusal(1, 'watch', 'osdmap', '-c', wrong), /f\.conf:3: "mon host" is neither/);
    const host = folder.write('[global]\nauth client required = none\nmon host = a b:c\n');
    assert.match(
      await refusal(1, 'ping', 'osd.0', '-c', host),
      /f\.conf:3: mon_host "a b:c": the port in "b:c"/,
    );
  }),
);

test(
  'nobody listens: each monitor is named; no key: the places are',
  limited(limitMs, async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    const monHost = `v2:127.0.0.1:${port},v2:127.0.0.2:${port}`;
    const text = await refusal(1, 'status', '-m', monHost, ...none);
    assert.match(text, new RegExp(`v2:127\\.0\\.0\\.1:${port}/0: .*ECONNREFUSED`));
    assert.match(text, new RegExp(`v2:127\\.0\\.0\\.2:${port}/0: .*ECONNREFUSED`));
    assert.match(
      await refusal(
        1,
        'status',
        '-m',
        monHost,
        '--option',
        'auth_client_required=cephx',
        '-k',
        '/no/keyring',
      ),
      /: no keyring for client\.admin was found in \/no\/keyring: name one with --keyring, or another client with --name$/m,
    );
  }),
);

test(
  'somebody who is no monitor, and somebody who does not answer',
  limited(limitMs, async () => {
    const talker = createServer((socket) =>
      socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2p1\r\n'.padEnd(64)),
    );
    const silent = createServer((socket) => socket.on('error', () => {}));
    const ports = [await listen(talker), await listen(silent)] as const;
    try {
      const hunt = ['--option', 'mon_client_hunt_interval=0.5'];
      const monHost = ports.map((port) => `v2:127.0.0.1:${port}`).join(',');
      const text = await refusal(1, 'status', '-m', monHost, ...none, ...hunt);
      assert.match(text, new RegExp(`127\\.0\\.0\\.1:${ports[0]}.*does not speak msgr2`));
      assert.match(text, new RegExp(`127\\.0\\.0\\.1:${ports[1]}/0: no answer within 500 ms`));
      const late = await refusal(
        1,
        'status',
        '-m',
        `v2:127.0.0.1:${ports[1]}`,
        ...none,
        '--connect-timeout',
        '0.3',
      );
      assert.match(late, /not connected within 300 ms/);
    } finally {
      talker.close();
      silent.close();
    }
  }),
);

test(
  'flags that cannot be used are named',
  limited(limitMs, async () => {
    for (const [args, message] of [
      [['status', '-n', 'nobody'], /entity "nobody": expected TYPE\.ID/],
      [
        ['status', '-m', '127.0.0.1', '--option', 'ms_bind_ipv6=yes'],
        /option ms_bind_ipv6 takes true or false, not "yes"/,
      ],
      [
        ['status', '-m', '127.0.0.1', '--option', 'auth_client_required=x'],
        /option auth_client_required takes a list of none, cephx/,
      ],
      [['status', '-m', '', ...none], /name one with --conf|does not say where/],
    ] as const) {
      const run = await runCommand(...args);
      assert.is.not(run.code, 0);
      assert.match(run.stderr, message);
    }
    for (const args of [
      ['status', '-f', 'loud'],
      ['status', 'now'],
      ['command'],
      ['watch', 'pgmap'],
      ['status', '--option', 'x'],
    ]) {
      const run = await runCommand(...args);
      assert.is(run.code, 2, `${args}: ${run.stderr}`);
    }
  }),
);

test.run();
