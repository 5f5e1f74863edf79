/**
 * `npm run bench` as a command: what it prints, its JSON, its picture, and what it refuses.
 *
 * @timeLimitSeconds 300
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { canReuseCore } from '../../bench/against.ts';
import { limited } from '../support/timeout.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function runBench(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['scripts/bench.mjs', '--no-install', ...words], {
    cwd: root,
    env: { ...process.env, ...env },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'msgr2-bench-test-'));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test(
  'two peers, two rounds: tables, goals, JSON and picture',
  limited(120_000, () =>
    inFolder(async (folder) => {
      const [json, chart] = [join(folder, 'out.json'), join(folder, 'out.svg')];
      const { code, output } = await runBench([
        ...['--scenario', 'stream,requests', '--peers', 'simple,node:net', '--rounds', '2'],
        ...['--seconds', '0.05', '--sizes', '64,64KiB', '--json', json, '--chart', chart],
      ]);
      assert.is(code, 0, output);
      assert.match(output, /^round 2 of 2 done in \d+ s$/m);
      assert.match(output, /^msgr2 simple +[\d.]+( [kM])? ±\d+% +[\d.]+( [kM])? ±\d+%$/m);
      assert.match(output, /^simple \/ node:net +× [\d.]+ +× [\d.]+ +× [\d.]+$/m);
      assert.match(output, /^node:net:\n {4}a length and a type; no CRC/m);
      const document = JSON.parse(await readFile(json, 'utf8'));
      assert.equal(
        document.peers.map(({ name }: { name: string }) => name),
        ['simple', 'node:net'],
      );
      for (const { stream, requests } of document.peers) {
        assert.equal(
          stream.map(({ sizeBytes }: { sizeBytes: number }) => sizeBytes),
          [64, 65_536, 64, 65_536],
        );
        for (const { messagesPerSecond } of stream) assert.ok(messagesPerSecond > 0);
        // Three depths in each of two rounds.
        assert.is(requests.length, 6);
      }
      assert.is(document.goals.length, 28);
      for (const key of ['cpu', 'kernel', 'congestionControl']) assert.type(document.machine[key], 'string');
      assert.type(document.versions.openssl, 'string');
      assert.match(await readFile(chart, 'utf8'), /^<svg /);
    }),
  ),
);

test(
  'beside another revision: each kind of messenger and its twin',
  limited(240_000, () =>
    inFolder(async (folder) => {
      const json = join(folder, 'out.json');
      // A core that would have to be built is left out; that takes a minute, and `npm install` tests it.
      const [peer, env] = canReuseCore('HEAD') ? ['async', {}] : ['simple', { MSGR2_NATIVE: 'off' }];
      const { code, output } = await runBench(
        [
          ...['--against', 'HEAD', '--scenario', 'stream', '--peers', peer, '--sizes', '1KiB'],
          ...['--rounds', '1', '--seconds', '0.05', '--json', json],
        ],
        env,
      );
      assert.is(code, 0, output);
      const commit = /^beside HEAD: (\w+), /m.exec(output)?.[1];
      assert.ok(commit !== undefined, output);
      assert.match(output, new RegExp(`^${peer} / ${peer} @ ${commit} +× [\\d.]+ +-$`, 'm'));
      const { peers, goals } = JSON.parse(await readFile(json, 'utf8'));
      assert.equal(
        peers.map(({ name }: { name: string }) => name),
        [peer, `${peer} @ ${commit}`],
      );
      for (const { stream } of peers) assert.ok(stream[0].messagesPerSecond > 0);
      assert.equal(goals, []);
    }),
  ),
);

test(
  'a soak: a row for each slice, and what they tend to',
  limited(120_000, () =>
    inFolder(async (folder) => {
      const json = join(folder, 'out.json');
      const { output } = await runBench([
        // Slices of a second: in one of 0.2 s a busy machine may bring nothing at all.
        ...['--scenario', 'soak', '--minutes', '0.1', '--peers', 'simple', '--json', json],
      ]);
      // So short a run may end while memory still grows; that exit code is what trendOf's test is about.
      assert.match(output, /last third over first: rate × [\d.]+, memory × [\d.]+, p99\.9 × [\d.]+/, output);
      const { slices } = JSON.parse(await readFile(json, 'utf8'));
      assert.is(slices.length, 6);
      for (const slice of slices) {
        assert.ok(slice.messagesPerSecond > 0 && slice.p50Ms > 0 && slice.p50Ms <= slice.p999Ms);
        assert.ok(slice.serverBytes > 0 && slice.clientDescriptors > 0);
      }
    }),
  ),
);

const controls = '/proc/sys/net/ipv4/tcp_available_congestion_control';
const canUnshare = process.getuid?.() === 0 && existsSync('/usr/bin/unshare') && existsSync(controls);
if (!canUnshare) console.log('SKIPPED congestion control of a namespace: needs root and unshare');
else {
  test(
    'congestion control is that of a namespace, and of the machine it is not',
    limited(60_000, async () => {
      const before = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8');
      const words = [
        '--scenario',
        'requests',
        '--peers',
        'TCP blocking',
        '--rounds',
        '1',
        '--seconds',
        '0.05',
      ];
      const { code, output } = await runBench([...words, '--congestion-control', 'reno']);
      assert.is(code, 0, output);
      assert.match(output, /, TCP reno, /);
      assert.match(output, /^raw TCP in C\+\+, blocking +[\d.]+ µs/m);
      assert.is(readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8'), before);
    }),
  );
}

test(
  'what cannot be is one line and exit code 2',
  limited(60_000, async () => {
    const cases = [
      [['--peers', 'no-such-peer'], /^npm run bench: no peer is named no-such-peer; there are .*node:net/m],
      [['--scenario', 'soak,stream'], /^npm run bench: the scenario soak runs alone$/m],
      [['--against', 'no-such-revision'], /^npm run bench: git knows no revision no-such-revision$/m],
      [['--congestion-control', 'pigeon'], /^npm run bench: this kernel has no congestion control pigeon/m],
    ] as const;
    const runs = await Promise.all(cases.map(([words]) => runBench(words)));
    for (const [index, { code, output }] of runs.entries()) {
      assert.is(code, 2, output);
      assert.match(output, cases[index]![1]);
    }
  }),
);

test.run();
