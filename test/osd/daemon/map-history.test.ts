/** The maps of an OSD, fed with what a real monitor sent a real OSD, and what it gives to peers that are behind. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Connection } from '../../../src/messenger/connection.ts';
import type { Message } from '../../../src/messenger/message.ts';
import { MapHistory } from '../../../src/osd/daemon/map-history.ts';
import { MapSharing } from '../../../src/osd/daemon/map-sharing.ts';
import { VirtualClock } from '../../../src/transport/memory/virtual-clock.ts';
import { MOSDMap } from '../../../src/wire/messages/m-osd-map.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import { fixtureMessages } from '../../support/captures.ts';

/** In the order in which the monitor sent them: increments 1 to 11 (12 came from a peer), and 13 to 16. */
const recorded = fixtureMessages(MOSDMap.type)
  .filter(({ where }) => where.startsWith('none/013'))
  .map((message) => MOSDMap.decode(message));
const sentEpochs = new Map(recorded.flatMap(({ incrementalMaps }) => [...incrementalMaps]));
const sentFull = recorded.find(({ maps }) => maps.size > 0)!.maps.get(9)!;

interface Asked {
  full: number[];
  from: number[];
  blamed: number;
}

function history(
  first: number,
  cachedEpochsMax = 50,
): { maps: MapHistory; epochs: number[]; asked: Asked; clock: VirtualClock } {
  const epochs: number[] = [];
  const asked: Asked = { full: [], from: [], blamed: 0 };
  const clock = new VirtualClock();
  const maps = new MapHistory({
    clock,
    fsid: recorded[0]!.fsid,
    first,
    cachedEpochsMax,
    askFull: (epoch) => asked.full.push(epoch),
    askFrom: (epoch) => asked.from.push(epoch),
    blameMonitor: () => asked.blamed++,
    onMaps: (updates) => epochs.push(...updates.map(({ epoch }) => epoch)),
  });
  return { maps, epochs, asked, clock };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Everything up to epoch 11. */
function upToEleven(cachedEpochsMax = 50): MapHistory {
  const { maps, epochs } = history(1, cachedEpochsMax);
  for (const message of recorded) maps.handle(message, true);
  assert.equal(epochs, range(1, 11));
  return maps;
}

function withOnly(epochs: readonly number[], change: Partial<MOSDMap> = {}): MOSDMap {
  const incrementalMaps = new Map(epochs.map((epoch) => [epoch, sentEpochs.get(epoch)!]));
  return { ...recorded[0]!, incrementalMaps, maps: new Map(), newestMap: 16, ...change };
}

/** What a peer would be sent. */
function sharedWith(maps: MapHistory, peerEpoch: number, limits = {}): MOSDMap | undefined {
  const sent: Message[] = [];
  const connection = { send: (message: Message) => sent.push(message) > 0 } as unknown as Connection;
  sharingOf(maps, limits).share(connection, peerEpoch);
  return sent.map((message) => MOSDMap.decode(message as never))[0];
}

function sharingOf(maps: MapHistory, limits = {}): MapSharing {
  return new MapSharing({
    fsid: recorded[0]!.fsid,
    maps,
    limits: () => ({ epochsMax: 40, messageMax: 40, messageBytesMax: 10_000_000, ...limits }),
    onShared: () => {},
  });
}

test('applies what the monitor sent, each epoch once and in order', () => {
  const maps = upToEleven();
  assert.is(maps.epoch, 11);
  assert.is(maps.clusterOldest, 1);
});

test('maps of a peer fill a gap, but only as increments', () => {
  const { asked, epochs, maps } = history(1);
  maps.handle(withOnly(range(1, 8)), true);
  maps.handle(withOnly([10, 11]), true);
  assert.is(maps.epoch, 8);
  maps.handle(withOnly([], { maps: new Map([[9, sentFull]]) }), false);
  assert.is(maps.epoch, 8, 'a whole map of a peer is not believed');
  maps.handle(withOnly([9]), false);
  assert.equal(epochs, range(1, 11));
  assert.is(asked.blamed, 0);
});

test('an increment of a peer that was altered is not applied, and the monitor is asked for the map', () => {
  const { asked, epochs, maps } = history(1);
  maps.handle(withOnly(range(1, 8)), true);
  const forged = Buffer.from(sentEpochs.get(9)!);
  forged[forged.byteLength - 9] = forged[forged.byteLength - 9]! ^ 1;
  maps.handle(withOnly([], { incrementalMaps: new Map([[9, forged]]) }), false);
  assert.is(maps.epoch, 8);
  assert.equal(asked.full, [9]);
  maps.handle(withOnly([], { maps: new Map([[9, sentFull]]) }), true);
  assert.equal(epochs, range(1, 9));
  assert.is(asked.blamed, 0);
});

test('what is announced and does not come is asked for', () => {
  const { asked, clock, maps } = history(1);
  maps.handle(withOnly(range(1, 8)), true);
  clock.run(2_500);
  assert.ok(asked.from.includes(9), JSON.stringify(asked));
  maps.stop();
});

test('a peer gets what it lacks, byte for byte as the monitor sent it', () => {
  const shared = sharedWith(upToEleven(), 7)!;
  assert.equal([...shared.incrementalMaps.keys()], [8, 9, 10, 11]);
  for (const [epoch, bytes] of shared.incrementalMaps)
    assert.equal(Buffer.from(bytes), Buffer.from(sentEpochs.get(epoch)!));
  assert.equal([shared.oldestMap, shared.newestMap, shared.maps.size], [1, 11, 0]);
});

test('a peer that has the newest map, or a newer one, gets nothing', () => {
  const maps = upToEleven();
  assert.is(sharedWith(maps, 11), undefined);
  assert.is(sharedWith(maps, 12), undefined);
});

test('a peer that is too far behind gets the newest epochs, or the newest map whole', () => {
  const maps = upToEleven();
  assert.equal([...sharedWith(maps, 1, { epochsMax: 3 })!.incrementalMaps.keys()], [9, 10, 11]);
  assert.equal([...sharedWith(maps, 1, { messageMax: 2 })!.incrementalMaps.keys()], [2, 3]);
  const short = upToEleven(4);
  const shared = sharedWith(short, 3)!;
  assert.equal([shared.incrementalMaps.size, [...shared.maps.keys()]], [0, [11]]);
  // A real OSD can read it: it is the encoding that the monitor's CRC is over.
  const again = history(11);
  again.maps.handle(shared, true);
  assert.equal(again.epochs, [11]);
});

test('nobody is told the same epoch twice', () => {
  const maps = upToEleven();
  const sharing = sharingOf(maps);
  let sends = 0;
  const connection = { send: () => ++sends > 0 } as unknown as Connection;
  for (let round = 0; round < 3; round++) sharing.share(connection, 5);
  assert.is(sends, 1);
});

test('maps of another cluster are none', () => {
  const { epochs, maps } = history(1);
  maps.handle(withOnly(range(1, 8), { fsid: Uuid.random() }), false);
  assert.equal(epochs, []);
});

test.run();
