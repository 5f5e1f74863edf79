/** Counters, as objects and as Prometheus text, which is read back by a strict reader of the format. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode, MsgrError } from '../../src/errors.ts';
import type { ConnectionCounters } from '../../src/messenger/connection.ts';
import { Message } from '../../src/messenger/message.ts';
import type { Messenger } from '../../src/messenger/messenger.ts';
import { prometheusText } from '../../src/messenger/metrics.ts';
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { Messengers, testTransports } from '../support/messengers.ts';
import { waitUntil, withTimeout } from '../support/timeout.ts';

const type = 0x2000;

interface Family {
  help: string;
  type: string;
  samples: { labels: Record<string, string>; value: number }[];
}

/** Not uvu's: that lets no failed assertion be expected. */
function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/**
 * Text format 0.0.4: for each family one HELP and one TYPE line, then its samples; no series twice. Anything
 * else is an error.
 */
function parse(text: string): Map<string, Family> {
  must(text.endsWith('\n'), 'the last line ends');
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let current: [name: string, family: Family] | undefined;
  let isTyped = false;
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)+)$/.exec(line);
    if (help) {
      must(!families.has(help[1]!), `family ${help[1]} twice`);
      current = [help[1]!, { help: help[2]!, type: '', samples: [] }];
      families.set(...current);
      isTyped = false;
      continue;
    }
    const typed = /^# TYPE (\S+) (counter|gauge)$/.exec(line);
    if (typed) {
      must(current !== undefined && typed[1] === current[0] && !isTyped, line);
      current[1].type = typed[2]!;
      isTyped = true;
      continue;
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (\d+(?:\.\d+)?(?:e-\d+)?)$/.exec(line);
    must(sample !== null && current !== undefined && isTyped, `not a line of the format: ${line}`);
    must(sample[1] === current[0], 'a sample stands in its family');
    const labels = parseLabels(sample[2]!);
    const series = JSON.stringify([sample[1], Object.entries(labels).toSorted()]);
    must(!seen.has(series), `series twice: ${series}`);
    seen.add(series);
    current[1].samples.push({ labels, value: Number(sample[3]) });
  }
  return families;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  const pair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/y;
  while (pair.lastIndex < text.length) {
    const at = pair.lastIndex;
    const match = pair.exec(text);
    must(match !== null, `bad labels at ${at}: ${text}`);
    must(!(match[1]! in labels), `label ${match[1]} twice`);
    labels[match[1]!] = match[2]!.replaceAll(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char));
  }
  return labels;
}

