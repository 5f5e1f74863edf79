/** What `msgr2 watch osdmap` says of a change: changes made by hand, and the history of a real monitor. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { changeLine, mapChanges, stateLine } from '../../../src/cli/cluster/map-changes.ts';
import { applyIncremental } from '../../../src/maps/apply.ts';
import { makeIncremental, type OSDMapIncremental } from '../../../src/maps/incremental.ts';
import { decodeIncremental } from '../../../src/maps/incremental-codec.ts';
import { noOsdXinfo, type OSDMap } from '../../../src/maps/osdmap.ts';
import { decodeOsdMap } from '../../../src/maps/osdmap-codec.ts';
import { makePool, type PgPool, PoolType, poolFlag } from '../../../src/maps/pool.ts';
import { flagsOfRelease, OsdState, Release } from '../../../src/maps/states.ts';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { recordedHistories } from '../../maps/support/recorded-maps.ts';
import { smallMap } from '../../maps/support/small-map.ts';

/** With the flags that a map gets as soon as it is read. */
const before: OSDMap = { ...smallMap(2, 2), flags: flagsOfRelease(0, Release.pacific) };

function after(change: Partial<OSDMapIncremental>, map: OSDMap = before): OSDMap {
  return applyIncremental(map, makeIncremental({ fsid: map.fsid, epoch: map.epoch + 1, ...change }));
}

function line(change: Partial<OSDMapIncremental>, map: OSDMap = before): string {
  const next = after(change, map);
  return changeLine(next.epoch, mapChanges(map, next));
}

function withPool(change: Partial<PgPool>): Partial<OSDMapIncremental> {
  return { newPools: new Map([[1, { ...before.pools.get(1)!, ...change }]]) };
}

test('OSDs: up and down, in and out, weights', () => {
  assert.is(line({ newState: new Map([[3, OsdState.up]]) }), 'e11 osd.3 down');
  const down = after({ newState: new Map([[3, OsdState.up]]) });
  const addr = EntityAddrVec.of(EntityAddr.parse('v2:127.0.0.1:6800/7'));
  assert.is(line({ newUpClient: new Map([[3, addr]]) }, down), 'e12 osd.3 up');
  assert.is(line({ newWeight: new Map([[1, 0x8000]]) }), 'e11 osd.1 weight 1 → 0.5');
  assert.is(
    line({
      newWeight: new Map([
        [1, 0],
        [2, 0],
      ]),
    }),
    'e11 osd.1 out; osd.2 out',
  );
  const out = {
    newState: new Map([[1, OsdState.autoout]]),
    newWeight: new Map([[1, 0]]),
    newXinfo: new Map([[1, noOsdXinfo]]),
  };
  assert.is(line(out), 'e11 osd.1 out by itself');
  assert.is(
    line({
      newState: new Map([
        [0, OsdState.noout],
        [2, OsdState.nearfull],
      ]),
    }),
    'e11 osd.0 noout set; osd.2 nearfull set',
  );
  assert.is(line({ newPrimaryAffinity: new Map([[0, 0x4000]]) }), 'e11 osd.0 primary_affinity 1 → 0.25');
  assert.is(line({ newMaxOsd: 6 }), 'e11 max_osd 4 → 6');
  assert.is(line({ newUpThru: new Map([[2, 10]]) }), 'e11 osd.2 up_thru 0 → 10');
});

test('several things in one line, OSDs first, each named once', () => {
  assert.is(
    line({
      newState: new Map([[3, OsdState.up]]),
      newWeight: new Map([
        [3, 0],
        [1, 0x8000],
      ]),
      ...withPool({ pgNum: 16, pgNumTarget: 16, size: 2 }),
      newUpThru: new Map([[2, 10]]),
    }),
    "e11 osd.1 weight 1 → 0.5; osd.3 down, out; pool 'data' size 3 → 2, pg_num 32 → 16",
  );
});

