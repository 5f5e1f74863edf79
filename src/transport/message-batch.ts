/**
 * Messages as they cross the border: not one object each, but one table for a whole loop turn.
 *
 *      records: Int32Array          slabs: ArrayBuffer[]
 *      ┌──────────────── 16 × i32 ─────────────────┐      ┌────────────────────────────┐
 *      │ kind channel gen type|prio … offsets len  │─────►│ … front middle data …      │
 *      ├───────────────────────────────────────────┤      └────────────────────────────┘
 *      │ next message …                            │
 *
 * The native core writes the same layout (native/core/channel/record.h); a test compares the two.
 * The table is valid during the call that hands it over; a slab as long as someone holds it, unless
 * every receiver answered that it kept nothing.
 */

/** Fields of one record, as i32 indices. Unsigned values are read with `>>> 0`. */
export const Field = {
  /** {@link RecordKind} */
  kind: 0,
  channel: 1,
  /** Counts the channel's sockets, so that an event of an old socket is told from one of the new. */
  generation: 2,
  /** type in the low, priority in the high 16 bits. */
  typeAndPriority: 3,
  /** version in the low, compat version in the high 16 bits. */
  versions: 4,
  tidLow: 5,
  tidHigh: 6,
  seqLow: 7,
  seqHigh: 8,
  /** Index into `slabs`. */
  slab: 9,
  frontOffset: 10,
  frontLength: 11,
  middleOffset: 12,
  middleLength: 13,
  dataOffset: 14,
  dataLength: 15,
} as const;

/** i32 fields of one record: 64 bytes, one cache line. */
export const recordFields = 16;

export interface MessageBatch {
  readonly records: Int32Array;
  readonly slabs: readonly ArrayBuffer[];
}
