/**
 * `msgr2 ping` against an OSD-like answerer in this process: what it prints, counts and refuses.
 *
 * @timeLimitSeconds 300
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startPingAnswerer } from '../../bench/ping-answerer.ts';
import { Pinger, type PingerOptions, type PingSummary } from '../../src/cli/ping/pinger.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityName } from '../../src/wire/entity-name.ts';
import { Uuid } from '../../src/wire/uuid.ts';
import { testTransports } from '../support/messengers.ts';
import { limited } from '../support/timeout.ts';
import { runCommand, startCommand } from './command-line.ts';

const fsid = randomUUID();

function identity(from = 'osd.1'): string[] {
  return ['--fsid', fsid, '--epoch', '7', '--from', from];
}

function pingerOptions(address: string, change: Partial<PingerOptions> = {}): PingerOptions {
  return {
    target: EntityAddr.parse(address),
    fsid: Uuid.parse(fsid),
    mapEpoch: 7,
    from: EntityName.osd(1),
    count: 10,
    intervalMs: 0,
    window: 1,
    timeoutMs: 10_000,
    minMessageSize: 2000,
    ...change,
  };
}

for (const transport of testTransports()) {
  test(
    `${transport}: a line per reply, and a summary`,
    limited(120_000, async () => {
      await using osd = await startPingAnswerer({ fsid, transport });
      const run = await runCommand(
        'ping',
        osd.address,
        ...identity(),
        '-c',
        '3',
        '-i',
        '0.01',
        '--transport',
        transport,
      );
      assert.is(run.stderr, '');
      assert.is(run.code, 0);
      const lines = run.stdout.split('\n');
      assert.match(
        lines[0]!,
        new RegExp(
          `^PING osd\\.0 \\(${osd.address}\\) as osd\\.1 \\(v2:127\\.0\\.0\\.1:0/\\d+\\), ${transport}`,
        ),
      );
      for (const seq of [1, 2, 3]) {
        assert.match(
          lines[seq]!,
          new RegExp(`^2025 bytes from osd\\.0 \\(${osd.address}\\): ping_seq=${seq} time=\\d+\\.\\d{3} ms$`),
        );
      }
      assert.match(run.stdout, /^3 pings sent, 3 replies, 0 lost \(0%\)$/m);
      assert.match(run.stdout, /^rtt min\/p50\/p99\/max = (\d+\.\d{3}\/?){4} ms$/m);
    }),
  );

  test(
    `${transport}: a flood of a thousand, none lost; JSON`,
    limited(120_000, async () => {
      await using osd = await startPingAnswerer({ fsid, transport, minMessageSize: 0 });
      const flags = ['-c', '1000', '-i', '0', '-w', '16', '-s', '0', '--json', '--transport', transport];
      const run = await runCommand('ping', osd.address, ...identity(), ...flags);
      assert.is(run.stderr, '');
      assert.is(run.code, 0);
      const summary = JSON.parse(run.stdout) as PingSummary;
      assert.is(summary.peer, 'osd.0');
      assert.is(summary.target, osd.address);
      assert.is(summary.transport, transport);
      assert.is(summary.sent, 1000);
      assert.is(summary.received, 1000);
      for (const key of [
        'lost',
        'underWay',
        'lossPercent',
        'duplicates',
        'late',
        'unknown',
        'youDied',
      ] as const) {
        assert.is(summary[key], 0, key);
      }
      assert.is(summary.pingBytes, 54);
      assert.is(summary.replyBytes, 54);
      assert.ok(summary.repliesPerSecond > 0);
      const { min, p50, p99, max } = summary.rttMs!;
      assert.ok(0 < min && min <= p50 && p50 <= p99 && p99 <= max);
    }),
  );
}

test(
  'at most a window of pings is under way',
  limited(60_000, async () => {
    let unanswered = 0;
    let most = 0;
    await using osd = await startPingAnswerer({
      fsid,
      intercept(reply, connection) {
        most = Math.max(most, ++unanswered);
        setTimeout(() => {
          unanswered--;
          connection.send(reply);
        }, 2);
      },
    });
    const summary = await new Pinger(pingerOptions(osd.address, { count: 40, window: 4 })).run();
    assert.is(summary.received, 40);
    assert.is(most, 4);
  }),
);

test(
  'doubled and late replies are told apart from answers',
  limited(60_000, async () => {
    let count = 0;
    let sendLate = (): void => assert.unreachable();
    await using osd = await startPingAnswerer({
      fsid,
      intercept(reply, connection) {
        count++;
        // The second ping is answered when it has been given up, the third one twice.
        if (count === 2) sendLate = () => void connection.send(reply);
        else connection.send(reply);
        if (count === 3) connection.send(reply);
      },
    });
    const events: string[] = [];
    const summary = await new Pinger(pingerOptions(osd.address, { count: 5, timeoutMs: 1000 }), {
      lost(seq) {
        events.push(`lost ${seq}`);
        sendLate();
      },
      unmatched: (kind) => events.push(kind),
    }).run();
    assert.is(summary.sent, 5);
    assert.is(summary.received, 4);
    assert.is(summary.lost, 1);
    assert.is(summary.lossPercent, 20);
    assert.is(summary.duplicates, 1);
    assert.is(summary.late, 1);
    assert.is(summary.unknown, 0);
    assert.equal(events, ['lost 2', 'late', 'duplicate']);
  }),
);

test(
  'a cluster with another fsid does not answer: all lost, exit code 1',
  limited(120_000, async () => {
    await using osd = await startPingAnswerer({ fsid: randomUUID() });
    const flags = ['-c', '2', '-i', '0', '-w', '2', '-W', '0.2'];
    const run = await runCommand('ping', osd.address, ...identity(), ...flags);
    assert.is(run.code, 1);
    assert.match(run.stdout, /^no reply from osd\.0 within 0\.2 s: ping_seq=1$/m);
    assert.match(run.stdout, /^2 pings sent, 0 replies, 2 lost \(100%\)$/m);
  }),
);

test(
  'YOU_DIED is reported once and counted each time',
  limited(120_000, async () => {
    await using osd = await startPingAnswerer({ fsid, dead: [3], mapEpoch: 12 });
    const run = await runCommand('ping', osd.address, ...identity('osd.3'), '-c', '3', '-i', '0.02');
    assert.is(run.stdout.match(/osd\.0 says YOU_DIED: its OSDMap \(epoch 12\) has no osd\.3/g)?.length, 1);
    assert.match(run.stdout, /3 pings sent, 3 replies, 0 lost \(0%\), [23] YOU_DIED/);
  }),
);

test(
  'an OSD that goes away and comes back at its address: lost meanwhile, then answered',
  limited(60_000, async () => {
    const osd = await startPingAnswerer({ fsid });
    const { nonce } = osd.messenger;
    const address = EntityAddr.parse(osd.address);
    let isBack = false;
    const pinger = new Pinger(
      pingerOptions(osd.address, { count: Number.POSITIVE_INFINITY, intervalMs: 20, timeoutMs: 100 }),
      {
        reply: (seq) => {
          if (seq === 3) for (const connection of osd.messenger.connections()) connection.markDown();
          if (isBack) pinger.stop();
        },
        disconnected: () => {
          isBack = true;
        },
      },
    );
    try {
      const summary = await pinger.run();
      assert.is(summary.disconnects, 1);
      assert.ok(summary.received >= 4);
      assert.is(nonce, address.nonce);
    } finally {
      await osd.messenger.shutdown();
    }
  }),
);

test(
  'SIGINT ends it with the summary',
  limited(120_000, async () => {
    await using osd = await startPingAnswerer({ fsid });
    const command = startCommand('ping', osd.address, ...identity(), '-i', '0.05');
    await command.printed('ping_seq=2');
    command.child.kill('SIGINT');
    const { code, stdout, stderr } = await command.result;
    assert.is(stderr, '');
    assert.is(code, 0);
    assert.match(stdout, /^\d+ pings sent, \d+ replies, 0 lost \(0%\)/m);
  }),
);

/** One line on standard error, and the exit code that goes with it. */
async function refuses(args: string[], code: number, pattern: RegExp): Promise<void> {
  const run = await runCommand('ping', ...args);
  assert.is(run.code, code, run.stderr);
  assert.match(run.stderr, pattern);
  assert.is(run.stdout, '');
  const lines = run.stderr.trimEnd().split('\n');
  assert.ok(lines.length === 1 || lines.at(-1)!.startsWith('(see'), run.stderr);
}

