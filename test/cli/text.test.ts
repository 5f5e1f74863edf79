/** Figures, tables, the live line, and values as they are typed. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { formatCount, formatSize, formatTable, threeDigits } from '../../src/cli/format.ts';
import { LatencyRecorder } from '../../src/cli/latency.ts';
import { LiveLine } from '../../src/cli/live-line.ts';
import { parseTarget } from '../../src/cli/ping/target.ts';
import { byteSize, integer, listOf, messengerOption, seconds } from '../../src/cli/values.ts';

test('sizes and counts', () => {
  assert.equal([1, 64, 1024, 1500, 4096, 1 << 20, 3 << 19].map(formatSize), [
    '1 B',
    '64 B',
    '1 KiB',
    '1500 B',
    '4 KiB',
    '1 MiB',
    '1536 KiB',
  ]);
  assert.equal([950, 9994, 9_996, 99_960, 683_000, 999_499, 999_500, 12_400_000].map(formatCount), [
    '950',
    '9994',
    '10.0 k',
    '100 k',
    '683 k',
    '999 k',
    '1.00 M',
    '12.4 M',
  ]);
  assert.equal([0, 1.234, 9.999, 12.34, 99.96, 1234.5].map(threeDigits), [
    '0.00',
    '1.23',
    '10.0',
    '12.3',
    '100',
    '1235',
  ]);
  assert.is(threeDigits(Number.NaN), '-');
});

test('a table lines up', () => {
  const text = formatTable([
    ['who', 'p50'],
    ['msgr2', '9 µs'],
    ['x', '110 µs'],
  ]);
  assert.is(text, ['who       p50', 'msgr2    9 µs', 'x      110 µs'].join('\n'));
});

test('the live line is for terminals, and what is printed stands on a line of its own', () => {
  for (const isTTY of [true, false]) {
    const written: string[] = [];
    const live = new LiveLine({ isTTY, columns: 10, write: (text) => written.push(text) });
    live.update('0123456789abc');
    live.print('done');
    live.clear();
    assert.is(written.join(''), isTTY ? '\r\u001b[2K012345678\r\u001b[2Kdone\n' : 'done\n');
  }
});

test('latencies: exact ends, percentiles within a thousandth', () => {
  const latency = new LatencyRecorder();
  assert.is(latency.summary(), undefined);
  for (let index = 1; index <= 1000; index++) latency.record(index / 100);
  const { min, p50, p99, max, mean } = latency.summary()!;
  assert.is(min, 0.01);
  assert.is(max, 10);
  for (const [value, expected] of [
    [p50, 5],
    [p99, 9.9],
    [mean, 5.005],
  ] as const) {
    assert.ok(Math.abs(value - expected) < expected / 500, `${value} is not ${expected}`);
  }
  assert.is(latency.count, 1000);
  latency.reset();
  assert.is(latency.summary(), undefined);
});

test('values: what is meant is taken, what is not is refused', () => {
  assert.equal(listOf(byteSize)('64, 1k,4KiB,2M,1MiB,7b'), [64, 1024, 4096, 2 << 20, 1 << 20, 7]);
  for (const text of ['', 'x', '-1', '1g', '1.5k', '64,']) assert.throws(() => listOf(byteSize)(text), text);
  assert.is(integer(1, 9)('9'), 9);
  for (const text of ['0', '10', '1.5', '', 'x', '1e3'])
    assert.throws(() => integer(1, 9)(text), /whole number/);
  assert.is(seconds(0, 10)('.25'), 0.25);
  for (const text of ['11', '-1', '', 'x', 'Infinity']) assert.throws(() => seconds(0, 10)(text), /seconds/);
});

test('options of a messenger: by name, typed, checked, gathered', () => {
  const first = messengerOption('ms_busy_poll_us=0');
  assert.equal(messengerOption('ms tcp nodelay=false', first), { ms_busy_poll_us: 0, ms_tcp_nodelay: false });
  assert.equal(messengerOption('ms_tcp_congestion_control=reno'), { ms_tcp_congestion_control: 'reno' });
  for (const text of [
    'ms_busy_poll_us',
    'ms_busy_poll_us=',
    'ms_busy_poll_us=fast',
    'ms_busy_poll_us=-1',
    'x=1',
  ]) {
    assert.throws(() => messengerOption(text), /./, text);
  }
  assert.throws(() => messengerOption('toString=1'), /no NAME=VALUE/);
});

test('targets: one address or a vector, the nonce with it', () => {
  assert.is(String(parseTarget('v2:127.0.0.1:6800/7')), 'v2:127.0.0.1:6800/7');
  assert.is(String(parseTarget('127.0.0.1:6800/7')), 'v2:127.0.0.1:6800/7');
  assert.is(String(parseTarget('[v2:10.0.0.1:6800/7,v1:10.0.0.1:6801/7]')), 'v2:10.0.0.1:6800/7');
  assert.is(String(parseTarget('v2:[::1]:6800/0')), 'v2:[::1]:6800/0');
  for (const [text, pattern] of [
    ['v2:127.0.0.1:6800', /has no nonce/],
    ['v1:127.0.0.1:6800/7', /no v2: address/],
    ['v2:127.0.0.1/7', /not complete/],
    ['v2:0.0.0.0:6800/7', /not complete/],
    ['osd.0', /not an IP address/],
    ['', /no v2: address/],
  ] as const) {
    assert.throws(() => parseTarget(text), pattern);
  }
});

test.run();
