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
import { channelQueueBytesMax, controlPayloadBytesMax, unackedBytesMax } from '../../limits.ts';
import type { StreamSecrets } from '../../protocol/stream-secrets.ts';
import type { Frame } from '../../wire/frame.ts';
import { Tag, tagName } from '../../wire/frames/tag.ts';
import { badFrame } from '../../wire/preamble.ts';
import type {
  Channel,
  ChannelCounters,
  ChannelHandler,
  OutgoingMessage,
  SessionOptions,
} from '../channel.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';
import type { BatchTable } from './batch-table.ts';
import type { ByteStream, ByteStreamHandler, ConnectStream } from './byte-stream.ts';
import { Inbox } from './inbox.ts';
import { Outbox } from './outbox.ts';
import type { SendSlabPool } from './send-slab.ts';
import { type LinkOwner, StreamLink } from './stream-link.ts';
import type { Turn, TurnMember } from './turn.ts';

/** What the channels of one transport share. */
export interface ChannelHost {
  readonly turn: Turn;
  readonly batch: BatchTable;
  readonly pool: SendSlabPool;
  readonly connect: ConnectStream;
  /** Payload bytes of one message, in either direction. */
  readonly messageBytesMax: number;
  /** The channel is destroyed. */
  forget(channel: StreamChannel): void;
}

const State = { idle: 0, opening: 1, handshake: 2, session: 3, gone: 4 } as const;
type State = (typeof State)[keyof typeof State];

/** What the handshake has asked for: a count of bytes, or one of these. */
const expectNothing = 0;
const expectOneFrame = -1;

/** Bytes given to the stream at once; the last message may go beyond. */
const writeBytesMax = 1024 * 1024;

/**
 * Control bytes that wait because the peer does not read; beyond, only the newest KEEPALIVE2 is answered,
 * so that a peer which only asks cannot make the queue grow.
 */
const keepaliveBacklogMax = 4096;
/** Bytes of KEEPALIVE2 (a timestamp) and of ACK (a sequence number). */
const stampBytes = 8;

/** Unread handshake bytes above which the socket is not read; a frame that is asked for fits. */
const handshakeBytesMax = 2 * controlPayloadBytesMax;

const noBytes = Buffer.alloc(0);

export class StreamChannel implements Channel, LinkOwner, TurnMember {
  handler: ChannelHandler;
  deliveryDue = false;
  flushDue = false;

  readonly #host: ChannelHost;
  readonly #id: number;
  #state: State = State.idle;
  #link: StreamLink | undefined;
  #generation = 0;
  #expectation = expectNothing;
  #lossless = false;
  /** The owner's wish, and what the stream was told of it or of a full handshake. */
  #paused = false;
  #streamPaused = false;
  #pumping = false;

