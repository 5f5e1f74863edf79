/** The rules of placement one by one; that whole clusters come out as Ceph's is in differential.test.ts. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { crushItemNone } from '../../src/maps/crush/map.ts';
import { pgDistribution } from '../../src/maps/distribution.ts';
import { formatPgId, PgMap, parsePgId, pgMask, stableMod } from '../../src/maps/pg.ts';
import { noPrimary, Placement } from '../../src/maps/placement.ts';
import { hashObject, makePool, placementSeed } from '../../src/maps/pool.ts';
import { OsdState } from '../../src/maps/states.ts';
import { msgrError } from '../support/wire-checks.ts';
import { smallMap, withOsds } from './support/small-map.ts';

const map = smallMap(5, 2);
const pg = { pool: 1, seed: 5 };
const before = new Placement(map).pgToUpActing(pg);
const ec = { pool: 2, seed: 5 };
const ecBefore = new Placement(map).pgToUpActing(ec);
/** An OSD that is in none of the two. */
const other = [...Array(10).keys()].find((osd) => !before.up.includes(osd) && !ecBefore.up.includes(osd))!;

test('a healthy PG: three OSDs of three hosts, acting as they are up', () => {
  assert.is(new Set(before.up.map((osd) => osd >> 1)).size, 3);
  assert.equal(before.acting, before.up);
  assert.is(before.upPrimary, before.up[0]);
  assert.equal(new Placement(map).pgToRaw(pg), { raw: before.up, primary: before.up[0] });
});

test('a down OSD: replicated PGs close the gap, erasure-coded ones have a hole', () => {
  const [first, second, third] = before.up as [number, number, number];
  const down = new Placement(withOsds(map, { [first]: { state: OsdState.exists } }));
  assert.equal(down.pgToUpActing(pg).up, [second, third]);
  assert.is(down.pgToUpActing(pg).upPrimary, second);
  assert.equal(down.pgToRaw(pg).raw, before.up, 'CRUSH does not look at states');
  const hole = new Placement(withOsds(map, { [ecBefore.up[0]!]: { state: OsdState.exists } })).pgToUpActing(
    ec,
  );
  assert.equal(hole.up, [crushItemNone, ...ecBefore.up.slice(1)]);
  assert.is(hole.upPrimary, ecBefore.up[1]);
});

test('an OSD that does not exist is gone from raw, one that is out is replaced', () => {
  const [first] = before.up as [number];
  const gone = new Placement(withOsds(map, { [first]: { state: 0 } })).pgToRaw(pg).raw;
  assert.equal(gone, before.up.slice(1));
  const out = new Placement(withOsds(map, { [first]: { weight: 0 } })).pgToRaw(pg).raw;
  assert.is(out.length, 3);
  assert.not.ok(out.includes(first));
});

test('pg_upmap replaces all, pg_upmap_items one; targets that are out do not count', () => {
  const [first, second, third] = before.up as [number, number, number];
  const upmap = { ...map, pgUpmap: new PgMap([[pg, Int32Array.of(other, first, third)]]) };
  assert.equal(new Placement(upmap).pgToUpActing(pg).up, [other, first, third]);
  assert.equal(new Placement(withOsds(upmap, { [other]: { weight: 0 } })).pgToUpActing(pg).up, before.up);

  const items = { ...map, pgUpmapItems: new PgMap([[pg, [{ from: second, to: other }]]]) };
  assert.equal(new Placement(items).pgToUpActing(pg).up, [first, other, third]);
  assert.equal(new Placement(withOsds(items, { [other]: { weight: 0 } })).pgToUpActing(pg).up, before.up);
  const present = { ...map, pgUpmapItems: new PgMap([[pg, [{ from: second, to: third }]]]) };
  assert.equal(new Placement(present).pgToUpActing(pg).up, before.up, 'no OSD twice');
});

test('pg_temp and primary_temp decide who acts, not who is up', () => {
  const [first, second] = before.up as [number, number];
  const temp = { ...map, pgTemp: new PgMap([[pg, Int32Array.of(other, second)]]) };
  const placed = new Placement(temp).pgToUpActing(pg);
  assert.equal(placed.up, before.up);
  assert.equal(placed.acting, [other, second]);
  assert.is(placed.actingPrimary, other);
  const dead = withOsds(temp, { [other]: { state: 0 }, [second]: { state: OsdState.exists } });
  const fallback = new Placement(dead).pgToUpActing(pg);
  assert.equal(fallback.acting, fallback.up, 'a pg_temp whose OSDs are all down does not count');
  const primary = { ...map, primaryTemp: new PgMap([[pg, second]]) };
  assert.is(new Placement(primary).pgToUpActing(pg).actingPrimary, second);
  assert.is(new Placement(primary).pgToUpActing(pg).upPrimary, first);
});

