/**
 * The way down to the core: payloads are written straight into the gaps of their frames in a send slab, and
 * one line per message into the send table. The core fills in headers and CRCs in place when it takes the
 * table: at the end of the turn, or at once when enough waits.
 *
 *      slab:   │ preamble, header │ front middle data │ epilogue │ preamble, header │ …
 *               ▲ offset           ▲ offset + gapOffset
 *
 * Payloads of `lendBytesMin` and more are not copied: the core gets their address, and this object holds
 * them until the core says that the peer has them.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { lendBytesMin } from '../../limits.ts';
import type { NativeLoop } from '../../native.ts';
import { noBytes } from '../../wire/buffer-view.ts';
import type { OutgoingMessage } from '../channel.ts';
import { Control } from './control-words.ts';

/** i32 fields of one line of the send table; SendRecord in native/core/channel/send_record.h. */
export const SendField = {
  /** With `frontLent` and `dataLent` in the top bits. */
  channel: 0,
  typeAndPriority: 1,
  versions: 2,
  tidLow: 3,
  tidHigh: 4,
  frontLength: 5,
  middleLength: 6,
  dataLength: 7,
} as const;
const sendFields = 8;
const frontLent = 1 << 31;
const dataLent = 1 << 30;

/** Bindings of this module alone V8 takes for constant; what is imported or exported it looks up each time. */
const field = SendField;
const word = Control;
const lendMin = lendBytesMin;
const nothing = noBytes;

/** Preamble, message header and its CRC stand before the payload (msgr2.1 in crc mode, facts 1.4). */
const gapOffset = 32 + 41 + 4;
/** Behind the payload, unless front, middle and data are all empty. */
const epilogueBytes = 13;

/**
 * Waiting bytes that are flushed at once: one system call's worth, and still in the second-level cache. What a
 * message leaves there beside its frame counts too, its object and its line of the table: so it is
 * 128 KiB of frames at 64 B, and nearly all of it from 1 KiB on (D42, D52).
 */
const eagerFlushBytes = 256 * 1024;
const objectBytes = 154;

/** Up to here a loop is no slower than `set`, which costs about 8 ns at any small size (Node 20). */
const loopCopyMax = 8;

export class SendTable {
  readonly #native: NativeLoop;
  readonly #messageBytesMax: number;
  /** Control words and send tables: all of it, so that one look at one array's shape does for both. */
  readonly #words: Int32Array;
  readonly #releases: Int32Array;
  readonly #recordsMax: number;
  #slab: Uint8Array = new Uint8Array(0);
  /** What the messages of the present table cost (`eagerFlushBytes`); means nothing while that is empty. */
  #waitingBytes = 0;
  /** Lent payloads by token; token 0 means none. */
  readonly #lent: (Uint8Array | undefined)[] = [undefined];
  readonly #freeTokens: number[] = [];

  constructor(native: NativeLoop, messageBytesMax: number) {
    const { memory, layout } = native;
    this.#native = native;
    this.#messageBytesMax = messageBytesMax;
    this.#words = new Int32Array(memory);
    this.#releases = new Int32Array(memory, layout.releasesOffset, layout.releasesMax);
    this.#recordsMax = layout.sendRecords;
  }

