/**
 * Where frames are written for one write to the socket: a slab filled from the front, and the list of
 * pieces that go out in order. A piece points into the slab, or is a payload that its owner lends:
 *
 *      slab    │ frames … frame's head │ epilogue, frames … │ free │
 *      pieces    [0] ─────────────────┘  [2] ──────────────┘
 *                            [1] lent data, where the gap between the two is
 *
 * The slab belongs to the sink and is written again after `reset()`: only when nobody reads the pieces
 * any more. It never grows; the caller asks for `room` first.
 */
import { Buffer } from 'node:buffer';
import { lendBytesMin } from '../limits.ts';

export class FrameSink {
  readonly bytes: Buffer;
  /** The same memory as `bytes`. */
  readonly view: DataView;
  /** Where the next byte is written. A frame's writer moves it on. */
  at = 0;
  /** Where the piece begins that is being filled. */
  #pieceStart = 0;
  #lentBytes = 0;
  #pieces: Uint8Array[] = [];

  constructor(slabBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(slabBytes);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, slabBytes);
  }

  /** Bytes that can still be copied. */
  get room(): number {
    return this.bytes.length - this.at;
  }

  /** Bytes of all pieces together. */
  get byteLength(): number {
    return this.at + this.#lentBytes;
  }

  get pieceCount(): number {
    return this.#pieces.length;
  }

  /** Copies `payload`, or lends it when it has {@link lendBytesMin} bytes or more. */
  put(payload: Uint8Array): void {
    const { length } = payload;
    if (length >= lendBytesMin) {
      this.#closePiece();
      this.#pieces.push(payload);
      this.#lentBytes += length;
      return;
    }
    this.bytes.set(payload, this.at);
    this.at += length;
  }

  /** The pieces written since the last `reset()`, in order. */
  finish(): readonly Uint8Array[] {
    this.#closePiece();
    return this.#pieces;
  }

  /** Forgets the pieces; what was lent goes back to its owner. */
  reset(): void {
    this.at = 0;
    this.#pieceStart = 0;
    this.#lentBytes = 0;
    // A new list: the old one may still be in the hands of a stream.
    if (this.#pieces.length > 0) this.#pieces = [];
  }

  #closePiece(): void {
    if (this.at > this.#pieceStart) this.#pieces.push(this.bytes.subarray(this.#pieceStart, this.at));
    this.#pieceStart = this.at;
  }
}

/** Bytes of `payload` that {@link FrameSink.put} copies. */
export function copiedBytes(payload: Uint8Array): number {
  return payload.length < lendBytesMin ? payload.length : 0;
}
