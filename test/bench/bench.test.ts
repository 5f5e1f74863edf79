/**
 * The bench beside peers: its arithmetic, its peers, and one very short run.
 *
 * @timeLimitSeconds 300
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findPeers } from '../../bench/peer.ts';
import { spreadOf } from '../../bench/statistics.ts';
import { type PeerResult, ratiosOf, resultTables } from '../../bench/table.ts';
import type { RoundTripSample, ThroughputSample } from '../../src/cli/bench/samples.ts';
import { limited } from '../support/timeout.ts';

test('median and spread', () => {
  assert.equal(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3, spread: 1 });
  assert.equal(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4, spread: 1.2 });
  assert.equal(spreadOf([7]), { median: 7, min: 7, max: 7, spread: 0 });
  assert.throws(() => spreadOf([]), /no values/);
});

const cpu = { userUs: 1, systemUs: 1 };

function resultOf(name: string, rates: readonly number[], p50: number): PeerResult {
  const throughput = rates.map(
    (messagesPerSecond): ThroughputSample => ({
      sizeBytes: 64,
      messages: messagesPerSecond,
      seconds: 1,
      messagesPerSecond,
      megabytesPerSecond: (64 * messagesPerSecond) / 1e6,
      server: cpu,
      client: cpu,
    }),
  );
  const rttMs = { min: p50, p50, p99: 2 * p50, max: 3 * p50, mean: p50 };
  const roundTrip: RoundTripSample = {
    sizeBytes: 64,
    roundTrips: 1,
    seconds: 1,
    perSecond: 1,
    rttMs,
    server: cpu,
    client: cpu,
  };
  return { name, title: `the ${name}`, throughput, roundTrips: [roundTrip] };
}

test('ratios are of medians, and only of what ran', () => {
  const results = [resultOf('async', [100, 300, 200], 0.01), resultOf('node:net', [90, 100, 5000], 0.04)];
  assert.equal(ratiosOf(results, [64, 4096]), [
    { of: 'async', to: 'node:net', throughput: { 64: 2 }, ping: 0.25 },
  ]);
  const text = resultTables(results, [64]);
  assert.match(text, /^the async +200 ±50% +10\.0 µs ±0% +20\.0 µs ±0%$/m);
  assert.match(text, /^the async +20 ns ±67%$/m);
  assert.match(text, /^async \/ node:net +× 2\.00 +× 0\.25$/m);
});

test('every file of bench/peers gives its peers, or a reason', async () => {
  const { peers, missing } = await findPeers();
  const names = peers.map((peer) => peer.name);
  assert.ok(names.includes('simple') && names.includes('node:net'), names.join());
  assert.is(new Set(names).size, names.length);
  for (const { name, reason } of missing) assert.ok(name.length > 0 && reason.length > 0);
});

test(
  'node:net delivers every message, of sizes that fall between the reads',
  limited(120_000, async () => {
    const { peers } = await findPeers();
    const session = await peers.find((peer) => peer.name === 'node:net')!.start();
    try {
      // The pair throws when a message is missing or its first byte is not the one that was sent.
      for (const size of [1, 7, 1021, 65_521, 65_536, 300_007]) {
        const sample = await session.throughput(size, 0.05);
        assert.ok(sample.messages > 0);
        assert.ok(Math.abs(sample.megabytesPerSecond * 1e6 - sample.messagesPerSecond * size) < 1e3);
      }
      assert.ok((await session.roundTrips!(100_000, 0.05)).roundTrips > 0);
    } finally {
      await session.close();
    }
  }),
);

test(
  'AEAD alone: as many messages as the slower end could do, and both ends work',
  limited(120_000, async () => {
    const { peers } = await findPeers();
    const session = await peers.find((peer) => peer.name === 'AEAD alone')!.start();
    try {
      assert.is(session.roundTrips, undefined);
      for (const size of [64, 4096]) {
        const sample = await session.throughput(size, 0.2);
        assert.ok(sample.messagesPerSecond * size > 1e6, 'more than a megabyte per second');
        assert.ok(Math.abs(sample.messages / sample.seconds - sample.messagesPerSecond) < 1);
        for (const cpu of [sample.server, sample.client]) assert.ok(cpu.userUs + cpu.systemUs > 0);
      }
    } finally {
      await session.close();
    }
  }),
);

test('secure mode is set against crc mode and against its cipher alone', () => {
  const results = [
    resultOf('async', [400], 0.01),
    resultOf('async secure', [300], 0.01),
    { ...resultOf('AEAD alone', [400], 1), roundTrips: [] },
  ];
  const ratios = ratiosOf(results, [64]);
  assert.equal(
    ratios.map(({ of, to, throughput }) => [of, to, throughput[64]]),
    [
      ['async secure', 'async', 0.75],
      ['async secure', 'AEAD alone', 0.75],
    ],
  );
  assert.is(ratios[1]!.ping, undefined);
  assert.match(resultTables(results, [64]), /^async secure \/ AEAD alone +× 0\.75 +-$/m);
});

test(
  'a short run of two peers: lines, tables, JSON',
  limited(120_000, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'msgr2-bench-'));
    try {
      const file = join(folder, 'out.json');
      const flags = [
        '--peers',
        'simple,node:net',
        '--rounds',
        '2',
        '--seconds',
        '0.1',
        '--sizes',
        '64,64KiB',
      ];
      const { code, output } = await runBench(...flags, '--json', file);
      assert.is(code, 0, output);
      assert.match(output, /^round 2 of 2 done$/m);
      assert.match(output, /^msgr2 simple +[\d.]+( [kM])? ±\d+%/m);
      assert.match(output, /^simple \/ node:net +× [\d.]+ +× [\d.]+ +× [\d.]+$/m);
      const document = JSON.parse(await readFile(file, 'utf8'));
      assert.is(document.rounds, 2);
      for (const result of document.results) {
        assert.is(result.throughput.length, 4);
        assert.is(result.roundTrips.length, 2);
        for (const sample of result.throughput) assert.ok(sample.messagesPerSecond > 0);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }),
);

test('a peer that does not exist is named', async () => {
  const { code, output } = await runBench('--peers', 'no-such-peer');
  assert.is(code, 2);
  assert.match(output, /no peer is named no-such-peer; there are .*node:net/);
});

function runBench(...args: string[]): Promise<{ code: number | null; output: string }> {
  const script = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

test.run();
