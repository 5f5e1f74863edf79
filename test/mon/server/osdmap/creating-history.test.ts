/** What placement groups go through before they are created, in the bytes of a real monitor where it has some. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type OSDMap, osdIn } from '../../../../src/maps/osdmap.ts';
import { makePool, PoolType } from '../../../../src/maps/pool.ts';
import { OsdState } from '../../../../src/maps/states.ts';
import {
  beginHistory,
  type CreatingHistory,
  continueHistory,
  decodeHistory,
  encodeHistory,
  encodePastIntervals,
  encodePgHistory,
} from '../../../../src/mon/server/osdmap/creating-history.ts';
import { Decoder } from '../../../../src/wire/decoder.ts';
import { Encoder } from '../../../../src/wire/encoder.ts';
import { MOSDPGCreate2 } from '../../../../src/wire/messages/m-osd-pg-create2.ts';
import { withOsds } from '../../../maps/support/small-map.ts';
import { fixtureMessages } from '../../../support/captures.ts';
import { hex } from '../../../support/wire-checks.ts';
import { clusterMap } from './bench.ts';

const serving = (acting: number[]) => ({
  up: acting,
  upPrimary: acting[0] ?? -1,
  acting,
  actingPrimary: acting[0] ?? -1,
});

function mapAt(epoch: number, upThru: number, fields: Partial<Parameters<typeof makePool>[0]> = {}): OSDMap {
  const map = withOsds(clusterMap(6, 1), { 0: { state: OsdState.exists | OsdState.up, weight: osdIn } });
  return {
    ...map,
    epoch,
    osdInfo: map.osdInfo.map((info) => ({ ...info, upFrom: 5, upThru })),
    pools: new Map([[1, makePool({ type: PoolType.replicated, size: 2, pgNum: 8, ...fields })]]),
  };
}

test('a group that is just to be created, as a real monitor tells of it', () => {
  const { pgs, histories } = MOSDPGCreate2.decode(fixtureMessages(120)[0]!);
  const { epoch, stamp } = pgs[0]!;
  const history = beginHistory(serving([0]), epoch);
  assert.equal(encodePgHistory(history, epoch, stamp), histories[0]!.history);
  assert.equal(encodePastIntervals(history, epoch), histories[0]!.pastIntervals);
});

function after(history: CreatingHistory, epoch: number, acting: number[], upThru = 0): CreatingHistory {
  return continueHistory(history, serving(acting), 1, mapAt(epoch - 1, upThru), mapAt(epoch, upThru));
}

test('the same OSDs: the same interval', () => {
  const history = beginHistory(serving([0, 1]), 20);
  assert.is(after(history, 21, [0, 1]), history);
});

test('other OSDs: whoever may have served is remembered', () => {
  const begun = beginHistory(serving([0, 1]), 20);
  // Nothing says that osd.0 lived to see epoch 20: it cannot have served.
  const idle = after(begun, 25, [2, 3], 19);
  assert.equal(idle.intervals, []);
  assert.equal(
    idle.participants.map(({ osd }) => osd),
    [0, 1],
  );
  const served = after(begun, 25, [2, 3], 20);
  assert.equal(served.intervals, [
    {
      first: 20,
      last: 24,
      acting: [
        { osd: 0, shard: -1 },
        { osd: 1, shard: -1 },
      ],
    },
  ]);
  assert.equal([served.sameIntervalSince, served.sameUpSince, served.samePrimarySince], [25, 25, 25]);
  assert.equal(
    encodePastIntervals(served, 20),
    hex(
      '01 01 55000000 02', // PastIntervals, compact
      '01 01 4e000000 14000000 18000000', // epochs 20 to 24
      '02000000 0101 05000000 00000000 ff 0101 05000000 01000000 ff', // participants
      '01000000 0101 22000000 14000000 18000000', // one interval
      '02000000 0101 05000000 00000000 ff 0101 05000000 01000000 ff',
    ),
  );
  // A subset of the same OSDs served later: the earlier interval says nothing more.
  const later = after(after(served, 30, [1, 0], 25), 33, [2, 3], 30);
  assert.equal(
    later.intervals.map(({ first }) => first),
    [25, 30],
  );
});

test('too few, nobody at all, or a primary that came later: nobody served', () => {
  const cases: [acting: number[], fields: Partial<Parameters<typeof makePool>[0]>, upThru: number][] = [
    [[0], { minSize: 2 }, 99],
    [[], {}, 99],
    [[0, 1], {}, 3],
  ];
  for (const [acting, fields, upThru] of cases) {
    const begun = beginHistory(serving(acting), 4);
    const next = continueHistory(
      begun,
      serving([4, 5]),
      1,
      mapAt(7, upThru, fields),
      mapAt(8, upThru, fields),
    );
    assert.equal(next.intervals, []);
    assert.is(next.sameIntervalSince, 8);
  }
});

test('a changed size is an interval of its own; an erasure-coded group has shards and holes', () => {
  const begun = beginHistory(serving([0, 1]), 20);
  const sized = continueHistory(begun, serving([0, 1]), 1, mapAt(20, 99), mapAt(21, 99, { size: 3 }));
  assert.equal([sized.sameIntervalSince, sized.sameUpSince, sized.samePrimarySince], [21, 20, 20]);
  const erasure = { type: PoolType.erasure, size: 3, minSize: 2 };
  const holes = beginHistory(serving([0, 0x7fffffff, 2]), 20);
  const next = continueHistory(holes, serving([3, 4, 5]), 1, mapAt(20, 99, erasure), mapAt(21, 99, erasure));
  assert.equal(next.intervals[0]!.acting, [
    { osd: 0, shard: 0 },
    { osd: 2, shard: 2 },
  ]);
});

test('it is kept in the store as it is', () => {
  const history = after(after(beginHistory(serving([0, 1]), 20), 25, [2, 3], 20), 30, [4], 25);
  const encoder = new Encoder();
  encodeHistory(encoder, history);
  assert.equal(decodeHistory(new Decoder(encoder.take(), 'history')), history);
});

test.run();
