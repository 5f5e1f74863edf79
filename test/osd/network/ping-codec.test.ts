/** The heartbeats' own codec says what the general one says, byte for byte and error for error. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MsgrError } from '../../../src/errors.ts';
import type { Connection } from '../../../src/messenger/connection.ts';
import type { Message, ReceivedMessage } from '../../../src/messenger/message.ts';
import { Messenger } from '../../../src/messenger/messenger.ts';
import { Policy } from '../../../src/messenger/policy.ts';
import { pingMessage, readPing } from '../../../src/osd/network/ping-codec.ts';
import { PingOutlet } from '../../../src/osd/network/ping-outlet.ts';
import { MOSDPing } from '../../../src/wire/messages/m-osd-ping.ts';
import { Uuid } from '../../../src/wire/uuid.ts';

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const i32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const utime = fc.record({ sec: u32, nsec: u32 }, { noNullPrototype: true });
const span = fc.record({ sec: i32, nsec: i32 }, { noNullPrototype: true });
const ping = fc.record(
  {
    fsid: fc.constantFrom(Uuid.random(), Uuid.random()),
    mapEpoch: u32,
    op: fc.integer({ min: 0, max: 255 }),
    pingStamp: utime,
    paddingBytes: fc.integer({ min: 0, max: 3000 }),
    upFrom: u32,
    monoPingStamp: span,
    monoSendStamp: span,
    deltaUb: fc.option(span, { nil: undefined }),
  },
  { noNullPrototype: true },
);

/** As the messenger hands it over: segments of a slab. */
function received(front: Uint8Array, version = 5, compatVersion = 4): ReceivedMessage {
  const empty = Buffer.alloc(0);
  return {
    front: Buffer.from(front),
    middle: empty,
    data: empty,
    version,
    compatVersion,
  } as unknown as ReceivedMessage;
}

function outcome(read: () => MOSDPing): unknown {
  try {
    return read();
  } catch (error) {
    assert.instance(error, MsgrError);
    return (error as MsgrError).message;
  }
}

test('what is written is what the general codec writes, and both read it alike', () => {
  fc.assert(
    fc.property(ping, (body) => {
      const message = pingMessage(body);
      const general = MOSDPing.encode(body);
      assert.ok(Buffer.from(message.front).equals(Buffer.from(general.front)));
      assert.is(message.version, general.version);
      assert.is(message.compatVersion, general.compatVersion);
      assert.is(message.type, MOSDPing.type);
      assert.equal(readPing(received(message.front)), body);
    }),
  );
});

test('a message that is used again says the next ping, or another takes its place', () => {
  fc.assert(
    fc.property(ping, ping, fc.boolean(), fc.boolean(), (first, second, isAlike, knowsFsid) => {
      const next = isAlike
        ? { ...second, paddingBytes: first.paddingBytes, deltaUb: first.deltaUb && second.monoSendStamp }
        : second;
      const last = pingMessage(first);
      const message = pingMessage(next, last, knowsFsid ? first.fsid : undefined);
      assert.ok(Buffer.from(message.front).equals(Buffer.from(MOSDPing.encode(next).front)));
      if (isAlike) assert.is(message, last);
      const old = pingMessage({ ...next, version: 4 });
      assert.is(pingMessage(next, old) === old, false);
    }),
  );
});

test('a message is used again only when nothing waits where it was sent', () => {
  const sent: { message: Message; bytes: Buffer }[] = [];
  const connection = {
    unframedCount: 0,
    send(message: Message) {
      sent.push({ message, bytes: Buffer.from(message.front) });
    },
  };
  const outlet = new PingOutlet();
  const bodies = fc.sample(ping, { numRuns: 4, seed: 1 });
  for (const [index, body] of bodies.entries()) {
    outlet.send(connection as unknown as Connection, { ...body, paddingBytes: 10, deltaUb: undefined });
    connection.unframedCount = index === 1 ? 1 : 0;
  }
  assert.equal(
    sent.map(({ message }, index) => index > 0 && message === sent[index - 1]!.message),
    [false, true, false, true],
  );
  assert.ok(Buffer.from(sent[1]!.message.front).equals(sent[1]!.bytes), 'what waits is as it was sent');
});

