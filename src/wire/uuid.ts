/**
 * `uuid_d`: sixteen raw bytes in the order of their text. A cluster's fsid and an OSD's own identity.
 */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

export const uuidBytes = 16;

/** Immutable; holds its own copy of the bytes. */
export class Uuid {
  readonly #bytes: Buffer;
  #text: string | undefined;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  static readonly zero: Uuid = new Uuid(Buffer.alloc(uuidBytes));

  /** Copies sixteen bytes. */
  static fromBytes(bytes: Uint8Array): Uuid {
    if (bytes.byteLength !== uuidBytes) throw new TypeError(`a uuid has 16 bytes, not ${bytes.byteLength}`);
    return new Uuid(Buffer.from(bytes));
  }

  /** A random uuid of version 4. */
  static random(): Uuid {
    const bytes = randomBytes(uuidBytes);
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    return new Uuid(bytes);
  }

  /**
   * Reads `c38a29e7-3411-4fa3-9d39-eca1f40257d3`.
   *
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` for any other form.
   */
  static parse(text: string): Uuid {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
      throw new MsgrError(ErrorCode.InvalidArgument, `${JSON.stringify(text)} is not a uuid`);
    }
    return new Uuid(Buffer.from(text.replaceAll('-', ''), 'hex'));
  }

  /** The sixteen bytes; do not write to them. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get isZero(): boolean {
    return this.equals(Uuid.zero);
  }

  equals(other: Uuid): boolean {
    return this === other || this.#bytes.equals(other.#bytes);
  }

  toString(): string {
    this.#text ??= this.#bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return this.#text;
  }

  toJSON(): string {
    return this.toString();
  }
}

export function encodeUuid(encoder: Encoder, uuid: Uuid): void {
  encoder.raw(uuid.bytes);
}

/** The uuid decoded last. A cluster's messages carry its fsid, again and again. */
let latest = Uuid.zero;

export function decodeUuid(decoder: Decoder, field: string): Uuid {
  if (!decoder.skipIf(latest.bytes)) latest = Uuid.fromBytes(decoder.raw(uuidBytes, field));
  return latest;
}
