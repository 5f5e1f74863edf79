/** Which OSDMaps a subscriber is sent, for any place where it stands and any limits of a message. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message } from '../../../../src/messenger/message.ts';
import { OsdMapSender, type OsdMapSource } from '../../../../src/mon/server/osd-map-sender.ts';
import type { MonSession } from '../../../../src/mon/server/session.ts';
import { resolveOptions } from '../../../../src/options.ts';
import { MOSDMap } from '../../../../src/wire/messages/m-osd-map.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';

const mapBytes = 100;
const fsid = Uuid.random();

/** Epochs `oldest` to `newest`; each incremental and each full map says which one it is. */
function source(oldest: number, newest: number): OsdMapSource {
  const read = (kind: string) => (epoch: number) =>
    epoch < oldest || epoch > newest ? undefined : Buffer.from(`${kind} ${epoch}`.padEnd(mapBytes));
  return {
    firstCommitted: oldest,
    lastCommitted: newest,
    fullMap: read('full'),
    incrementalMap: read('step'),
  };
}

function setUp(from: OsdMapSource, osdEpoch = 0, options: Parameters<typeof resolveOptions>[0] = {}) {
  const sent: Message[] = [];
  const session = {
    osdEpoch,
    connection: { send: (message: Message) => sent.push(message) },
  } as unknown as MonSession;
  const sender = new OsdMapSender(fsid, resolveOptions(options), from);
  return { sender, sent, session, told: () => sent.map(bodyOf) };
}

function bodyOf(message: Message): { fulls: number[]; steps: number[]; oldest: number; newest: number } {
  const body = MOSDMap.decode({ ...message, version: message.version, compatVersion: message.compatVersion });
  for (const [epoch, bytes] of body.maps) assert.is(Buffer.from(bytes).toString().trim(), `full ${epoch}`);
  for (const [epoch, bytes] of body.incrementalMaps) {
    assert.is(Buffer.from(bytes).toString().trim(), `step ${epoch}`);
  }
  return {
    fulls: [...body.maps.keys()],
    steps: [...body.incrementalMaps.keys()],
    oldest: body.oldestMap,
    newest: body.newestMap,
  };
}

test('from 0: the latest one in full', () => {
  const { sender, session, told } = setUp(source(5, 90));
  sender.send(session, 0);
  assert.equal(told(), [{ fulls: [90], steps: [], oldest: 5, newest: 90 }]);
  assert.is(session.osdEpoch, 90);
});

test('what is older than the store begins with its oldest map', () => {
  const { sender, session, told } = setUp(source(50, 52));
  sender.send(session, 7);
  assert.equal(
    told().map(({ fulls, steps }) => [fulls, steps]),
    [
      [[50], []],
      [[], [51, 52]],
    ],
  );
});

test('40 in a message; a one-time subscriber gets the first message', () => {
  const all = setUp(source(1, 100));
  all.sender.send(all.session, 11);
  assert.equal(
    all.told().map(({ steps }) => [steps[0], steps.at(-1), steps.length]),
    [
      [11, 50, 40],
      [51, 90, 40],
      [91, 100, 10],
    ],
  );
  const once = setUp(source(1, 100));
  once.sender.send(once.session, 11, true);
  assert.is(once.sent.length, 1);
  assert.is(once.session.osdEpoch, 50);
});

test('subscribers of the same epochs share one message', () => {
  const { sender, sent, session } = setUp(source(1, 10));
  for (let count = 0; count < 1000; count++) sender.send({ ...session, osdEpoch: 0 } as MonSession, 10);
  assert.is(sent.length, 1000);
  assert.is(new Set(sent).size, 1);
});

test('whatever is asked for: each epoch once, in order, without a gap, within the limits', () => {
  const place = fc.record({
    oldest: fc.integer({ min: 1, max: 200 }),
    length: fc.integer({ min: 0, max: 200 }),
    first: fc.integer({ min: 1, max: 420 }),
    osdEpoch: fc.integer({ min: 0, max: 420 }),
    maps: fc.integer({ min: 1, max: 60 }),
    bytes: fc.integer({ min: 0, max: 30 * mapBytes }),
  });
  fc.assert(
    fc.property(place, ({ oldest, length, first, osdEpoch, maps, bytes }) => {
      const newest = oldest + length;
      const options = { osd_map_message_max: maps, osd_map_message_max_bytes: bytes };
      const { sender, session, told } = setUp(source(oldest, newest), osdEpoch, options);
      sender.send(session, first);
      const wanted = Math.max(first, osdEpoch + 1);
      if (wanted > newest) return assert.equal(told(), []);
      const messages = told();
      const epochs = messages.flatMap(({ fulls, steps }) => [...fulls, ...steps]);
      const start = Math.max(wanted, oldest);
      assert.equal(
        epochs,
        Array.from({ length: newest - start + 1 }, (_, index) => start + index),
      );
      const needsFull = wanted < oldest;
      assert.equal(
        messages.flatMap(({ fulls }) => fulls),
        needsFull ? [oldest] : [],
      );
      for (const { fulls, steps } of messages) {
        assert.ok(fulls.length + steps.length <= maps);
        assert.ok(steps.length === 0 || (steps.length - 1) * mapBytes < Math.max(1, bytes));
      }
      assert.is(session.osdEpoch, newest);
    }),
    { numRuns: 500 },
  );
});

test('an OSD that a map is shared with may still ask for what comes before', () => {
  const { sender, session, told } = setUp(source(1, 20), 3);
  sender.share(session);
  assert.equal(
    told().map(({ steps }) => steps),
    [[19, 20]],
  );
  assert.is(session.osdEpoch, 3);
});

test('MMonGetOSDMap: what there is of the ranges, within the limits', () => {
  const { sender } = setUp(source(10, 20), 0, { osd_map_message_max: 6 });
  const { fulls, steps } = bodyOf(sender.range(8, 12, 18, 25));
  assert.equal(
    [fulls, steps],
    [
      [10, 11, 12],
      [18, 19, 20],
    ],
  );
  assert.equal(bodyOf(sender.range(0, 0, 0, 0)), { fulls: [], steps: [], oldest: 10, newest: 20 });
  assert.is(bodyOf(sender.range(1, 4_000_000_000, 0, 0)).fulls.length, 6);
});

test.run();
