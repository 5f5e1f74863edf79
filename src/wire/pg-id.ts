/** `pg_t`: a placement group, written `1.7` for pool 1 and the hexadecimal seed 7. */
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

export interface PgId {
  readonly pool: bigint;
  readonly seed: number;
}

/** u8 version 1, u64 pool, u32 seed and an i32 that was once a preferred OSD and is always -1. */
export const pgIdBytes = 17;

export function encodePgId(encoder: Encoder, pg: PgId): void {
  encoder.u8(1).u64(pg.pool).u32(pg.seed).i32(-1);
}

export function decodePgId(decoder: Decoder, field: string): PgId {
  return decoder.within(field, () => {
    const at = decoder.position;
    const version = decoder.u8('version');
    if (version !== 1) decoder.fail('version', `must be 1, not ${version}`, at);
    const pg = { pool: decoder.u64('pool'), seed: decoder.u32('seed') };
    decoder.i32('preferred');
    return pg;
  });
}

export function pgIdToString(pg: PgId): string {
  return `${pg.pool}.${pg.seed.toString(16)}`;
}
