/**
 * MOSDMap: OSDMaps, whole or as increments, each in its own encoding, which src/maps reads
 * (facts 2.13). Kept as bytes: a map's CRC covers exactly what was encoded.
 */
import { decodeIntervals, encodeIntervals, type Interval } from '../interval-set.ts';
import { decodeUuid, encodeUuid, type Uuid } from '../uuid.ts';
import { defineMessage } from './registry.ts';

export interface MOSDMap {
  readonly fsid: Uuid;
  /** Encoded OSDMap::Incremental by the epoch that it leads to. */
  readonly incrementalMaps: ReadonlyMap<number, Uint8Array>;
  /** Encoded OSDMap by epoch. */
  readonly maps: ReadonlyMap<number, Uint8Array>;
  /** Epochs that the sender still has: what lies before `oldestMap` cannot be asked for. */
  readonly oldestMap: number;
  readonly newestMap: number;
  /** Snapshots removed in epochs that are skipped, by pool. */
  readonly gapRemovedSnaps: ReadonlyMap<bigint, readonly Interval[]>;
}

export const MOSDMap = defineMessage<MOSDMap>({
  type: 41,
  name: 'osd_map',
  headVersion: 4,
  compatVersion: 3,
  encode(body, encoder) {
    encodeUuid(encoder, body.fsid);
    for (const maps of [body.incrementalMaps, body.maps]) {
      encoder.map(
        maps,
        (epoch) => encoder.u32(epoch),
        (bytes) => encoder.buffer(bytes),
      );
    }
    encoder.u32(body.oldestMap).u32(body.newestMap);
    encoder.map(
      body.gapRemovedSnaps,
      (pool) => encoder.i64(pool),
      (intervals) => encodeIntervals(encoder, intervals),
    );
  },
  decode(decoder, context) {
    const fsid = decodeUuid(decoder, 'fsid');
    const readMaps = (field: string): Map<number, Uint8Array> =>
      decoder.map(
        field,
        8,
        () => decoder.u32('epoch'),
        () => decoder.buffer('map'),
      );
    const incrementalMaps = readMaps('incrementalMaps');
    const maps = readMaps('maps');
    const hasRange = context.version >= 2;
    return {
      fsid,
      incrementalMaps,
      maps,
      oldestMap: hasRange ? decoder.u32('oldestMap') : 0,
      newestMap: hasRange ? decoder.u32('newestMap') : 0,
      gapRemovedSnaps:
        context.version >= 4
          ? decoder.map(
              'gapRemovedSnaps',
              12,
              () => decoder.i64('pool'),
              () => decodeIntervals(decoder, 'intervals'),
            )
          : new Map(),
    };
  },
});
