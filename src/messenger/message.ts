/**
 * Messages, on both ways. A `Message` is made to be sent; a `ReceivedMessage` came over a connection and
 * is a view into the slab it arrived in: its segments become buffers when they are first asked for, and
 * stay valid as long as someone holds them or the message (a dispatcher that declares `borrowsPayload`
 * gives that up for speed: there they, and the message, are valid until its handler returns).
 */
import type { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../errors.ts';
import type { OutgoingMessage } from '../transport/channel.ts';
import { Field } from '../transport/message-batch.ts';
import { bufferView, noBytes } from '../wire/buffer-view.ts';
import { MessagePriority } from '../wire/message-header.ts';
import type { MessageType } from '../wire/messages/registry.ts';
import type { Connection } from './connection.ts';

/** Message priorities; higher leaves first and is dispatched first. Ceph's numbers. */
export const Priority = MessagePriority;

/** V8 takes what hangs on a constant of this module for constant, and looks up what is imported each time. */
const field = Field;
const nothing = noBytes;
const defaultPriority = MessagePriority.Default;

/** What a {@link Message} is made of. Only `type` is required. */
export interface MessageInit {
  /** Message type number, 0 to 65535. Ceph's own are below 0x800; take yours above. */
  type: number;
  /** 1 to 65535; {@link Priority.Default} when absent. */
  priority?: number;
  /** Version of the payload's encoding, and the oldest one whose reader can read it. */
  version?: number;
  compatVersion?: number;
  /** Transaction id, u64: what a reply carries back. */
  tid?: bigint;
  /** Three segments with separate CRCs; a library user usually takes `data`. Lent to the messenger: do not change them after `send`. */
  front?: Uint8Array;
  middle?: Uint8Array;
  data?: Uint8Array;
}

function u16(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
    throw new MsgrError(ErrorCode.InvalidArgument, `message ${name} must be 0 to 65535, not ${value}`);
  }
  return value;
}

/** A message to be sent. It may be sent more than once, and on several connections. */
export class Message implements OutgoingMessage {
  readonly type: number;
  readonly priority: number;
  readonly version: number;
  readonly compatVersion: number;
  tidLow: number;
  tidHigh: number;
  readonly front: Uint8Array;
  readonly middle: Uint8Array;
  readonly data: Uint8Array;

  /** @throws MsgrError ERR_MSGR_INVALID_ARGUMENT naming the field that does not fit the wire. */
  constructor(init: MessageInit) {
    this.type = u16('type', init.type);
    this.priority = init.priority === undefined ? defaultPriority : u16('priority', init.priority);
    this.version = init.version === undefined ? 1 : u16('version', init.version);
    this.compatVersion = init.compatVersion === undefined ? 1 : u16('compatVersion', init.compatVersion);
    this.tidLow = 0;
    this.tidHigh = 0;
    this.front = init.front ?? nothing;
    this.middle = init.middle ?? nothing;
    this.data = init.data ?? nothing;
    if (init.tid !== undefined) this.tid = init.tid;
  }

  /** A message of a known type: `Message.of(mOSDPing, { fsid, … })`. */
  static of<Body>(
    messageType: MessageType<Body>,
    body: Body,
    init: { priority?: number; tid?: bigint } = {},
  ): Message {
    const { version, compatVersion, front, middle, data } = messageType.encode(body);
    const priority = init.priority ?? messageType.priority ?? Priority.Default;
    const message = new Message({
      type: messageType.type,
      priority,
      version,
      compatVersion,
      front,
      middle,
      data,
    });
    if (init.tid !== undefined) message.tid = init.tid;
    return message;
  }

  get tid(): bigint {
    return (BigInt(this.tidHigh >>> 0) << 32n) | BigInt(this.tidLow >>> 0);
  }

  set tid(value: bigint) {
    this.tidLow = Number(BigInt.asIntN(32, value));
    this.tidHigh = Number(BigInt.asIntN(32, value >> 32n));
  }

