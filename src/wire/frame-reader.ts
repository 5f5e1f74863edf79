/**
 * The incremental frame reader: bytes in, in pieces of any size; whole, checked frames out.
 *
 *      push(chunk) ──► │ head chunk: … frame │ frame │ part of a frame │ ──► next chunks …
 *                                            ▲ at
 *
 * A frame that lies whole inside a chunk is read where it lies: no copy, and its views keep the chunk
 * alive. A frame across chunks is gathered once, when all of its bytes are there; memory is therefore
 * committed as bytes arrive, never for a length that a peer merely declares. Chunks that are pushed belong
 * to the reader and must not change.
 *
 * After an error the stream has lost its frame boundary and the reader must not be used again.
 */
import { Buffer } from 'node:buffer';
import { messageBytesMaxDefault } from '../limits.ts';
import { emptyBytes, emptyView, Frame, type FrameMode } from './frame.ts';
import { crcMode } from './frame-crc.ts';
import { checkPreambleLimits } from './preamble.ts';

/**
 * Chunks below this many bytes are copied together while they wait, so that a peer that sends byte by byte
 * cannot make every byte cost an object.
 */
const smallChunkBytes = 4096;
const tailBytes = 16 * 1024;

export class FrameReader {
  /** How frames are protected from the next one on. Set at a frame's boundary only. */
  mode: FrameMode = crcMode;
  /** Payload bytes allowed to one message. */
  messageBytesMax: number;
  /** Filled by `next()`. */
  readonly frame = new Frame();

  #bytes: Buffer = emptyBytes;
  #view: DataView = emptyView;
  #at = 0;
  /** Chunks behind the head chunk. */
  #queue: Buffer[] = [];
  /** The reader's own memory behind the last chunk of the queue, where small chunks are collected. */
  #tail: Buffer | undefined;
  #tailUsed = 0;
  #buffered = 0;
  /** On-wire bytes of the frame whose preamble was read; 0 when the next preamble was not. */
  #frameBytes = 0;
  #frameStart = 0;
  #frameEnd = 0;

  constructor(messageBytesMax = messageBytesMaxDefault) {
    this.messageBytesMax = messageBytesMax;
  }

  /** Bytes pushed and not yet handed out. */
  get bufferedBytes(): number {
    return this.#buffered;
  }

  /** Adds bytes at the end of the stream. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#buffered === 0) this.#setHead(chunk);
    else if (chunk.length < smallChunkBytes) this.#collect(chunk);
    else {
      this.#queue.push(chunk);
      this.#tail = undefined;
    }
    this.#buffered += chunk.length;
  }

  /**
   * Moves on to the next frame and fills `frame` with it; false when bytes are missing.
   *
   * @throws MsgrError `ERR_MSGR_BAD_FRAME` that names the field, before anything is allocated for it.
   */
  next(): boolean {
    const { mode, frame } = this;
    if (this.#buffered === 0) {
      this.#release();
      return false;
    }
    if (this.#frameBytes === 0) {
      const { firstBlockBytes } = mode;
      if (this.#buffered < firstBlockBytes) return false;
      if (this.#bytes.length - this.#at < firstBlockBytes) this.#gather(firstBlockBytes);
      mode.openPreamble(this.#bytes, this.#view, this.#at, frame.preamble);
      checkPreambleLimits(frame.preamble, this.messageBytesMax);
      this.#frameBytes = firstBlockBytes + mode.remainingBytes(frame.preamble);
    }
    const frameBytes = this.#frameBytes;
    if (this.#buffered < frameBytes) return false;
    if (this.#bytes.length - this.#at < frameBytes) this.#gather(frameBytes);
    mode.openSegments(this.#bytes, this.#view, this.#at, frame);
    this.#frameStart = this.#at;
    this.#frameEnd = this.#at + frameBytes;
    this.#consume(frameBytes);
    this.#frameBytes = 0;
    return true;
  }

  /** The present frame as it was on the wire. Valid as long as its views. */
  raw(): Buffer {
    return this.#bytes.subarray(this.#frameStart, this.#frameEnd);
  }

  /** The next `count` bytes as they are, for what precedes the first frame; undefined when some are missing. */
  takeBytes(count: number): Buffer | undefined {
    if (this.#buffered < count) return undefined;
    if (this.#bytes.length - this.#at < count) this.#gather(count);
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#consume(count);
    return taken;
  }

  /** Lets go of the last chunk, so that an idle stream keeps no memory of what it read. */
  #release(): void {
    this.#bytes = emptyBytes;
    this.#view = emptyView;
    this.#at = 0;
    this.frame.release();
  }

  #consume(count: number): void {
    this.#at += count;
    this.#buffered -= count;
  }

  #setHead(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
  }

  /** Copies a small chunk behind the others. */
  #collect(chunk: Buffer): void {
    const used = this.#tailUsed;
    if (this.#tail === undefined || used + chunk.length > tailBytes) {
      this.#tail = Buffer.allocUnsafeSlow(tailBytes);
      this.#tail.set(chunk);
      this.#tailUsed = chunk.length;
      this.#queue.push(this.#tail.subarray(0, chunk.length));
      return;
    }
    this.#tail.set(chunk, used);
    this.#tailUsed = used + chunk.length;
    const last = this.#queue.length - 1;
    const start = this.#queue[last]!.byteOffset - this.#tail.byteOffset;
    this.#queue[last] = this.#tail.subarray(start, this.#tailUsed);
  }

  /** Makes the next `count` bytes, all of which are here, lie in one piece at the head. */
  #gather(count: number): void {
    const rest = this.#bytes.length - this.#at;
    if (rest === 0 && this.#queue[0]!.length >= count) {
      this.#setHead(this.#shift());
      return;
    }
    const gathered = Buffer.allocUnsafeSlow(count);
    let filled = this.#bytes.copy(gathered, 0, this.#at);
    let taken = 0;
    while (filled < count) {
      const chunk = this.#queue[taken]!;
      const copied = chunk.copy(gathered, filled, 0, count - filled);
      filled += copied;
      if (copied < chunk.length) this.#queue[taken] = chunk.subarray(copied);
      else taken++;
    }
    if (taken > 0) this.#queue.splice(0, taken);
    if (this.#queue.length === 0) this.#tail = undefined;
    this.#setHead(gathered);
  }

  #shift(): Buffer {
    const chunk = this.#queue.shift()!;
    if (this.#queue.length === 0) this.#tail = undefined;
    return chunk;
  }
}
