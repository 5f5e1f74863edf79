/**
 * Who an entity is: `entity_name_t`, a type and a number, which travels with every connection, and the
 * name that authentication knows it by, a type and a text (`client.admin`), which Ceph calls EntityName.
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

/** CEPH_ENTITY_TYPE_*; the values are bits, `Any` is a mask of all. */
export const EntityType = {
  Mon: 0x01,
  Mds: 0x02,
  Osd: 0x04,
  Client: 0x08,
  Mgr: 0x10,
  Auth: 0x20,
  Any: 0xff,
} as const;
export type EntityType = (typeof EntityType)[keyof typeof EntityType];

const typeNames: ReadonlyMap<number, string> = new Map([
  [EntityType.Mon, 'mon'],
  [EntityType.Mds, 'mds'],
  [EntityType.Osd, 'osd'],
  [EntityType.Client, 'client'],
  [EntityType.Mgr, 'mgr'],
  [EntityType.Auth, 'auth'],
]);

/** `osd` for 4; `type 99` for a number without a name, so that a log line can be made of any peer. */
export function entityTypeName(type: number): string {
  return typeNames.get(type) ?? `type ${type}`;
}

function parseType(text: string, name: string): EntityType {
  for (const [type, typeName] of typeNames) if (typeName === name) return type as EntityType;
  throw new MsgrError(
    ErrorCode.InvalidArgument,
    `entity ${JSON.stringify(text)}: the type must be one of ${[...typeNames.values()].join(', ')}`,
  );
}

function splitName(text: string): { type: EntityType; id: string } {
  const dot = text.indexOf('.');
  if (dot < 0 || dot === text.length - 1) {
    throw new MsgrError(
      ErrorCode.InvalidArgument,
      `entity ${JSON.stringify(text)}: expected TYPE.ID, such as osd.3`,
    );
  }
  return { type: parseType(text, text.slice(0, dot)), id: text.slice(dot + 1) };
}

/** `entity_name_t`: `osd.3`, `mon.0`, `client.4123`. Immutable. */
export class EntityName {
  /** One of {@link EntityType}, or what a peer sent instead. */
  readonly type: number;
  /** Negative when the number is not known yet, as with a client that has no global id. */
  readonly num: bigint;

  constructor(type: number, num: bigint | number) {
    this.type = type;
    this.num = BigInt(num);
  }

  static mon(num: bigint | number): EntityName {
    return new EntityName(EntityType.Mon, num);
  }

  static osd(num: bigint | number): EntityName {
    return new EntityName(EntityType.Osd, num);
  }

  static client(num: bigint | number): EntityName {
    return new EntityName(EntityType.Client, num);
  }

  /**
   * Reads `osd.3`; `client.?` has the number -1.
   *
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` that says which part is wrong.
   */
  static parse(text: string): EntityName {
    const { type, id } = splitName(text);
    if (id === '?') return new EntityName(type, -1n);
    if (!/^\d{1,19}$/.test(id) || BigInt(id) > 0x7fff_ffff_ffff_ffffn) {
      throw new MsgrError(
        ErrorCode.InvalidArgument,
        `entity ${JSON.stringify(text)}: the number must be 0 to 2^63-1`,
      );
    }
    return new EntityName(type, BigInt(id));
  }

  equals(other: EntityName): boolean {
    return this.type === other.type && this.num === other.num;
  }

  toString(): string {
    return `${entityTypeName(this.type)}.${this.num < 0n ? '?' : this.num}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** u8 type and i64 number. */
export const entityNameBytes = 9;

export function encodeEntityName(encoder: Encoder, name: EntityName): void {
  encoder.u8(name.type).i64(name.num);
}

export function decodeEntityName(decoder: Decoder, field: string): EntityName {
  return decoder.within(field, () => new EntityName(decoder.u8('type'), decoder.i64('num')));
}

/** Ceph's `EntityName` of auth/: `client.admin`, `osd.0`. Immutable. */
export class EntityAuthName {
  readonly type: number;
  readonly id: string;

  constructor(type: number, id: string) {
    this.type = type;
    this.id = id;
  }

  /**
   * Reads `client.admin`; the id may itself hold dots.
   *
   * @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` that says which part is wrong.
   */
  static parse(text: string): EntityAuthName {
    const { type, id } = splitName(text);
    return new EntityAuthName(type, id);
  }

  equals(other: EntityAuthName): boolean {
    return this.type === other.type && this.id === other.id;
  }

  toString(): string {
    return `${entityTypeName(this.type)}.${this.id}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

export function encodeEntityAuthName(encoder: Encoder, name: EntityAuthName): void {
  encoder.u32(name.type).string(name.id);
}

export function decodeEntityAuthName(decoder: Decoder, field: string): EntityAuthName {
  return decoder.within(field, () => new EntityAuthName(decoder.u32('type'), decoder.string('id')));
}