test('the nonce must be there, and the message says why', () =>
  refuses(
    ['v2:127.0.0.1:6801', ...identity()],
    2,
    /^msgr2 ping: v2:127\.0\.0\.1:6801 has no nonce\. .*ceph osd dump/,
  ));

test('what is missing is named, all of it', async () => {
  await refuses(['v2:127.0.0.1:6801/1'], 2, /^msgr2 ping: --fsid, --epoch, --from missing: .*ceph osd dump/);
  await refuses(['v2:127.0.0.1:6801/1', '--epoch', '1', '--from', 'osd.1'], 2, /^msgr2 ping: --fsid missing/);
});

test('values that cannot be used are named with their option', async () => {
  await refuses(['v2:nowhere:6801/1', ...identity()], 2, /"nowhere" is not an IP address/);
  await refuses(['v1:127.0.0.1:6801/1', ...identity()], 2, /no v2: address/);
  await refuses(['v2:127.0.0.1:6801/1', ...identity('client.1')], 2, /--from client\.1/);
  await refuses(
    ['v2:127.0.0.1:6801/1', ...identity(), '--count', '0'],
    2,
    /--count .*whole number from 1 up/s,
  );
  await refuses(
    ['v2:127.0.0.1:6801/1', '--fsid', 'x', '--epoch', '1', '--from', 'osd.1'],
    2,
    /"x" is not a uuid/,
  );
  await refuses(['v2:127.0.0.1:6801/1', ...identity(), '-o', 'ms_typo=1'], 2, /ms_typo=1/);
  await refuses([], 2, /missing required argument 'osd'/);
});

test(
  'nobody there, somebody else there, a wrong nonce: one line each, exit code 1',
  limited(120_000, async () => {
    const server = createServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1 Debian\r\n'.padEnd(64)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      await refuses(
        [`v2:127.0.0.1:${port}/1`, ...identity()],
        1,
        /^msgr2 ping: no session with v2:127\.0\.0\.1:\d+\/1: /,
      );
    } finally {
      server.close();
    }
    await refuses([`v2:127.0.0.1:${port}/1`, ...identity()], 1, /nothing listens there/);

    await using osd = await startPingAnswerer({ fsid });
    const wrong = osd.address.replace(/\d+$/, (nonce) => String((Number(nonce) ^ 1) >>> 0));
    await refuses([wrong, ...identity()], 1, /compare the address with 'ceph osd dump'/);
  }),
);

test('--version and --help', async () => {
  const version = await runCommand('--version');
  assert.is(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+/);
  const help = await runCommand('--help');
  assert.is(help.code, 0);
  for (const name of ['status', 'command', 'watch', 'ping', 'bench', 'map'])
    assert.match(help.stdout, new RegExp(`^ {2}${name} `, 'm'));
  const nothing = await runCommand('no-such-command');
  assert.is(nothing.code, 2);
});

test.run();
