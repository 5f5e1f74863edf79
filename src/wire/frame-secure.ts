/**
 * Frames in secure mode: the same segments, padded with zeros to blocks of 16 and sealed with AES-128-GCM, in
 * one to three operations (msgr2.rst "frame format", secure mode of msgr2.1):
 *
 *      ┌──────────┬───────────┬─────┐┌─────────────────┬─────┐┌───────────┬───────────┬───────────┬──────────┬─────┐
 *      │ preamble │ segment 0 │ tag ││ segment 0       │ tag ││ segment 1 │ segment 2 │ segment 3 │ epilogue │ tag │
 *      │ 32 bytes │ first 48  │ 16  ││ what is left    │ 16  ││ padded    │ padded    │ padded    │ 16 bytes │ 16  │
 *      └──────────┴───────────┴─────┘└─────────────────┴─────┘└───────────┴───────────┴───────────┴──────────┴─────┘
 *       always                        beyond 48 bytes only      with more than one segment only
 *
 * Lengths in the preamble are those without padding. There are no checksums but the preamble's, and the
 * epilogue is the late status and 15 zeros. Each operation takes a nonce, so frames must be opened and
 * sealed in the order of the wire. Nothing of an operation is looked at before its tag was verified.
 */
import { Buffer } from 'node:buffer';
import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import { isComplete, LateStatus } from './epilogue.ts';
import { type Frame, type FrameMode, messageHeadBytes } from './frame.ts';
import { NonceCounter } from './frame-nonce.ts';
import { messageHeaderBytes } from './message-header.ts';
import {
  badFrame,
  type Preamble,
  preambleBytes,
  readPreamble,
  segmentLengthAt,
  writePreamble,
} from './preamble.ts';

/** One end's keys of a stream. Both directions have the key; each has nonces of its own. */
export interface FrameKeys {
  /** 16 bytes. */
  readonly key: Uint8Array;
  /** 12 bytes each. */
  readonly receiveNonce: Uint8Array;
  readonly sendNonce: Uint8Array;
}

const keyBytes = 16;
const algorithm = 'aes-128-gcm';
const tagBytes = 16;
const blockBytes = 16;
/** Bytes of segment 0 that share the preamble's operation. */
const inlineBytes = 48;
const firstPlainBytes = preambleBytes + inlineBytes;
const firstBytes = firstPlainBytes + tagBytes;
const sealedEpilogueBytes = blockBytes;
/** Operations of one frame that is written: a message has no second, a control frame no third. */
const operationsMax = 2;

/** Padding of a segment, and of the late status; never written to. */
const zeros = Buffer.alloc(blockBytes);
const epilogue = Buffer.alloc(sealedEpilogueBytes);
epilogue[0] = LateStatus.Complete;

/** Segments up to this many bytes together are copied into one piece before they are sealed. */
const gatherBytesMax = 64 * 1024;

/** Where that piece is made; nothing in it is needed after the call that made it. */
const scratch = Buffer.allocUnsafeSlow(gatherBytesMax);

/** The secure mode of one stream. The key does not show in it. */
export class SecureMode implements FrameMode {
  readonly firstBlockBytes = firstBytes;
  readonly #key: KeyObject;
  readonly #receive: NonceCounter;
  readonly #send: NonceCounter;
  /** The first operation of the frame that is being read, opened. */
  #first: Buffer = zeros;
  /** The same of a frame that is written, before it is sealed. */
  readonly #plainFirst = Buffer.alloc(firstPlainBytes);

  /** @param key 16 bytes. */
  constructor(key: Uint8Array, receive: NonceCounter, send: NonceCounter) {
    if (key.length !== keyBytes) throw new TypeError(`the key has ${key.length} bytes, not ${keyBytes}`);
    this.#key = createSecretKey(key);
    this.#receive = receive;
    this.#send = send;
  }

  get isUsedUp(): boolean {
    return !this.#send.has(operationsMax);
  }

