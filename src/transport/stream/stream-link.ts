/**
 * One socket in the service of a channel: the byte stream, the reader of its frames, and the control
 * bytes that wait for it. All of it ends with the socket, while the channel goes on; a channel that takes
 * over another's socket takes its link.
 */
import type { Buffer } from 'node:buffer';
import { MsgrError } from '../../errors.ts';
import { controlPayloadBytesMax } from '../../limits.ts';
import { emptyBytes, type FrameMode } from '../../wire/frame.ts';
import { crcMode } from '../../wire/frame-crc.ts';
import { noncesUsedUp } from '../../wire/frame-nonce.ts';
import { FrameReader } from '../../wire/frame-reader.ts';
import type { ChannelCounters, ChannelHandler } from '../channel.ts';
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';
import { socketAddressText } from './socket-text.ts';

/** What the handshake has asked for: a count of bytes, or one of these. */
export const expectNothing = 0;
export const expectOneFrame = -1;

/** Unread handshake bytes above which the socket is not read; a frame that is asked for fits. */
const handshakeBytesMax = 2 * controlPayloadBytesMax;

/** What a link tells its channel. */
export interface LinkOwner {
  linkOpened(): void;
  linkReceived(byteLength: number): void;
  linkDrained(): void;
  linkClosed(error: MsgrError): void;
}

export class StreamLink implements ByteStreamHandler {
  owner: LinkOwner;
  readonly reader = new FrameReader();
  /** Why the stream must end: the peer broke the framing rules, or no frame more can be sealed. */
  failure: MsgrError | undefined;
  /** The reader stands at a control frame that its owner has not been given yet. */
  frameDue = false;

  /** In the handshake: a count of bytes or {@link expectOneFrame}. */
  expectation = expectNothing;

  #stream: ByteStream | undefined;
  #paused = false;
  #control: Uint8Array[] = [];
  #controlBytes = 0;
  /** Bytes that the stream holds; it takes no more meanwhile. */
  #heldBytes = 0;

  constructor(owner: LinkOwner) {
    this.owner = owner;
  }

  /** How frames are protected, to the peer from the next one on and from it from the next that is read. */
  get mode(): FrameMode {
    return this.reader.mode;
  }

  set mode(mode: FrameMode) {
    this.reader.mode = mode;
  }

  /** Set once, right after the link was made. */
  get stream(): ByteStream {
    return this.#stream!;
  }

  set stream(stream: ByteStream) {
    this.#stream = stream;
  }

  /** True while the stream holds what it was given last. */
  get blocked(): boolean {
    return this.#heldBytes > 0;
  }

  /** Control bytes that wait, and whatever the stream holds. */
  get queuedBytes(): number {
    return this.#controlBytes + this.#heldBytes;
  }

  get controlBytes(): number {
    return this.#controlBytes;
  }

  /** Queues bytes that go before any message; they become the link's. */
  queue(bytes: Uint8Array): void {
    this.#control.push(bytes);
    this.#controlBytes += bytes.length;
  }

  /** The control bytes that wait, which no longer do; the list is the caller's to extend. */
  takeControl(): Uint8Array[] {
    const control = this.#control;
    this.#control = [];
    this.#controlBytes = 0;
    return control;
  }

  /** Gives pieces to the stream; must not be blocked. True: the stream is done with them. */
  write(pieces: readonly Uint8Array[], byteLength: number): boolean {
    if (this.stream.write(pieces)) return true;
    this.#heldBytes = byteLength;
    return false;
  }

  /** The handshake has more unread bytes than it will ever ask for at once. */
  get isOverfull(): boolean {
    return this.expectation === expectNothing && this.reader.bufferedBytes > handshakeBytesMax;
  }

  /** Stops or restarts the stream, if it is not so already. */
  setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (paused) this.stream.pause();
    else this.stream.resume();
  }

  /** Gives the handshake the one answer that it asked for; false when it has not, or bytes are missing. */
  answer(handler: ChannelHandler, counters: ChannelCounters): boolean {
    const { expectation, reader } = this;
    if (expectation === expectNothing) return false;
    if (expectation !== expectOneFrame) {
      const bytes = reader.takeBytes(expectation);
      if (bytes === undefined) return false;
      this.expectation = expectNothing;
      handler.onBytes(bytes);
      return true;
    }
    if (!this.next()) return false;
    this.expectation = expectNothing;
    counters.framesReceived++;
    const raw = reader.mode === crcMode ? reader.raw() : emptyBytes;
    handler.onFrame(reader.frame.tag, reader.frame.payload(), raw);
    return true;
  }

  /** Moves on to the next frame; false when bytes are missing or when `failure` says why there is none. */
  next(): boolean {
    if (this.failure !== undefined) return false;
    try {
      return this.reader.next();
    } catch (error) {
      if (!(error instanceof MsgrError)) throw error;
      this.fail(error);
      return false;
    }
  }

  /** No frame more can be sealed. */
  usedUp(): void {
    if (this.failure === undefined) this.fail(noncesUsedUp());
  }

  /** Notes why the stream must end, with the peer's address. */
  fail({ code, message, field, offset }: MsgrError): void {
    const { remoteAddress } = this.stream;
    const peer = remoteAddress === undefined ? 'peer' : socketAddressText(remoteAddress);
    this.failure = new MsgrError(code, `${peer}: ${message}`, {
      peer,
      ...(field === undefined ? {} : { field }),
      ...(offset === undefined ? {} : { offset }),
    });
  }

  onOpen(): void {
    this.owner.linkOpened();
  }

  onData(chunk: Buffer): void {
    this.reader.push(chunk);
    this.owner.linkReceived(chunk.length);
  }

  onDrain(): void {
    this.#heldBytes = 0;
    this.owner.linkDrained();
  }

  onClose(error: MsgrError): void {
    this.owner.linkClosed(error);
  }
}
