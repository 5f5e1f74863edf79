/**
 * Messages as they cross the border: not one object each, but one table for a whole loop turn.
 *
 *      places: Int32Array     words: Int32Array[]                            slabs: ArrayBuffer[]
 *      ┌── 2 × i32 ──┐        ┌──────────────── 16 × i32 ─────────────────┐  ┌────────────────────┐
 *      │ source word │──────► │ kind channel gen type|prio … offsets len  │─►│ front middle data  │
 *      ├─────────────┤        └───────────────────────────────────────────┘  └────────────────────┘
 *      │ next record │
 *
 * The native core writes a message's record into its slab, over the frame's own header
 * (native/core/channel/record.h, the same layout; a test compares the two), and those of events into a table.
 * The places are valid during the call that hands them over; slabs, and the records of messages, as long as
 * someone holds them, unless every receiver answered that it kept nothing.
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
  /** Index into `slabs`: where the payload is. */
  slab: 9,
  frontOffset: 10,
  frontLength: 11,
  middleOffset: 12,
  middleLength: 13,
  dataOffset: 14,
  dataLength: 15,
} as const;

/** i32 fields of one record: 64 bytes. */
export const recordFields = 16;

/** i32 fields of one place: its source, and the record's first index in that memory. */
export const placeFields = 2;

/**
 * The bits of a source that say which of `words` it is. Those above count runs: neighbours with the same source
 * are messages of one channel and one of its sockets.
 */
export const memoryMask = 0xffff;

export interface MessageBatch {
  readonly places: Int32Array;
  readonly words: readonly Int32Array[];
  readonly slabs: readonly ArrayBuffer[];
}
