/**
 * Buffers over memory that is there already: views into receive slabs, into encoded messages, into pools. One is
 * made for nearly every payload, so what it costs is a good part of what receiving a message costs.
 */
import { Buffer } from 'node:buffer';

type ViewClass = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

/**
 * A Uint8Array with Buffer's methods: as cheap to make as a plain view (20 ns), unlike `Buffer.from` and
 * `subarray` (30 and 50). The constructor is written out, as V8 inlines no default one here. The class has no
 * name of its own, because tools that keep names (esbuild, tsx) would define it anew, which makes the
 * class a dictionary: V8 then compiles its constructor again and again, and never installs what it made.
 */
const View = withBufferMethods(
  class extends Uint8Array {
    constructor(memory: ArrayBufferLike, offset: number, length: number) {
      super(memory as ArrayBuffer, offset, length);
    }
  },
);

/** What every empty payload is that nobody made. */
export const noBytes = Buffer.alloc(0);

/** `length` bytes of `memory` from `offset` on. */
export function bufferView(memory: ArrayBufferLike, offset: number, length: number): Buffer {
  return length === 0 ? noBytes : new View(memory, offset, length);
}

function withBufferMethods(
  view: new (memory: ArrayBufferLike, offset: number, length: number) => Uint8Array,
) {
  Object.setPrototypeOf(view.prototype, Buffer.prototype);
  // As Node's own buffers have it: who compares two buffers by their constructors finds them alike.
  view.prototype.constructor = Buffer;
  return view as ViewClass;
}
