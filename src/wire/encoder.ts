/**
 * Ceph's primitive encodings, written: little-endian integers, length-prefixed strings and buffers,
 * counted containers and versioned structs.
 *
 * The buffer grows by doubling. `take()` hands the bytes out and starts afresh; nothing is shared
 * with what `take()` handed out before. `cut()` hands them out too and goes on behind them in the same memory.
 */
import { Buffer } from 'node:buffer';
import { bufferView } from './buffer-view.ts';

const initialBytes = 256;

/** Buffer's own looks at its arguments for longer than it takes to write some hundred zeros. */
const { fill } = Uint8Array.prototype;

/** Up to here a loop copies faster than `set`. */
const loopCopyMax = 16;

export class Encoder {
  #memory: ArrayBuffer;
  #bytes: Buffer;
  #view: DataView;
  /** Of the memory. A number here, because a typed array's own `byteLength` is a call out of compiled code. */
  #capacity: number;
  /** Where what is written began, and where it ends. */
  #start = 0;
  #end = 0;

  constructor(capacity = initialBytes) {
    this.#capacity = Math.max(capacity, 16);
    this.#bytes = Buffer.allocUnsafeSlow(this.#capacity);
    this.#memory = this.#bytes.buffer as ArrayBuffer;
    this.#view = new DataView(this.#memory);
  }

  /** Bytes written so far. */
  get byteLength(): number {
    return this.#end - this.#start;
  }

  /** Bytes that can be written before the memory has to grow. */
  get room(): number {
    return this.#capacity - this.#end;
  }

  u8(value: number): this {
    const at = this.#advance(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#advance(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Big-endian, as in a sockaddr's port. */
  u16be(value: number): this {
    const at = this.#advance(2);
    this.#view.setUint16(at, value, false);
    return this;
  }

  i16(value: number): this {
    const at = this.#advance(2);
    this.#view.setInt16(at, value, true);
    return this;
  }

  u32(value: number): this {
    const at = this.#advance(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  i32(value: number): this {
    const at = this.#advance(4);
    this.#view.setInt32(at, value, true);
    return this;
  }

  u64(value: bigint | number): this {
    const at = this.#advance(8);
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  i64(value: bigint | number): this {
    const at = this.#advance(8);
    this.#view.setBigInt64(at, BigInt(value), true);
    return this;
  }

  f32(value: number): this {
    const at = this.#advance(4);
    this.#view.setFloat32(at, value, true);
    return this;
  }

  f64(value: number): this {
    const at = this.#advance(8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  /** Raw bytes, no length before them. */
  raw(bytes: Uint8Array): this {
    const { length } = bytes;
    const at = this.#advance(length);
    const to = this.#bytes;
    if (length > loopCopyMax) to.set(bytes, at);
    else for (let index = 0; index < length; index++) to[at + index] = bytes[index]!;
    return this;
  }

  zeros(count: number): this {
    const at = this.#advance(count);
    fill.call(this.#bytes, 0, at, at + count);
    return this;
  }

  /** A Ceph `bufferlist`: u32 length, then the bytes. */
  buffer(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** A Ceph `string`: u32 length in bytes, then UTF-8. */
  string(value: string): this {
    const byteLength = Buffer.byteLength(value, 'utf8');
    this.u32(byteLength);
    const at = this.#advance(byteLength);
    this.#bytes.write(value, at, byteLength, 'utf8');
    return this;
  }

  /** A Ceph `vector`, `list` or `set`: u32 count, then each element. */
  list<T>(values: Iterable<T> & { length?: number; size?: number }, element: (value: T) => void): this {
    const countAt = this.#advance(4);
    let count = 0;
    for (const value of values) {
      element(value);
      count++;
    }
    this.#view.setUint32(countAt, count, true);
    return this;
  }

  /** A Ceph `map`: u32 count, then key and value in turn, in the order the map iterates. */
  map<K, V>(entries: Iterable<[K, V]>, key: (key: K) => void, value: (value: V) => void): this {
    return this.list(entries, ([k, v]) => {
      key(k);
      value(v);
    });
  }

  /**
   * A struct with ENCODE_START: u8 version, u8 oldest version that can read it, u32 length of the body.
   * The length is filled in when `body` returns.
   */
  versioned(version: number, compatVersion: number, body: () => void): this {
    this.u8(version).u8(compatVersion);
    const lengthAt = this.#advance(4);
    const start = this.#end;
    body();
    this.#view.setUint32(lengthAt, this.#end - start, true);
    return this;
  }

  /** Overwrites four bytes that were written before, at `offset` from the start. */
  patchU32(offset: number, value: number): this {
    if (offset < 0 || offset + 4 > this.byteLength)
      throw new RangeError(`no four bytes written at ${offset}`);
    this.#view.setUint32(this.#start + offset, value, true);
    return this;
  }

  /** The bytes written so far, without a copy; valid until the next write. */
  peek(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** The bytes written; the encoder is empty afterwards and keeps nothing of them. */
  take(): Buffer {
    const taken = this.peek();
    this.renew(initialBytes);
    return taken;
  }

  /** The bytes written. What follows is written behind them: whoever keeps the one keeps the memory of the other. */
  cut(): Buffer {
    const start = this.#start;
    this.#start = this.#end;
    return bufferView(this.#memory, start, this.#end - start);
  }

  /** Forgets what was written since the last cut, keeps the memory. */
  reset(): this {
    this.#end = this.#start;
    return this;
  }

  /** Empty, with new memory of `capacity` bytes. */
  renew(capacity: number): void {
    this.#setMemory(capacity);
    this.#start = 0;
    this.#end = 0;
  }

  /** Reserves `count` bytes and says where they begin. */
  #advance(count: number): number {
    const at = this.#end;
    const needed = at + count;
    if (needed > this.#capacity) this.#grow(needed);
    this.#end = needed;
    return at;
  }

  /** What was written stays at its place: there are offsets of it on the stack. */
  #grow(needed: number): void {
    const old = this.#bytes;
    this.#setMemory(Math.max(needed, this.#capacity * 2));
    old.copy(this.#bytes, this.#start, this.#start, this.#end);
  }

  #setMemory(capacity: number): void {
    this.#capacity = capacity;
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#memory = this.#bytes.buffer as ArrayBuffer;
    this.#view = new DataView(this.#memory);
  }
}

/** Encodes with a fresh encoder: `encodeWith((e) => e.u32(1))`. */
export function encodeWith(write: (encoder: Encoder) => void, capacity?: number): Buffer {
  const encoder = new Encoder(capacity);
  write(encoder);
  return encoder.take();
}
