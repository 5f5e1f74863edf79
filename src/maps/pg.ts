/**
 * Placement groups: `pg_t` with the pool as a number, maps keyed by it, and how a hash becomes one.
 */
import { ErrorCode, MsgrError } from '../errors.ts';
import type { Decoder } from '../wire/decoder.ts';
import type { Encoder } from '../wire/encoder.ts';
import { decodePgId as decodeWirePgId, encodePgId as encodeWirePgId, pgIdBytes } from '../wire/pg-id.ts';

export { pgIdBytes };

export interface PgId {
  readonly pool: number;
  /** Index of the group in its pool, or the whole hash of an object before it is cut to one. */
  readonly seed: number;
}

export function encodePgId(encoder: Encoder, { pool, seed }: PgId): void {
  encodeWirePgId(encoder, { pool: BigInt(pool), seed });
}

export function decodePgId(decoder: Decoder, field: string): PgId {
  const at = decoder.position;
  const { pool, seed } = decodeWirePgId(decoder, field);
  if (pool > BigInt(Number.MAX_SAFE_INTEGER)) decoder.fail(field, `${pool} is no pool id`, at);
  return { pool: Number(pool), seed };
}

/** `1.2f`: the pool in decimal, the seed in hexadecimal. */
export function formatPgId({ pool, seed }: PgId): string {
  return `${pool}.${seed.toString(16)}`;
}

/** @throws MsgrError `ERR_MSGR_INVALID_ARGUMENT` for anything but `POOL.HEX`. */
export function parsePgId(text: string): PgId {
  const match = /^(\d{1,15})\.([0-9a-f]{1,8})$/i.exec(text);
  if (match === null) {
    throw new MsgrError(ErrorCode.InvalidArgument, `${JSON.stringify(text)} is not a PG id like 1.2f`);
  }
  return { pool: Number(match[1]), seed: Number.parseInt(match[2]!, 16) };
}

/** One less than the smallest power of two that is at least `count`. */
export function pgMask(count: number): number {
  return count <= 1 ? 0 : 2 ** (32 - Math.clz32(count - 1)) - 1;
}

/** ceph_stable_mod: like x modulo count, but growing count by one moves only one group's objects. */
export function stableMod(x: number, count: number, mask: number): number {
  const cut = (x & mask) >>> 0;
  return cut < count ? cut : (x & (mask >>> 1)) >>> 0;
}

/** Values by placement group, in the order of pool and seed when sorted, as Ceph writes them. */
export class PgMap<V> {
  readonly #pools = new Map<number, Map<number, V>>();
  #size = 0;

  constructor(entries: Iterable<readonly [PgId, V]> = []) {
    for (const [pg, value] of entries) this.set(pg, value);
  }

  get size(): number {
    return this.#size;
  }

  get(pool: number, seed: number): V | undefined {
    return this.#pools.get(pool)?.get(seed);
  }

  /** The groups of one pool, for looking many of them up. */
  ofPool(pool: number): ReadonlyMap<number, V> | undefined {
    return this.#pools.get(pool);
  }

  set({ pool, seed }: PgId, value: V): void {
    let seeds = this.#pools.get(pool);
    if (seeds === undefined) {
      seeds = new Map();
      this.#pools.set(pool, seeds);
    }
    if (!seeds.has(seed)) this.#size++;
    seeds.set(seed, value);
  }

  delete({ pool, seed }: PgId): void {
    const seeds = this.#pools.get(pool);
    if (!seeds?.delete(seed)) return;
    this.#size--;
    if (seeds.size === 0) this.#pools.delete(pool);
  }

  /** A copy in Ceph's order. */
  sorted(): PgMap<V> {
    return new PgMap([...this].sort(([left], [right]) => left.pool - right.pool || left.seed - right.seed));
  }

  *[Symbol.iterator](): IterableIterator<[PgId, V]> {
    for (const [pool, seeds] of this.#pools) {
      for (const [seed, value] of seeds) yield [{ pool, seed }, value];
    }
  }
}

export function decodePgMap<V>(
  decoder: Decoder,
  field: string,
  valueBytesMin: number,
  value: () => V,
): PgMap<V> {
  const at = decoder.position;
  const count = decoder.count(field, pgIdBytes + valueBytesMin);
  return decoder.within(field, () => {
    const map = new PgMap<V>();
    for (let index = 0; index < count; index++) map.set(decodePgId(decoder, 'pgid'), value());
    if (map.size !== count) decoder.fail('keys', 'a PG occurs twice', at);
    return map;
  });
}

export function encodePgMap<V>(encoder: Encoder, map: PgMap<V>, value: (value: V) => void): void {
  encoder.map(map, (pg) => encodePgId(encoder, pg), value);
}
