/**
 * Messages that wait for the socket, or for the peer's acknowledgement: frames in send slabs, as crc mode has
 * them. As they leave they get their checksums, or are sealed, for each stream anew.
 *
 *      first                     cursor                     end
 *        │ taken by the stream,    │ waits for the stream     │
 *        │ not acknowledged        │                          │
 *      ┌────┬────┬────┬────┬────┬────┬────┬────┬────┬────┬────┐
 *      │ 41 │ 42 │ 43 │ 44 │ 45 │ 46 │ 47 │ …                 │   entry n has seq firstSeq + n
 *      └────┴────┴────┴────┴────┴────┴────┴────┴────┴────┴────┘
 *
 * Invariants: sequence numbers are consecutive; entries leave at the front only; an entry whose bytes the
 * stream still holds never leaves. A replay is the cursor put back to the front. Entries are a ring of
 * parallel arrays, so that a message costs no object here.
 */
import {
  clearAckSeq,
  type FrameMessage,
  type FrameMode,
  lentOf,
  messageFrameBytes,
  pushPieces,
  writeMessageCrcs,
  writeMessageFrame,
  writtenBytes,
} from '../../wire/frame.ts';
import type { SendSlab, SendSlabPool } from './send-slab.ts';

/** Entries of an empty ring; a power of two, as all its sizes. */
const ringCapacityMin = 64;
/** A ring that has grown beyond this is given up once it is empty. */
const ringCapacityKept = 4096;

interface Lent {
  front: Uint8Array | undefined;
  data: Uint8Array | undefined;
}

export class Outbox {
  readonly #pool: SendSlabPool;
  /** The slab being filled; kept while it holds frames. */
  #slab: SendSlab | undefined;

  #capacity = ringCapacityMin;
  #slabs: (SendSlab | undefined)[] = new Array(ringCapacityMin).fill(undefined);
  #starts = new Int32Array(ringCapacityMin);
  #ends = new Int32Array(ringCapacityMin);
  #sizes = new Float64Array(ringCapacityMin);
  #lents: (Lent | undefined)[] = new Array(ringCapacityMin).fill(undefined);
  #head = 0;
  #count = 0;

  /** Entries before the cursor, and how many of them at its end the stream still holds. */
  #taken = 0;
  #held = 0;
  #firstSeq = 1;
  /** The last that any stream ever took whole, and the last sent that the peer is known to have. */
  #sentSeq = 0;
  #peerSeq = 0;
  #bytes = 0;
  #waitingBytes = 0;
  #replayedCount = 0;

  constructor(pool: SendSlabPool) {
    this.#pool = pool;
  }

  /** Entries. */
  get count(): number {
    return this.#count;
  }

  /** Entries behind the cursor. */
  get waitingCount(): number {
    return this.#count - this.#taken;
  }