test('a message is not used again by a ping as long that has more padding and no deltaUb', () => {
  const body = fc.sample(ping, { numRuns: 1, seed: 1 })[0]!;
  const deltaUb = { sec: -1, nsec: -2 };
  const last = pingMessage({ ...body, paddingBytes: 2, deltaUb });
  const next = { ...body, paddingBytes: 10, deltaUb: undefined };
  const message = pingMessage(next, last, body.fsid);
  assert.is(message.front.length, last.front.length);
  assert.ok(Buffer.from(message.front).equals(Buffer.from(MOSDPing.encode(next).front)));
});

test('an outlet says each ping of each cluster, whatever it said before', () => {
  const sent: Buffer[] = [];
  const connection = {
    unframedCount: 0,
    send: (message: Message) => sent.push(Buffer.from(message.front)) > 0,
  };
  const outlet = new PingOutlet();
  fc.assert(
    fc.property(ping, fc.constantFrom<4 | undefined>(undefined, 4), (body, version) => {
      const alike = { ...body, paddingBytes: 10, deltaUb: undefined };
      const said = version === undefined ? alike : { ...alike, version };
      outlet.send(connection as unknown as Connection, said);
      assert.ok(sent.at(-1)!.equals(Buffer.from(MOSDPing.encode(said).front)));
    }),
  );
});

for (const transport of ['async', 'simple'] as const) {
  test(`as many pings as one turn sends arrive each with its own body: ${transport}`, async () => {
    const epochs: number[] = [];
    const server = Messenger.create({ name: 'osd.0', transport });
    server.setDefaultPolicy(Policy.statelessServer());
    const count = 3000;
    const all = new Promise<void>((resolve) => {
      server.addDispatcherTail({
        dispatch(message) {
          if (epochs.push(readPing(message).mapEpoch) === count) resolve();
          return true;
        },
      });
    });
    const client = Messenger.create({ name: 'osd.1', transport });
    client.setDefaultPolicy(Policy.lossyClient());
    const addrs = await server.bind('v2:127.0.0.1:0');
    server.start();
    client.start();
    const outlet = new PingOutlet();
    const connection = client.getConnection(addrs);
    const body = { ...fc.sample(ping, { numRuns: 1, seed: 1 })[0]!, paddingBytes: 1000 };
    // Before there is a session, and beyond what one connection frames at a time.
    for (let mapEpoch = 0; mapEpoch < count; mapEpoch++) outlet.send(connection, { ...body, mapEpoch });
    await all;
    assert.equal(
      epochs,
      Array.from({ length: count }, (_, index) => index),
    );
    await Promise.all([server.shutdown(), client.shutdown()]);
  });
}

test('cut off anywhere, or with a byte changed, it reads or refuses as the general codec does', () => {
  fc.assert(
    fc.property(ping, fc.nat(100), fc.nat(61), fc.integer({ min: 0, max: 255 }), (body, cut, at, value) => {
      const front = Buffer.from(pingMessage({ ...body, paddingBytes: body.paddingBytes % 30 }).front);
      const short = front.subarray(0, Math.min(cut, front.length));
      front[Math.min(at, front.length - 1)] = value;
      for (const bytes of [short, front]) {
        const message = received(bytes);
        assert.equal(
          outcome(() => readPing(message)),
          outcome(() => MOSDPing.decode(message)),
        );
      }
    }),
  );
});

test('older and newer versions are read as the general codec reads them', () => {
  const front = Buffer.from(pingMessage(fc.sample(ping, { numRuns: 1, seed: 1 })[0]!).front);
  for (const [version, compatVersion] of [
    [4, 4],
    [6, 5],
    [7, 6],
  ] as const) {
    const message = received(front, version, compatVersion);
    assert.equal(
      outcome(() => readPing(message)),
      outcome(() => MOSDPing.decode(message)),
      `v${version}`,
    );
  }
});

test.run();