test('primary affinity 0 passes an OSD over, unless there is no other', () => {
  const [first, second] = before.up as [number, number];
  const affinity = new Uint32Array(10).fill(0x10000);
  affinity[first] = 0;
  const placed = new Placement({ ...map, primaryAffinity: affinity }).pgToUpActing(pg);
  assert.is(placed.upPrimary, second);
  assert.is(placed.up[0], second, 'the primary stands first in a replicated PG');
  const refusing = new Placement({ ...map, primaryAffinity: new Uint32Array(10) }).pgToUpActing(pg);
  assert.equal(refusing.up, before.up);
  const ecAffinity = new Uint32Array(10).fill(0x10000);
  ecAffinity[ecBefore.up[0]!] = 0;
  const ecPlaced = new Placement({ ...map, primaryAffinity: ecAffinity }).pgToUpActing(ec);
  assert.equal(ecPlaced.up, ecBefore.up, 'positions of an erasure-coded PG mean something');
  assert.is(ecPlaced.upPrimary, ecBefore.up[1]);
});

test('a pool without a rule has no OSDs, a pool that is not there is an error', () => {
  const ruleless = { ...map, pools: new Map([[1, makePool({ type: 1, size: 3, pgNum: 4, crushRule: 9 })]]) };
  assert.equal(new Placement(ruleless).pgToUpActing(pg), {
    up: [],
    upPrimary: noPrimary,
    acting: [],
    actingPrimary: noPrimary,
  });
  msgrError(() => new Placement(map).pgToUpActing({ pool: 7, seed: 0 }), ErrorCode.InvalidArgument);
});

test('objects: name, locator key and namespace', () => {
  const pool = map.pools.get(1)!;
  assert.is(hashObject(pool, 'foo'), 0x7fc1f406);
  assert.is(hashObject(pool, 'anything', 'foo'), 0x7fc1f406);
  assert.is.not(hashObject(pool, 'foo', '', 'space'), 0x7fc1f406);
  const placement = new Placement(map);
  assert.equal(placement.objectToPg(1, 'foo'), {
    pg: { pool: 1, seed: 0x7fc1f406 % 32 },
    rawPg: { pool: 1, seed: 0x7fc1f406 },
  });
  // A whole hash is a PG too: the one that it is cut to.
  const { pg: cut, rawPg } = placement.objectToPg(1, 'foo');
  assert.equal(placement.pgToUpActing(rawPg), placement.pgToUpActing(cut));
});

test('stable_mod: growing by one PG moves only the objects of the PG that splits', () => {
  for (let count = 1; count < 70; count++) {
    const split = count - (pgMask(count + 1) + 1) / 2;
    for (let x = 0; x < 4096; x++) {
      const seed = stableMod(x, count, pgMask(count));
      const next = stableMod(x, count + 1, pgMask(count + 1));
      assert.ok(seed < count);
      assert.ok(next === seed || (next === count && seed === split), `${x} of ${count}`);
    }
  }
  assert.is(pgMask(1), 0);
  assert.is(pgMask(0xffffffff), 0xffffffff);
});

test('seeds: pools overlap without hashpspool', () => {
  const old = makePool({ type: 1, size: 3, pgNum: 32, flags: 0n });
  assert.is(placementSeed(old, 1, 4), placementSeed(old, 0, 5));
  assert.is.not(placementSeed(map.pools.get(1)!, 1, 4), placementSeed(map.pools.get(1)!, 0, 5));
});

test('PG ids as text', () => {
  assert.equal(parsePgId('12.ff'), { pool: 12, seed: 255 });
  assert.is(formatPgId({ pool: 12, seed: 255 }), '12.ff');
  for (const text of ['', '1', '1.', '.1', '1.g', '-1.0', '1.123456789']) {
    msgrError(() => parsePgId(text), ErrorCode.InvalidArgument);
  }
});

test('the distribution counts every OSD of every PG', () => {
  const { osds, average, sizes, min, max } = pgDistribution(map, [1, 2]);
  assert.is(osds.length, 10);
  assert.is(
    osds.reduce((sum, { count }) => sum + count, 0),
    32 * 3 + 32 * 4,
  );
  assert.is(
    osds.reduce((sum, { primary }) => sum + primary, 0),
    64,
  );
  assert.is(average, 22);
  assert.equal(sizes, [
    [3, 32],
    [4, 32],
  ]);
  assert.ok(min!.count <= average && max!.count >= average);
});

test.run();
