/**
 * A session is cut after every byte, in each direction, and every cut heals: each message arrives once and in
 * order, on both ends. A proxy between the two breaks the first socket after N bytes; a second sweep breaks
 * the first one in the middle of its session and then the socket of the reconnect after N bytes.
 * @timeLimitSeconds 600
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { authSharedKey } from '../../src/auth/shared-key.ts';
import { Message } from '../../src/messenger/message.ts';
import type { Messenger } from '../../src/messenger/messenger.ts';
import { PeerConnection } from '../../src/messenger/peer-connection.ts';
import { Policy } from '../../src/messenger/policy.ts';
import { ByteProxy, type Cut, type Direction } from '../support/byte-proxy.ts';
import { Messengers, type Recorder, type TestTransport, testTransports } from '../support/messengers.ts';
import { waitUntil, withTimeout } from '../support/timeout.ts';

const type = 0x1001;
const messagesEachWay = 3;
const options = { ms_initial_backoff: 0.002, ms_max_backoff: 0.01 };
/** Sessions at a time: enough to fill the waits of backoffs and closing sockets. */
const concurrency = 48;

interface SessionKind {
  readonly name: string;
  readonly serverPolicy: Policy;
  readonly clientPolicy: Policy;
  /** Both can connect, so both listen. */
  readonly areEqual: boolean;
  /** Each socket agrees on keys of its own. */
  readonly isSecure: boolean;
}

const peers: SessionKind = {
  name: 'lossless_peer',
  serverPolicy: Policy.losslessPeer(),
  clientPolicy: Policy.losslessPeer(),
  areEqual: true,
  isSecure: false,
};
const served: SessionKind = {
  name: 'lossless_client and stateful_server',
  serverPolicy: Policy.statefulServer(),
  clientPolicy: Policy.losslessClient(),
  areEqual: false,
  isSecure: false,
};
const securePeers: SessionKind = { ...peers, name: 'lossless_peer in secure mode', isSecure: true };
const key = Buffer.alloc(32, 'key');

interface Outcome {
  /** Bytes of each socket that went through the proxy. */
  readonly passed: readonly Record<Direction, number>[];
  /** Whether each cut that was asked for came. */
  readonly isCut: readonly boolean[];
  readonly faults: number;
  readonly replayed: number;
  readonly duplicates: number;
}

function payloadsOf(recorder: Recorder): string[] {
  return recorder.messages.map(({ data }) => data.toString());
}

const expected = (from: string): string[] =>
  Array.from({ length: messagesEachWay }, (_, index) => `${from} ${index}`);

function onlyConnection(messenger: Messenger): PeerConnection | undefined {
  const [connection, ...others] = messenger.connections();
  assert.equal(others, [], `${messenger.label} has more than one connection`);
  assert.ok(connection === undefined || connection instanceof PeerConnection);
  return connection as PeerConnection | undefined;
}

/**
 * One whole session: three messages each way, all acknowledged, and then one more each way, behind which a
 * duplicate could not hide. The sockets that the client dials are cut as told, in their order.
 */
async function session(transport: TestTransport, kind: SessionKind, cuts: readonly Cut[]): Promise<Outcome> {
  await using all = new Messengers(transport);
  const initOf = (name: string) => ({
    name,
    options,
    ...(kind.isSecure ? { auth: authSharedKey({ name, key }) } : {}),
  });
  const server = await all.server(initOf('osd.0'));
  server.messenger.setDefaultPolicy(kind.serverPolicy);
  const { host, port } = server.messenger.myAddrs.front!;
  await using proxy = await ByteProxy.start({ family: 4, host, port }, { cutOf: (index) => cuts[index] });
  const init = { ...initOf('osd.1'), route: () => proxy.address };
  const client = kind.areEqual ? await all.server(init) : all.client(init);
  client.messenger.setDefaultPolicy(kind.clientPolicy);

  const toServer = client.messenger.getConnection(server.messenger.myAddrs) as PeerConnection;
  for (const text of expected('client')) toServer.send(new Message({ type, data: Buffer.from(text) }));
  await server.recorder.untilEvent('accept');
  const toClient = onlyConnection(server.messenger)!;
  for (const text of expected('server')) toClient.send(new Message({ type, data: Buffer.from(text) }));
  await server.recorder.untilMessages(messagesEachWay);
  await client.recorder.untilMessages(messagesEachWay);
  const ends = [toServer, toClient];
  await waitUntil(() => ends.every(({ channel }) => channel.outboxCount === 0), 10_000, 'all ACKs', 1);

  toServer.send(new Message({ type, data: Buffer.from('last of client') }));
  toClient.send(new Message({ type, data: Buffer.from('last of server') }));
  await server.recorder.untilMessages(messagesEachWay + 1);
  await client.recorder.untilMessages(messagesEachWay + 1);
  assert.equal(payloadsOf(server.recorder), [...expected('client'), 'last of client']);
  assert.equal(payloadsOf(client.recorder), [...expected('server'), 'last of server']);
  // It was one session throughout: the same two ends, and neither of them was told of a loss.
  assert.is(onlyConnection(server.messenger), toClient);
  assert.is(onlyConnection(client.messenger), toServer);
  for (const { recorder } of [server, client]) {
    assert.is(recorder.count('reset') + recorder.count('remoteReset'), 0);
  }
  const counters = ends.map((end) => end.counters());
  const sum = (value: (of: (typeof counters)[number]) => number): number =>
    counters.reduce((total, of) => total + value(of), 0);
  return {
    passed: proxy.connections.map(({ passed }) => passed),
    isCut: cuts.map((_, index) => proxy.connections[index]?.isCut ?? false),
    faults: sum(({ faults }) => faults),
    replayed: sum(({ messagesReplayed }) => messagesReplayed),
    duplicates: sum(({ duplicatesDropped }) => duplicatesDropped),
  };
}

