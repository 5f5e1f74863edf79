/**
 * `entity_addr_t`: where an entity can be reached, and which incarnation of it.
 *
 * ```
 *  0  u8   marker 1            (0 begins the legacy form, which is only read)
 *  1  u8   struct_v 1, u8 compat 1, u32 struct_len
 *  7  u32  type                0 none, 1 legacy (v1), 2 msgr2 (v2), 3 any
 * 11  u32  nonce               tells two processes at one address apart
 * 15  u32  elen                16 IPv4, 28 IPv6, 28 for an address of no family
 * 19  ...  sockaddr            u16 family little-endian, u16 port big-endian, the address
 * ```
 *
 * Two addresses are one when every byte of Ceph's in-memory struct agrees, nonce included; the same
 * struct gives the order that decides connection races. A decoded address writes back the bytes it was
 * read from, also where we would have written others (a scope id, a shorter sockaddr).
 */
import { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from './ip-address.ts';

/** The protocol spoken at an address. */
export const AddrType = { None: 0, Legacy: 1, Msgr2: 2, Any: 3 } as const;
export type AddrType = (typeof AddrType)[keyof typeof AddrType];

/** `sa_family` of Linux. */
export const AddrFamily = { None: 0, Inet: 2, Inet6: 10 } as const;
export type AddrFamily = (typeof AddrFamily)[keyof typeof AddrFamily];

/** Largest sockaddr that Ceph's struct holds: that of IPv6. */
const sockaddrBytesMax = 28;
/** `struct sockaddr_storage`, used by the legacy form. */
const sockaddrStorageBytes = 128;
/** Marker, struct header, type, nonce and elen; no encoded address is shorter. */
export const entityAddrBytesMin = 19;

/** What an address is made of; what is left out is zero, and the type then follows from the host. */
export interface EntityAddrInit {
  type?: number;
  nonce?: number;
  /** IPv4 or IPv6 without brackets; an empty string or nothing for an address of no family. */
  host?: string;
  port?: number;
}

function sockaddrLength(family: number): number {
  return family === AddrFamily.Inet ? 16 : sockaddrBytesMax;
}

function invalid(message: string): MsgrError {
  return new MsgrError(ErrorCode.InvalidArgument, message);
}

function checkInteger(name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw invalid(`${name} must be an integer from 0 to ${max}, not ${value}`);
  }
  return value;
}

/** An address that came from bytes; tells the constructor that host and family already agree. */
class Decoded implements EntityAddrInit {
  readonly type: number;
  readonly nonce: number;
  readonly family: number;
  readonly host: string;
  readonly port: number;
  readonly sockaddr: Buffer | undefined;

  constructor(type: number, nonce: number, family: number, host: string, port: number, sockaddr?: Buffer) {
    this.type = type;
    this.nonce = nonce;
    this.family = family;
    this.host = host;
    this.port = port;
    this.sockaddr = sockaddr;
  }
}

export class EntityAddr {
  /** One of {@link AddrType}; a peer may send numbers that have no name yet. */
  readonly type: number;
  readonly nonce: number;
  readonly family: number;
  /** In the form of inet_ntop, no brackets; empty when the family is neither IPv4 nor IPv6. */
  readonly host: string;
  readonly port: number;
  /** The sockaddr as it was read, when we would write other bytes. */
  readonly #sockaddr: Buffer | undefined;
  #struct: Buffer | undefined;
  #key: string | undefined;

  /**
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` when the host is no IP address or a number is out of range.
   */
  constructor(init: EntityAddrInit = {}) {
    const host = init.host ?? '';
    this.nonce = checkInteger('nonce', init.nonce ?? 0, 0xffffffff);
    this.port = checkInteger('port', init.port ?? 0, 0xffff);
    if (init instanceof Decoded) {
      this.family = init.family;
      this.host = host;
      this.#sockaddr = init.sockaddr;
    } else {
      const parsed = parseHost(host);
      this.family = parsed.family;
      this.host = parsed.host;
      this.#sockaddr = undefined;
      if (parsed.family === AddrFamily.None && this.port !== 0) throw invalid('a port needs a host');
    }
    const impliedType = this.family === AddrFamily.None ? AddrType.None : AddrType.Msgr2;
    this.type = checkInteger('type', init.type ?? impliedType, 0xffffffff);
  }

  /** The address of nothing: every byte zero. */
  static readonly blank: EntityAddr = new EntityAddr();

