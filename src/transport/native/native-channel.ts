/**
 * A channel of the native loop: a number there, and what JavaScript has to know of it here.
 *
 * Commands go down at once; events come back in batches and may have crossed a command on their way. So each
 * socket of a channel has a generation: what tells of an older socket is dropped here. Messages are another
 * matter: one that the core has counted as received is delivered although its socket is gone by now, unless
 * the session was reset.
 */
import { Buffer } from 'node:buffer';
import { isIP } from 'node:net';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { channelQueueBytesMax, controlPayloadBytesMax } from '../../limits.ts';
import { loadNative, type NativeLoop } from '../../native.ts';
import type { StreamSecrets } from '../../protocol/stream-secrets.ts';
import { tagName } from '../../wire/frames/tag.ts';
import type {
  Channel,
  ChannelCounters,
  ChannelHandler,
  OutgoingMessage,
  SessionOptions,
  SharedMemoryPort,
} from '../channel.ts';
import { Field } from '../message-batch.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';
import { addressWords, readAddressWords } from './address-words.ts';
import { closedError } from './native-errors.ts';
import type { SendTable } from './send-table.ts';

/** What happened; the core's RecordKind. Messages (0) are handled by the transport, in groups. */
export const RecordKind = {
  message: 0,
  opened: 1,
  bytes: 2,
  frame: 3,
  drained: 4,
  acknowledged: 5,
  closed: 6,
  accepted: 7,
  destroyed: 8,
  busy: 9,
} as const;

/** u64 words of a channel's counters; native/core/channel/channel_counters.h. */
export const CounterWord = {
  framesReceived: 0,
  framesSent: 1,
  messagesReceived: 2,
  messagesSent: 3,
  bytesReceived: 4,
  bytesSent: 5,
  messagesReplayed: 6,
  duplicatesDropped: 7,
  inSeq: 8,
  outSeq: 9,
  queuedBytes: 10,
  unackedBytes: 11,
  outboxCount: 12,
  backlogBytes: 13,
  /** Framed bytes and messages that the core took from send tables, ever. */
  acceptedBytes: 14,
  acceptedCount: 15,
} as const;
export const counterWords = 16;

/** Words of the two addresses in `opened` and `accepted` records. */
const remoteWords = Field.typeAndPriority;
const localWords = Field.typeAndPriority + addressWords;

/** What is known here of the socket, as far as `secure()` has to know it. */
const Stage = { closed: 0, handshake: 1, expecting: 2, session: 3 } as const;
type Stage = (typeof Stage)[keyof typeof Stage];

/** What a channel needs of its transport. */
export interface NativeChannelHost {
  readonly native: NativeLoop;
  readonly sendTable: SendTable;
  forget(channel: NativeChannel): void;
}

export class NativeChannel implements Channel, SharedMemoryPort {
  handler: ChannelHandler;
  readonly id: number;
  /** Of the present socket. */
  generation = 0;
  /** Messages of sockets before this one belong to a session that was reset. */
  messageGeneration = 0;
  isGone = false;
  remoteAddress: SocketAddress | undefined;
  localAddress: SocketAddress | undefined;

  readonly #host: NativeChannelHost;
  /** The host's, one step nearer for each message. */
  readonly #sendTable: SendTable;
  /** This channel's counters as pairs of u32: reading them makes no bigint. */
  readonly #counters: Uint32Array;
  /** What was written into the send table, ever, modulo 2^32; what of it the core took is a counter. */
  #appendedBytes = 0;
  #appendedCount = 0;
  /** The core was asked for a `drained` record that has not come yet. */
  #wantsDrained = false;
  #peer = '';
  #stage: Stage = Stage.closed;
  /** The socket's stream has its secrets. */
  #isSecure = false;

  constructor(host: NativeChannelHost, id: number, handler: ChannelHandler, counters: Uint32Array) {
    this.#host = host;
    this.#sendTable = host.sendTable;
    this.id = id;
    this.handler = handler;
    this.#counters = counters;
  }

  connect(address: SocketAddress, options: SocketOptions): void {
    if (this.isGone) return;
    const generation = ++this.generation;
    this.#peer = addressText(address);
    try {
      const local = options.localAddress;
      for (const { host, family } of local === undefined ? [address] : [address, local]) {
        if (isIP(host) !== family) {
          throw new MsgrError(ErrorCode.InvalidArgument, `${host} is no IPv${family} address`);
        }
      }
      this.#host.native.connect(this.id, generation, address, options);
    } catch (error) {
      const refused =
        error instanceof MsgrError
          ? error
          : new MsgrError(ErrorCode.InvalidArgument, `${this.#peer}: ${(error as Error).message}`, {
              cause: error,
            });
      // No event fires from inside a call.
      setImmediate(() => {
        if (!this.isGone && this.generation === generation) this.handler.onClosed(refused);
      });
    }
  }

