/** The two parts of a bench, on a link within one process: what is counted, and when. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientRole } from '../../src/cli/bench/client-role.ts';
import { BenchType, dataByte, type LinkEnds, type LinkHandler } from '../../src/cli/bench/link.ts';
import { ServerRole } from '../../src/cli/bench/server-role.ts';
import { limited } from '../support/timeout.ts';

/** Delivers in the next turn; asks for a pause after every hundredth message. */
class DirectLink {
  readonly handlers: Record<string, LinkHandler<string>> = {};
  readonly types: number[] = [];
  pauses = 0;
  #connections = 0;
  readonly #drains = new Map<string, () => void>();

  end(own: string, other: string): LinkEnds<string> {
    return {
      listen: async (handler) => {
        this.handlers[own] = handler;
        return own;
      },
      connect: async (_address, handler) => {
        this.handlers[own] = handler;
        return `${own} ${++this.#connections}`;
      },
      send: (connection, type, payload) => {
        this.types.push(type);
        setImmediate(() => this.handlers[other]!(type, payload, other));
        if (this.types.length % 100 !== 0) return true;
        this.pauses++;
        setImmediate(() => this.#drains.get(connection)?.());
        return false;
      },
      onDrain: (connection, listener) => {
        this.#drains.set(connection, listener);
      },
      close: async () => {},
    };
  }
}

async function makeRoles(): Promise<{
  link: DirectLink;
  server: ServerRole<string>;
  client: ClientRole<string>;
}> {
  const link = new DirectLink();
  const server = new ServerRole(link.end('server', 'client'));
  const client = new ClientRole(link.end('client', 'server'));
  await client.connect(await server.listen());
  return { link, server, client };
}

test(
  'every message is counted, pauses are kept, Start and End stand around them',
  limited(30_000, async () => {
    const { link, server, client } = await makeRoles();
    const [counted, sent] = await Promise.all([
      server.count(),
      client.throughput({ sizeBytes: 1000, seconds: 0.05 }),
    ]);
    assert.ok(sent.messages > 100);
    assert.is(counted.messages, sent.messages);
    assert.is(counted.bytes, 1000 * sent.messages);
    assert.is(counted.pings, 0);
    assert.ok(counted.elapsedMs > 0);
    assert.ok(link.pauses >= Math.floor(sent.messages / 100));
    assert.equal(link.types.slice(0, 3), [BenchType.Start, BenchType.Started, BenchType.Data]);
    assert.is(link.types.at(-1), BenchType.End);
    assert.is(link.types.length, sent.messages + 3);
  }),
);

test(
  'a count may be asked for when the run is over already, and each run has its own',
  limited(30_000, async () => {
    const { server, client } = await makeRoles();
    const first = await client.throughput({ sizeBytes: 10, seconds: 0.02 });
    const second = await client.roundTrips({ sizeBytes: 10, seconds: 0.02 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.is((await server.count()).messages, first.messages);
    const counted = await server.count();
    assert.is(counted.messages, 0);
    assert.is(counted.pings, second.messages);
  }),
);

test(
  'one ping is under way, and its answer has the size of the ping',
  limited(30_000, async () => {
    const { link, server, client } = await makeRoles();
    const sizes = new Set<number>();
    let underWay = 0;
    const toServer = link.handlers.server!;
    const toClient = link.handlers.client!;
    link.handlers.server = (type, payload, connection) => {
      if (type === BenchType.Ping) assert.is(++underWay, 1);
      toServer(type, payload, connection);
    };
    link.handlers.client = (type, payload, connection) => {
      if (type === BenchType.Pong) {
        underWay--;
        sizes.add(payload.length);
      }
      toClient(type, payload, connection);
    };
    const [counted, sent] = await Promise.all([
      server.count(),
      client.roundTrips({ sizeBytes: 77, seconds: 0.05 }),
    ]);
    assert.equal([...sizes], [77]);
    assert.is(counted.pings, sent.messages);
    assert.ok(sent.messages > 1 && sent.rttMs!.p50 > 0);
  }),
);

test(
  'at a depth so many pings are under way, and a new one leaves for each answer',
  limited(30_000, async () => {
    const { link, server, client } = await makeRoles();
    let underWay = 0;
    const seen = new Set<number>();
    const { server: toServer, client: toClient } = link.handlers;
    link.handlers.server = (type, payload, connection) => {
      if (type === BenchType.Ping) seen.add(++underWay);
      toServer!(type, payload, connection);
    };
    link.handlers.client = (type, payload, connection) => {
      if (type === BenchType.Pong) underWay--;
      toClient!(type, payload, connection);
    };
    const task = { sizeBytes: 8, seconds: 0.05, depth: 5 };
    const [counted, sent] = await Promise.all([server.count(), client.roundTrips(task)]);
    assert.is(Math.max(...seen), 5);
    assert.is(underWay, 0);
    assert.is(counted.pings, sent.messages);
  }),
);

test(
  'many connections take turns, and the run ends with the last End',
  limited(30_000, async () => {
    const { link, server, client } = await makeRoles();
    await client.connect('server', 4);
    const task = { sizeBytes: 100, seconds: 0.05, active: 3 };
    const [counted, sent] = await Promise.all([server.count(), client.throughput(task)]);
    assert.ok(sent.messages > 48);
    assert.is(counted.messages, sent.messages);
    assert.is(link.types.filter((type) => type === BenchType.End).length, 3);
  }),
);

test('a payload that is not the one sent is noticed', async () => {
  const { link, server } = await makeRoles();
  const handle = link.handlers.server!;
  const start = Buffer.alloc(8);
  start.writeUInt32LE(1, 4);
  handle(BenchType.Start, start, 'client');
  handle(BenchType.Data, Buffer.alloc(8, dataByte), 'client');
  handle(BenchType.Data, Buffer.alloc(8, dataByte + 1), 'client');
  assert.throws(() => handle(BenchType.End, Buffer.alloc(0), 'client'), /not the ones that were sent/);
  assert.is(server.progress(), 2);
});

test.run();