function sampleOf(families: Map<string, Family>, name: string, labels: Record<string, string>): number {
  const family = families.get(name);
  assert.ok(family, `no family ${name}`);
  const found = family.samples.filter((sample) =>
    Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  assert.is(found.length, 1, `${name} ${JSON.stringify(labels)}`);
  return found[0]!.value;
}

/** What `prometheusText` asks of a messenger, with numbers of the test's own. */
function fakeMessenger(label: string, from: Messenger, factor: number): Messenger {
  const counters = Object.fromEntries(
    Object.keys(from.counters()).map((name, index) => [name, (index + 1) * factor]),
  );
  return { label, counters: () => ({ ...counters }), connections: () => [] } as unknown as Messenger;
}

const quiet: Partial<ConnectionCounters> = {
  messagesReplayed: 0,
  duplicatesDropped: 0,
  faults: 0,
  resets: 0,
  throttleWaits: 0,
  messagesDropped: 0,
};

function checkPart(counters: ConnectionCounters, part: Partial<ConnectionCounters>): void {
  for (const [name, value] of Object.entries(part)) {
    assert.is(counters[name as keyof ConnectionCounters], value, name);
  }
}

for (const transport of testTransports()) {
  const check = (name: string, body: (all: Messengers) => Promise<void>): void => {
    test(`${transport}: ${name}`, () => {
      const run = async (): Promise<void> => {
        await using all = new Messengers(transport);
        await body(all);
      };
      return withTimeout(run(), 60_000, name);
    });
  };

  check('what one side has sent is what the other has received, in objects and in text', async (all) => {
    const server = await all.server({ name: 'osd.0' });
    const client = all.client({ name: 'client.7', label: 'a "client"\\of\nmine' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    for (let id = 0; id < 100; id++) connection.send(new Message({ type, data: Buffer.alloc(id * 100) }));
    await server.recorder.untilMessages(100);
    await waitUntil(() => connection.counters().unackedBytes === 0, 20_000, 'the acknowledgement');
    const accepted = server.messenger.connections()[0]!;
    const sent = connection.counters();
    const received = accepted.counters();
    checkPart(sent, { ...quiet, messagesSent: 100, messagesReceived: 0, connects: 1, queuedMessages: 0 });
    checkPart(received, { ...quiet, messagesReceived: 100, messagesSent: 0, connects: 1, queuedBytes: 0 });
    // The handshake's frames come on top; those before the stream secrets are bytes to their sender.
    assert.ok(sent.framesSent > 100);
    assert.ok(received.framesReceived >= sent.framesSent);
    assert.ok(sent.bytesSent > (100 * 99 * 100) / 2);
    assert.is(sent.bytesSent, received.bytesReceived);
    assert.is(sent.bytesReceived, received.bytesSent);
    const totals = server.messenger.counters();
    checkPart(totals, received);
    assert.is(totals.connections, 1);
    assert.is(totals.connectionsOpen, 1);

    const text = prometheusText([server.messenger, client.messenger], { perConnection: true });
    const families = parse(text);
    assert.is(sampleOf(families, 'msgr2_messages_received_total', { messenger: 'osd.0' }), 100);
    const clientLabel = { messenger: 'a "client"\\of\nmine' };
    assert.is(sampleOf(families, 'msgr2_messages_sent_total', clientLabel), 100);
    assert.is(sampleOf(families, 'msgr2_sent_bytes_total', clientLabel), sent.bytesSent);
    assert.is(sampleOf(families, 'msgr2_connections_open', clientLabel), 1);
    const peer = { messenger: 'osd.0', peer: 'client.7', address: String(accepted.peerAddrs) };
    assert.is(sampleOf(families, 'msgr2_connection_received_bytes_total', peer), received.bytesReceived);
    for (const [name, { help, type, samples }] of families) {
      assert.match(name, /^msgr2_/);
      assert.match(help, /^[A-Z].*\.$/);
      assert.is(type, name.endsWith('_total') ? 'counter' : 'gauge', name);
      assert.is(samples.length, 2, name);
    }
    const plain = parse(prometheusText([server.messenger]));
    assert.not.ok([...plain.keys()].some((name) => name.startsWith('msgr2_connection_')));
    assert.is(plain.size, Object.keys(totals).length, 'every counter has a family');
  });

  check('a messenger keeps the totals of connections that ended', async (all) => {
    const server = await all.server({ name: 'osd.0' });
    server.messenger.setDefaultPolicy(Policy.statelessServer());
    const client = all.client({ name: 'client.1' });
    client.messenger.setDefaultPolicy(Policy.lossyClient());
    let before = 0;
    for (let round = 1; round <= 3; round++) {
      const connection = client.messenger.getConnection(server.messenger.myAddrs);
      connection.send(new Message({ type }));
      await server.recorder.untilMessages(round);
      connection.markDown();
      await server.recorder.untilEvent('reset', round);
      connection.send(new Message({ type }));
      assert.is(connection.counters().messagesDropped, 1);
      assert.is(connection.counters().messagesSent, 1, 'also after the end');
      const mine = client.messenger.counters();
      checkPart(mine, { ...quiet, connects: round, messagesSent: round, messagesDropped: round });
      assert.is(mine.connections, 0);
      const theirs = server.messenger.counters();
      checkPart(theirs, { connects: round, messagesReceived: round, resets: round, faults: round });
      assert.ok(theirs.bytesReceived > before, 'a counter never falls');
      before = theirs.bytesReceived;
    }
  });

  check('a broken socket shows as fault, reconnect and replays', async (all) => {
    const server = await all.server({ name: 'osd.0' });
    const client = all.client({ name: 'osd.1' });
    const connection = client.messenger.getConnection(server.messenger.myAddrs) as PeerConnection;
    const count = 1000;
    for (let id = 0; id < count; id++) connection.send(new Message({ type, data: Buffer.alloc(10_000) }));
    await server.recorder.untilMessages(1);
    const reader = server.messenger.connections()[0] as PeerConnection;
    reader.pauseReading();
    const written = () => connection.counters().messagesSent - reader.counters().messagesReceived;
    await waitUntil(() => written() > 0, 20_000, 'messages that are written and not read');
    connection.fault(new MsgrError(ErrorCode.Socket, 'pulled by the test'));
    await waitUntil(() => reader.counters().connects === 2, 20_000, 'the second socket');
    reader.resumeReading();
    await server.recorder.untilMessages(count);
    await waitUntil(() => connection.counters().unackedBytes === 0, 20_000, 'the acknowledgement');
    const { messagesReplayed, messagesSent } = connection.counters();
    checkPart(connection.counters(), { connects: 2, faults: 1, resets: 0 });
    assert.ok(messagesReplayed >= 1, 'nothing was replayed');
    assert.is(messagesSent, count, 'each is counted once');
    const accepted = server.messenger.connections()[0]!.counters();
    checkPart(accepted, { connects: 2, messagesReceived: count });
  });

  check('failed accepts, unhandled messages and waits are counted', async (all) => {
    const server = await all.server({ name: 'osd.0', options: { ms_dispatch_throttle_bytes: 4000 } });
    const client = all.client({ name: 'osd.1', options: { ms_initial_backoff: 0.01 } });
    const connection = client.messenger.getConnection(server.messenger.myAddrs);
    connection.send(new Message({ type, data: Buffer.alloc(5000) }));
    await server.recorder.untilMessages(1);
    assert.is(server.messenger.counters().throttleWaits, 1);
    assert.is(server.messenger.connections()[0]!.counters().throttleWaits, 1);
    assert.is(server.messenger.counters().dispatchThrottleBytes, 0);
    // The stop was not the end.
    connection.send(new Message({ type }));
    await server.recorder.untilMessages(2);

    server.messenger.removeDispatcher(server.recorder);
    connection.send(new Message({ type }));
    await waitUntil(() => server.messenger.counters().messagesUnhandled === 1, 20_000, 'the unhandled one');

    const stranger = all.client({ name: 'client.9', options: { ms_initial_backoff: 10 } });
    stranger.messenger.setDefaultPolicy(Policy.lossyClient());
    // The right address with another process's nonce: the server refuses the ident.
    const wrong = String(server.messenger.myAddrs).replace(/\/\d+/, '/1');
    stranger.messenger.getConnection(wrong).send(new Message({ type }));
    await waitUntil(() => server.messenger.counters().acceptFailures >= 1, 20_000, 'the refused one');
    const families = parse(prometheusText([server.messenger]));
    assert.is(sampleOf(families, 'msgr2_messages_unhandled_total', { messenger: 'osd.0' }), 1);
    assert.ok(sampleOf(families, 'msgr2_accept_failures_total', { messenger: 'osd.0' }) >= 1);
    assert.is(sampleOf(families, 'msgr2_throttle_waits_total', { messenger: 'osd.0' }), 1);
  });
}

test('messengers of one label are one series, with the sum', async () => {
  await using all = new Messengers('simple');
  const { messenger } = all.client({ name: 'osd.5' });
  const names = Object.keys(messenger.counters());
  const same = [fakeMessenger('osd.5', messenger, 1), fakeMessenger('osd.5', messenger, 100)];
  const families = parse(prometheusText([...same, fakeMessenger('osd.6', messenger, 7)]));
  assert.is(families.size, names.length);
  const index = names.indexOf('faults');
  assert.is(sampleOf(families, 'msgr2_faults_total', { messenger: 'osd.5' }), (index + 1) * 101);
  assert.is(sampleOf(families, 'msgr2_faults_total', { messenger: 'osd.6' }), (index + 1) * 7);
});

test('the reader refuses what the format does not allow (a canary)', () => {
  const good = '# HELP a_total Text.\n# TYPE a_total counter\na_total{b="c"} 1\n';
  assert.is(parse(good).get('a_total')!.samples.length, 1);
  const bad = [
    good.slice(0, -1),
    good.replace('# TYPE a_total counter\n', ''),
    good.replace('"c"', '"c"d"'),
    good.replace('"c"', '"\\x"'),
    good.replace(' 1', ' NaN'),
    good.replace('a_total{', 'b_total{'),
    `${good}a_total{b="c"} 2\n`,
    good + good,
    good.replace('{b="c"}', '{b="c",b="d"}'),
  ];
  for (const text of bad) assert.throws(() => parse(text), undefined, text);
});

test.run();