  readonly #outbox: Outbox;
  readonly #inbox = new Inbox();
  #ackedLow = 0;
  #ackedHigh = 0;
  #acknowledgedDue = false;
  #keepalive: Buffer | undefined;
  /** The queue has been at its limit, and `onDrain` has not followed. */
  #full = false;
  #drainDue = false;
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
    this.#outbox = new Outbox(host.pool);
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
    return this.#outbox.waitingBytes + (this.#link?.queuedBytes ?? 0);
  }

  get unackedBytes(): number {
    return this.#outbox.bytes;
  }

  get outboxCount(): number {
    return this.#outbox.count;
  }

  counters(): ChannelCounters {
    return { ...this.#counters, messagesReplayed: this.#outbox.replayedCount };
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
    this.#streamPaused = from.#streamPaused;
    this.#applyPause();
    if (link.controlBytes > 0) this.#host.turn.scheduleFlush(this);
  }

  destroy(): void {
    if (this.#state === State.gone) return;
    this.disconnect();
    this.#state = State.gone;
    this.#outbox.clear();
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
    this.#queueControl(Buffer.from(bytes));
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
    this.#queueControl(link.mode.assembleControl(tag, payload));
    this.#counters.framesSent++;
  }

  secure(_secrets: StreamSecrets): void {
    throw new MsgrError(ErrorCode.Unsupported, 'secure mode is not available on this transport');
  }

  // The session

  startSession(options: SessionOptions): void {
    this.#must(this.#state === State.handshake, 'startSession() needs a channel in the handshake');
    const { turn, messageBytesMax } = this.#host;
    const link = this.#link!;
    this.#state = State.session;
    this.#expectation = expectNothing;
    this.#lossless = options.lossless;
    link.reader.messageBytesMax = messageBytesMax;
    // The handshake told the peer what was received.
    this.#inbox.told();
    this.#applyPause();
    turn.scheduleFlush(this);
    if (link.reader.bufferedBytes > 0 && !this.#pumping) turn.scheduleDelivery(this);
  }

  send(message: OutgoingMessage): void {
    if (this.#state === State.gone) throw new MsgrError(ErrorCode.Closed, 'the channel is destroyed');
    const messageBytes = message.front.length + message.middle.length + message.data.length;
    const { turn, messageBytesMax } = this.#host;
    if (messageBytes > messageBytesMax) {
      throw new MsgrError(
        ErrorCode.MessageTooLarge,
        `message type ${message.type} holds ${messageBytes} bytes, the limit is ${messageBytesMax}`,
      );
    }
    this.#outbox.append(message, this.#inbox.seqLow, this.#inbox.seqHigh);
    this.#inbox.told();
    if (this.#state === State.session) turn.scheduleFlush(this);
    if (!this.#full) this.#noteQueue();
  }

  acknowledge(seq: bigint): void {
    this.#outbox.acknowledge(Number(seq));
    this.#noteQueue();
    this.#resumeSending();
  }

  resetInSeq(): void {
    this.#inbox.reset();
    this.#outbox.clearAcks();
  }

  resetSession(): void {
    this.#inbox.reset();
    this.#outbox.clear();
    this.#ackedLow = 0;
    this.#ackedHigh = 0;
    this.#acknowledgedDue = false;
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
    this.#outbox.written(this.#lossless);
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
    if (this.#acknowledgedDue && this.#state !== State.gone) {
      this.#acknowledgedDue = false;
      this.handler.onAcknowledged?.((BigInt(this.#ackedHigh) << 32n) | BigInt(this.#ackedLow));
    }
    if (this.#drainDue && this.#state !== State.gone) {
      this.#drainDue = false;
      this.handler.onDrain();
    }
  }

  flush(): void {
    const link = this.#link;
    if (link === undefined || this.#state === State.opening) return;
    while (!link.blocked) {
      this.#echoKeepalive(link);
      const inSession = this.#state === State.session;
      if (inSession && this.#lossless && this.#inbox.untold) this.#queueAck(link);
      let byteLength = link.controlBytes;
      const pieces = link.takeControl();
      if (inSession) byteLength += this.#gather(link, pieces);
      if (pieces.length === 0) break;
      this.#counters.bytesSent += byteLength;
      if (link.write(pieces, byteLength)) this.#outbox.written(this.#lossless);
    }
    this.#noteQueue();
  }

  #gather(link: StreamLink, pieces: Uint8Array[]): number {
    const outbox = this.#outbox;
    const waiting = outbox.waitingCount;
    if (waiting === 0) return 0;
    const unackedMax = this.#lossless ? unackedBytesMax : Number.POSITIVE_INFINITY;
    const byteLength = outbox.gather(pieces, writeBytesMax, unackedMax, link.mode.seal);
    const gathered = waiting - outbox.waitingCount;
    this.#counters.messagesSent += gathered;
    this.#counters.framesSent += gathered;
    return byteLength;
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
          if (!this.#answerExpectation(link)) break;
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

  /** One answer of the handshake; false when there is none to give. */
  #answerExpectation(link: StreamLink): boolean {
    const expectation = this.#expectation;
    if (expectation === expectNothing) return false;
    const { reader } = link;
    if (expectation !== expectOneFrame) {
      const bytes = reader.takeBytes(expectation);
      if (bytes === undefined) return false;
      this.#expectation = expectNothing;
      this.handler.onBytes(bytes);
      return true;
    }
    if (!link.next()) return this.#failed(link);
    this.#expectation = expectNothing;
    this.#counters.framesReceived++;
    this.handler.onFrame(reader.frame.tag, reader.frame.payload(), reader.raw());
    return true;
  }

  /**
   * Reads the session's frames until bytes are missing (false) or a handler was called that may have
   * changed the channel's state (true).
   */
  #receive(link: StreamLink): boolean {
    const { batch } = this.#host;
    const { frame } = link.reader;
    while (link.next()) {
      this.#counters.framesReceived++;
      if (frame.tag === Tag.Message) {
        this.#receiveMessage(frame);
        if (batch.full) {
          this.#deliverMessages();
          return true;
        }
      } else if (!this.#receiveControl(link, frame)) {
        if (link.failure !== undefined) break;
        const { tag } = frame;
        const payload = frame.payload();
        this.#deliverMessages();
        if (this.#link === link && this.#state === State.session) {
          this.handler.onFrame(tag, payload, noBytes);
        }
        return true;
      }
    }
    if (batch.count > 0) {
      this.#deliverMessages();
      // What the handler did may matter to what is left to say here.
      if (this.#link !== link) return true;
    }
    return this.#failed(link);
  }

  #receiveMessage(frame: Frame): void {
    if (frame.aborted) return;
    const { headView, headStart } = frame;
    this.#peerHas(headView.getUint32(headStart + 28, true), headView.getUint32(headStart + 32, true));
    if (!this.#inbox.accept(headView.getUint32(headStart, true), headView.getUint32(headStart + 4, true))) {
      this.#counters.duplicatesDropped++;
      return;
    }
    this.#counters.messagesReceived++;
    this.#host.batch.add(this.#id, this.#generation, frame);
  }

  /** Handles ACK and KEEPALIVE2; false when the frame is another, or broken as `link.failure` says. */
  #receiveControl(link: StreamLink, frame: Frame): boolean {
    if (frame.tag !== Tag.Ack && frame.tag !== Tag.Keepalive2) return false;
    const length = frame.preamble.lengths[0]!;
    if (length !== stampBytes) {
      link.failure = badFrame(tagName(frame.tag), `has ${length} bytes, not ${stampBytes}`);
      return false;
    }
    const { headView, headStart } = frame;
    if (frame.tag === Tag.Ack) {
      this.#peerHas(headView.getUint32(headStart, true), headView.getUint32(headStart + 4, true));
    } else {
      if (link.controlBytes <= keepaliveBacklogMax) this.#echoKeepalive(link);
      this.#keepalive = Buffer.from(frame.payload());
      this.#host.turn.scheduleFlush(this);
    }
    return true;
  }

  #deliverMessages(): void {
    const { batch, turn } = this.#host;
    const { count } = batch;
    if (count === 0) return;
    if (this.#lossless) turn.scheduleFlush(this);
    try {
      this.handler.onMessages(batch, 0, count);
    } finally {
      batch.clear();
    }
  }

  /** Closes the channel if its stream broke the framing rules. Always false: nothing more to read. */
  #failed(link: StreamLink): false {
    const { failure } = link;
    if (failure === undefined) return false;
    this.#detach();
    link.stream.destroy();
    this.handler.onClosed(failure);
    return false;
  }

  /** Notes an acknowledgement from the peer; of many in a turn the last counts. */
  #peerHas(seqLow: number, seqHigh: number): void {
    if (seqHigh < this.#ackedHigh || (seqHigh === this.#ackedHigh && seqLow <= this.#ackedLow)) return;
    if (!this.#lossless) return;
    this.#ackedLow = seqLow;
    this.#ackedHigh = seqHigh;
    this.#acknowledgedDue = true;
    this.#outbox.acknowledge(seqHigh * 0x1_0000_0000 + seqLow);
    this.#host.turn.scheduleDelivery(this);
    this.#resumeSending();
  }

  // Writing

  #queueControl(bytes: Uint8Array): void {
    const link = this.#link;
    if (link === undefined) return;
    link.queue(bytes);
    this.#host.turn.scheduleFlush(this);
    this.#noteQueue();
  }

  #queueAck(link: StreamLink): void {
    const seq = Buffer.allocUnsafe(stampBytes);
    seq.writeUInt32LE(this.#inbox.seqLow, 0);
    seq.writeUInt32LE(this.#inbox.seqHigh, 4);
    link.queue(link.mode.assembleControl(Tag.Ack, seq));
    this.#counters.framesSent++;
    this.#inbox.told();
  }

  #echoKeepalive(link: StreamLink): void {
    if (this.#keepalive === undefined) return;
    link.queue(link.mode.assembleControl(Tag.Keepalive2Ack, this.#keepalive));
    this.#counters.framesSent++;
    this.#keepalive = undefined;
  }

  /** Room may have come for messages that waited for acknowledgements. */
  #resumeSending(): void {
    if (this.#outbox.waitingCount > 0 && this.#state === State.session) this.#host.turn.scheduleFlush(this);
  }

  /** Keeps account of the queue's level for `onDrain`. */
  #noteQueue(): void {
    const { queuedBytes } = this;
    if (queuedBytes >= channelQueueBytesMax) {
      this.#full = true;
      this.#drainDue = false;
    } else if (this.#full && queuedBytes < channelQueueBytesMax / 2) {
      this.#full = false;
      this.#drainDue = true;
      this.#host.turn.scheduleDelivery(this);
    }
  }

  // State

  #attach(link: StreamLink, state: State): void {
    this.#link = link;
    this.#state = state;
    this.#generation++;
    this.#expectation = expectNothing;
    this.#streamPaused = false;
    // Until the session: a message breaks the protocol whatever it holds.
    link.reader.messageBytesMax = controlPayloadBytesMax;
  }

  #detach(): void {
    this.#link = undefined;
    this.#state = State.idle;
    this.#expectation = expectNothing;
    this.#keepalive = undefined;
    this.#outbox.rewind();
    this.#noteQueue();
  }

  #expect(expectation: number): void {
    this.#must(this.#state === State.handshake, 'bytes and frames are expected in the handshake');
    this.#expectation = expectation;
    if (this.#pumping) return;
    this.#applyPause();
    if (this.#link!.reader.bufferedBytes > 0) this.#host.turn.scheduleDelivery(this);
  }

  /** Tells the stream whether to read: not when paused, nor when the handshake does not take what came. */
  #applyPause(): void {
    const link = this.#link!;
    if (link === undefined) return;
    const overfull =
      this.#state === State.handshake &&
      this.#expectation === expectNothing &&
      link.reader.bufferedBytes > handshakeBytesMax;
    const pause = this.#paused || overfull;
    if (pause === this.#streamPaused) return;
    this.#streamPaused = pause;
    if (pause) link.stream.pause();
    else link.stream.resume();
  }

  #must(holds: boolean, rule: string): asserts holds {
    if (!holds) throw new TypeError(rule);
  }
}
