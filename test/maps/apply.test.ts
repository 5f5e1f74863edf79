/** What a change does to an OSD, one case at a time; whole histories are in captures and monitor-history. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ErrorCode } from '../../src/errors.ts';
import { maxOsdMax } from '../../src/limits.ts';
import { applyIncremental, applyIncrementalChecked } from '../../src/maps/apply.ts';
import { makeIncremental, type OSDMapIncremental } from '../../src/maps/incremental.ts';
import { isIn, isUp, type OSDMap, osdExists } from '../../src/maps/osdmap.ts';
import { decodeOsdMap, encodeOsdMap, osdMapCrc } from '../../src/maps/osdmap-codec.ts';
import { subtractIntervals, uniteIntervals } from '../../src/maps/snap-intervals.ts';
import { OsdState, osdStateMeaning, osdStateNames } from '../../src/maps/states.ts';
import { osdTransitions, osdUpIn } from '../../src/maps/transitions.ts';
import { EntityAddr } from '../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../src/wire/entity-addrvec.ts';
import { Uuid } from '../../src/wire/uuid.ts';
import { msgrError } from '../support/wire-checks.ts';
import { smallMap } from './support/small-map.ts';

const start = smallMap(3, 2);

function change(map: OSDMap, fields: Partial<OSDMapIncremental>): OSDMapIncremental {
  return makeIncremental({
    fsid: map.fsid,
    epoch: map.epoch + 1,
    modified: { sec: 2_000_000_000, nsec: 5 },
    ...fields,
  });
}
const apply = (map: OSDMap, fields: Partial<OSDMapIncremental>): OSDMap =>
  applyIncremental(map, change(map, fields));
const summary = (before: OSDMap, after: OSDMap): string[] =>
  osdTransitions(before, after).map(
    ({ osd, from, to, changes }) => `osd.${osd} ${from} -> ${to}: ${changes.join(',')}`,
  );

test('down, out by itself, in, up again: all four states, each with its meaning', () => {
  const down = apply(start, { newState: new Map([[2, OsdState.up]]) });
  assert.is(osdUpIn(down, 2), 'down in');
  assert.is(down.osdInfo[2]!.downAt, 11);
  assert.equal(down.osdXinfo[2]!.downStamp, { sec: 2_000_000_000, nsec: 5 });
  assert.equal(summary(start, down), ['osd.2 up in -> down in: down']);

  const xinfo = { ...down.osdXinfo[2]!, oldWeight: 0x8000 };
  const out = apply(down, {
    newWeight: new Map([[2, 0]]),
    newState: new Map([[2, OsdState.autoout]]),
    newXinfo: new Map([[2, xinfo]]),
  });
  assert.is(osdUpIn(out, 2), 'down out');
  assert.equal(summary(down, out), ['osd.2 down in -> down out: out,autoout']);

  const addrs = EntityAddrVec.parse('v2:127.0.0.1:6800/9');
  const up = apply(out, {
    newUpClient: new Map([[2, addrs]]),
    newHbBackUp: new Map([[2, addrs]]),
    newHbFrontUp: new Map([[2, addrs]]),
    newUpCluster: new Map([[2, addrs]]),
  });
  assert.is(osdUpIn(up, 2), 'up out');
  assert.is(up.osdInfo[2]!.upFrom, 13);
  assert.ok(up.hbFrontAddrs[2]!.equals(addrs));

  const back = apply(up, { newWeight: new Map([[2, 0x8000]]) });
  assert.is(osdUpIn(back, 2), 'up in');
  assert.is(back.osdState[2]! & OsdState.autoout, 0, 'in again is no longer out by itself');
  assert.is(back.osdXinfo[2]!.oldWeight, 0);
  assert.equal(summary(up, back), ['osd.2 up out -> up in: in']);

  assert.equal(Object.keys(osdStateMeaning).sort(), ['down in', 'down out', 'up in', 'up out']);
  assert.is(start.osdState[2], OsdState.exists | OsdState.up, 'the map before is as it was');
});

test('a state of 0 means the up bit; flipping it twice is where it began', () => {
  const down = apply(start, { newState: new Map([[1, 0]]) });
  assert.not.ok(isUp(down, 1));
  assert.ok(isUp(apply(down, { newState: new Map([[1, 0]]) }), 1));
  const flags = apply(start, { newState: new Map([[1, OsdState.noout | OsdState.nearfull]]) });
  assert.equal(osdStateNames(flags.osdState[1]!), ['exists', 'nearfull', 'noout', 'up']);
});

test('restarted: up in both maps, another life', () => {
  const addrs = EntityAddrVec.parse('v2:127.0.0.1:6800/10');
  const down = apply(start, { newState: new Map([[0, OsdState.up]]) });
  const up = apply(down, { newUpClient: new Map([[0, addrs]]), newUpCluster: new Map([[0, addrs]]) });
  assert.equal(summary(start, up), ['osd.0 up in -> up in: restarted,addresses']);
});

test('a destroyed OSD loses everything, its affinity becomes the default for all to see', () => {
  const named = apply(start, { newUuid: new Map([[4, Uuid.random()]]), newUpThru: new Map([[4, 9]]) });
  const gone = apply(named, { newState: new Map([[4, OsdState.exists]]) });
  assert.not.ok(osdExists(gone, 4));
  assert.ok(gone.osdUuid[4]!.isZero);
  assert.is(gone.osdInfo[4]!.upThru, 0);
  assert.is(gone.primaryAffinity.length, 6);
  assert.equal(summary(named, gone), ['osd.4 up in -> down out: removed,down,out']);
});

test('max_osd grows and shrinks; a reweight makes an OSD exist', () => {
  const grown = apply(start, {
    newMaxOsd: 8,
    newWeight: new Map([[7, 0x10000]]),
    newState: new Map([[7, OsdState.new]]),
  });
  assert.is(grown.osdState.length, 8);
  assert.is(grown.osdState[7], OsdState.exists | OsdState.new);
  assert.ok(isIn(grown, 7) && !isUp(grown, 7));
  assert.is(grown.osdXinfo.length, 8);
  const shrunk = apply(grown, { newMaxOsd: 2 });
  assert.is(shrunk.clientAddrs.length, 2);
  assert.ok(decodeOsdMap(encodeOsdMap(shrunk)).maxOsd === 2);
});

test('a change that names an OSD beyond the map is malformed, not written anywhere', () => {
  for (const osd of [6, -1, 0x7fffffff]) {
    const error = msgrError(() => apply(start, { newState: new Map([[osd, 2]]) }), ErrorCode.Malformed);
    assert.is(error.field, 'incremental.new_state');
  }
});

test('a change of another cluster, another epoch or an old release is refused', () => {
  const refuse = (fields: Partial<OSDMapIncremental>, code: ErrorCode): string =>
    msgrError(() => apply(start, fields), code).message;
  assert.match(refuse({ epoch: 13 }, ErrorCode.InvalidArgument), /does not follow/);
  assert.match(refuse({ fsid: Uuid.random() }, ErrorCode.InvalidArgument), /of cluster/);
  refuse({ encodeFeatures: 0n }, ErrorCode.Unsupported);
});

test('a wrong full CRC is found', () => {
  const next = apply(start, { newFlags: 5 });
  const fullCrc = osdMapCrc(encodeOsdMap(next), next);
  const right = change(start, { newFlags: 5, fullCrc });
  assert.is(applyIncrementalChecked(start, right).map.epoch, 11);
  const wrong = { ...right, fullCrc: fullCrc ^ 1 };
  assert.is(msgrError(() => applyIncrementalChecked(start, wrong)).field, 'incremental.full_crc');
});

test('a whole map in a change replaces everything', () => {
  const other = encodeOsdMap({ ...smallMap(1, 1), epoch: 11 });
  assert.is(apply(start, { fullMap: other }).maxOsd, 1);
});

test('the blocklist is sorted by address and keeps the time of what it has', () => {
  const entry = (text: string, sec: number) => {
    const addr = EntityAddr.parse(text);
    return [addr.key, { addr, until: { sec, nsec: 0 } }] as const;
  };
  const first = apply(start, {
    newBlocklist: new Map([entry('any:10.0.0.9:0/5', 1), entry('any:10.0.0.1:0/5', 2)]),
  });
  const second = apply(first, {
    newBlocklist: new Map([entry('any:10.0.0.9:0/5', 9), entry('any:10.0.0.1:0/4', 3)]),
    oldBlocklist: [EntityAddr.parse('any:10.0.0.1:0/5')],
  });
  assert.equal(
    [...second.blocklist.values()].map(({ addr, until }) => `${addr} ${until.sec}`),
    ['10.0.0.1:0/4 3', '10.0.0.9:0/5 1'],
  );
});

test('removed snapshots queue up until they are purged', () => {
  const snaps = (start: bigint, length: bigint) => new Map([[1, [{ start, length }]]]);
  const removed = apply(start, { newRemovedSnaps: snaps(3n, 4n) });
  const more = apply(removed, { newRemovedSnaps: snaps(7n, 1n) });
  assert.equal(more.removedSnapsQueue.get(1), [{ start: 3n, length: 5n }]);
  const purged = apply(more, { newPurgedSnaps: snaps(4n, 2n) });
  assert.equal(purged.removedSnapsQueue.get(1), [
    { start: 3n, length: 1n },
    { start: 6n, length: 2n },
  ]);
  assert.is(apply(purged, { newPurgedSnaps: snaps(0n, 99n) }).removedSnapsQueue.size, 0);
});

test('interval sets against sets of numbers', () => {
  const toSet = (intervals: readonly { start: bigint; length: bigint }[]): Set<number> =>
    new Set(
      intervals.flatMap(({ start, length }) =>
        Array.from({ length: Number(length) }, (_, i) => Number(start) + i),
      ),
    );
  for (let bits = 0; bits < 2 ** 12; bits++) {
    const parse = (mask: number) =>
      [0, 1, 2, 3, 4, 5]
        .filter((bit) => (mask >> bit) & 1)
        .map((bit) => ({ start: BigInt(bit), length: 1n }));
    const [left, right] = [parse(bits & 63), parse(bits >> 6)];
    const united = uniteIntervals(left, right);
    const all = toSet([...left, ...right]);
    assert.equal([...toSet(united)], [...all].sort());
    for (const [index, { start }] of united.entries()) {
      const before = united[index - 1];
      assert.ok(before === undefined || before.start + before.length < start, 'apart');
    }
    const difference = [...toSet(subtractIntervals(uniteIntervals(left, []), right))];
    assert.equal(
      difference,
      [...toSet(left)].filter((snap) => !toSet(right).has(snap)),
    );
  }
});

test('a change that makes room for billions of OSDs is refused before any is made', () => {
  for (const newMaxOsd of [maxOsdMax + 1, 0x7fffffff]) {
    assert.is(msgrError(() => apply(start, { newMaxOsd })).field, 'incremental.new_max_osd');
  }
  assert.is(apply(start, { newMaxOsd: 4 }).maxOsd, 4);
});

test.run();
