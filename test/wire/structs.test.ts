/** The structs that only travel inside messages. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compatSetEmpty, decodeCompatSet, encodeCompatSet } from '../../src/wire/compat-set.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { type Encoder, encodeWith } from '../../src/wire/encoder.ts';
import { decodeEntityInst } from '../../src/wire/entity-inst.ts';
import { decodeIntervals, encodeIntervals } from '../../src/wire/interval-set.ts';
import { decodeLogEntry, encodeLogEntry } from '../../src/wire/log-entry.ts';
import {
  decodeOsdSuperblock,
  encodeOsdSuperblock,
  freshOsdSuperblock,
} from '../../src/wire/osd-superblock.ts';
import { decodePgId, encodePgId, pgIdToString } from '../../src/wire/pg-id.ts';
import { Uuid } from '../../src/wire/uuid.ts';
import { u32, u64 } from '../support/wire-arbitraries.ts';
import { checkMutation, checkTruncation, hex, msgrError } from '../support/wire-checks.ts';

/** Decodes, writes again, compares, and tries every truncation and mutation. */
function checkStruct<T>(
  golden: Buffer,
  decode: (decoder: Decoder, field: string) => T,
  encode: (encoder: Encoder, value: T) => void,
): T {
  const read = (bytes: Uint8Array): T => decode(new Decoder(bytes), 'value');
  const value = read(golden);
  assert.is(encodeWith((encoder) => encode(encoder, value)).toString('hex'), golden.toString('hex'));
  checkTruncation(golden, read);
  checkMutation(golden, read);
  return value;
}

test('pg_t as MOSDPGCreated carries it', () => {
  const golden = hex('01 0100000000000000 07000000 ffffffff'); // version, pool, seed, preferred
  const pg = checkStruct(golden, decodePgId, encodePgId);
  assert.is(pgIdToString(pg), '1.7');
  assert.is(pgIdToString({ pool: 2n, seed: 0x1a }), '2.1a');
  msgrError(() => decodePgId(new Decoder(hex('02', '00'.repeat(16))), 'pg'));
});

test('interval_set', () => {
  const golden = hex('01000000', '0500000000000000 0200000000000000'); // count, start, length
  assert.equal(checkStruct(golden, decodeIntervals, encodeIntervals), [{ start: 5n, length: 2n }]);
});

test('CompatSet: bit n of a mask is feature n', () => {
  const golden = hex(
    '0000000000000000 00000000', // compat: mask, count
    '0000000000000000 00000000', // ro_compat
    '0600000000000000 02000000', // incompat
    '0100000000000000 01000000 61', // feature 1, "a"
    '0200000000000000 01000000 62', // feature 2, "b"
  );
  const set = checkStruct(golden, decodeCompatSet, encodeCompatSet);
  assert.equal(
    [...set.incompat],
    [
      [1n, 'a'],
      [2n, 'b'],
    ],
  );
  for (const id of ['0000000000000000', '4000000000000000']) {
    const hostile = hex('00'.repeat(24), '0000000000000000 01000000', id, '01000000 61');
    assert.is(msgrError(() => decodeCompatSet(new Decoder(hostile), 'set')).field, 'set.incompat.names.id');
  }
});

test('entity_inst_t is read', () => {
  const bytes = hex(
    '04 0300000000000000', // osd.3
    '01 0101 1c000000 02000000 00000000 10000000 0200 1a90 7f000001 0000000000000000', // address
  );
  const decode = (part: Uint8Array): unknown => decodeEntityInst(new Decoder(part), 'who');
  const inst = decodeEntityInst(new Decoder(bytes), 'who');
  assert.is(`${inst.name} ${inst.addr}`, 'osd.3 v2:127.0.0.1:6800/0');
  checkTruncation(bytes, decode);
});

test('LogEntry as a real ceph-osd writes it', () => {
  const golden = hex(
    '05 05 74000000', // struct_v, compat, struct_len
    '04000000 01000000 30', // name osd.0
    '04 0000000000000000', // rank osd.0
    '02 01000000 01 0101 1c000000 02000000 10770000', // addresses: marker, count, address, msgr2, nonce
    '10000000 0200 1a90 7f00010a 0000000000000000', // elen, family, port, 127.0.1.10
    '3f59026b 90680532', // stamp
    '0100000000000000 0000', // seq, priority debug
    '19000000 7075726765645f736e6170732073637275622073746172747 3', // message
    '07000000 636c7573746572', // channel
  );
  const entry = checkStruct(golden, decodeLogEntry, encodeLogEntry);
  assert.is(entry.message, 'purged_snaps scrub starts');
  assert.is(entry.channel, 'cluster');
  assert.is(String(entry.name), 'osd.0');
  assert.is(String(entry.addrs), 'v2:127.0.1.10:6800/30480');
});

