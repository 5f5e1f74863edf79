/**
 * One of the tables in which the core delivers: where its records are, in the words of {@link MessageBatch}.
 * Memory 0 is the table itself, with the records of events; memory n is slab n - 1, with those of its messages.
 */
import type { NativeLoop } from '../../native.ts';
import { type MessageBatch, placeFields, recordFields } from '../message-batch.ts';

/** The source of an event's record. */
export const tableSource = 0;

export class NativeBatch implements MessageBatch {
  readonly places: Int32Array;
  readonly words: Int32Array[];
  readonly slabs: readonly ArrayBuffer[];
  /** Slab 0, which sockets are read into; it stays for many deliveries. */
  #shared: ArrayBuffer | undefined;

  constructor({ memory, layout, slabs }: NativeLoop, table: number) {
    this.slabs = slabs[table]!;
    const words = layout.records * recordFields;
    const places = layout.records * placeFields;
    this.words = [new Int32Array(memory, layout.recordOffset + table * words * 4, words)];
    this.places = new Int32Array(memory, layout.placeOffset + table * places * 4, places);
  }

  begin(): void {
    const { slabs } = this;
    if (slabs[0] !== this.#shared) {
      this.#shared = slabs[0];
      this.words[1] = wordsOf(slabs[0]!);
    }
    // Of large frames, each with a slab of its own.
    for (let slab = 1; slab < slabs.length && slabs[slab] !== undefined; slab++) {
      this.words[slab + 1] = wordsOf(slabs[slab]!);
    }
  }

  end(): void {
    if (this.words.length > 2) this.words.length = 2;
  }
}

function wordsOf(slab: ArrayBuffer): Int32Array {
  return new Int32Array(slab, 0, slab.byteLength >>> 2);
}
