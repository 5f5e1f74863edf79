/** A byte stream under a test's hand: it says when the system takes bytes, and what arrives. */
import type { MsgrError } from '../../../src/errors.ts';
import type { ChannelHandler } from '../../../src/transport/channel.ts';
import type { ByteStream, ByteStreamHandler } from '../../../src/transport/stream/byte-stream.ts';
import type { ChannelHost } from '../../../src/transport/stream/channel-host.ts';
import type { StreamChannel } from '../../../src/transport/stream/stream-channel.ts';
import { StreamHost } from '../../../src/transport/stream/stream-host.ts';
import { assembleControlFrame, assembleMessageFrame, type FrameMode } from '../../../src/wire/frame.ts';
import { crcMode } from '../../../src/wire/frame-crc.ts';
import { FrameReader } from '../../../src/wire/frame-reader.ts';
import type { MessageHeader } from '../../../src/wire/message-header.ts';
import { Recorder } from '../recorder.ts';

export class FakeStream implements ByteStream {
  handler: ByteStreamHandler;
  readonly remoteAddress = { family: 4, host: '10.0.0.2', port: 6800 } as const;
  readonly localAddress = { family: 4, host: '10.0.0.1', port: 40000 } as const;
  /** What was written, copied at once. */
  readonly writes: Buffer[] = [];
  /** When true, writes are held until `drain()`. */
  full = false;
  paused = false;
  destroyed = false;

  constructor(handler: ByteStreamHandler) {
    this.handler = handler;
  }

  write(pieces: readonly Uint8Array[]): boolean {
    this.writes.push(Buffer.concat(pieces));
    return !this.full;
  }

  drain(): void {
    this.full = false;
    this.handler.onDrain();
  }

  receive(...bytes: Uint8Array[]): void {
    this.handler.onData(Buffer.concat(bytes));
  }

  close(error: MsgrError): void {
    this.handler.onClose(error);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Tags and first segments of all frames written since the last call. */
  takeFrames(mode: FrameMode = crcMode): { tag: number; head: Buffer; raw: Buffer }[] {
    const reader = new FrameReader();
    reader.mode = mode;
    for (const bytes of this.writes) reader.push(bytes);
    this.writes.length = 0;
    const frames: { tag: number; head: Buffer; raw: Buffer }[] = [];
    while (reader.next()) {
      frames.push({
        tag: reader.frame.tag,
        head: Buffer.from(reader.frame.payload()),
        raw: Buffer.from(reader.raw()),
      });
    }
    return frames;
  }
}

/** A host whose turns end when the test says so. */
export class FakeHost {
  readonly host: StreamHost;
  readonly streams: FakeStream[] = [];
  #deferred: (() => void)[] = [];

  constructor(messageBytesMax = 1024 * 1024, secureMode?: ChannelHost['secureMode']) {
    this.host = new StreamHost({
      connect: (_address, _options, handler) => this.#open(handler),
      defer: (run) => this.#deferred.push(run),
      messageBytesMax,
      ...(secureMode === undefined ? {} : { secureMode }),
    });
  }

  /** A channel in the handshake, with its stream. */
  open(handler?: ChannelHandler): { channel: StreamChannel; stream: FakeStream; events: Recorder } {
    const events = new Recorder();
    const channel = this.host.createChannel(handler ?? events);
    channel.accept((streamHandler) => this.#open(streamHandler));
    return { channel, stream: this.streams[this.streams.length - 1]!, events };
  }

  /** A channel in session. */
  session(lossless = true, handler?: ChannelHandler) {
    const opened = this.open(handler);
    opened.channel.startSession({ lossless });
    return opened;
  }

  /** Ends the turn, and those that it leads to. */
  turn(): void {
    for (let turns = 0; this.#deferred.length > 0; turns++) {
      if (turns > 1000) throw new Error('turns without end');
      this.#deferred.shift()!();
    }
  }

  #open(handler: ByteStreamHandler): FakeStream {
    const stream = new FakeStream(handler);
    this.streams.push(stream);
    return stream;
  }
}

const header: MessageHeader = {
  seq: 1n,
  tid: 0n,
  type: 70,
  priority: 127,
  version: 5,
  dataPrePaddingLength: 0,
  dataOffset: 0,
  ackSeq: 0n,
  flags: 3,
  compatVersion: 4,
  reserved: 0,
};

/** A message's frame as a peer sends it. */
export function messageFrame(seq: number, fields: Partial<MessageHeader> = {}, front = 'front'): Buffer {
  const empty = new Uint8Array(0);
  const pieces = assembleMessageFrame(
    { ...header, seq: BigInt(seq), ...fields },
    Buffer.from(front),
    empty,
    empty,
  );
  return Buffer.concat(pieces);
}

export function u64Frame(tag: number, value: bigint): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeBigUInt64LE(value);
  return assembleControlFrame(tag, payload);
}
