/** What the pending map answers is what the map will say, whatever was changed in whatever order. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyIncrementalChecked } from '../../../../src/maps/apply.ts';
import { decodeIncremental } from '../../../../src/maps/incremental-codec.ts';
import { isIn, isUp, type OSDMap, osdExists, osdIn } from '../../../../src/maps/osdmap.ts';
import { makePool, PoolType } from '../../../../src/maps/pool.ts';
import { OsdMapFlag, OsdState } from '../../../../src/maps/states.ts';
import { PendingOsdMap } from '../../../../src/mon/server/osdmap/pending-osd-map.ts';
import { Uuid } from '../../../../src/wire/uuid.ts';
import { withOsds } from '../../../maps/support/small-map.ts';
import { addrsOf, clusterMap, uuidOf } from './bench.ts';

const osds = 6;
const { exists, up, autoout, destroyed, full, noup } = OsdState;
const bits = [exists, up, autoout, OsdState.new, full, destroyed, noup, OsdState.stop];
const states = [0, exists, exists | up, exists | OsdState.new, exists | autoout, exists | up | full];

/** A change, and what an OSD that has it must say unless a later one says otherwise. */
type Step =
  | { readonly kind: 'state'; readonly osd: number; readonly set: number; readonly clear: number }
  | { readonly kind: 'weight'; readonly osd: number; readonly weight: number }
  | { readonly kind: 'boot'; readonly osd: number }
  | { readonly kind: 'xinfo'; readonly osd: number; readonly deadEpoch: number }
  | { readonly kind: 'flags'; readonly set: number; readonly clear: number }
  | { readonly kind: 'maxOsd'; readonly count: number }
  | { readonly kind: 'pool'; readonly id: number; readonly isRemoved: boolean };

const osd = fc.nat(osds - 1);
const mask = fc.subarray(bits).map((chosen) => chosen.reduce((all, bit) => all | bit, 0));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('state' as const), osd, set: mask, clear: mask }),
  fc.record({ kind: fc.constant('weight' as const), osd, weight: fc.constantFrom(0, 0x8000, osdIn) }),
  fc.record({ kind: fc.constant('boot' as const), osd }),
  fc.record({ kind: fc.constant('xinfo' as const), osd, deadEpoch: fc.nat(99) }),
  fc.record({ kind: fc.constant('flags' as const), set: fc.nat(2 ** 15 - 1), clear: fc.nat(2 ** 15 - 1) }),
  fc.record({ kind: fc.constant('maxOsd' as const), count: fc.integer({ min: osds, max: osds + 4 }) }),
  fc.record({
    kind: fc.constant('pool' as const),
    id: fc.integer({ min: 1, max: 3 }),
    isRemoved: fc.boolean(),
  }),
);
/** State and weight of each OSD. */
const start = fc.array(fc.tuple(fc.constantFrom(...states), fc.constantFrom(0, osdIn)), {
  minLength: osds,
  maxLength: osds,
});

function baseOf(each: readonly (readonly [state: number, weight: number])[]): OSDMap {
  // What this release takes for granted is set in every map that it writes.
  const flags = OsdMapFlag.recoveryDeletes | OsdMapFlag.pglogHardlimit;
  const entries = each.map(([state, weight], index) => [index, { state, weight }] as const);
  return withOsds(clusterMap(3, 2, { flags }), Object.fromEntries(entries));
}

function apply(pending: PendingOsdMap, change: Step): void {
  switch (change.kind) {
    case 'state':
      pending.changeState(change.osd, change.set, change.clear & ~change.set);
      break;
    case 'weight':
      pending.setWeight(change.osd, change.weight);
      break;
    case 'boot':
      // As the rule does: only what is down, and stays so, boots.
      if (pending.isUp(change.osd)) break;
      pending.change.newUpClient.set(change.osd, addrsOf(change.osd, 'public', 3));
      pending.change.newUuid.set(change.osd, uuidOf(change.osd));
      pending.touch();
      break;
    case 'xinfo':
      pending.changeXinfo(change.osd, { deadEpoch: change.deadEpoch });
      break;
    case 'flags':
      pending.setFlags(change.set, change.clear & ~change.set);
      break;
    case 'maxOsd':
      pending.change.newMaxOsd = change.count;
      pending.touch();
      break;
    case 'pool':
      if (change.isRemoved && pending.base.pools.has(change.id)) pending.change.oldPools.push(change.id);
      else pending.changePool(change.id, makePool({ type: PoolType.replicated, size: 2, pgNum: 4 }));
      pending.change.newPoolNames.set(change.id, `pool${change.id}`);
  }
}