  /**
   * Reads `v2:127.0.0.1:6800/123`. The type prefix, the port and the nonce may be missing: the type is
   * then `defaultType`, the others are 0. An IPv6 address stands in brackets when a port follows.
   * `-` is the blank address.
   *
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` that says which part is wrong.
   */
  static parse(text: string, defaultType: AddrType = AddrType.Msgr2): EntityAddr {
    const refuse = (reason: string): never => {
      throw invalid(`address ${JSON.stringify(text)}: ${reason}`);
    };
    let rest = text.trim();
    if (rest === '-') return EntityAddr.blank;
    let type: AddrType = defaultType;
    const prefix = /^(v1|v2|any):/.exec(rest);
    if (prefix !== null) {
      type = prefix[1] === 'v1' ? AddrType.Legacy : prefix[1] === 'v2' ? AddrType.Msgr2 : AddrType.Any;
      rest = rest.slice(prefix[0].length);
    }
    let nonce = 0;
    const slash = rest.indexOf('/');
    if (slash >= 0) {
      nonce = parseDecimal(rest.slice(slash + 1), 0xffffffff) ?? refuse('the nonce must be 0 to 4294967295');
      rest = rest.slice(0, slash);
    }
    let host = rest;
    let portText: string | undefined;
    if (rest.startsWith('[')) {
      const close = rest.indexOf(']');
      if (close < 0) refuse("the bracket '[' is not closed");
      host = rest.slice(1, close);
      const after = rest.slice(close + 1);
      if (after !== '' && !after.startsWith(':')) refuse("only ':PORT' may follow ']'");
      if (after !== '') portText = after.slice(1);
      if (parseIpv6(host) === undefined) refuse(`${JSON.stringify(host)} is not an IPv6 address`);
    } else if (parseIpv6(rest) === undefined) {
      const colon = rest.lastIndexOf(':');
      if (colon >= 0) {
        host = rest.slice(0, colon);
        portText = rest.slice(colon + 1);
      }
      if (host === '') refuse('the host is missing');
      if (parseIpv4(host) === undefined) refuse(`${JSON.stringify(host)} is not an IP address`);
    }
    const port = portText === undefined ? 0 : parseDecimal(portText, 0xffff);
    if (port === undefined) return refuse('the port must be 0 to 65535');
    return new EntityAddr({ type, nonce, host, port });
  }

  /**
   * The address that a sockaddr of `bytes` names. Bytes beyond what the family's sockaddr holds are the
   * caller's to refuse.
   */
  static fromSockaddr(type: number, nonce: number, bytes: Uint8Array): EntityAddr {
    const struct = Buffer.alloc(sockaddrBytesMax);
    struct.set(bytes.subarray(0, sockaddrBytesMax));
    const family = struct.readUInt16LE(0);
    const known = family === AddrFamily.Inet || family === AddrFamily.Inet6;
    const port = known ? struct.readUInt16BE(2) : 0;
    const host =
      family === AddrFamily.Inet
        ? formatIpv4(struct.subarray(4, 8))
        : family === AddrFamily.Inet6
          ? formatIpv6(struct.subarray(8, 24))
          : '';
    const ours = writeSockaddr(family, host, port);
    const sockaddr = ours.equals(bytes) ? undefined : Buffer.from(bytes);
    return new EntityAddr(new Decoded(type, nonce, family, host, port, sockaddr));
  }

  /** True when every byte is zero: the address has not been set. */
  get isBlank(): boolean {
    return this.equals(EntityAddr.blank);
  }

  /** True when no host is named: no family, or the any-address of one. */
  get isBlankIp(): boolean {
    return this.host === '' || this.host === '0.0.0.0' || this.host === '::';
  }

  /** A copy with some parts changed; a changed host is written the plain way, without a scope id. */
  with(change: EntityAddrInit): EntityAddr {
    const type = checkInteger('type', change.type ?? this.type, 0xffffffff);
    const nonce = checkInteger('nonce', change.nonce ?? this.nonce, 0xffffffff);
    const port = change.port ?? this.port;
    if (change.host !== undefined) return new EntityAddr({ type, nonce, host: change.host, port });
    if (port === this.port) return EntityAddr.fromSockaddr(type, nonce, this.sockaddr());
    if (this.host === '') throw invalid('a port needs a host');
    const sockaddr = Buffer.from(this.struct.subarray(8, 8 + sockaddrLength(this.family)));
    sockaddr.writeUInt16BE(checkInteger('port', port, 0xffff), 2);
    return EntityAddr.fromSockaddr(type, nonce, sockaddr);
  }

  /** The sockaddr as it goes on the wire: what was read, or 16 or 28 bytes of our own. */
  sockaddr(): Buffer {
    return this.#sockaddr ?? writeSockaddr(this.family, this.host, this.port);
  }

  /** Ceph's in-memory struct, 36 bytes: type, nonce, sockaddr padded with zeros; do not write to it. */
  get struct(): Buffer {
    if (this.#struct === undefined) {
      const struct = Buffer.alloc(8 + sockaddrBytesMax);
      struct.writeUInt32LE(this.type, 0);
      struct.writeUInt32LE(this.nonce, 4);
      struct.set(this.sockaddr(), 8);
      this.#struct = struct;
    }
    return this.#struct;
  }

  equals(other: EntityAddr): boolean {
    return this === other || this.key === other.key;
  }

  /** Negative, zero or positive: byte order of the whole struct (facts 2.2), which decides races. */
  compare(other: EntityAddr): number {
    return Buffer.compare(this.struct, other.struct);
  }

  /** A string that is the same for equal addresses and only for them; for Maps, not for people. */
  get key(): string {
    if (this.#key === undefined) {
      const host = this.host === '' ? `family ${this.family}` : this.host;
      const plain = `${this.type}:${host}:${this.port}/${this.nonce}`;
      this.#key = this.#sockaddr === undefined ? plain : this.#structKey(plain);
    }
    return this.#key;
  }