  remainingBytes({ lengths, segmentCount }: Preamble): number {
    const head = restOfHead(lengths[0]!);
    const headBytes = head > 0 ? head + tagBytes : 0;
    return segmentCount === 1
      ? headBytes
      : headBytes + bodyBytes(lengths[1]!, lengths[2]!, lengths[3]!) + tagBytes;
  }

  openPreamble(bytes: Buffer, _view: DataView, at: number, preamble: Preamble): void {
    const first = this.#open(bytes, at, firstPlainBytes, 'preamble.tag');
    readPreamble(first, viewOf(first), 0, preamble);
    this.#first = first;
  }

  openSegments(bytes: Buffer, _view: DataView, at: number, frame: Frame): void {
    const { preamble, starts } = frame;
    const { lengths } = preamble;
    let next = at + firstBytes;
    frame.head = this.#first;
    frame.headStart = preambleBytes;
    const rest = restOfHead(lengths[0]!);
    if (rest > 0) {
      const opened = this.#open(bytes, next, rest, 'segments[0].tag');
      frame.head = Buffer.concat([this.#first.subarray(preambleBytes), opened]);
      frame.headStart = 0;
      next += rest + tagBytes;
    }
    frame.headView = viewOf(frame.head);
    frame.aborted = false;
    frame.body = frame.head;
    starts.fill(0);
    if (preamble.segmentCount > 1) {
      const opened = this.#open(
        bytes,
        next,
        bodyBytes(lengths[1]!, lengths[2]!, lengths[3]!),
        'epilogue.tag',
      );
      frame.body = opened;
      starts[2] = padded(lengths[1]!);
      starts[3] = starts[2] + padded(lengths[2]!);
      frame.aborted = !isComplete(opened[opened.length - sealedEpilogueBytes]!);
    }
    this.#first = zeros;
  }

  assembleControl(tag: number, payload: Uint8Array): Buffer {
    const first = this.#plainFirst;
    const inlined = Math.min(payload.length, inlineBytes);
    writePreamble(first, viewOf(first), 0, tag, payload.length, 0, 0, 0);
    first.set(payload.subarray(0, inlined), preambleBytes);
    first.fill(0, preambleBytes + inlined);
    const rest = restOfHead(payload.length);
    const sealed = Buffer.allocUnsafe(firstBytes + (rest > 0 ? rest + tagBytes : 0));
    this.#sealPiece(first, sealed, 0);
    if (rest > 0) {
      const plain = Buffer.alloc(rest);
      plain.set(payload.subarray(inlineBytes));
      this.#sealPiece(plain, sealed, firstBytes);
    }
    return sealed;
  }

  readonly seal = (
    pieces: Uint8Array[],
    bytes: Buffer,
    start: number,
    _end: number,
    lentFront: Uint8Array | undefined,
    lentData: Uint8Array | undefined,
  ): number => {
    const frontLength = segmentLengthAt(bytes, start, 1);
    const middleLength = segmentLengthAt(bytes, start, 2);
    const dataLength = segmentLengthAt(bytes, start, 3);
    const headEnd = preambleBytes + messageHeaderBytes;
    const first = this.#plainFirst;
    first.set(bytes.subarray(start, start + headEnd));
    first.fill(0, headEnd);
    const hasBody = frontLength + middleLength + dataLength > 0;
    const bodyLength = hasBody ? bodyBytes(frontLength, middleLength, dataLength) : 0;
    const isGathered = bodyLength <= gatherBytesMax;
    const sealed = takeRoom(pieces, firstBytes + (hasBody && isGathered ? bodyLength + tagBytes : 0));
    this.#sealPiece(first, sealed, 0);
    if (!hasBody) return firstBytes;
    const frontStart = start + messageHeadBytes;
    const middleStart = frontStart + (lentFront === undefined ? frontLength : 0);
    const dataStart = middleStart + middleLength;
    const front = lentFront ?? bytes.subarray(frontStart, middleStart);
    const middle = bytes.subarray(middleStart, dataStart);
    const data = lentData ?? bytes.subarray(dataStart, dataStart + dataLength);
    if (isGathered) {
      const plain = scratch.subarray(0, bodyLength);
      let at = putPadded(plain, 0, front);
      at = putPadded(plain, at, middle);
      at = putPadded(plain, at, data);
      plain.set(epilogue, at);
      this.#sealPiece(plain, sealed, firstBytes);
    } else this.#sealPieces([front, middle, data], pieces);
    return firstBytes + bodyLength + tagBytes;
  };

  /** Opens `length` bytes at `at`, behind which the tag lies. */
  #open(bytes: Buffer, at: number, length: number, field: string): Buffer {
    const end = at + length;
    const decipher = createDecipheriv(algorithm, this.#key, this.#receive.take());
    decipher.setAuthTag(bytes.subarray(end, end + tagBytes));
    const plain = decipher.update(bytes.subarray(at, end));
    try {
      decipher.final();
    } catch {
      throw badFrame(field, 'does not verify: the frame was altered on the way, or the keys differ');
    }
    return plain;
  }

  #begin(): CipherGCM {
    return createCipheriv(algorithm, this.#key, this.#send.take());
  }

  /** One operation, whose ciphertext and tag are written to `sealed` at `at`. */
  #sealPiece(plain: Uint8Array, sealed: Buffer, at: number): void {
    const cipher = this.#begin();
    sealed.set(cipher.update(plain), at);
    cipher.final();
    sealed.set(cipher.getAuthTag(), at + plain.length);
  }