  /** Puts a message into the table. Answers the bytes of its frame on the wire. */
  append(channel: number, message: OutgoingMessage): number {
    const { front, middle, data } = message;
    // Most have one payload, and that the others are none is known without a look at their lengths. A length is no i32
    // to V8, which would add them as doubles; clamped it is one, and how long a lent payload is does not matter yet.
    const frontLength = front === nothing ? 0 : Math.min(front.length, lendMin);
    const middleLength = middle === nothing ? 0 : Math.min(middle.length, lendMin);
    const dataLength = data === nothing ? 0 : Math.min(data.length, lendMin);
    const payloadLength = frontLength + middleLength + dataLength;
    if (payloadLength >= lendMin) return this.#appendLarge(channel, message);
    const size = gapOffset + (payloadLength === 0 ? 0 : payloadLength + epilogueBytes);
    const words = this.#words;
    if (words[word.sendOffset]! + size > this.#slab.length || words[word.sendCount]! >= this.#recordsMax) {
      this.#makeRoom(size);
    }
    const offset = words[word.sendOffset]!;
    const count = words[word.sendCount]!;
    // Before any call, after which V8 would look at the shape of everything again; nothing counts yet.
    const at = words[word.sendTable]! + count * sendFields;
    words[at] = channel | 0;
    words[at + field.typeAndPriority] = message.type | (message.priority << 16);
    words[at + field.versions] = message.version | (message.compatVersion << 16);
    words[at + field.tidLow] = message.tidLow | 0;
    words[at + field.tidHigh] = message.tidHigh | 0;
    words[at + field.frontLength] = frontLength;
    words[at + field.middleLength] = middleLength;
    words[at + field.dataLength] = dataLength;
    const slab = this.#slab;
    let to = offset + gapOffset;
    if (frontLength > 0) {
      copy(slab, to, front, frontLength);
      to += frontLength;
    }
    if (middleLength > 0) {
      copy(slab, to, middle, middleLength);
      to += middleLength;
    }
    if (dataLength > 0) copy(slab, to, data, dataLength);
    words[word.sendCount] = count + 1;
    words[word.sendOffset] = offset + size;
    const waiting = (count === 0 ? 0 : this.#waitingBytes) + size + objectBytes;
    this.#waitingBytes = waiting;
    if (waiting >= eagerFlushBytes) this.flush();
    return size;
  }

  /** Sends what waits. */
  flush(): void {
    this.#native.flush();
    this.takeReleases();
  }

  /** Lets go of lent payloads that the core has done with. */
  takeReleases(): void {
    const count = this.#words[word.releaseCount]!;
    if (count === 0) return;
    for (let index = 0; index < count; index++) {
      const token = this.#releases[index]!;
      this.#lent[token] = undefined;
      this.#freeTokens.push(token);
    }
    this.#words[word.releaseCount] = 0;
  }

  /** Lent payloads that are still held, for tests. */
  get lentCount(): number {
    return this.#lent.length - 1 - this.#freeTokens.length;
  }

  /** A message that is long in all; those of its payloads that are long in themselves are lent. */
  #appendLarge(channel: number, message: OutgoingMessage): number {
    const { front, middle, data } = message;
    const payloadLength = front.length + middle.length + data.length;
    if (payloadLength > this.#messageBytesMax) {
      throw new MsgrError(
        ErrorCode.MessageTooLarge,
        `message of ${payloadLength} bytes; at most ${this.#messageBytesMax} are allowed`,
      );
    }
    const lendsFront = isLendable(front);
    const lendsData = isLendable(data);
    const size = gapOffset + payloadLength + epilogueBytes;
    const slabSize = size - (lendsFront ? front.length : 0) - (lendsData ? data.length : 0);
    const words = this.#words;
    if (
      words[word.sendOffset]! + slabSize > this.#slab.length ||
      words[word.sendCount]! >= this.#recordsMax
    ) {
      this.#makeRoom(slabSize);
    }
    const offset = words[word.sendOffset]!;
    const count = words[word.sendCount]!;
    const slab = this.#slab;
    let to = offset + gapOffset;
    if (lendsFront) {
      this.#lend(front);
    } else {
      slab.set(front, to);
      to += front.length;
    }
    slab.set(middle, to);
    to += middle.length;
    if (lendsData) this.#lend(data);
    else slab.set(data, to);
    const at = words[word.sendTable]! + count * sendFields;
    words[at] = channel | (lendsFront ? frontLent : 0) | (lendsData ? dataLent : 0);
    words[at + field.typeAndPriority] = message.type | (message.priority << 16);
    words[at + field.versions] = message.version | (message.compatVersion << 16);
    words[at + field.tidLow] = message.tidLow;
    words[at + field.tidHigh] = message.tidHigh;
    words[at + field.frontLength] = front.length;
    words[at + field.middleLength] = middle.length;
    words[at + field.dataLength] = data.length;
    words[word.sendCount] = count + 1;
    words[word.sendOffset] = offset + slabSize;
    this.#waitingBytes = (count === 0 ? 0 : this.#waitingBytes) + size + objectBytes;
    if (this.#waitingBytes >= eagerFlushBytes) this.flush();
    return size;
  }

  #lend(bytes: Uint8Array): void {
    const token = this.#freeTokens.pop() ?? this.#lent.length;
    this.#lent[token] = bytes;
    this.#native.lend(token, bytes);
  }

  #makeRoom(size: number): void {
    const words = this.#words;
    if (words[word.sendCount]! >= this.#recordsMax) this.flush();
    if (words[word.sendOffset]! + size > this.#slab.length) this.#slab = this.#native.nextSlab(size);
  }
}

/** Long enough, and its memory cannot shrink under the core's hands. */
function isLendable(bytes: Uint8Array): boolean {
  return bytes.length >= lendMin && !(bytes.buffer as { resizable?: boolean }).resizable;
}

/** Looked up once: found through each array anew it costs as much as a quarter of the copy. */
const { set } = Uint8Array.prototype;

function copy(to: Uint8Array, at: number, from: Uint8Array, length: number): void {
  if (length > loopCopyMax) {
    set.call(to, from, at);
    return;
  }
  for (let index = 0; index < length; index++) to[at + index] = from[index]!;
}