test('pools', () => {
  assert.is(line(withPool({ flags: poolFlag('hashpspool') | poolFlag('full') })), "e11 pool 'data' full set");
  assert.is(line(withPool({ pgNumTarget: 64 })), "e11 pool 'data' pg_num_target 32 → 64");
  assert.is(line(withPool({ tierOf: 2 })), "e11 pool 'data' tier_of - → 2");
  assert.is(
    line(withPool({ options: new Map([[6, { type: 'string', value: 'force' }]]) })),
    "e11 pool 'data' compression_mode - → force",
  );
  assert.is(
    line(withPool({ applicationMetadata: new Map([['rbd', new Map()]]) })),
    "e11 pool 'data' application rbd enabled",
  );
  assert.is(line({ newPoolNames: new Map([[1, 'new']]) }), "e11 pool 'data' renamed 'new'");
  assert.is(line({ oldPools: [2] }), "e11 pool 'ec' removed");
  const pool = makePool({ type: PoolType.erasure, size: 6, pgNum: 4, erasureCodeProfile: 'k4m2' });
  assert.is(
    line({ newPools: new Map([[7, pool]]), newPoolNames: new Map([[7, 'x']]) }),
    "e11 pool 'x' created (erasure k4m2, size 6, 4 pgs)",
  );
});

test('the cluster as a whole', () => {
  assert.is(line({ newFlags: before.flags | (1 << 7) }), 'e11 noout set');
  assert.is(
    line({ newFlags: before.flags }, after({ newFlags: before.flags | (1 << 7) })),
    'e12 noout cleared',
  );
  assert.is(
    line({ newFullRatio: 0.9, newNearfullRatio: 0.5 }),
    'e11 full_ratio 0 → 0.9; nearfull_ratio 0 → 0.5',
  );
  assert.is(line({ newRequireOsdRelease: Release.octopus }), 'e11 require_osd_release pacific → octopus');
  const addr = EntityAddr.parse('v2:10.0.0.1:0/3');
  const blocked = after({ newBlocklist: new Map([[addr.key, { addr, until: { sec: 1, nsec: 0 } }]]) });
  assert.is(changeLine(11, mapChanges(before, blocked)), 'e11 v2:10.0.0.1:0/3 blocklisted');
  assert.is(line({ oldBlocklist: [addr] }, blocked), 'e12 v2:10.0.0.1:0/3 no longer blocklisted');
  assert.is(line({}), 'e11 nothing that shows here');
});

test('the state in one line', () => {
  assert.is(stateLine(before), 'e10 4 osds: 4 up, 4 in; 2 pools, 64 pgs');
  const next = after({ newState: new Map([[3, OsdState.up]]), newFlags: (1 << 7) | (1 << 15) });
  assert.is(stateLine(next), 'e11 4 osds: 3 up, 4 in; 2 pools, 64 pgs; flags noout');
});

test('a name that would move a terminal is written out', () => {
  const name = 'a\u001b[2J\nb\u202e';
  const text = line({ newPoolNames: new Map([[1, name]]) });
  assert.is(text, "e11 pool 'data' renamed 'a\\u{1b}[2J\\u{a}b\\u{202e}'");
});

test('the history of a real monitor', () => {
  const lines: string[] = [];
  for (const { full, incrementals } of recordedHistories()) {
    let map = decodeOsdMap(full);
    lines.push(stateLine(map));
    for (const bytes of incrementals) {
      const next = applyIncremental(map, decodeIncremental(bytes));
      lines.push(changeLine(next.epoch, mapChanges(map, next)));
      map = next;
    }
  }
  assert.is(lines[0], 'e40 3 osds: 3 up, 3 in; 3 pools, 23 pgs');
  for (const expected of [
    'e41 osd.1 primary_affinity 1 → 0',
    'e43 pg_temp 1.1 cleared; pg_upmap 1.1 [2,0]',
    'e44 pg_upmap_items 1.2 0>1',
    'e46 osd.1 up_thru 30 → 45',
    'e56 1.2.3.4:0/123 blocklisted',
    "e83 pool 'two' renamed 'zwei'",
    "e84 pool 'one' pg_num_target 8 → 16, pgp_num_target 8 → 16",
    "e88 pool 'zwei' hit_set_type none → bloom",
    "e92 pool 'zwei' cache_mode writeback → proxy",
    'e94 osd.0 down',
    "e95 pool 'zwei' removed; pg_temp of 7 pgs cleared",
    'e100 osd.3 destroyed',
    'e103 osd.2 down; pg_temp 3.1 [-,2,1] 3.3 [-,2,1] 3.6 [-,1,2]; pg_temp 3.0 3.2 3.4 cleared',
    'e108 osd.2 removed, out; crush map changed (removed osd.2)',
  ]) {
    assert.ok(lines.includes(expected), `${expected}\nis not in\n${lines.join('\n')}`);
  }
  assert.ok(lines.filter((text) => text.endsWith('nothing that shows here')).length <= 3);
});

test.run();
