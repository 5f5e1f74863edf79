/**
 * `msgr2 bench`, very short: every figure is there and more than nothing.
 *
 * @timeLimitSeconds 300
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ProcessPair } from '../../src/cli/bench/process-pair.ts';
import type { VariantResult } from '../../src/cli/bench/report.ts';
import { startPair, variantsOf } from '../../src/cli/bench/variants.ts';
import { testTransports } from '../support/messengers.ts';
import { limited } from '../support/timeout.ts';
import { runCommand } from './command-line.ts';

const short = ['--seconds', '0.2', '--sizes', '64,64KiB'];

function check(result: VariantResult): void {
  assert.equal(
    result.throughput.map((sample) => sample.sizeBytes),
    [64, 65536],
  );
  for (const sample of result.throughput) {
    assert.ok(sample.messages > 0 && Number.isInteger(sample.messages));
    assert.ok(sample.seconds > 0);
    assert.ok(sample.messagesPerSecond > 0);
    const megabytes = (sample.messagesPerSecond * sample.sizeBytes) / 1e6;
    assert.ok(Math.abs(sample.megabytesPerSecond - megabytes) < megabytes * 1e-6);
    for (const cpu of [sample.server, sample.client]) assert.ok(cpu.userUs + cpu.systemUs > 0);
  }
  const { roundTrips, perSecond, rttMs } = result.roundTrips!;
  assert.ok(roundTrips > 0 && perSecond > 0);
  assert.ok(0 < rttMs.min && rttMs.min <= rttMs.p50 && rttMs.p50 <= rttMs.p99 && rttMs.p99 <= rttMs.max);
}

for (const transport of testTransports()) {
  const dispatchers = transport === 'async' ? ['default', 'borrowing', 'queued'] : ['default', 'queued'];
  test(
    `${transport}: JSON on standard output, and nothing else there`,
    limited(180_000, async () => {
      const flags = ['--transport', transport, '--dispatcher', 'default,borrowing,queued', '--json', '-'];
      const run = await runCommand('bench', ...short, ...flags);
      assert.is(run.code, 0, run.stderr);
      const report = JSON.parse(run.stdout);
      assert.equal(
        report.results.map((result: VariantResult) => result.name),
        dispatchers.map((kind) => (kind === 'default' ? transport : `${transport} ${kind}`)),
      );
      for (const result of report.results) check(result);
      for (const key of ['cpu', 'kernel', 'congestionControl', 'node', 'date']) {
        assert.type(report.machine[key], 'string', key);
      }
      assert.is(report.seconds, 0.2);
    }),
  );
}

test(
  'plain lines without a terminal, one per figure; JSON into a file',
  limited(120_000, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'msgr2-bench-'));
    try {
      const file = join(folder, 'out.json');
      const run = await runCommand('bench', ...short, '--transport', 'simple', '--json', file);
      assert.is(run.code, 0, run.stderr);
      for (const control of ['\r', '\u001b']) assert.not.ok(run.stdout.includes(control));
      assert.match(run.stdout, /^simple +64 B +[\d.]+( [kM])? messages\/s +[\d.]+ MB\/s/m);
      assert.match(run.stdout, /^simple +64 KiB +[\d.]+( [kM])? messages\/s/m);
      assert.match(run.stdout, /^simple +64 B +[\d.]+( [kM])? round trips\/s.*p50 [\d.]+ µs +p99 [\d.]+ µs/m);
      assert.match(run.stdout, /^messages\/s +64 B +64 KiB +ping p50 +ping p99$/m);
      check(JSON.parse(await readFile(file, 'utf8')).results[0]);
    } finally {
      await rm(folder, { recursive: true });
    }
  }),
);

test(
  'secure mode: variants of their own, with names of their own',
  limited(180_000, async () => {
    for (const transport of testTransports()) {
      const flags = [
        '--transport',
        transport,
        '--dispatcher',
        'default',
        '--mode',
        'crc,secure',
        '--json',
        '-',
      ];
      const run = await runCommand('bench', ...short, ...flags);
      assert.is(run.code, 0, run.stderr);
      const { results } = JSON.parse(run.stdout);
      assert.equal(
        results.map((result: VariantResult) => result.name),
        [transport, `${transport} secure`],
      );
      for (const result of results) check(result);
    }
  }),
);

test(
  'progress is told while it runs',
  limited(120_000, async () => {
    await using pair = await startPair(variantsOf(['simple'], ['default'])[0]!);
    const progress: number[] = [];
    const sample = await pair.throughput({ sizeBytes: 1024, seconds: 1 }, (messages) =>
      progress.push(messages),
    );
    assert.ok(progress.length > 0);
    assert.ok(progress.every((messages) => messages > 0 && messages <= sample.messages));
  }),
);

test(
  'a link that cannot be loaded is an error, not a hang',
  limited(120_000, async () => {
    try {
      await ProcessPair.start(new URL('./no-such-link.ts', import.meta.url).href, {});
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /CliError: the (server|client) process: Cannot find module/);
    }
  }),
);

test('wrong values are one line and exit code 2', async () => {
  const cases = [
    [['--sizes', '64,x'], /--sizes.*"x" is no size/s],
    [['--sizes', '0'], /a payload of 0 bytes/],
    [['--transport', 'carrier-pigeon'], /--transport.*none of async, simple/s],
    [['--seconds', '-1'], /--seconds/],
    [['--mode', 'clear'], /--mode.*none of crc, secure/s],
  ] as const;
  for (const [flags, pattern] of cases) {
    const run = await runCommand('bench', ...flags);
    assert.is(run.code, 2, run.stderr);
    assert.match(run.stderr, pattern);
    assert.is(run.stdout, '');
  }
});

test.run();
