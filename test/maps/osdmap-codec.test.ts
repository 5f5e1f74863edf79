/**
 * Bad input: every recorded map cut at every byte, and every 32 bits of it set to their extremes, is a
 * MsgrError with a place and a name (the CRC catches what no field does), and costs no more memory than
 * its size allows.
 *
 * @timeLimitSeconds 300
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MsgrError } from '../../src/errors.ts';
import { decodeCrushMap } from '../../src/maps/crush/codec.ts';
import { makeIncremental } from '../../src/maps/incremental.ts';
import { decodeIncremental, encodeIncremental } from '../../src/maps/incremental-codec.ts';
import { decodeMonMap } from '../../src/maps/mon-map.ts';
import { decodeOsdMap, encodeOsdMap } from '../../src/maps/osdmap-codec.ts';
import { makePool } from '../../src/maps/pool.ts';
import { decodePool, encodePool } from '../../src/maps/pool-codec.ts';
import { Decoder } from '../../src/wire/decoder.ts';
import { encodeWith } from '../../src/wire/encoder.ts';
import { Uuid } from '../../src/wire/uuid.ts';
import { checkTruncation, msgrError } from '../support/wire-checks.ts';
import { distinct, recordedHistories, recordedMaps } from './support/recorded-maps.ts';

const { monMaps, full, incremental } = recordedMaps('none');
const [history] = recordedHistories();
/** The smallest of the stream and the rich one of the session. */
const osdMaps = [full[0]![1], history!.full];
const changes = [
  ...distinct(incremental.map(([, bytes]) => bytes)).slice(0, 4),
  ...history!.incrementals.slice(0, 6),
];

test('cut at every byte', () => {
  for (const bytes of osdMaps) checkTruncation(bytes, decodeOsdMap);
  for (const bytes of changes) checkTruncation(bytes, decodeIncremental);
  for (const bytes of distinct(monMaps)) checkTruncation(bytes, decodeMonMap);
});

