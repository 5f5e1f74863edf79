import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  devicesOf,
  nextUpOsdAfter,
  noOsd,
  pgPeers,
  previousUpOsdBefore,
  randomUpOsdsBySubtree,
  subtreesOfType,
} from '../../src/maps/neighbours.ts';
import { isUp } from '../../src/maps/osdmap.ts';
import { Placement } from '../../src/maps/placement.ts';
import { OsdState } from '../../src/maps/states.ts';
import { SeededRandom } from './support/random.ts';
import { smallMap, withOsds } from './support/small-map.ts';

const map = smallMap(5, 2);
const down = { state: OsdState.exists };

test('next and previous up OSD close a ring over the ids', () => {
  const gaps = withOsds(map, { 0: down, 3: down, 4: { state: 0 }, 9: down });
  assert.is(nextUpOsdAfter(gaps, 2), 5);
  assert.is(nextUpOsdAfter(gaps, 8), 1);
  assert.is(previousUpOsdBefore(gaps, 1), 8);
  assert.is(previousUpOsdBefore(gaps, 5), 2);
  assert.is(nextUpOsdAfter(gaps, 3), 5, 'a down OSD asks too');
  assert.is(nextUpOsdAfter(gaps, 42), 1, 'an OSD beyond the map');
  assert.is(previousUpOsdBefore(gaps, 42), 8);
});

test('nobody else is up', () => {
  const alone = withOsds(smallMap(1, 2), { 1: down });
  assert.is(nextUpOsdAfter(alone, 0), noOsd);
  assert.is(previousUpOsdBefore(alone, 0), noOsd);
  assert.is(nextUpOsdAfter(smallMap(1, 0), 0), noOsd);
});

test('peers of an OSD are those that share one of its PGs', () => {
  const placement = new Placement(map);
  const peers = pgPeers(map, 4);
  const expected = new Set<number>();
  for (const pool of [1, 2]) {
    for (let seed = 0; seed < 32; seed++) {
      const { up } = placement.pgToUpActing({ pool, seed });
      if (up.includes(4)) for (const osd of up) expected.add(osd);
    }
  }
  expected.delete(4);
  assert.ok(expected.size > 3);
  assert.equal([...peers].sort(), [...expected].sort());
});

test('random up OSDs: one of each other host, never our own, never skipped ones', () => {
  const gaps = withOsds(map, { 2: down, 3: down });
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const random = new SeededRandom(seed);
    const chosen = randomUpOsdsBySubtree(gaps, 0, 'host', 2, new Set([5]), () => random.next());
    assert.is(chosen.length, 2);
    assert.is(new Set(chosen.map((osd) => osd >> 1)).size, 2, 'two hosts');
    for (const osd of chosen) {
      assert.ok(isUp(gaps, osd) && osd >> 1 !== 0 && osd !== 5, `osd.${osd}`);
      seen.add(`host${osd >> 1}`);
    }
  }
  assert.equal([...seen].sort(), ['host2', 'host3', 'host4'], 'every host that has an up OSD');
});

test('the choice repeats with its seed, and there is none without such a type', () => {
  const choose = (type: string, seed: number): number[] => {
    const random = new SeededRandom(seed);
    return randomUpOsdsBySubtree(map, 1, type, 10, new Set(), () => random.next());
  };
  assert.equal(choose('host', 7), choose('host', 7));
  // Which OSD of a host follows from our own id, as in Ceph: the second of two for osd.1.
  assert.equal(choose('host', 7).sort(), [3, 5, 7, 9]);
  assert.equal(choose('datacenter', 7), []);
  assert.equal(choose('osd', 7), []);
});

test('subtrees: hosts below roots, shadow trees of device classes left out', () => {
  assert.equal(subtreesOfType(map.crush, 1), [-2, -3, -4, -5, -6]);
  const shadow = { ...map.crush, names: new Map([...map.crush.names, [-3, 'host1~hdd']]) };
  assert.equal(subtreesOfType(shadow, 1), [-2, -4, -5, -6]);
  assert.equal(devicesOf(map.crush, -4), [4, 5]);
  assert.equal(devicesOf(map.crush, 3), [3]);
});

test.run();
