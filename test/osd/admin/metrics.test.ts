/** The metrics of an OSD: every family once, every line of the format, and HTTP around it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../../src/errors.ts';
import { osdMetrics } from '../../../src/osd/admin/metrics.ts';
import { MetricsServer } from '../../../src/osd/admin/metrics-server.ts';
import { PrometheusText } from '../../../src/prometheus-text.ts';
import { madeUpDaemon } from './made-up-daemon.ts';

const sample = /^[a-z0-9_]+(\{([a-z0-9_]+="([^"\\\n]|\\.)*"(,|(?=\})))+\})? -?([0-9.e+-]+|NaN)$/;

test('every line is of the format, every family is there once and has its help', async () => {
  const lines = (await osdMetrics(madeUpDaemon())).trimEnd().split('\n');
  const types = lines.filter((line) => line.startsWith('# TYPE ')).map((line) => line.split(' ')[2]!);
  assert.is(new Set(types).size, types.length);
  const series = lines.filter((line) => !line.startsWith('#'));
  for (const line of series) assert.match(line, sample);
  assert.is(new Set(series.map((line) => line.replace(/ \S+$/, ''))).size, series.length);
});

test('tells states, ages, reports, lag and messengers', async () => {
  const text = await osdMetrics(madeUpDaemon());
  for (const line of [
    'msgr2_heartbeat_link_state{peer="1",network="back",state="down"} 1',
    'msgr2_heartbeat_link_state{peer="1",network="front",state="down"} 0',
    'msgr2_heartbeat_last_heard_age_seconds{peer="1",network="front"} 1.5',
    'msgr2_heartbeat_nic_fault_peers{osd="1",network="back",state="down"} 1',
    'msgr2_heartbeat_failures_reported_total 2',
    'msgr2_heartbeat_pings_sent_total{network="front"} 12',
    'msgr2_heartbeat_round_trip_seconds_count{peer="1",network="front"} 3',
    'msgr2_heartbeat_round_trip_seconds_sum{peer="1",network="front"} 0.006',
    'msgr2_loop_lag_max_seconds{loop="main"} 0.25',
    'msgr2_messages_sent_total{messenger="ms_hb_front_server"} 4',
  ]) {
    assert.ok(text.split('\n').includes(line), line);
  }
  assert.not.match(text, 'last_heard_age_seconds{peer="1",network="back"}');
});

test('a histogram has its bounds, all of them, and its labels escaped', () => {
  const text = new PrometheusText().histogram(
    'x_seconds',
    'X.',
    [0.1, 1],
    [{ labels: { name: 'a"b\\c\n' }, cumulativeCounts: [1, 2, 5], sum: 9 }],
  );
  assert.equal(String(text).split('\n'), [
    '# HELP x_seconds X.',
    '# TYPE x_seconds histogram',
    'x_seconds_bucket{name="a\\"b\\\\c\\n",le="0.1"} 1',
    'x_seconds_bucket{name="a\\"b\\\\c\\n",le="1"} 2',
    'x_seconds_bucket{name="a\\"b\\\\c\\n",le="+Inf"} 5',
    'x_seconds_sum{name="a\\"b\\\\c\\n"} 9',
    'x_seconds_count{name="a\\"b\\\\c\\n"} 5',
    '',
  ]);
});

test('GET /metrics, and nothing else', async () => {
  const daemon = madeUpDaemon();
  await using server = await MetricsServer.listen('127.0.0.1:0', () => osdMetrics(daemon));
  const answer = await fetch(`http://${server.address}/metrics?x=1`);
  assert.is(answer.status, 200);
  assert.match(answer.headers.get('content-type')!, 'version=0.0.4');
  assert.match(await answer.text(), 'msgr2_osd_info');
  assert.is((await fetch(`http://${server.address}/`)).status, 404);
  assert.is((await fetch(`http://${server.address}/metrics`, { method: 'POST' })).status, 404);
});

test('a scrape that fails says so, and the next one may succeed', async () => {
  let failures = 1;
  await using server = await MetricsServer.listen('127.0.0.1:0', async () => {
    if (failures-- > 0) throw new Error('the daemon is starting');
    return 'x 1\n';
  });
  const failed = await fetch(`http://${server.address}/metrics`);
  assert.is(failed.status, 503);
  assert.match(await failed.text(), 'the daemon is starting');
  assert.is((await fetch(`http://${server.address}/metrics`)).status, 200);
});

test('addresses that cannot be are refused, with the reason', async () => {
  const never = async (): Promise<string> => '';
  for (const address of ['9283', 'localhost', '127.0.0.1:99999']) {
    const error = await MetricsServer.listen(address, never).catch((thrown) => thrown);
    assert.ok(error instanceof MsgrError && error.code === ErrorCode.InvalidArgument, address);
  }
  await using server = await MetricsServer.listen('127.0.0.1:0', never);
  const taken = await MetricsServer.listen(server.address, never).catch((thrown) => thrown);
  assert.ok(taken instanceof MsgrError && taken.code === ErrorCode.Bind);
});

test.run();