test('LogEntry of daemons before Nautilus', () => {
  const who =
    '04 0300000000000000 01 0101 1c000000 02000000 00000000 10000000 0200 1a90 7f000001 0000000000000000';
  const rest = '01000000 02000000 0900000000000000 0300 02000000 6869'; // stamp, seq, priority, message "hi"
  const channel = '05000000 6175646974'; // "audit"
  const name = '08000000 05000000 61646d696e'; // client.admin
  const build = (version: string, ...fields: string[]): Buffer => {
    const body = hex(...fields);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.byteLength);
    return Buffer.concat([hex(version, '02'), length, body]);
  };
  const read = (bytes: Uint8Array): ReturnType<typeof decodeLogEntry> =>
    decodeLogEntry(new Decoder(bytes), 'entry');
  const v4 = build('04', who, rest, channel, name);
  assert.is(String(read(v4).rank), 'osd.3');
  assert.is(read(v4).channel, 'audit');
  assert.is(String(read(v4).name), 'client.admin');
  assert.is(read(build('03', who, rest, channel)).channel, 'audit');
  assert.is(read(build('02', who, rest)).channel, 'cluster');
  assert.is(read(build('02', who, rest)).message, 'hi');
  msgrError(() => read(build('01', who, rest)));
  checkTruncation(v4, read);
});

test('a fresh OSDSuperblock, and one of each older version', () => {
  const superblock = freshOsdSuperblock({
    clusterFsid: Uuid.parse('c38a29e7-3411-4fa3-9d39-eca1f40257d3'),
    osdFsid: Uuid.parse('ceced82e-e97b-4a70-8f25-aafa36b29de5'),
    whoami: 3,
    compatFeatures: compatSetEmpty,
  });
  const golden = encodeWith((encoder) => encodeOsdSuperblock(encoder, superblock));
  const again = checkStruct(golden, decodeOsdSuperblock, encodeOsdSuperblock);
  assert.is(again.whoami, 3);
  assert.is(String(again.osdFsid), 'ceced82e-e97b-4a70-8f25-aafa36b29de5');
  // The fields after osd_fsid came one version after the other.
  for (const [version, bytesLess] of [
    [9, 4],
    [8, 16],
    [7, 16],
    [6, 20],
    [5, 24],
  ] as const) {
    const older = Buffer.from(golden.subarray(0, golden.byteLength - bytesLess));
    older[0] = version;
    older.writeUInt32LE(older.byteLength - 6, 2);
    assert.is(decodeOsdSuperblock(new Decoder(older), 'superblock').whoami, 3, `version ${version}`);
    checkTruncation(older, (bytes) => decodeOsdSuperblock(new Decoder(bytes), 'superblock'));
  }
  // A version 7 that claims more retired epochs than it has bytes for is read as far as that, and refused.
  const hostile = Buffer.from(golden.subarray(0, golden.byteLength - 16));
  hostile[0] = 7;
  hostile.writeUInt32LE(hostile.byteLength - 6, 2);
  hostile.writeUInt32LE(1, hostile.byteLength - 4);
  const error = msgrError(() => decodeOsdSuperblock(new Decoder(hostile), 'superblock'));
  assert.is(error.field, 'superblock.poolLastMapMarkedFull');
  const tooOld = Buffer.from(golden);
  tooOld[0] = 4;
  msgrError(() => decodeOsdSuperblock(new Decoder(tooOld), 'superblock'));
});

test('property: placement groups and intervals survive', () => {
  fc.assert(
    fc.property(u64, u32, fc.array(fc.record({ start: u64, length: u64 })), (pool, seed, intervals) => {
      const decoder = new Decoder(
        encodeWith((encoder) => {
          encodePgId(encoder, { pool, seed });
          encodeIntervals(encoder, intervals);
        }),
      );
      assert.equal(decodePgId(decoder, 'pg'), { pool, seed });
      assert.equal(
        decodeIntervals(decoder, 'intervals'),
        intervals.map((interval) => ({ ...interval })),
      );
    }),
  );
});

test.run();
