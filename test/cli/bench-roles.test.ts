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
  #drain: () => void = () => {};

  end(own: string, other: string): LinkEnds<string> {
    return {
      listen: async (handler) => {
        this.handlers[own] = handler;
        return own;
      },
      connect: async (_address, handler) => {
        this.handlers[own] = handler;
        return own;
      },
      send: (_connection, type, payload) => {
        this.types.push(type);

        setImmediate(() => this.handlers[other]!(type, payload, other));
        if (this.types.length % 100 !== 0) return true;
        this.pauses++;
        setImmediate(() => this.#drain());
        return false;
      },
      onDrain: (_connection, listener) => {
        this.#drain = listener;
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
    assert.is(link.types[0], BenchType.Start);
    assert.is(link.types.at(-1), BenchType.End);
    assert.is(link.types.length, sent.messages + 2);
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
      underWay--;
      sizes.add(payload.length);
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

test('a payload that is not the one sent is noticed', async () => {
  const { link, server } = await makeRoles();
  const handle = link.handlers.server!;
  handle(BenchType.Start, Buffer.alloc(4), 'client');
  handle(BenchType.Data, Buffer.alloc(8, dataByte), 'client');
  handle(BenchType.Data, Buffer.alloc(8, dataByte + 1), 'client');
  assert.throws(() => handle(BenchType.End, Buffer.alloc(0), 'client'), /not the ones that were sent/);
  assert.is(server.progress(), 2);
});

test.run();
