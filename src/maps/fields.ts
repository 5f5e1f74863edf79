/**
 * What the codecs of all maps share: text, pool ids, typed arrays, sets of snapshots, and structs whose
 * newer fields are kept.
 *
 * A decoded map writes the bytes it was read from. Three things would break that and are refused as
 * malformed instead: text that is not UTF-8, ids beyond 2^53, a key that occurs twice.
 */
import { isUtf8 } from 'node:buffer';
import type { Decoder } from '../wire/decoder.ts';
import type { Encoder } from '../wire/encoder.ts';
import { decodeIntervals, encodeIntervals, type Interval } from '../wire/interval-set.ts';

/** How a versioned struct was written: its header, and the fields that are newer than this code. */
export interface Written {
  readonly version: number;
  readonly compat: number;
  readonly rest: Uint8Array;
}

const noBytes = new Uint8Array(0);

/** A struct of ours: nothing beyond the known fields. */
export function writtenAs(version: number, compat: number): Written {
  return { version, compat, rest: noBytes };
}

/**
 * Reads a versioned struct; `body` sees the version and reads the fields known here, what follows them is
 * kept. `versionMin` is the oldest version that is understood.
 */
export function decodeStruct<T extends object>(
  decoder: Decoder,
  field: string,
  versionMin: number,
  versionKnown: number,
  body: (version: number) => T,
): T & { written: Written } {
  const at = decoder.position;
  return decoder.versioned(field, versionKnown, (version, compat) => {
    if (version < versionMin) {
      decoder.fail(
        'struct_v',
        `${version} is from a release before Nautilus, read is ${versionMin} and on`,
        at,
      );
    }
    const value = body(version) as T & { written: Written };
    const rest = decoder.rest();
    // The object is fresh from `body`: one more field costs less than a copy.
    value.written = rest.byteLength === 0 ? writtenAs(version, compat) : { version, compat, rest };
    return value;
  });
}

export function encodeStruct(encoder: Encoder, written: Written, body: (version: number) => void): void {
  encoder.versioned(written.version, written.compat, () => {
    body(written.version);
    encoder.raw(written.rest);
  });
}

/** A string, which must be UTF-8: Ceph takes any bytes, but they could not be written again. */
export function decodeText(decoder: Decoder, field: string): string {
  const at = decoder.position;
  const bytes = decoder.buffer(field);
  if (!isUtf8(bytes)) decoder.fail(field, 'is not UTF-8', at);
  return bytes.toString('utf8');
}

/** An i64 that is a pool id: a safe integer. */
export function decodePoolId(decoder: Decoder, field: string): number {
  const at = decoder.position;
  const value = decoder.i64(field);
  if (BigInt.asIntN(54, value) !== value) decoder.fail(field, `${value} is no pool id`, at);
  return Number(value);
}

/** A map whose keys are distinct. */
export function decodeMap<K, V>(
  decoder: Decoder,
  field: string,
  entryBytesMin: number,
  key: () => K,
  value: (key: K) => V,
): Map<K, V> {
  const at = decoder.position;
  const count = decoder.count(field, entryBytesMin);
  return decoder.within(field, () => {
    const entries = new Map<K, V>();
    for (let index = 0; index < count; index++) {
      const k = key();
      entries.set(k, value(k));
    }
    if (entries.size !== count) decoder.fail('keys', 'a key occurs twice', at);
    return entries;
  });
}

export function decodeTextMap(decoder: Decoder, field: string): Map<string, string> {
  return decodeMap(
    decoder,
    field,
    8,
    () => decodeText(decoder, 'key'),
    (key) => decodeText(decoder, key),
  );
}

export function encodeTextMap(encoder: Encoder, entries: ReadonlyMap<string, string>): void {
  encoder.map(
    entries,
    (key) => encoder.string(key),
    (value) => encoder.string(value),
  );
}

export function decodeU32Array(decoder: Decoder, field: string): Uint32Array {
  return decodeU32s(decoder, decoder.count(field, 4), field);
}

/** `count` u32 with no count before them. */
export function decodeU32s(decoder: Decoder, count: number, field: string): Uint32Array {
  const bytes = decoder.raw(count * 4, field);
  const values = new Uint32Array(count);
  for (let index = 0; index < count; index++) values[index] = bytes.readUInt32LE(index * 4);
  return values;
}

export function encodeU32Array(encoder: Encoder, values: Uint32Array): void {
  encoder.u32(values.length);
  for (const value of values) encoder.u32(value);
}

/** `count` i32 with no count before them. */
export function decodeI32s(decoder: Decoder, count: number, field: string): Int32Array {
  const bytes = decoder.raw(count * 4, field);
  const values = new Int32Array(count);
  for (let index = 0; index < count; index++) values[index] = bytes.readInt32LE(index * 4);
  return values;
}

export function decodeI32Array(decoder: Decoder, field: string): Int32Array {
  return decodeI32s(decoder, decoder.count(field, 4), field);
}

export function encodeI32Array(encoder: Encoder, values: Int32Array): void {
  encoder.u32(values.length);
  for (const value of values) encoder.i32(value);
}

/** Disjoint runs of snapshot ids, ascending. */
export type SnapIntervals = readonly Interval[];

/** Those of each pool. */
export type PoolSnaps = ReadonlyMap<number, SnapIntervals>;

export function decodePoolSnaps(decoder: Decoder, field: string): PoolSnaps {
  return decodeMap(
    decoder,
    field,
    12,
    () => decodePoolId(decoder, 'pool'),
    (pool) => decodeIntervals(decoder, String(pool)),
  );
}

export function encodePoolSnaps(encoder: Encoder, snaps: PoolSnaps): void {
  encoder.map(
    snaps,
    (pool) => encoder.i64(pool),
    (intervals) => encodeIntervals(encoder, intervals),
  );
}

/** map<i32, u32>, of OSDs, buckets or classes. */
export function decodeIdMap(decoder: Decoder, field: string): Map<number, number> {
  return decodeMap(
    decoder,
    field,
    8,
    () => decoder.i32('id'),
    () => decoder.u32('value'),
  );
}

export function encodeIdMap(encoder: Encoder, entries: ReadonlyMap<number, number>): void {
  encoder.map(
    entries,
    (id) => encoder.i32(id),
    (value) => encoder.u32(value),
  );
}