  /** Bytes on the wire of all entries, and of those behind the cursor. */
  get bytes(): number {
    return this.#bytes;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Entries that went to a stream for a second time, or more. */
  get replayedCount(): number {
    return this.#replayedCount;
  }

  /** Seq of the last message appended. */
  get lastSeq(): number {
    return this.#firstSeq + this.#count - 1;
  }

  /** Writes the message's frame with the next seq and this acknowledgement (u64 in two halves). Answers its bytes. */
  append(message: FrameMessage, ackSeqLow: number, ackSeqHigh: number): number {
    const { front, middle, data } = message;
    const needed = writtenBytes(front.length, middle.length, data.length);
    let slab = this.#slab;
    if (slab === undefined || slab.bytes.length - slab.at < needed) {
      slab = this.#pool.take(needed);
      this.#slab = slab;
    }
    if (this.#count === this.#capacity) this.#resize(this.#capacity * 2);
    const index = (this.#head + this.#count) & (this.#capacity - 1);
    const seq = this.#firstSeq + this.#count;
    const start = slab.at;
    const end = writeMessageFrame(
      slab.bytes,
      slab.view,
      start,
      message,
      seq >>> 0,
      Math.floor(seq / 0x1_0000_0000),
      ackSeqLow,
      ackSeqHigh,
    );
    slab.at = end;
    slab.frameCount++;
    const size = messageFrameBytes(front.length, middle.length, data.length);
    this.#slabs[index] = slab;
    this.#starts[index] = start;
    this.#ends[index] = end;
    this.#sizes[index] = size;
    if (size !== end - start) this.#lents[index] = { front: lentOf(front), data: lentOf(data) };
    this.#count++;
    this.#bytes += size;
    this.#waitingBytes += size;
    return size;
  }

  /**
   * Moves the cursor over entries that wait and adds their pieces as `mode` has them, until `bytesMax` are
   * reached or, with entries that the peer has not acknowledged, `unackedMax`; both count frames as in crc
   * mode. Answers how many bytes were added. The stream holds them until `written()`.
   */
  gather(pieces: Uint8Array[], bytesMax: number, unackedMax: number, mode: FrameMode): number {
    const { seal } = mode;
    const mask = this.#capacity - 1;
    const takenBefore = this.#taken;
    const unackedBytes = this.#bytes - this.#waitingBytes;
    let added = 0;
    let sealedBytes = 0;
    // A run of neighbours in one slab is one piece.
    let runSlab: SendSlab | undefined;
    let runStart = 0;
    let runEnd = 0;
    while (
      this.#taken < this.#count &&
      added < bytesMax &&
      unackedBytes + added < unackedMax &&
      !mode.isUsedUp
    ) {
      const index = (this.#head + this.#taken) & mask;
      const slab = this.#slabs[index]!;
      const start = this.#starts[index]!;
      const end = this.#ends[index]!;
      const lent = this.#lents[index];
      const neighbour = slab === runSlab && start === runEnd;
      if (runSlab !== undefined && (!neighbour || lent !== undefined)) {
        pieces.push(runSlab.bytes.subarray(runStart, runEnd));
        runSlab = undefined;
      }
      if (seal !== undefined) {
        sealedBytes += seal(pieces, slab.bytes, start, end, lent?.front, lent?.data);
      } else {
        writeMessageCrcs(slab.bytes, slab.view, start, end, lent?.front, lent?.data);
        if (lent !== undefined) {
          pushPieces(pieces, slab.bytes, start, end, lent.front, lent.data);
        } else {
          if (runSlab === undefined) {
            runSlab = slab;
            runStart = start;
          }
          runEnd = end;
        }
      }
      added += this.#sizes[index]!;
      this.#taken++;
    }
    if (runSlab !== undefined) pieces.push(runSlab.bytes.subarray(runStart, runEnd));
    const taken = this.#taken - takenBefore;
    const firstTaken = this.#firstSeq + takenBefore;
    this.#replayedCount += Math.max(0, Math.min(this.#sentSeq, firstTaken + taken - 1) - firstTaken + 1);
    this.#held += taken;
    this.#waitingBytes -= added;
    return seal === undefined ? added : sealedBytes;
  }

  /** The stream is done with what `gather` gave: a lossy session drops it, a lossless one awaits the ack. */
  written(lossless: boolean): void {
    this.#sentSeq = Math.max(this.#sentSeq, this.#firstSeq + this.#taken - 1);
    this.#held = 0;
    if (!lossless) this.#dropFirst(this.#taken);
    else if (this.#peerSeq >= this.#firstSeq) this.#dropAcknowledged();
  }

  /**
   * The peer has everything up to `seq`. Only what was ever sent is dropped, whatever the peer says; what
   * the stream still holds is dropped by `written()`.
   */
  acknowledge(seq: number): void {
    const lastTaken = Math.max(this.#sentSeq, this.#firstSeq + this.#taken - 1);
    this.#peerSeq = Math.max(this.#peerSeq, Math.min(seq, lastTaken));
    this.#dropAcknowledged();
  }

  /** The stream is gone: everything is to be sent again, in order. */
  rewind(): void {
    for (let taken = 0; taken < this.#taken; taken++) {
      this.#waitingBytes += this.#sizes[(this.#head + taken) & (this.#capacity - 1)]!;
    }
    // A frame the peer may have in part counts as sent: it may even have it whole.
    this.#sentSeq = Math.max(this.#sentSeq, this.#firstSeq + this.#taken - 1);
    this.#taken = 0;
    this.#held = 0;
  }

  /** Takes the acknowledgements of a session that is over out of the frames that wait. */
  clearAcks(): void {
    for (let entry = 0; entry < this.#count; entry++) {
      const index = (this.#head + entry) & (this.#capacity - 1);
      const slab = this.#slabs[index]!;
      clearAckSeq(slab.view, this.#starts[index]!);
    }
  }

  /** Drops everything; the next message has seq 1. */
  clear(): void {
    if (this.#held > 0) {
      // The stream still reads from these slabs: they are left to the garbage collector.
      this.#slabs.fill(undefined);
      this.#lents.fill(undefined);
      this.#slab = undefined;
      this.#count = 0;
      this.#taken = 0;
      this.#held = 0;
      this.#bytes = 0;
      this.#waitingBytes = 0;
    } else this.#dropFirst(this.#count);
    this.#firstSeq = 1;
    this.#sentSeq = 0;
    this.#peerSeq = 0;
  }

  #dropAcknowledged(): void {
    const free = this.#held > 0 ? this.#taken - this.#held : this.#count;
    const dropped = Math.min(this.#peerSeq - this.#firstSeq + 1, free);
    if (dropped > 0) this.#dropFirst(dropped);
  }

  #dropFirst(count: number): void {
    const mask = this.#capacity - 1;
    for (let dropped = 0; dropped < count; dropped++) {
      const index = (this.#head + dropped) & mask;
      const size = this.#sizes[index]!;
      const slab = this.#slabs[index]!;
      this.#bytes -= size;
      if (dropped >= this.#taken) this.#waitingBytes -= size;
      if (--slab.frameCount === 0 && slab !== this.#slab) this.#pool.give(slab);
      this.#slabs[index] = undefined;
      this.#lents[index] = undefined;
    }
    this.#head = (this.#head + count) & mask;
    this.#count -= count;
    this.#taken = Math.max(0, this.#taken - count);
    this.#firstSeq += count;
    if (this.#count > 0) return;
    // An idle channel holds neither a slab nor a large ring.
    if (this.#slab !== undefined) this.#pool.give(this.#slab);
    this.#slab = undefined;
    if (this.#capacity > ringCapacityKept) this.#resize(ringCapacityMin);
  }

  #resize(capacity: number): void {
    const slabs: (SendSlab | undefined)[] = new Array(capacity).fill(undefined);
    const lents: (Lent | undefined)[] = new Array(capacity).fill(undefined);
    const starts = new Int32Array(capacity);
    const ends = new Int32Array(capacity);
    const sizes = new Float64Array(capacity);
    for (let entry = 0; entry < this.#count; entry++) {
      const index = (this.#head + entry) & (this.#capacity - 1);
      slabs[entry] = this.#slabs[index];
      lents[entry] = this.#lents[index];
      starts[entry] = this.#starts[index]!;
      ends[entry] = this.#ends[index]!;
      sizes[entry] = this.#sizes[index]!;
    }
    this.#slabs = slabs;
    this.#lents = lents;
    this.#starts = starts;
    this.#ends = ends;
    this.#sizes = sizes;
    this.#head = 0;
    this.#capacity = capacity;
  }
}
