/**
 * The table of received messages that is handed to a channel's handler (message-batch.ts). One serves all
 * channels of a transport: it is filled from one channel's bytes, handed over, and empty again before the
 * next is read. Its slabs are the chunks that the socket gave; nothing is copied, and what was kept is not reused.
 */
import type { Frame } from '../../wire/frame.ts';
import { type MessageBatch, placeFields, recordFields } from '../message-batch.ts';

/** Records to one call of `onMessages`, at most. */
const recordsMax = 1024;

const messageKind = 0;

export class BatchTable implements MessageBatch {
  readonly places = new Int32Array(recordsMax * placeFields);
  readonly words: [Int32Array] = [new Int32Array(recordsMax * recordFields)];
  readonly slabs: ArrayBuffer[] = [];
  /** Records at the table's beginning that somebody keeps. */
  #kept = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#kept + this.#count === recordsMax;
  }

  /** Adds the message that `frame` holds. Must not be full. */
  add(channelId: number, generation: number, frame: Frame): void {
    const [records] = this.words;
    const { headView, headStart, body, starts } = frame;
    const { lengths } = frame.preamble;
    const slabOffset = body.byteOffset;
    const at = (this.#kept + this.#count) * recordFields;
    this.places[this.#count * placeFields + 1] = at;
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

  /** Ready for the next batch. `isKept`: somebody goes on looking at this one. */
  clear(isKept: boolean): void {
    if (isKept) this.#kept += this.#count;
    if (this.#kept === recordsMax) {
      this.words[0] = new Int32Array(recordsMax * recordFields);
      this.#kept = 0;
    }
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
