/**
 * Ceph's primitive encodings, read. The bytes come from a peer or a file and are hostile until read:
 * every length is compared with what is left before it is used, every count with the least space its
 * elements need before anything is allocated, and an error names the field and its offset.
 *
 * Field names are given by the caller and joined with dots: inside `decoder.versioned('pool', …)` a
 * failing `u32('size')` is reported as `pool.size`.
 */
import type { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../errors.ts';
import { bufferView } from './buffer-view.ts';

export class Decoder {
  readonly #bytes: Uint8Array;
  /** Asking a typed array for its buffer and its place there are calls out of compiled code; made once. */
  #memory: ArrayBufferLike | undefined;
  #offset = 0;
  /** For what is wider than 32 bits; made when it is first needed, as it costs more than many a message. */
  #view: DataView | undefined;
  #position = 0;
  #end: number;
  /** Fields around the present one, outermost first. Most messages are flat: nothing is put here for their name. */
  readonly #path: string[] = [];
  readonly #name: string | undefined;

  /** `name` is the outermost part of every field name in errors. */
  constructor(bytes: Uint8Array, name?: string) {
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#name = name;
  }

  /** Offset of the next unread byte from the start. */
  get position(): number {
    return this.#position;
  }

  /** Unread bytes in the innermost struct. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  u8(field: string): number {
    return this.#bytes[this.#take(1, field)]!;
  }

  u16(field: string): number {
    const at = this.#take(2, field);
    const bytes = this.#bytes;
    return bytes[at]! | (bytes[at + 1]! << 8);
  }

  u16be(field: string): number {
    const at = this.#take(2, field);
    const bytes = this.#bytes;
    return (bytes[at]! << 8) | bytes[at + 1]!;
  }

  i16(field: string): number {
    return (this.u16(field) << 16) >> 16;
  }

  u32(field: string): number {
    return this.i32(field) >>> 0;
  }

  i32(field: string): number {
    const at = this.#take(4, field);
    const bytes = this.#bytes;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  u64(field: string): bigint {
    return this.#wide().getBigUint64(this.#take(8, field), true);
  }

  i64(field: string): bigint {
    return this.#wide().getBigInt64(this.#take(8, field), true);
  }

  /** A u64 that must fit a safe integer; larger values are refused. */
  u64Number(field: string): number {
    const at = this.#position;
    const value = this.u64(field);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(field, `${value} is above 2^53 - 1`, at);
    return Number(value);
  }

  f32(field: string): number {
    return this.#wide().getFloat32(this.#take(4, field), true);
  }

  f64(field: string): number {
    return this.#wide().getFloat64(this.#take(8, field), true);
  }

  /** Ceph writes 0 or 1 and reads any non-zero byte as true. */
  bool(field: string): boolean {
    return this.u8(field) !== 0;
  }

  /** `count` raw bytes, as a view into the input. */
  raw(count: number, field: string): Buffer {
    const at = this.#take(count, field);
    if (this.#memory === undefined) {
      this.#memory = this.#bytes.buffer;
      this.#offset = this.#bytes.byteOffset;
    }
    return bufferView(this.#memory, this.#offset + at, count);
  }

  /** Whether the next bytes are these. If so they are passed over, without a view of them. */
  skipIf(expected: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#position;
    const { length } = expected;
    if (length > this.#end - at) return false;
    for (let index = 0; index < length; index++) if (bytes[at + index] !== expected[index]) return false;
    this.#position = at + length;
    return true;
  }

  /** A Ceph `bufferlist`, as a view into the input. */
  buffer(field: string): Buffer {
    const at = this.#position;
    const length = this.u32(field);
    if (length > this.remaining) this.#short(field, length, at);
    return this.raw(length, field);
  }

  string(field: string): string {
    return this.buffer(field).toString('utf8');
  }

  /** Everything unread in the innermost struct, as a view into the input. */
  rest(): Buffer {
    return this.raw(this.remaining, 'rest');
  }

  skip(count: number, field: string): void {
    this.#take(count, field);
  }

  /**
   * A u32 count of elements that each need at least `elementBytesMin` bytes. A count that the unread
   * bytes cannot hold is refused here, before the caller allocates for it.
   */
  count(field: string, elementBytesMin: number): number {
    const at = this.#position;
    const count = this.u32(field);
    if (count * Math.max(elementBytesMin, 1) > this.remaining) {
      this.fail(
        field,
        `${count} elements of at least ${elementBytesMin} bytes do not fit the ${this.remaining} bytes left`,
        at,
      );
    }
    return count;
  }

  list<T>(field: string, elementBytesMin: number, element: (index: number) => T): T[] {
    const count = this.count(field, elementBytesMin);
    const values: T[] = [];
    this.#path.push(field);
    for (let index = 0; index < count; index++) values.push(element(index));
    this.#path.pop();
    return values;
  }

  map<K, V>(field: string, entryBytesMin: number, key: () => K, value: (key: K) => V): Map<K, V> {
    const count = this.count(field, entryBytesMin);
    const values = new Map<K, V>();
    this.#path.push(field);
    for (let index = 0; index < count; index++) {
      const k = key();
      values.set(k, value(k));
    }
    this.#path.pop();
    return values;
  }

  /** Runs `body` with `field` added to the names of errors. */
  within<T>(field: string, body: () => T): T {
    this.#path.push(field);
    const value = body();
    this.#path.pop();
    return value;
  }

  /**
   * A struct with ENCODE_START. `body` sees only the struct's own bytes and gets the version that was
   * written (and the oldest one that can read it, for who writes the same bytes again); what it leaves
   * unread is skipped, as Ceph does with fields of newer releases.
   * Refused when the writer says that `version` is too old to read it.
   */
  versioned<T>(
    field: string,
    version: number,
    body: (writtenVersion: number, compatVersion: number) => T,
  ): T {
    const at = this.#position;
    const writtenVersion = this.u8(`${field}.struct_v`);
    const compatVersion = this.u8(`${field}.struct_compat`);
    if (compatVersion > version) {
      this.fail(field, `needs a reader of version ${compatVersion}, this one reads ${version}`, at);
    }
    const lengthAt = this.#position;
    const length = this.u32(`${field}.struct_len`);
    if (length > this.remaining) this.#short(`${field}.struct_len`, length, lengthAt);
    const outerEnd = this.#end;
    this.#end = this.#position + length;
    const value = this.within(field, () => body(writtenVersion, compatVersion));
    this.#position = this.#end;
    this.#end = outerEnd;
    return value;
  }

  /** Refuses bytes left over at the end of what must be read whole. */
  finish(field = 'end'): void {
    if (this.remaining !== 0) this.fail(field, `${this.remaining} bytes more than expected`);
  }

  /** Throws {@link ErrorCode.Malformed} for `field` at `offset`, by default at the next unread byte. */
  fail(field: string, reason: string, offset = this.#position): never {
    const outer = this.#name === undefined ? this.#path : [this.#name, ...this.#path];
    const name = [...outer, field].join('.');
    throw new MsgrError(ErrorCode.Malformed, `${name} at byte ${offset}: ${reason}`, { offset, field: name });
  }

  #wide(): DataView {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    this.#view ??= new DataView(buffer, byteOffset, byteLength);
    return this.#view;
  }

  #take(count: number, field: string): number {
    const at = this.#position;
    if (count > this.#end - at) this.#short(field, count, at);
    this.#position = at + count;
    return at;
  }

  #short(field: string, needed: number, at: number): never {
    this.fail(field, `needs ${needed} bytes, ${this.#end - this.#position} are left`, at);
  }
}
