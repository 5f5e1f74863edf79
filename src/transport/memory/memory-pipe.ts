/**
 * One direction of an in-memory connection: bytes on their way, each with the time of its arrival.
 *
 *      write() ─► │ chunk, arrives at 5.1 │ chunk, arrives at 5.3 │ … ─► segment ─► receiver's onData
 *                 └──── at most `bufferBytesMax` count as the system's; beyond, the writer is blocked
 *
 * Order is kept always; faults decide where a chunk is cut, delayed, damaged, or where the connection ends.
 * At most one segment is with the receiver's host: a receiver that is paused or does not read holds up all
 * that is behind.
 */
import { Buffer } from 'node:buffer';
import type { MemoryNetwork } from './memory-network.ts';
import type { MemoryStream } from './memory-stream.ts';

/** Bytes that the two socket buffers of a direction hold together. */
const bufferBytesMax = 256 * 1024;
/** Bytes that one delivery brings at most, as one read of a socket does. */
const segmentBytesMax = 64 * 1024;

interface Chunk {
  bytes: Buffer;
  readonly arrivesMs: number;
}

export class MemoryPipe {
  readonly #network: MemoryNetwork;
  readonly #from: MemoryStream;
  readonly #to: MemoryStream;
  #chunks: Chunk[] = [];
  #byteLength = 0;
  /** Bytes that went through; what a planned reset counts. */
  #carriedBytes = 0;
  /** The connection is reset when so many bytes went through. */
  #resetAtByte: number;
  #lastArrivalMs = 0;
  #deliveryPending = false;
  #writerBlocked = false;
  #finished = false;

  constructor(network: MemoryNetwork, from: MemoryStream, to: MemoryStream, resetAtByte: number) {
    this.#network = network;
    this.#from = from;
    this.#to = to;
    this.#resetAtByte = resetAtByte;
  }

  write(pieces: readonly Uint8Array[]): boolean {
    const { faults, random, injected } = this.#network;
    const bytes = Buffer.concat(pieces);
    let delayMs = this.#network.latency();
    if (random.chance(faults.clog)) {
      delayMs += random.float() * faults.clogMsMax;
      injected.clogs++;
    }
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.#network.clock.nowMs() + delayMs);
    this.#chunks.push({ bytes, arrivesMs: this.#lastArrivalMs });
    this.#byteLength += bytes.length;
    this.pump();
    if (this.#byteLength > bufferBytesMax) {
      this.#writerBlocked = true;
    } else if (random.chance(faults.partialWrite)) {
      injected.partialWrites++;
      this.#writerBlocked = true;
      this.#from.host.setTimeout(() => this.#drain(), this.#network.latency());
    }
    return !this.#writerBlocked;
  }

  /** The writer closed: what the system has taken still arrives, then the end of the stream. */
  finish(): void {
    this.#finished = true;
    while (this.#byteLength > bufferBytesMax) {
      const last = this.#chunks[this.#chunks.length - 1]!;
      const excess = Math.min(last.bytes.length, this.#byteLength - bufferBytesMax);
      last.bytes = last.bytes.subarray(0, last.bytes.length - excess);
      this.#byteLength -= excess;
      if (last.bytes.length === 0) this.#chunks.pop();
    }
    this.#lastArrivalMs = Math.max(
      this.#lastArrivalMs,
      this.#network.clock.nowMs() + this.#network.latency(),
    );
    this.#chunks.push({ bytes: Buffer.alloc(0), arrivesMs: this.#lastArrivalMs });
    this.pump();
  }

  /** Nothing more arrives. */
  discard(): void {
    this.#chunks = [];
    this.#byteLength = 0;
    this.#finished = true;
  }

  /** Schedules the next delivery, if there is one to make and nothing in its way. */
  pump(): void {
    const next = this.#chunks[0];
    if (next === undefined || this.#deliveryPending || !this.#to.takesData) return;
    if (this.#network.isPartitioned(this.#from.localAddress, this.#to.localAddress)) return;
    this.#deliveryPending = true;
    const { clock } = this.#network;
    clock.setTimeout(() => this.#to.host.run(() => this.#deliver()), next.arrivesMs - clock.nowMs());
  }

  #deliver(): void {
    this.#deliveryPending = false;
    const next = this.#chunks[0];
    // The path may have been cut meanwhile; healing or resuming pumps again.
    if (next === undefined || !this.#to.takesData) return;
    if (this.#network.isPartitioned(this.#from.localAddress, this.#to.localAddress)) return;
    if (next.bytes.length === 0) {
      this.#chunks.shift();
      this.#to.peerClosed();
      return;
    }
    const { segment, resets } = this.#cut(next);
    if (segment.length > 0) this.#to.receive(segment);
    if (resets) this.#network.resetConnection(this.#to);
    else {
      if (this.#writerBlocked && this.#byteLength <= bufferBytesMax) {
        this.#from.host.setImmediate(() => this.#drain());
      }
      this.pump();
    }
  }

  /** Takes the next segment off the pipe, with whatever faults befall it. */
  #cut(next: Chunk): { segment: Buffer; resets: boolean } {
    const { faults, random, injected } = this.#network;
    let length = Math.min(next.bytes.length, segmentBytesMax);
    let resets = false;
    if (random.chance(faults.reset)) {
      length = random.integer(0, length);
      resets = true;
    } else if (length > 1 && random.chance(faults.partialRead)) {
      length = random.integer(1, length - 1);
      injected.partialReads++;
    }
    if (this.#carriedBytes + length >= this.#resetAtByte) {
      length = this.#resetAtByte - this.#carriedBytes;
      this.#resetAtByte = Number.POSITIVE_INFINITY;
      resets = true;
    }
    let segment = next.bytes.subarray(0, length);
    if (length > 0 && random.chance(faults.corrupt)) {
      segment = Buffer.from(segment);
      const at = random.integer(0, length - 1);
      segment[at] = segment[at]! ^ (1 << random.integer(0, 7));
      injected.corruptions++;
    }
    next.bytes = next.bytes.subarray(length);
    if (next.bytes.length === 0) this.#chunks.shift();
    this.#carriedBytes += length;
    this.#byteLength -= length;
    return { segment, resets };
  }

  #drain(): void {
    if (!this.#writerBlocked || this.#finished || this.#byteLength > bufferBytesMax) return;
    this.#writerBlocked = false;
    this.#from.drained();
  }
}
