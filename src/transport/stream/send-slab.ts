/**
 * Memory for outgoing frames. An outbox fills one slab after the other; a slab goes back to the pool when
 * the last frame in it is done with, so that in a steady stream the same warm few are used again and again.
 */
import { Buffer } from 'node:buffer';

/** One send slab. What the socket takes in one call is made of several when more waits. */
const sendSlabBytes = 64 * 1024;

/** Slabs kept for reuse; beyond, they are left to the garbage collector. */
const pooledSlabsMax = 64;

export class SendSlab {
  readonly bytes: Buffer;
  /** The same memory as `bytes`. */
  readonly view: DataView;
  /** Where the next frame begins. */
  at = 0;
  /** Frames in it that are not done with. */
  frameCount = 0;

  constructor(byteLength: number) {
    this.bytes = Buffer.allocUnsafeSlow(byteLength);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, byteLength);
  }
}

/** Shared by the channels of a transport. */
export class SendSlabPool {
  readonly #free: SendSlab[] = [];

  /** An empty slab with room for at least `byteLength` bytes. */
  take(byteLength: number): SendSlab {
    if (byteLength > sendSlabBytes) return new SendSlab(byteLength);
    return this.#free.pop() ?? new SendSlab(sendSlabBytes);
  }

  give(slab: SendSlab): void {
    slab.at = 0;
    slab.frameCount = 0;
    if (slab.bytes.length === sendSlabBytes && this.#free.length < pooledSlabsMax) this.#free.push(slab);
  }
}