/** Runs one session for each list of cuts; what fails says where it was cut. */
async function sweep(
  transport: TestTransport,
  kind: SessionKind,
  lists: readonly (readonly Cut[])[],
): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(lists.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < lists.length) {
      const index = next++;
      const cuts = lists[index]!;
      try {
        outcomes[index] = await withTimeout(session(transport, kind, cuts), 20_000, 'the session');
      } catch (error) {
        const where = cuts.map(({ direction, afterBytes }) => `${direction} after ${afterBytes}`).join(', ');
        throw new Error(`cut ${where}: ${(error as Error).message}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return outcomes;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

for (const transport of testTransports()) {
  for (const kind of [peers, served, securePeers]) {
    for (const direction of ['up', 'down'] as const) {
      test(`${transport}: ${kind.name}: cut after every byte ${direction}`, async () => {
        const whole = await session(transport, kind, []);
        assert.is(whole.faults, 0);
        const total = whole.passed[0]![direction];
        const outcomes = await sweep(
          transport,
          kind,
          upTo(total).map((afterBytes) => [{ direction, afterBytes }]),
        );
        // The last bytes are acknowledgements that a message may have carried instead; all before are there.
        const uncut = outcomes.filter(({ isCut }) => !isCut[0]).length;
        assert.ok(uncut <= (kind.isSecure ? 192 : 64), `${uncut} of ${total} cuts never came`);
        const sum = (value: (outcome: Outcome) => number): number =>
          outcomes.reduce((all, outcome) => all + value(outcome), 0);
        assert.ok(sum(({ replayed }) => replayed) > 0, 'some cut made a replay necessary');
        console.log(
          `\n${transport} ${kind.name} ${direction}: ${total} offsets, ${total - uncut} cuts, ` +
            `${sum(({ faults }) => faults)} faults, ${sum(({ replayed }) => replayed)} replayed, ` +
            `${sum(({ duplicates }) => duplicates)} duplicates dropped`,
        );
      });

      // One sweep shows that a session goes on with the keys of its next socket.
      if (kind.isSecure) continue;
      test(`${transport}: ${kind.name}: and the reconnect after every byte ${direction}`, async () => {
        // Behind the first message of the client, which is not acknowledged yet: it always has to come back.
        // How many bytes that takes is asked of the kind in which nobody else can reconnect.
        const whole = await session(transport, kind, []);
        const first: Cut = { direction: 'up', afterBytes: whole.passed[0]!.up - 250 };
        const reconnected = await session(transport, served, [first]);
        assert.equal(reconnected.isCut, [true]);
        const total = reconnected.passed[1]![direction];
        const outcomes = await sweep(
          transport,
          kind,
          upTo(total).map((afterBytes) => [first, { direction, afterBytes }]),
        );
        const both = outcomes.filter(({ isCut }) => isCut[0] && isCut[1]).length;
        // Between equals the server's own reconnect, which is not cut, may come first.
        const least = kind.areEqual ? total / 4 : total - 64;
        assert.ok(both >= least, `${both} of ${total} reconnects were cut`);
        console.log(
          `\n${transport} ${kind.name} reconnect ${direction}: ${total} offsets, ${both} cut twice`,
        );
      });
    }
  }
}

test.run();
