/** `interval_set<snapid_t>`: ranges of snapshot ids, ascending and apart. */
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';

export interface Interval {
  readonly start: bigint;
  readonly length: bigint;
}

/** u64 start and u64 length. */
export const intervalBytes = 16;

export function encodeIntervals(encoder: Encoder, intervals: readonly Interval[]): void {
  encoder.list(intervals, (interval) => encoder.u64(interval.start).u64(interval.length));
}

export function decodeIntervals(decoder: Decoder, field: string): Interval[] {
  return decoder.list(field, intervalBytes, () => ({
    start: decoder.u64('start'),
    length: decoder.u64('length'),
  }));
}
