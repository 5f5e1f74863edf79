/**
 * What real monitors sent: every map decodes and encodes to the same bytes, and every change applied to
 * the map before it gives the CRC that the monitor stated. The recordings beside the tests always, all of
 * them when they are at hand.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { applyIncrementalChecked } from '../../src/maps/apply.ts';
import { encodeCrushMap } from '../../src/maps/crush/codec.ts';
import { decodeIncremental, encodeIncremental } from '../../src/maps/incremental-codec.ts';
import { decodeMonMap, encodeMonMap } from '../../src/maps/mon-map.ts';
import type { OSDMap } from '../../src/maps/osdmap.ts';
import { decodeOsdMap, encodeOsdMap } from '../../src/maps/osdmap-codec.ts';
import { allCaptures } from '../support/captures.ts';
import { emptyEpoch, type RecordedMaps, recordedHistories, recordedMaps } from './support/recorded-maps.ts';

function same(bytes: Uint8Array, encoded: Uint8Array, what: string): void {
  assert.ok(Buffer.from(bytes).equals(encoded), `${what} encodes to other bytes`);
}

/** Checks all maps of a recording; returns the epochs that could be reached by applying. */
function check({ monMaps, full, incremental }: RecordedMaps): number {
  for (const bytes of monMaps) same(bytes, encodeMonMap(decodeMonMap(bytes)), 'monmap');
  const known = new Map<number, OSDMap>();
  const first = incremental.find(([epoch]) => epoch === 1);
  if (first !== undefined) known.set(0, emptyEpoch(decodeIncremental(first[1])));
  for (const [epoch, bytes] of full) {
    const map = decodeOsdMap(bytes);
    assert.is(map.epoch, epoch);
    same(bytes, encodeOsdMap(map), `osdmap ${epoch}`);
    same(map.crushBytes, encodeCrushMap(map.crush), `crush map of ${epoch}`);
    known.set(epoch, map);
  }
  const changes = new Map(
    incremental.map(([epoch, bytes]) => {
      const change = decodeIncremental(bytes);
      assert.is(change.epoch, epoch);
      same(bytes, encodeIncremental(change), `incremental ${epoch}`);
      return [epoch, change] as const;
    }),
  );
  let applied = 0;
  for (const epoch of [...changes.keys()].sort((left, right) => left - right)) {
    const before = known.get(epoch - 1);
    if (before === undefined) continue;
    const { map, encoded } = applyIncrementalChecked(before, changes.get(epoch)!);
    applied++;
    const sent = full.find(([fullEpoch]) => fullEpoch === epoch);
    if (sent !== undefined) same(sent[1], encoded, `osdmap ${epoch} by its incremental`);
    if (!known.has(epoch)) known.set(epoch, map);
  }
  return applied;
}

test('the recordings in the repository', () => {
  const none = recordedMaps('none');
  assert.ok(none.full.length > 0 && none.incremental.length > 0 && none.monMaps.length > 0);
  assert.ok(check(none) > 0);
  assert.ok(check(recordedMaps('cephx-crc')) > 0);
  check(recordedMaps('faults'));
});

test('an operator session: upmaps, weight sets, tiers, blocklist, OSDs made and unmade', () => {
  let applied = 0;
  for (const { full, incrementals } of recordedHistories()) {
    let map = decodeOsdMap(full);
    same(full, encodeOsdMap(map), `osdmap ${map.epoch}`);
    for (const bytes of incrementals) {
      const change = decodeIncremental(bytes);
      same(bytes, encodeIncremental(change), `incremental ${change.epoch}`);
      map = applyIncrementalChecked(map, change).map;
      applied++;
    }
  }
  assert.is(applied, 52);
});

if (allCaptures !== undefined) {
  const root = allCaptures;
  for (const folder of ['none', 'cephx-crc', 'cephx-secure', 'faults']) {
    test(`all recordings, ${folder}`, () => {
      const maps = recordedMaps(folder, root);
      assert.ok(maps.full.length > 30 && maps.incremental.length > 100 && maps.monMaps.length > 100);
      assert.is(check(maps), 29);
    });
  }
}

test.run();
