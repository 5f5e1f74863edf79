/**
 * The table of received messages that is handed to a channel's handler (message-batch.ts). One serves all
 * channels of a transport: it is filled from one channel's bytes, handed over, and empty again before the
 * next is read. Its slabs are the chunks that the socket gave; nothing is copied and nothing is reused.
 */
import type { Frame } from '../../wire/frame.ts';
import { type MessageBatch, recordFields } from '../message-batch.ts';

/** Records to one call of `onMessages`. */
const recordsMax = 1024;

const messageKind = 0;

export class BatchTable implements MessageBatch {
  readonly records = new Int32Array(recordsMax * recordFields);
  readonly slabs: ArrayBuffer[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === recordsMax;
  }

  /** Adds the message that `frame` holds. Must not be full. */
  add(channelId: number, generation: number, frame: Frame): void {
    const { records } = this;
    const { headView, headStart, body, starts } = frame;
    const { lengths } = frame.preamble;
    const slabOffset = body.byteOffset;
    const at = this.#count * recordFields;
    // The order of Field in message-batch.ts; offsets into the record are those of ceph_msg_header2.
    records[at] = messageKind;
    records[at + 1] = channelId;
    records[at + 2] = generation;
    records[at + 3] = headView.getInt32(headStart + 16, true);
    records[at + 4] =
      headView.getUint16(headStart + 20, true) | (headView.getUint16(headStart + 37, true) << 16);
    records[at + 5] = headView.getInt32(headStart + 8, true);
    records[at + 6] = headView.getInt32(headStart + 12, true);
    records[at + 7] = headView.getInt32(headStart, true);
    records[at + 8] = headView.getInt32(headStart + 4, true);
    records[at + 9] = this.#slabIndex(body.buffer as ArrayBuffer);
    records[at + 10] = slabOffset + starts[1]!;
    records[at + 11] = lengths[1]!;
    records[at + 12] = slabOffset + starts[2]!;
    records[at + 13] = lengths[2]!;
    records[at + 14] = slabOffset + starts[3]!;
    records[at + 15] = lengths[3]!;
    this.#count++;
  }

  /** Ready for the next batch. */
  clear(): void {
    this.#count = 0;
    this.slabs.length = 0;
  }

  #slabIndex(slab: ArrayBuffer): number {
    const { slabs } = this;
    const last = slabs.length - 1;
    if (last >= 0 && slabs[last] === slab) return last;
    slabs.push(slab);
    return last + 1;
  }
}