  /** Ceph's text: `v2:127.0.0.1:6800/123`, `[…]` around IPv6, `-` when the type is none. */
  toString(): string {
    if (this.type === AddrType.None) return '-';
    const prefix =
      this.type === AddrType.Any
        ? ''
        : this.type === AddrType.Legacy
          ? 'v1:'
          : this.type === AddrType.Msgr2
            ? 'v2:'
            : '???:';
    return `${prefix}${this.#endpoint()}/${this.nonce}`;
  }

  toJSON(): string {
    return this.toString();
  }

  #endpoint(): string {
    if (this.family === AddrFamily.Inet) return `${this.host}:${this.port}`;
    if (this.family === AddrFamily.Inet6) return `[${this.host}]:${this.port}`;
    return `(unrecognized address family ${this.family})`;
  }

  /** A kept sockaddr may still mean the plain address: it was only cut short of trailing zeros. */
  #structKey(plain: string): string {
    const ours = writeSockaddr(this.family, this.host, this.port);
    const same = this.struct.subarray(8, 8 + ours.byteLength).equals(ours);
    return same ? plain : `${plain}#${this.struct.toString('hex', 8)}`;
  }
}

function parseHost(host: string): { family: number; host: string } {
  if (host === '') return { family: AddrFamily.None, host };
  const ipv4 = parseIpv4(host);
  if (ipv4 !== undefined) return { family: AddrFamily.Inet, host: formatIpv4(ipv4) };
  const ipv6 = parseIpv6(host);
  if (ipv6 !== undefined) return { family: AddrFamily.Inet6, host: formatIpv6(ipv6) };
  throw invalid(`${JSON.stringify(host)} is not an IP address`);
}

function parseDecimal(text: string, max: number): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

function writeSockaddr(family: number, host: string, port: number): Buffer {
  const bytes = Buffer.alloc(sockaddrLength(family));
  bytes.writeUInt16LE(family, 0);
  bytes.writeUInt16BE(port, 2);
  if (family === AddrFamily.Inet) bytes.set(parseIpv4(host)!, 4);
  if (family === AddrFamily.Inet6) bytes.set(parseIpv6(host)!, 8);
  return bytes;
}

/** Bytes that {@link encodeEntityAddr} writes: 35 for IPv4, 47 for IPv6 and for no family. */
export function entityAddrByteLength(addr: EntityAddr): number {
  return entityAddrBytesMin + addr.sockaddr().byteLength;
}

/** Writes the form of CEPH_FEATURE_MSG_ADDR2, which every peer of msgr2 reads. */
export function encodeEntityAddr(encoder: Encoder, addr: EntityAddr): void {
  encoder.u8(1).versioned(1, 1, () => {
    encoder.u32(addr.type).u32(addr.nonce).buffer(addr.sockaddr());
  });
}

/**
 * Reads either form. A legacy address comes back with type legacy, or none when it has no family, and
 * is written again in the new form.
 */
export function decodeEntityAddr(decoder: Decoder, field: string): EntityAddr {
  return decoder.within(field, () => {
    const at = decoder.position;
    const marker = decoder.u8('marker');
    if (marker === 0) return decodeLegacyAfterMarker(decoder);
    if (marker !== 1) decoder.fail('marker', `must be 0 or 1, not ${marker}`, at);
    return decodeAfterMarker(decoder);
  });
}

/** What follows marker 1, shared with entity_addrvec_t. */
export function decodeAfterMarker(decoder: Decoder): EntityAddr {
  return decoder.versioned('addr', 1, () => {
    const type = decoder.u32('type');
    const nonce = decoder.u32('nonce');
    const elenAt = decoder.position;
    const sockaddr = decoder.buffer('sockaddr');
    if (sockaddr.byteLength === 1) decoder.fail('elen', 'one byte cannot hold a family', elenAt);
    const family = sockaddr.byteLength === 0 ? AddrFamily.None : sockaddr.readUInt16LE(0);
    const max = sockaddrLength(family);
    if (sockaddr.byteLength > max) {
      decoder.fail('elen', `${sockaddr.byteLength} bytes, family ${family} has at most ${max}`, elenAt);
    }
    return EntityAddr.fromSockaddr(type, nonce, sockaddr);
  });
}

/** What follows marker 0: three more zero bytes, nonce, a sockaddr_storage with a big-endian family. */
export function decodeLegacyAfterMarker(decoder: Decoder): EntityAddr {
  decoder.skip(3, 'padding');
  const nonce = decoder.u32('nonce');
  const storage = Buffer.from(decoder.raw(sockaddrStorageBytes, 'sockaddr'));
  const family = storage.readUInt16BE(0);
  storage.writeUInt16LE(family, 0);
  const type = family === AddrFamily.None ? AddrType.None : AddrType.Legacy;
  return EntityAddr.fromSockaddr(type, nonce, storage.subarray(0, sockaddrLength(family)));
}
