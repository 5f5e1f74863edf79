/** The arithmetic of a bench: medians, spreads, ratios, tables, what a soak tends to, the picture. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { benchChart } from '../../bench/chart/bench-chart.ts';
import { type SoakSlice, trendOf } from '../../bench/scenarios/soak.ts';
import { spreadOf } from '../../bench/statistics.ts';
import { connectionsTable, fairnessTable, peerTables, ratiosOf } from '../../bench/table.ts';
import { makePayloads, rotatingBytes } from '../../src/cli/bench/payloads.ts';
import { RoundTripRecorder } from '../../src/cli/bench/round-trip-times.ts';
import { peerResult, pingSample, resultsOf, streamSample } from './sample-results.ts';

test('median and spread', () => {
  assert.equal(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3, spread: 1 });
  assert.equal(spreadOf([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4, spread: 1.2 });
  assert.equal(spreadOf([7]), { median: 7, min: 7, max: 7, spread: 0 });
  assert.throws(() => spreadOf([]), /no values/);
});

test('percentiles are times that were measured, by the nearest rank', () => {
  const recorder = new RoundTripRecorder();
  assert.is(recorder.takeSummary(), undefined);
  // More than there is room for at first, in no order.
  const count = 100_000;
  for (let index = 0; index < count; index++) recorder.record(((index * 7919) % count) + 1);
  assert.is(recorder.count, count);
  assert.equal(recorder.takeSummary(), {
    min: 1,
    p50: 50_000,
    p90: 90_000,
    p99: 99_000,
    p999: 99_900,
    p9999: 99_990,
    max: 100_000,
    mean: 50_000.5,
  });
  assert.is(recorder.takeSummary(), undefined);
  recorder.record(3);
  assert.is(recorder.takeSummary()?.max, 3);
});

test('rotating payloads are different ones, of 16 MiB in all, and begin alike', () => {
  const [hot] = makePayloads(64, 'hot');
  assert.is(makePayloads(64, 'hot').length, 1);
  const payloads = makePayloads(4096, 'rotating');
  assert.is(payloads.length * 4096, rotatingBytes);
  assert.ok(payloads.every((payload) => payload.length === 4096 && payload[0] === hot![0]));
  assert.not.equal(payloads[0], payloads[1]);
  assert.is(makePayloads(2 * rotatingBytes, 'rotating').length, 1);
});

test('ratios are of medians, and only of what ran', () => {
  const results = [peerResult('async', [100, 300, 200], 0.01), peerResult('node:net', [90, 100, 5000], 0.04)];
  assert.equal(ratiosOf(results, [64, 4096]), [
    { of: 'async', to: 'node:net', throughput: { 64: 2 }, rotating: {}, ping: 0.25 },
  ]);
  const text = peerTables(results, [64]).join('\n');
  assert.match(text, /^the async +200 ±50%$/m);
  assert.match(text, /^the async +10 ns ±67%$/m);
  assert.match(text, /^the async +2 \+ 1 MiB$/m);
  assert.match(text, /^the async +10\.0 µs ±0% +20\.0 µs ±0% +1\.00 ±0%$/m);
  assert.match(text, /^async \/ node:net +× 2\.00 +× 0\.25$/m);
  for (const absent of ['rotating', 'fan-in', 'per million', 'within one process']) {
    assert.not.ok(text.includes(absent), absent);
  }
});

test('every scenario of a pair has its table', () => {
  const own = peerResult('async', [100], 0.01);
  own.rotating.push({ ...streamSample(50), payloads: 'rotating' });
  own.requests.push(pingSample(0.1, 64));
  own.fanIn.push({ ...streamSample(70), active: 10 });
  own.loopback.push(streamSample(80));
  const counts = { allocatedBytes: 300, collections: 1, fullCollections: 0, collectionMs: 2 };
  own.gc.push({ sizeBytes: 64, messages: 1000, server: counts, client: { ...counts, allocatedBytes: 100 } });
  const text = peerTables([own], [64]).join('\n');
  assert.match(text, /^messages\/s, one way, 16 MiB of payloads in turn +64 B\nthe async +50\.0 ±0%$/m);
  assert.match(text, /^request and reply +p50, 1 deep +p99, 1 deep +replies\/s, 1 deep +64 deep$/m);
  assert.match(text, /^messages\/s, fan-in, 64 B +from 10\nthe async +70\.0 ±0%$/m);
  assert.match(text, /^messages\/s within one process +64 B\nthe async +80\.0 ±0%$/m);
  assert.match(text, /^the async +0\.10 MB, 2000 ms +0\.30 MB, 2000 ms$/m);
});

test('who does the same stands on one line', () => {
  const other = { ...peerResult('ws', []), does: 'something' };
  const text = fairnessTable([peerResult('async', []), other, peerResult('simple', [])]);
  assert.is(text, 'async, simple:\n    nothing\nws:\n    something');
});

test('connections: what one costs on each end', () => {
  assert.is(connectionsTable([]), '');
  const sample = {
    few: { ...streamSample(1000), active: 10 },
    many: { ...streamSample(500), active: 100 },
    open: 10_000,
    bytesPerConnection: { server: 8 * 1024, client: 32 * 1024 },
    descriptors: 10_030,
  };
  const text = connectionsTable([sample]);
  assert.match(text, /^receiver's CPU per message, 10 connections, all busy +2 ns ±0%$/m);
  assert.match(text, /^receiver's CPU per message, 10,000 connections, 100 busy +4 ns ±0%$/m);
  assert.match(text, /^memory per idle connection, accepting end +8\.00 KiB ±0%$/m);
});

test('a soak is judged by its last third over its first, without the warm-up', () => {
  const slices = Array.from(
    { length: 10 },
    (_, index): SoakSlice => ({
      seconds: index,
      messagesPerSecond: index === 0 ? 1 : 100 - index,
      p50Ms: 1,
      p999Ms: index < 5 ? 2 : 3,
      serverBytes: 1000 + 10 * index,
      clientBytes: 1000,
      serverDescriptors: 20,
      clientDescriptors: index < 7 ? 20 : 21,
    }),
  );
  const trend = trendOf(slices);
  assert.is(trend.rate, 92 / 98);
  assert.is(trend.memory, 2080 / 2020);
  assert.is(trend.descriptors, 1);
  assert.is(trend.p999, 1.5);
});

test('the picture has a line for each peer that was measured, and is XML', () => {
  const own = peerResult('async borrowing', [2_000_000], 0.01);
  own.stream.push(streamSample(300_000, 4096));
  const svg = benchChart(resultsOf([own, peerResult('node:net', [1_000_000]), peerResult('nobody', [5])]));
  assert.match(svg, /^<svg [^>]*viewBox="0 0 \d+ \d+"/);
  assert.is(svg.match(/<polyline /g)?.length, 3, 'two of throughput, one of latency');
  assert.match(svg, />msgr2 async borrowing</);
  assert.match(svg, />p99\.99</);
  assert.match(svg, /abacus &amp; &lt;co&gt;/);
  assert.not.match(svg, /NaN|undefined|Infinity/);
});

test.run();