const extremes = [0, 1, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** Sets every four bytes in turn; returns the names of the fields that refused. */
function overwriteEverywhere(bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): Set<string> {
  const fields = new Set<string>();
  const changed = Buffer.from(bytes);
  for (let at = 0; at + 4 <= changed.byteLength; at++) {
    const original = changed.readUInt32LE(at);
    for (const value of extremes) {
      changed.writeUInt32LE(value, at);
      try {
        decode(changed);
      } catch (error) {
        if (!(error instanceof MsgrError) || error.field === undefined || error.offset === undefined)
          throw error;
        assert.ok(error.offset <= changed.byteLength, error.message);
        fields.add(error.field.replaceAll(/\.-?\d+/g, '.N'));
      }
    }
    changed.writeUInt32LE(original, at);
  }
  return fields;
}

test('every count, length and number at its extremes', () => {
  const before = process.memoryUsage().rss;
  const fields = new Set<string>();
  for (const bytes of osdMaps) {
    for (const field of overwriteEverywhere(bytes, decodeOsdMap)) fields.add(field);
    overwriteEverywhere(decodeOsdMap(bytes).crushBytes, decodeCrushMap);
  }
  for (const bytes of changes.slice(0, 5)) overwriteEverywhere(bytes, decodeIncremental);
  overwriteEverywhere(monMaps[0]!, decodeMonMap);
  // A sample of what must have been among them.
  for (const field of [
    'osdmap.client.pools',
    'osdmap.client.pool_name',
    'osdmap.client.osd_state',
    'osdmap.client.client_addrs',
    'osdmap.client.pg_temp',
    'osdmap.client.crush',
    'osdmap.client.erasure_code_profiles',
    'osdmap.osd.osd_info',
    'osdmap.osd.blocklist',
    'osdmap.osd.osd_uuid',
    'osdmap.osd.osd_xinfo',
    'osdmap.crc',
  ]) {
    assert.ok(fields.has(field), `${field} never refused: ${[...fields].join(' ')}`);
  }
  // Some hundred thousand maps were decoded; one that allocates for four billion elements would show.
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  assert.ok(grown < 512, `memory grew by ${grown.toFixed(0)} MiB`);
});

test('the CRC: a flipped bit is told apart from a malformed field', () => {
  const changed = Buffer.from(osdMaps[0]!);
  // The second byte of the fsid.
  changed[13]! ^= 1;
  assert.is(msgrError(() => decodeOsdMap(changed)).field, 'osdmap.crc');
  const change = Buffer.from(changes[0]!);
  change[13]! ^= 1;
  assert.is(msgrError(() => decodeIncremental(change)).field, 'incremental.inc_crc');
});

test('bytes after the end are refused', () => {
  assert.is(msgrError(() => decodeOsdMap(Buffer.concat([osdMaps[0]!, Buffer.alloc(1)]))).field, 'osdmap.end');
  assert.is(msgrError(() => decodeMonMap(Buffer.concat([monMaps[0]!, Buffer.alloc(1)]))).field, 'monmap.end');
});

test('fields of a newer release pass through', () => {
  const map = decodeOsdMap(osdMaps[1]!);
  const rest = Buffer.from('fields of the future');
  const [id, pool] = [...map.pools][0]!;
  const newer = {
    ...map,
    clientWritten: { version: 12, compat: 1, rest },
    osdWritten: { version: 14, compat: 1, rest: Buffer.concat([Buffer.alloc(17), rest]) },
    pools: new Map([
      ...map.pools,
      [id, { ...pool, written: { version: 32, compat: 5, rest: Buffer.concat([Buffer.alloc(16), rest]) } }],
    ]),
  };
  const encoded = encodeOsdMap(newer);
  const read = decodeOsdMap(encoded);
  assert.is(read.clientWritten.version, 12);
  assert.ok(rest.equals(read.clientWritten.rest));
  assert.is(read.pools.get(id)!.written.version, 32);
  assert.ok(Buffer.from(encoded).equals(encodeOsdMap(read)));
});

test('releases before Nautilus and readers that are too old are refused by name', () => {
  const map = decodeOsdMap(osdMaps[0]!);
  const old = encodeOsdMap({ ...map, clientWritten: { ...map.clientWritten, version: 7 } });
  assert.match(msgrError(() => decodeOsdMap(old)).message, /before Nautilus/);
  const future = encodeOsdMap({ ...map, written: { ...map.written, compat: 9 } });
  assert.match(msgrError(() => decodeOsdMap(future)).message, /needs a reader of version 9/);
});

test('a change of our own, and a pool with every option, survive the way', () => {
  const change = makeIncremental({ fsid: Uuid.random(), epoch: 7, newState: new Map([[3, 2]]), fullCrc: 5 });
  const encoded = encodeIncremental(change);
  const read = decodeIncremental(encoded);
  assert.equal([...read.newState], [[3, 2]]);
  assert.is(read.fullCrc, 5);
  assert.ok(Buffer.from(encoded).equals(encodeIncremental(read)));

  const pool = makePool({
    type: 1,
    size: 3,
    pgNum: 12,
    options: new Map([
      [0, { type: 'double', value: 0.25 }],
      [6, { type: 'string', value: 'aggressive' }],
      [15, { type: 'int', value: -5n }],
    ]),
    properties: new Map([['key', 'wert']]),
    tiers: [3n, 9n],
  });
  const bytes = encodeWith((encoder) => encodePool(encoder, pool));
  const decoded = decodePool(new Decoder(bytes), 'pool');
  assert.equal([...decoded.options], [...pool.options]);
  assert.equal(
    encodeWith((encoder) => encodePool(encoder, decoded)),
    bytes,
  );
  checkTruncation(bytes, (cut) => decodePool(new Decoder(cut), 'pool'));
  const badOption = Buffer.from(bytes);
  // The type of the first option: 4 bytes behind its key, which stands behind the struct's header.
  const at = bytes.indexOf(encodeWith((encoder) => encoder.f64(0.25))) - 4;
  badOption.writeInt32LE(9, at);
  assert.is(msgrError(() => decodePool(new Decoder(badOption), 'pool')).field, 'pool.opts.opts.0.type');
});

test('text that is not UTF-8 is refused, not changed', () => {
  const map = decodeOsdMap(osdMaps[1]!);
  const [id] = map.poolNames.keys();
  const encoded = Buffer.from(encodeOsdMap({ ...map, poolNames: new Map([[id!, 'nachname']]) }));
  encoded[encoded.indexOf('nachname')] = 0xff;
  assert.match(msgrError(() => decodeOsdMap(encoded)).message, /is not UTF-8/);
});

test.run();