  /** Payload bytes: front, middle and data together. */
  get byteLength(): number {
    return this.front.length + this.middle.length + this.data.length;
  }
}

/** A message that came over a connection. */
export class ReceivedMessage implements OutgoingMessage {
  /** Where it came from; a reply goes to `connection.send` or `message.reply`. */
  readonly connection: Connection;
  /** Where its record lies, and its payload. */
  #words: Int32Array;
  #at: number;
  #slab: ArrayBuffer;
  #front: Buffer | undefined = undefined;
  #middle: Buffer | undefined = undefined;
  #data: Buffer | undefined = undefined;
  #body: unknown = undefined;

  /** From the record that begins at `words[at]`, with the payload in `slab`; both are its own from now on. */
  constructor(connection: Connection, words: Int32Array, at: number, slab: ArrayBuffer) {
    this.connection = connection;
    this.#words = words;
    this.#at = at;
    this.#slab = slab;
  }

  /** For the connection: this object, which nobody has kept, is its next message. */
  renew(words: Int32Array, at: number, slab: ArrayBuffer): void {
    this.#words = words;
    this.#at = at;
    this.#slab = slab;
    this.#front = undefined;
    this.#middle = undefined;
    this.#data = undefined;
    this.#body = undefined;
  }

  get type(): number {
    return this.#words[this.#at + field.typeAndPriority]! & 0xffff;
  }

  get priority(): number {
    return this.#words[this.#at + field.typeAndPriority]! >>> 16;
  }

  get version(): number {
    return this.#words[this.#at + field.versions]! & 0xffff;
  }

  get compatVersion(): number {
    return this.#words[this.#at + field.versions]! >>> 16;
  }

  /** Position in its session, from 1. */
  get seq(): bigint {
    return this.#u64(field.seqLow, field.seqHigh);
  }

  get tidLow(): number {
    return this.#words[this.#at + field.tidLow]!;
  }

  get tidHigh(): number {
    return this.#words[this.#at + field.tidHigh]!;
  }

  get tid(): bigint {
    return this.#u64(field.tidLow, field.tidHigh);
  }

  get front(): Buffer {
    this.#front ??= this.#segment(field.frontOffset, field.frontLength);
    return this.#front;
  }

  get middle(): Buffer {
    this.#middle ??= this.#segment(field.middleOffset, field.middleLength);
    return this.#middle;
  }

  get data(): Buffer {
    this.#data ??= this.#segment(field.dataOffset, field.dataLength);
    return this.#data;
  }

  /** Payload bytes: front, middle and data together. */
  get byteLength(): number {
    const words = this.#words;
    const at = this.#at;
    return words[at + field.frontLength]! + words[at + field.middleLength]! + words[at + field.dataLength]!;
  }

  /**
   * The content when the message is of that type, else undefined. Decoded once.
   * @throws MsgrError ERR_MSGR_MALFORMED when the payload does not decode; types that the messenger
   * knows were decoded on arrival, where that costs the peer its connection.
   */
  as<Body>(messageType: MessageType<Body>): Body | undefined {
    if (this.type !== messageType.type) return undefined;
    this.#body ??= messageType.decode(this);
    return this.#body as Body;
  }

  /** Sends the answer on the connection this message came on, with its transaction id. */
  reply(answer: Message): boolean {
    answer.tidLow = this.tidLow;
    answer.tidHigh = this.tidHigh;
    return this.connection.send(answer);
  }

  #segment(offset: number, length: number): Buffer {
    const at = this.#at;
    return bufferView(this.#slab, this.#words[at + offset]!, this.#words[at + length]!);
  }

  #u64(low: number, high: number): bigint {
    const at = this.#at;
    return (BigInt(this.#words[at + high]! >>> 0) << 32n) | BigInt(this.#words[at + low]! >>> 0);
  }
}
