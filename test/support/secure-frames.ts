/** Both ends of a stream in secure mode, and what their tests do with frames. */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { assembleMessageFrame, lentOf, writeMessageFrame, writtenBytes } from '../../src/wire/frame.ts';
import { FrameReader } from '../../src/wire/frame-reader.ts';
import { type SecureMode, secureMessageFrameBytes, secureMode } from '../../src/wire/frame-secure.ts';
import type { MessageHeader } from '../../src/wire/message-header.ts';

export const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
/** The counter carries in the middle of each test, and goes round. */
export const nonce = Buffer.from('a0a1a2a3feffffffffffffff', 'hex');
export const otherNonce = Buffer.from('b0b1b2b30000000000000000', 'hex');
export const empty = new Uint8Array(0);

/** What seals with `nonce`, and what opens it. */
export const sender = () => secureMode({ key, receiveNonce: otherNonce, sendNonce: nonce });
export const receiver = () => secureMode({ key, receiveNonce: nonce, sendNonce: otherNonce });

export const header: MessageHeader = {
  seq: 0x0102030405060708n,
  tid: 0x1112131415161718n,
  type: 70,
  priority: 127,
  version: 5,
  dataPrePaddingLength: 0,
  dataOffset: 0,
  ackSeq: 0x2122232425262728n,
  flags: 3,
  compatVersion: 4,
  reserved: 0,
};

export interface OpenedFrame {
  tag: number;
  aborted: boolean;
  /** Segments 0 to 3. */
  segments: Buffer[];
  raw: Buffer;
}

export function open(bytes: Uint8Array, mode = receiver(), messageBytesMax?: number): OpenedFrame[] {
  const reader = new FrameReader(messageBytesMax);
  reader.mode = mode;
  reader.push(Buffer.from(bytes));
  const frames: OpenedFrame[] = [];
  while (reader.next()) frames.push(takeFrame(reader));
  return frames;
}

export function takeFrame(reader: FrameReader): OpenedFrame {
  const { frame } = reader;
  const segments = [frame.payload(), frame.segment(1), frame.segment(2), frame.segment(3)];
  return {
    tag: frame.tag,
    aborted: frame.aborted,
    segments: segments.map((segment) => Buffer.from(segment)),
    raw: Buffer.from(reader.raw()),
  };
}

/** A message written as a channel writes it, and sealed. */
export function sealMessage(
  mode: SecureMode,
  front: Uint8Array,
  middle: Uint8Array = empty,
  data: Uint8Array = empty,
) {
  const at = 5;
  const memory = Buffer.alloc(at + writtenBytes(front.length, middle.length, data.length));
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  const outgoing = { ...header, tidLow: 0x15161718, tidHigh: 0x11121314, front, middle, data };
  const end = writeMessageFrame(memory, view, at, outgoing, 0x05060708, 0x01020304, 0x25262728, 0x21222324);
  const before = Buffer.from(memory);
  const pieces: Uint8Array[] = [];
  const byteLength = mode.seal(pieces, memory, at, end, lentOf(front), lentOf(data));
  assert.ok(memory.equals(before), 'the frame stays what it is, for a replay');
  const sealed = Buffer.concat(pieces);
  assert.equal(byteLength, sealed.length);
  assert.equal(byteLength, secureMessageFrameBytes(front.length, middle.length, data.length));
  return sealed;
}

export const headerBytes = (): Buffer =>
  Buffer.concat(assembleMessageFrame(header, empty, empty, empty)).subarray(32, 32 + 41);
