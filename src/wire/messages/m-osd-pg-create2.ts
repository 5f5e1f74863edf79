/**
 * MOSDPGCreate2: the monitor tells a primary to create placement groups. Version 2 adds what they went
 * through while nobody had created them yet, which is kept here in its encoding.
 */
import type { Decoder } from '../decoder.ts';
import type { Encoder } from '../encoder.ts';
import { decodePgId, encodePgId, type PgId } from '../pg-id.ts';
import { decodeUtime, encodeUtime, type Utime } from '../utime.ts';
import { defineMessage } from './registry.ts';

/** `spg_t`: a placement group, and which shard of it, -1 in replicated pools. */
export interface ShardedPgId extends PgId {
  readonly shard: number;
}

export interface PgToCreate {
  readonly pgid: ShardedPgId;
  readonly epoch: number;
  readonly stamp: Utime;
}

/** `pg_history_t` and `PastIntervals` as they were encoded. */
export interface PgCreateHistory {
  readonly pgid: ShardedPgId;
  readonly history: Uint8Array;
  readonly pastIntervals: Uint8Array;
}

export interface MOSDPGCreate2 {
  readonly epoch: number;
  readonly pgs: readonly PgToCreate[];
  readonly histories: readonly PgCreateHistory[];
}

const shardedPgIdBytes = 24;
const structHeadBytes = 6;

function encodeShardedPgId(encoder: Encoder, pgid: ShardedPgId): void {
  encoder.versioned(1, 1, () => {
    encodePgId(encoder, pgid);
    encoder.u8(pgid.shard & 0xff);
  });
}

function decodeShardedPgId(decoder: Decoder): ShardedPgId {
  return decoder.versioned('pgid', 1, () => ({
    ...decodePgId(decoder, 'pgid'),
    shard: (decoder.u8('shard') << 24) >> 24,
  }));
}

/** A versioned struct as bytes, its head included. */
function decodeOpaque(decoder: Decoder, field: string): Uint8Array {
  const head = decoder.raw(structHeadBytes, field);
  return Buffer.concat([head, decoder.raw(head.readUInt32LE(2), field)]);
}

export const MOSDPGCreate2 = defineMessage<MOSDPGCreate2>({
  type: 120,
  name: 'osd_pg_create2',
  headVersion: 2,
  compatVersion: 1,
  encode(body, encoder) {
    encoder.u32(body.epoch);
    encoder.list(body.pgs, ({ pgid, epoch, stamp }) => {
      encodeShardedPgId(encoder, pgid);
      encoder.u32(epoch);
      encodeUtime(encoder, stamp);
    });
    encoder.list(body.histories, ({ pgid, history, pastIntervals }) => {
      encodeShardedPgId(encoder, pgid);
      encoder.raw(history).raw(pastIntervals);
    });
  },
  decode: (decoder, { version }) => ({
    epoch: decoder.u32('epoch'),
    pgs: decoder.list('pgs', shardedPgIdBytes + 12, () => ({
      pgid: decodeShardedPgId(decoder),
      epoch: decoder.u32('epoch'),
      stamp: decodeUtime(decoder, 'stamp'),
    })),
    histories:
      version < 2
        ? []
        : decoder.list('histories', shardedPgIdBytes + 2 * structHeadBytes, () => ({
            pgid: decodeShardedPgId(decoder),
            history: decodeOpaque(decoder, 'history'),
            pastIntervals: decodeOpaque(decoder, 'pastIntervals'),
          })),
  }),
});