interface Answers {
  readonly osds: readonly unknown[];
  readonly pools: readonly unknown[];
  readonly flags: number;
  readonly maxOsd: number;
}

function answersOfPending(pending: PendingOsdMap): Answers {
  const ids = Array.from({ length: osds + 5 }, (_, index) => index);
  return {
    osds: ids.map((id) => [
      pending.exists(id),
      pending.isUp(id),
      pending.isIn(id),
      id < pending.maxOsd ? pending.state(id) : 0,
      id < pending.maxOsd ? pending.weight(id) : 0,
      id < pending.maxOsd ? pending.xinfo(id).deadEpoch : 0,
      String(pending.uuid(id)),
    ]),
    pools: [1, 2, 3].map((id) => [pending.pool(id)?.pgNum, pending.poolNames().get(id)]),
    flags: pending.flags,
    maxOsd: pending.maxOsd,
  };
}

function answersOf(map: OSDMap): Answers {
  const ids = Array.from({ length: osds + 5 }, (_, index) => index);
  return {
    osds: ids.map((id) => [
      osdExists(map, id),
      isUp(map, id),
      isIn(map, id),
      map.osdState[id] ?? 0,
      map.osdWeight[id] ?? 0,
      map.osdXinfo[id]?.deadEpoch ?? 0,
      String(map.osdUuid[id] ?? Uuid.zero),
    ]),
    pools: [1, 2, 3].map((id) => [map.pools.get(id)?.pgNum, map.poolNames.get(id)]),
    flags: map.flags,
    maxOsd: map.maxOsd,
  };
}

test('pending is what is committed', () => {
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 12 }), (each, steps) => {
      const map = baseOf(each);
      const pending = new PendingOsdMap(map);
      for (const change of steps) apply(pending, change);
      assert.is(
        pending.isTouched,
        steps.some((change) => change.kind !== 'boot') || pending.change.newUpClient.size > 0,
      );
      const promised = answersOfPending(pending);
      const finished = pending.finish({ sec: 7, nsec: 0 });
      assert.equal(promised, answersOf(finished.map));
      // And it is what a subscriber makes of the increment.
      const change = decodeIncremental(finished.incrementalBytes);
      const { encoded } = applyIncrementalChecked(map, change);
      assert.is(Buffer.compare(encoded, finished.fullBytes), 0);
    }),
    { numRuns: 300 },
  );
});

test('bits that are changed are so at once, and stay so when others change', () => {
  fc.assert(
    fc.property(start, osd, mask, mask, fc.constantFrom(0, osdIn), (each, id, set, clear, weight) => {
      const pending = new PendingOsdMap(baseOf(each));
      const kept = set & ~(autoout | OsdState.new);
      pending.changeState(id, set | exists, clear & ~(set | exists));
      assert.is(pending.state(id) & (set | exists), set | exists);
      assert.is(pending.state(id) & clear & ~(set | exists), 0);
      pending.setWeight(id, weight);
      assert.is(pending.state(id) & kept, kept);
      if (weight > 0) assert.is(pending.state(id) & (autoout | OsdState.new), 0);
      assert.is(pending.weight(id), weight);
    }),
    { numRuns: 400 },
  );
});

test('an OSD that is removed or marked down in the epoch of its boot does not boot', () => {
  for (const clear of [up, exists]) {
    const pending = new PendingOsdMap(withOsds(clusterMap(3, 1), { 0: { state: exists } }));
    pending.change.newUpClient.set(0, addrsOf(0));
    pending.changeState(0, 0, clear);
    assert.not(pending.isUp(0));
    assert.not(isUp(pending.finish({ sec: 7, nsec: 0 }).map, 0));
  }
});

test('nothing changed: nothing to propose', () => {
  assert.is(new PendingOsdMap(clusterMap(3, 1)).isTouched, false);
});

test.run();
