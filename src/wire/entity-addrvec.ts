/**
 * `entity_addrvec_t`: all addresses of one entity, most wanted first.
 *
 * Written as u8 marker 2, u32 count and the addresses; read also as a single address (marker 0 legacy,
 * marker 1). The whole vector is the key of a messenger's table of connections.
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';
import {
  AddrType,
  decodeAfterMarker,
  decodeEntityAddr,
  decodeLegacyAfterMarker,
  EntityAddr,
  encodeEntityAddr,
  entityAddrByteLength,
  entityAddrBytesMin,
} from './entity-addr.ts';

export class EntityAddrVec {
  readonly addrs: readonly EntityAddr[];
  #key: string | undefined;

  constructor(addrs: Iterable<EntityAddr> = []) {
    this.addrs = Object.freeze([...addrs]);
  }

  static readonly empty: EntityAddrVec = new EntityAddrVec();

  static of(...addrs: EntityAddr[]): EntityAddrVec {
    return new EntityAddrVec(addrs);
  }

  /**
   * Reads `[v2:…,v1:…]`, or a single address without brackets.
   *
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` that says which part is wrong.
   */
  static parse(text: string, defaultType: AddrType = AddrType.Msgr2): EntityAddrVec {
    const trimmed = text.trim();
    if (trimmed === '') return EntityAddrVec.empty;
    // '[::1]:6800' is one IPv6 address; a vector's bracket closes at the very end and holds no bare colons.
    const isVector =
      trimmed.startsWith('[') && trimmed.endsWith(']') && !/^\[[0-9a-fA-F:.]+\]$/.test(trimmed);
    if (!isVector) {
      const looksLikeVector = /^\[(v1|v2|any|\[)/.test(trimmed) || trimmed.includes(',');
      if (looksLikeVector) {
        throw new MsgrError(
          ErrorCode.InvalidArgument,
          `addresses ${JSON.stringify(text)}: several addresses are written '[v2:…,v1:…]'`,
        );
      }
      return EntityAddrVec.of(EntityAddr.parse(trimmed, defaultType));
    }
    const inner = trimmed.slice(1, -1).trim();
    if (inner === '') return EntityAddrVec.empty;
    return new EntityAddrVec(inner.split(',').map((part) => EntityAddr.parse(part, defaultType)));
  }

  get length(): number {
    return this.addrs.length;
  }

  /** The first address, which Ceph calls front; undefined when there is none. */
  get front(): EntityAddr | undefined {
    return this.addrs[0];
  }

  /** The first address at which msgr2 is spoken. */
  v2(): EntityAddr | undefined {
    return this.addrs.find((addr) => addr.type === AddrType.Msgr2);
  }

  /** The first address at which msgr1 is spoken. */
  v1(): EntityAddr | undefined {
    return this.addrs.find((addr) => addr.type === AddrType.Legacy);
  }

  /** Compared over the whole struct, nonce included. */
  contains(addr: EntityAddr): boolean {
    return this.addrs.some((own) => own.equals(addr));
  }

  equals(other: EntityAddrVec): boolean {
    return this === other || this.key === other.key;
  }

  /** A string that is the same for equal vectors and only for them; for Maps, not for people. */
  get key(): string {
    this.#key ??= this.addrs.map((addr) => addr.key).join(',');
    return this.#key;
  }

  /** Ceph's text: `[v2:…,v1:…]`, without brackets for one address, empty for none. */
  toString(): string {
    return this.addrs.length > 1 ? `[${this.addrs.join(',')}]` : this.addrs.join('');
  }

  toJSON(): string[] {
    return this.addrs.map(String);
  }

  [Symbol.iterator](): IterableIterator<EntityAddr> {
    return this.addrs[Symbol.iterator]() as IterableIterator<EntityAddr>;
  }
}

/** Bytes that {@link encodeEntityAddrVec} writes. */
export function entityAddrVecByteLength(addrs: EntityAddrVec): number {
  return addrs.addrs.reduce((sum, addr) => sum + entityAddrByteLength(addr), 5);
}

/** The shortest form read: marker 2 and a count of 0. */
export const entityAddrVecBytesMin = 5;

export function encodeEntityAddrVec(encoder: Encoder, addrs: EntityAddrVec): void {
  encoder.u8(2).list(addrs.addrs, (addr) => encodeEntityAddr(encoder, addr));
}

export function decodeEntityAddrVec(decoder: Decoder, field: string): EntityAddrVec {
  return decoder.within(field, () => {
    const at = decoder.position;
    const marker = decoder.u8('marker');
    if (marker === 0) return EntityAddrVec.of(decodeLegacyAfterMarker(decoder));
    if (marker === 1) return EntityAddrVec.of(decodeAfterMarker(decoder));
    if (marker !== 2) decoder.fail('marker', `must be 0, 1 or 2, not ${marker}`, at);
    return new EntityAddrVec(
      decoder.list('addrs', entityAddrBytesMin, (index) => decodeEntityAddr(decoder, String(index))),
    );
  });
}
