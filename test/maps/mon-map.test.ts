import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeMonMap, encodeMonMap, monitorOfRank } from '../../src/maps/mon-map.ts';
import { checkMutation, checkTruncation, hex, msgrError } from '../support/wire-checks.ts';
import { haveCephTools, inTemporaryFolder, runTool } from './support/ceph-tools.ts';

/** `monmaptool --create --fsid … --addv a [v2:127.0.0.1:3300]` of 16.2.15. */
const golden = hex(
  '09 06 a0000000', // struct_v 9, compat 6, 160 bytes
  'c38a29e734114fa39d39eca1f40257d3', // fsid
  '00000000', // epoch
  'f26e026b fba58b2f f26e026b fba58b2f', // last_changed, created: 2026-11-22 04:26
  '01 01 08000000 0000000000000000', // persistent features
  '01 01 08000000 0000000000000000', // optional features
  '01000000 01000000 61', // one monitor, "a"
  '05 01 35000000', // mon_info_t: struct_v 5, compat 1, 53 bytes
  '01000000 61', // name "a"
  '02 01000000', // addrvec of one
  '01 01 01 1c000000 02000000 00000000 10000000 0200 0ce4 7f000001 0000000000000000', // v2:127.0.0.1:3300/0
  '0000 0000', // priority, weight
  '00000000', // crush_loc
  '01000000 01000000 61', // ranks: a
  '00', // min_mon_release: unknown, no monitor has run yet
  '00000000', // removed_ranks
  '01', // strategy: classic
  '00000000', // disallowed_leaders
  '00', // stretch_mode_enabled
  '00000000', // tiebreaker_mon
  '00000000', // stretch_marked_down_mons
);

test('golden bytes', () => {
  const map = decodeMonMap(golden);
  assert.is(String(map.fsid), 'c38a29e7-3411-4fa3-9d39-eca1f40257d3');
  assert.equal(map.ranks, ['a']);
  assert.is(String(monitorOfRank(map, 0)!.publicAddrs), 'v2:127.0.0.1:3300/0');
  assert.is(monitorOfRank(map, 1), undefined);
  assert.is(map.minMonRelease, 0);
  assert.is(map.electionStrategy, 1);
  assert.ok(golden.equals(encodeMonMap(map)));
});

test('cut at every byte, changed at every byte', () => {
  checkTruncation(golden, decodeMonMap);
  checkMutation(golden, decodeMonMap);
});

test('counts at their extremes name their field', () => {
  const refusal = (after: string, value: number): string | undefined => {
    const changed = Buffer.from(golden);
    changed.writeUInt32LE(value, golden.indexOf(hex(after)) + hex(after).byteLength);
    return msgrError(() => decodeMonMap(changed)).field;
  };
  assert.is(
    refusal('010108000000 0000000000000000 010108000000 0000000000000000', 0xffffffff),
    'monmap.mon_info',
  );
  assert.is(refusal('0501', 0xffffffff), 'monmap.mon_info.a.struct_len');
  assert.is(refusal('0906', 0xffffffff), 'monmap.struct_len');
});

test('an older and a newer writer', () => {
  const map = decodeMonMap(golden);
  const nautilus = encodeMonMap({ ...map, written: { ...map.written, version: 7 } });
  const read = decodeMonMap(nautilus);
  assert.is(read.tiebreaker, '');
  assert.ok(Buffer.from(nautilus).equals(encodeMonMap(read)));
  const rest = Buffer.from('later');
  const newer = encodeMonMap({ ...map, written: { version: 11, compat: 6, rest } });
  assert.ok(Buffer.from(newer).equals(encodeMonMap(decodeMonMap(newer))));
  const luminous = encodeMonMap({ ...map, written: { ...map.written, version: 5 } });
  assert.match(msgrError(() => decodeMonMap(luminous)).message, /before Nautilus/);
});

if (haveCephTools('test/maps/mon-map')) {
  test('monmaptool: three monitors with two addresses each', () => {
    inTemporaryFolder((folder) => {
      const path = join(folder, 'monmap');
      const addresses = (ip: string): string => `[v2:${ip}:3300,v1:${ip}:6789]`;
      const names = ['alpha', 'beta', 'c'];
      const args = names.flatMap((name, index) => ['--addv', name, addresses(`10.0.0.${9 - index}`)]);
      runTool(folder, 'monmaptool', ['--create', ...args, path]);
      const bytes = readFileSync(path);
      const map = decodeMonMap(bytes);
      assert.ok(bytes.equals(encodeMonMap(map)));
      const printed = runTool(folder, 'monmaptool', ['--print', path]);
      for (const [rank, name] of map.ranks.entries()) {
        assert.ok(
          printed.includes(`${rank}: ${monitorOfRank(map, rank)!.publicAddrs} mon.${name}\n`),
          printed,
        );
      }
      assert.ok(printed.includes(`fsid ${map.fsid}\n`));
    });
  });
}

test.run();
