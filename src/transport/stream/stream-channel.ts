/**
 * A channel (transport/channel.ts) over a byte stream. It connects the rooms of this folder and holds
 * nothing of its own but the state:
 *
 *      socket ─ chunks ─► StreamLink: FrameReader ─ frames ─► Inbox (seq) ─► BatchTable ─► handler
 *      socket ◄─ pieces ─ StreamLink: control bytes ◄──────── ACK, KEEPALIVE2_ACK
 *                    └─── Outbox: frames, seq, replay ◄────── send()
 *
 * Messages leave at the end of the turn (turn.ts). A write is given to the stream only when it is done
 * with the one before, so what waits longer leaves in larger pieces.
 */
import { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { controlPayloadBytesMax } from '../../limits.ts';
import type { StreamSecrets } from '../../protocol/stream-secrets.ts';
import { noBytes } from '../../wire/buffer-view.ts';
import { crcMode } from '../../wire/frame-crc.ts';
import { tagName } from '../../wire/frames/tag.ts';
import type {
  Channel,
  ChannelCounters,
  ChannelHandler,
  OutgoingMessage,
  SessionOptions,
} from '../channel.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';
import type { ChannelHost } from './channel-host.ts';
import { Inbox } from './inbox.ts';
import { ReadResult, Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { expectNothing, expectOneFrame, type LinkOwner, StreamLink } from './stream-link.ts';
import type { TurnMember } from './turn.ts';

const State = { idle: 0, opening: 1, handshake: 2, session: 3, gone: 4 } as const;
type State = (typeof State)[keyof typeof State];

export class StreamChannel implements Channel, LinkOwner, TurnMember {
  handler: ChannelHandler;
  deliveryDue = false;
  flushDue = false;

  readonly #host: ChannelHost;
  readonly #id: number;
  #state: State = State.idle;
  #link: StreamLink | undefined;
  #generation = 0;
  /** The owner wishes nothing to be read. */
  #paused = false;
  #pumping = false;

  readonly #sender: Sender;
  readonly #inbox = new Inbox();
  readonly #receiver: Receiver;
  readonly #counters: ChannelCounters = {
    framesReceived: 0,
    framesSent: 0,
    messagesReceived: 0,
    messagesSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    messagesReplayed: 0,
    duplicatesDropped: 0,
  };

  constructor(host: ChannelHost, id: number, handler: ChannelHandler) {
    this.#host = host;
    this.#id = id;
    this.handler = handler;
    this.#sender = new Sender(host.pool, this.#inbox, this.#counters);
    this.#receiver = new Receiver(host.batch, this.#inbox, this.#sender, this.#counters);
  }

  get remoteAddress(): SocketAddress | undefined {
    return this.#link?.stream.remoteAddress;
  }

  get localAddress(): SocketAddress | undefined {
    return this.#link?.stream.localAddress;
  }

  get inSeq(): bigint {
    return this.#inbox.seq;
  }

  get queuedBytes(): number {
    return this.#sender.queuedBytes(this.#link);
  }

  get backlogBytes(): number {
    return this.queuedBytes;
  }

  get unackedBytes(): number {
    return this.#sender.outbox.bytes;
  }

  get outboxCount(): number {
    return this.#sender.outbox.count;
  }

  counters(): ChannelCounters {
    const { replayedCount } = this.#sender.outbox;
    const messagesSent = this.#counters.messagesSent - replayedCount;
    return { ...this.#counters, messagesSent, messagesReplayed: replayedCount };
  }

  // The stream

  connect(address: SocketAddress, options: SocketOptions): void {
    this.#must(this.#state === State.idle, 'connect() needs an idle channel');
    const link = new StreamLink(this);
    this.#attach(link, State.opening);
    link.stream = this.#host.connect(address, options, link);
    this.#applyPause();
  }

  /** Takes an accepted socket, which is open; for the transport. */
  accept(open: (handler: ByteStreamHandler) => ByteStream): void {
    const link = new StreamLink(this);
    link.stream = open(link);
    this.#attach(link, State.handshake);
  }

  disconnect(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#detach();
    link.stream.destroy();
  }

  adopt(other: Channel): void {
    this.#must(this.#state !== State.gone, 'adopt() needs a channel that was not destroyed');
    this.#must(
      other instanceof StreamChannel && other !== this && other.#host === this.#host,
      'adopt() needs another channel of the same transport',
    );
    const from = other as StreamChannel;
    this.#must(from.#state === State.handshake, 'adopt() needs a channel in the handshake');
    this.disconnect();
    const link = from.#link!;
    from.#detach();
    from.destroy();
    link.owner = this;
    this.#attach(link, State.handshake);
    this.#applyPause();
    if (link.controlBytes > 0) this.#host.turn.scheduleFlush(this);
  }

  destroy(): void {
    if (this.#state === State.gone) return;
    this.disconnect();
    this.#state = State.gone;
    this.#sender.outbox.clear();
    this.#host.forget(this);
  }

  // The handshake

  expectBytes(count: number): void {
    this.#must(Number.isInteger(count) && count > 0, 'expectBytes() needs a count above 0');
    this.#expect(count);
  }

  expectFrame(): void {
    this.#expect(expectOneFrame);
  }

  sendBytes(bytes: Uint8Array): void {
    const link = this.#link;
    if (link === undefined) return;
    link.queue(Buffer.from(bytes));
    this.#controlQueued();
  }

  sendControl(tag: number, payload: Uint8Array): void {
    if (payload.length > controlPayloadBytesMax) {
      throw new MsgrError(
        ErrorCode.MessageTooLarge,
        `${tagName(tag)} of ${payload.length} bytes, the limit is ${controlPayloadBytesMax}`,
      );
    }
    const link = this.#link;
    if (link === undefined) return;
    this.#sender.control(link, tag, payload);
    this.#controlQueued();
  }

  secure(secrets: StreamSecrets): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#must(this.#state === State.handshake, 'secure() needs a channel in the handshake');
    // What is awaited would be read in one mode or the other, as it happens to come.
    this.#must(link.expectation === expectNothing, 'secure() comes before the next frame is asked for');
    this.#must(link.mode === crcMode, 'a stream gets its secrets once');
    link.mode = this.#host.secureMode(secrets);
  }

  // The session

  startSession(options: SessionOptions): void {
    this.#must(this.#state === State.handshake, 'startSession() needs a channel in the handshake');
    const { turn, messageBytesMax } = this.#host;
    const link = this.#link!;
    this.#state = State.session;
    this.#sender.startSession(options.lossless);
    this.#receiver.startSession(options.lossless);
    link.reader.messageBytesMax = messageBytesMax;
    this.#applyPause();
    turn.scheduleFlush(this);
    if (link.reader.bufferedBytes > 0 && !this.#pumping) turn.scheduleDelivery(this);
  }

  send(message: OutgoingMessage): number {
    if (this.#state === State.gone) throw new MsgrError(ErrorCode.Closed, 'the channel is destroyed');
    const messageBytes = message.front.length + message.middle.length + message.data.length;
    const { turn, messageBytesMax } = this.#host;
    if (messageBytes > messageBytesMax) {
      throw new MsgrError(
        ErrorCode.MessageTooLarge,
        `message type ${message.type} holds ${messageBytes} bytes, the limit is ${messageBytesMax}`,
      );
    }
    const bytes = this.#sender.append(message);
    if (this.#state === State.session) turn.scheduleFlush(this);
    this.#noteQueue();
    return bytes;
  }

  acknowledge(seq: bigint): void {
    this.#sender.outbox.acknowledge(Number(seq));
    this.#noteQueue();
    this.#resumeSending();
  }

  resetInSeq(): void {
    this.#inbox.reset();
    this.#sender.outbox.clearAcks();
  }

  resetSession(): void {
    this.#inbox.reset();
    this.#sender.outbox.clear();
    this.#receiver.resetSession();
    this.#noteQueue();
  }

  pauseReading(): void {
    this.#paused = true;
    this.#applyPause();
  }

  resumeReading(): void {
    this.#paused = false;
    this.#applyPause();
  }

  // What the link tells

  linkOpened(): void {
    this.#state = State.handshake;
    this.handler.onOpen();
  }

  linkReceived(byteLength: number): void {
    this.#counters.bytesReceived += byteLength;
    this.#pump();
  }

  linkDrained(): void {
    this.#sender.written();
    this.flush();
  }

  linkClosed(error: MsgrError): void {
    const link = this.#link;
    // What is due would be lost with the link.
    if (this.deliveryDue) this.deliver();
    if (link !== this.#link || this.#link === undefined) return;
    this.#detach();
    this.handler.onClosed(error);
  }

  // The turn's end

  deliver(): void {
    this.#pump();
    if (this.#receiver.acknowledgedDue && this.#state !== State.gone) {
      this.#receiver.acknowledgedDue = false;
      this.handler.onAcknowledged?.(Number(this.#receiver.ackedSeq));
    }
    if (this.#sender.drainDue && this.#state !== State.gone) {
      this.#sender.drainDue = false;
      this.handler.onDrain();
    }
  }

  flush(): void {
    const link = this.#link;
    if (link === undefined || this.#state === State.opening) return;
    this.#sender.flush(link, this.#state === State.session);
    if (link.mode.isUsedUp) link.usedUp();
    if (link.failure !== undefined) this.#host.turn.scheduleDelivery(this);
    this.#noteQueue();
  }

  // Reading

  /** Hands out what can be handed out. Never called from inside a call of the owner. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    let finished = false;
    try {
      for (;;) {
        const link = this.#link;
        if (link === undefined) break;
        if (this.#state === State.handshake) {
          if (!link.answer(this.handler, this.#counters)) {
            this.#failed(link);
            break;
          }
        } else if (this.#state !== State.session || !this.#receive(link)) break;
      }
      finished = true;
    } finally {
      this.#pumping = false;
      // A handler threw: what is behind waits for the next turn.
      if (!finished) this.#host.turn.scheduleDelivery(this);
    }
    if (this.#link !== undefined) this.#applyPause();
  }

  /**
   * Hands out what the session's stream holds; false when it holds nothing more. A handler may have
   * changed everything when it returns, so each step begins afresh.
   */
  #receive(link: StreamLink): boolean {
    const { batch, turn } = this.#host;
    if (link.frameDue) {
      link.frameDue = false;
      const { frame } = link.reader;
      this.handler.onFrame(frame.tag, frame.payload(), noBytes);
      return true;
    }
    const receiver = this.#receiver;
    const result = receiver.read(link, this.#id, this.#generation);
    link.frameDue = result === ReadResult.Frame;
    if (receiver.answerDue) {
      receiver.answerDue = false;
      turn.scheduleFlush(this);
    }
    if (receiver.acknowledgedDue) turn.scheduleDelivery(this);
    if (batch.count > 0) {
      // Of a handler that throws nobody knows what it kept.
      let isKept = true;
      try {
        isKept = this.handler.onMessages(batch, 0, batch.count);
      } finally {
        batch.clear(isKept);
      }
      if (this.#link !== link || this.#state !== State.session) return true;
    }
    return result === ReadResult.End ? this.#failed(link) : true;
  }

  /** Closes the channel if its stream must end. Always false: there is nothing more to read. */
  #failed(link: StreamLink): false {
    const { failure } = link;
    if (failure === undefined) return false;
    this.#detach();
    link.stream.destroy();
    this.handler.onClosed(failure);
    return false;
  }

  // Writing

  #controlQueued(): void {
    this.#host.turn.scheduleFlush(this);
    this.#noteQueue();
  }

  /** Room may have come for messages that waited for acknowledgements. */
  #resumeSending(): void {
    if (this.#sender.outbox.waitingCount > 0 && this.#state === State.session)
      this.#host.turn.scheduleFlush(this);
  }

  #noteQueue(): void {
    this.#sender.noteLevel(this.#link);
    if (this.#sender.drainDue) this.#host.turn.scheduleDelivery(this);
  }

  // State

  #attach(link: StreamLink, state: State): void {
    this.#link = link;
    this.#state = state;
    this.#generation++;
    link.expectation = expectNothing;
    // Until the session: a message breaks the protocol whatever it holds.
    link.reader.messageBytesMax = controlPayloadBytesMax;
  }

  #detach(): void {
    this.#link = undefined;
    this.#state = State.idle;
    this.#sender.detach();
    this.#noteQueue();
  }

  #expect(expectation: number): void {
    const link = this.#link;
    // The socket may have gone before its owner could ask: then `onClosed` was the answer.
    if (link === undefined) return;
    this.#must(this.#state === State.handshake, 'bytes and frames are expected in the handshake');
    link.expectation = expectation;
    if (this.#pumping) return;
    this.#applyPause();
    if (link.reader.bufferedBytes > 0) this.#host.turn.scheduleDelivery(this);
  }

  /** Tells the stream whether to read: not when paused, nor when the handshake does not take what came. */
  #applyPause(): void {
    const link = this.#link;
    if (link === undefined) return;
    link.setPaused(this.#paused || (this.#state === State.handshake && link.isOverfull));
  }

  #must(holds: boolean, rule: string): asserts holds {
    if (!holds) throw new TypeError(rule);
  }
}