  disconnect(): void {
    if (this.isGone) return;
    this.#forgetAddresses();
    this.#stage = Stage.closed;
    this.#host.native.disconnect(this.id, ++this.generation);
  }

  adopt(other: Channel): void {
    if (!(other instanceof NativeChannel) || other.#host !== this.#host) {
      throw new TypeError('adopt: the other channel is of another transport');
    }
    if (this.isGone || other.isGone) return;
    this.remoteAddress = other.remoteAddress;
    this.localAddress = other.localAddress;
    this.#peer = other.#peer;
    this.#stage = other.#stage;
    this.#isSecure = other.#isSecure;
    this.#host.native.adopt(this.id, ++this.generation, other.id);
    other.#markGone();
  }

  destroy(): void {
    if (this.isGone) return;
    this.#host.native.destroy(this.id);
    this.#markGone();
  }

  expectBytes(count: number): void {
    if (this.isGone) return;
    this.#host.native.expectBytes(this.id, count);
    if (this.#stage === Stage.handshake) this.#stage = Stage.expecting;
  }

  expectFrame(): void {
    if (this.isGone) return;
    this.#host.native.expectFrame(this.id);
    if (this.#stage === Stage.handshake) this.#stage = Stage.expecting;
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.isGone) this.#host.native.sendBytes(this.id, bytes);
  }

  sendControl(tag: number, payload: Uint8Array): void {
    if (payload.length > controlPayloadBytesMax) {
      throw new MsgrError(
        ErrorCode.MessageTooLarge,
        `${tagName(tag)} of ${payload.length} bytes, the limit is ${controlPayloadBytesMax}`,
      );
    }
    if (!this.isGone) this.#host.native.sendControl(this.id, tag, payload);
  }

  secure({ key, receiveNonce, sendNonce }: StreamSecrets): void {
    const stage = this.#stage;
    if (this.isGone || stage === Stage.closed) return;
    if (stage === Stage.session) throw new TypeError('secure() needs a channel in the handshake');
    if (stage === Stage.expecting) throw new TypeError('secure() comes before the next frame is asked for');
    if (this.#isSecure) throw new TypeError('a stream gets its secrets once');
    if (!loadNative().hasAead) {
      throw new MsgrError(ErrorCode.Unsupported, 'secure mode needs OpenSSL, which this host does not offer');
    }
    this.#host.native.secure(this.id, key, receiveNonce, sendNonce);
    this.#isSecure = true;
  }

  startSession(options: SessionOptions): void {
    if (this.isGone) return;
    this.#host.native.startSession(this.id, options.lossless);
    if (this.#stage !== Stage.closed) this.#stage = Stage.session;
  }

  send(message: OutgoingMessage): number {
    if (this.isGone) return 0;
    const size = this.#sendTable.append(this.id, message);
    this.#appendedBytes = (this.#appendedBytes + size) | 0;
    this.#appendedCount = (this.#appendedCount + 1) | 0;
    return size;
  }

  acknowledge(seq: bigint): void {
    if (!this.isGone) this.#host.native.acknowledge(this.id, seq);
  }

  get inSeq(): bigint {
    const word = CounterWord.inSeq * 2;
    return (BigInt(this.#counters[word + 1]!) << 32n) | BigInt(this.#counters[word]!);
  }

  resetInSeq(): void {
    if (this.isGone) return;
    this.messageGeneration = this.generation;
    this.#host.native.resetInSeq(this.id);
  }

  resetSession(): void {
    if (this.isGone) return;
    this.messageGeneration = this.generation;
    this.#host.native.resetSession(this.id);
  }

  pauseReading(): void {
    if (!this.isGone) this.#host.native.pauseReading(this.id);
  }

  resumeReading(): void {
    if (!this.isGone) this.#host.native.resumeReading(this.id);
  }

  get sharedMemory(): SharedMemoryPort | undefined {
    const { localAddress, remoteAddress } = this;
    if (localAddress === undefined || remoteAddress === undefined) return undefined;
    const isWithinHost =
      localAddress.host === remoteAddress.host || (isLoopback(localAddress) && isLoopback(remoteAddress));
    return isWithinHost ? this : undefined;
  }

  shareInvite(name: Uint8Array): boolean {
    return !this.isGone && this.#host.native.shareInvite(this.id, name);
  }

  shareGive(name: Uint8Array, token: Uint8Array): boolean {
    return !this.isGone && this.#host.native.shareGive(this.id, name, token);
  }

  shareTake(token: Uint8Array): boolean {
    return !this.isGone && this.#host.native.shareTake(this.id, token);
  }

  shareNothing(): void {
    if (!this.isGone) this.#host.native.shareNothing(this.id);
  }

  shareOutput(): void {
    if (!this.isGone) this.#host.native.shareOutput(this.id);
  }

  shareInput(): void {
    if (!this.isGone) this.#host.native.shareInput(this.id);
  }

  get queuedBytes(): number {
    return this.#watched(CounterWord.queuedBytes);
  }

  get backlogBytes(): number {
    return this.#watched(CounterWord.backlogBytes);
  }

  get unackedBytes(): number {
    return this.#onTheWayBytes() + this.#counter(CounterWord.unackedBytes);
  }

  get outboxCount(): number {
    const accepted = this.#counters[CounterWord.acceptedCount * 2]!;
    return ((this.#appendedCount - accepted) >>> 0) + this.#counter(CounterWord.outboxCount);
  }

  counters(): ChannelCounters {
    return {
      framesReceived: this.#counter(CounterWord.framesReceived),
      framesSent: this.#counter(CounterWord.framesSent),
      messagesReceived: this.#counter(CounterWord.messagesReceived),
      messagesSent: this.#counter(CounterWord.messagesSent),
      bytesReceived: this.#counter(CounterWord.bytesReceived),
      bytesSent: this.#counter(CounterWord.bytesSent),
      messagesReplayed: this.#counter(CounterWord.messagesReplayed),
      duplicatesDropped: this.#counter(CounterWord.duplicatesDropped),
    };
  }

  /** For the transport: the record of a new socket tells its ends. */
  takeSocket(records: Int32Array, at: number): void {
    this.#stage = Stage.handshake;
    this.#isSecure = false;
    this.remoteAddress = readAddressWords(records, at + remoteWords);
    this.localAddress = readAddressWords(records, at + localWords);
    if (this.remoteAddress !== undefined) this.#peer = addressText(this.remoteAddress);
  }

  /** For the transport: one record that is no message. */
  handle(kind: number, records: Int32Array, at: number, slabs: readonly ArrayBuffer[]): void {
    // The queue outlives the socket.
    if (kind === RecordKind.drained) {
      this.#wantsDrained = false;
      this.handler.onDrain();
      return;
    }
    if (records[at + Field.generation] !== this.generation && kind !== RecordKind.acknowledged) return;
    switch (kind) {
      case RecordKind.opened:
        this.takeSocket(records, at);
        this.handler.onOpen();
        return;
      case RecordKind.bytes:
        this.#stage = Stage.handshake;
        this.handler.onBytes(piece(records, at, slabs, Field.frontOffset, Field.frontLength));
        return;
      case RecordKind.frame:
        if (this.#stage === Stage.expecting) this.#stage = Stage.handshake;
        this.handler.onFrame(
          records[at + Field.typeAndPriority]!,
          piece(records, at, slabs, Field.frontOffset, Field.frontLength),
          piece(records, at, slabs, Field.dataOffset, Field.dataLength),
        );
        return;
      case RecordKind.acknowledged:
        if (records[at + Field.generation]! >= this.messageGeneration) {
          this.handler.onAcknowledged?.(
            (records[at + Field.seqHigh]! >>> 0) * 2 ** 32 + (records[at + Field.seqLow]! >>> 0),
          );
        }
        return;
      case RecordKind.busy:
        this.handler.onBusy?.();
        return;
      case RecordKind.closed:
        this.#forgetAddresses();
        this.#stage = Stage.closed;
        this.handler.onClosed(closedError(records, at, this.#peer));
        return;
    }
  }

  /** For the transport, when it closes. */
  markGone(): void {
    this.#markGone();
  }

  #markGone(): void {
    this.isGone = true;
    this.#forgetAddresses();
    this.#host.forget(this);
  }

  #forgetAddresses(): void {
    this.remoteAddress = undefined;
    this.localAddress = undefined;
  }

  #counter(word: number): number {
    return this.#counters[word * 2 + 1]! * 2 ** 32 + this.#counters[word * 2]!;
  }

  /**
   * Whoever sees the queue at its limit is told when it has drained. What is on its way down counts here, and
   * the core may never have as much of it at once: so it does not judge by itself, it is asked.
   */
  #watched(word: number): number {
    const bytes = this.#onTheWayBytes() + this.#counter(word);
    if (bytes >= channelQueueBytesMax && !this.#wantsDrained && !this.isGone) {
      this.#wantsDrained = true;
      this.#host.native.wantDrained(this.id);
    }
    return bytes;
  }

  #onTheWayBytes(): number {
    return (this.#appendedBytes - this.#counters[CounterWord.acceptedBytes * 2]!) >>> 0;
  }
}

function piece(
  records: Int32Array,
  at: number,
  slabs: readonly ArrayBuffer[],
  offset: number,
  length: number,
): Buffer {
  return Buffer.from(slabs[records[at + Field.slab]!]!, records[at + offset]!, records[at + length]!);
}

function isLoopback({ host }: SocketAddress): boolean {
  return host.startsWith('127.');
}

export function addressText({ family, host, port }: SocketAddress): string {
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