  /** One operation over segments that lie apart and the epilogue; adds ciphertext and tag to `sealed`. */
  #sealPieces(segments: readonly Uint8Array[], sealed: Uint8Array[]): void {
    const cipher = this.#begin();
    for (const segment of segments) {
      if (segment.length === 0) continue;
      sealed.push(cipher.update(segment));
      const padding = padded(segment.length) - segment.length;
      if (padding > 0) sealed.push(cipher.update(zeros.subarray(0, padding)));
    }
    sealed.push(cipher.update(epilogue));
    cipher.final();
    sealed.push(cipher.getAuthTag());
  }
}

export function secureMode({ key, receiveNonce, sendNonce }: FrameKeys): SecureMode {
  return new SecureMode(key, new NonceCounter(receiveNonce), new NonceCounter(sendNonce));
}

/** Bytes on the wire of a message with these segments, in secure mode. */
export function secureMessageFrameBytes(front: number, middle: number, data: number): number {
  return front + middle + data > 0 ? firstBytes + bodyBytes(front, middle, data) + tagBytes : firstBytes;
}

/** Bytes of segment 0 behind the inline ones, padded. */
function restOfHead(length: number): number {
  return Math.max(0, padded(length) - inlineBytes);
}

/** Bytes of the last operation's text: segments 1 to 3, padded, and the epilogue. */
function bodyBytes(length1: number, length2: number, length3: number): number {
  return padded(length1) + padded(length2) + padded(length3) + sealedEpilogueBytes;
}

/** Lengths may have all of their 32 bits, so no bitwise arithmetic. */
function padded(length: number): number {
  return Math.ceil(length / blockBytes) * blockBytes;
}

function putPadded(plain: Buffer, at: number, segment: Uint8Array): number {
  plain.set(segment, at);
  const end = at + padded(segment.length);
  if (end > at + segment.length) plain.fill(0, at + segment.length, end);
  return end;
}

const roomBytes = 128 * 1024;
let room = Buffer.alloc(0);
let roomUsed = 0;

/**
 * Memory for a sealed frame, added to `pieces`. It is cut from larger pieces and never used again, so that
 * neighbours become one piece and whoever holds it may take its time.
 */
function takeRoom(pieces: Uint8Array[], byteLength: number): Buffer {
  if (roomUsed + byteLength > room.length) {
    room = Buffer.allocUnsafeSlow(Math.max(roomBytes, byteLength));
    roomUsed = 0;
  }
  const start = roomUsed;
  roomUsed += byteLength;
  const taken = room.subarray(start, roomUsed);
  const last = pieces.at(-1);
  if (last !== undefined && last.buffer === room.buffer && last.byteOffset + last.length === start) {
    pieces[pieces.length - 1] = room.subarray(last.byteOffset, roomUsed);
  } else pieces.push(taken);
  return taken;
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
