/**
 * Messages, on both ways. A `Message` is made to be sent; a `ReceivedMessage` came over a connection and
 * is a view into the slab it arrived in: its segments become buffers when they are first asked for, and
 * stay valid as long as someone holds them or the message (a dispatcher that declares `borrowsPayload`
 * gives that up for speed: there they, and the message, are valid until its handler returns).
 */
import { Buffer } from 'node:buffer';
import { ErrorCode, MsgrError } from '../errors.ts';
import type { OutgoingMessage } from '../transport/channel.ts';
import { Field } from '../transport/message-batch.ts';
import { bufferView } from '../wire/buffer-view.ts';
import { MessagePriority } from '../wire/message-header.ts';
import type { MessageType } from '../wire/messages/registry.ts';
import type { Connection } from './connection.ts';

/** Message priorities; higher leaves first and is dispatched first. Ceph's numbers. */
export const Priority = MessagePriority;

const noBytes = Buffer.alloc(0);

/** V8 takes what hangs on a constant of this module for constant, and looks up what is imported each time. */
const field = Field;

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
    this.priority = init.priority === undefined ? Priority.Default : u16('priority', init.priority);
    this.version = init.version === undefined ? 1 : u16('version', init.version);
    this.compatVersion = init.compatVersion === undefined ? 1 : u16('compatVersion', init.compatVersion);
    this.tidLow = 0;
    this.tidHigh = 0;
    this.front = init.front ?? noBytes;
    this.middle = init.middle ?? noBytes;
    this.data = init.data ?? noBytes;
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
  #typeAndPriority = 0;
  #versions = 0;
  #tidLow = 0;
  #tidHigh = 0;
  #seqLow = 0;
  #seqHigh = 0;
  #slab: ArrayBuffer;
  #frontOffset = 0;
  #frontLength = 0;
  #middleOffset = 0;
  #middleLength = 0;
  #dataOffset = 0;
  #dataLength = 0;
  #front: Buffer | undefined;
  #middle: Buffer | undefined;
  #data: Buffer | undefined;
  #body: unknown;

  /** From a record of a batch; `base` is the record's first index. */
  constructor(connection: Connection, records: Int32Array, base: number, slabs: readonly ArrayBuffer[]) {
    this.connection = connection;
    this.#slab = slabs[records[base + field.slab]!]!;
    this.renew(records, base, slabs);
  }

  /** For the connection: this object, which nobody has kept, is its next message. */
  renew(records: Int32Array, base: number, slabs: readonly ArrayBuffer[]): void {
    this.#typeAndPriority = records[base + field.typeAndPriority]!;
    this.#versions = records[base + field.versions]!;
    this.#tidLow = records[base + field.tidLow]!;
    this.#tidHigh = records[base + field.tidHigh]!;
    this.#seqLow = records[base + field.seqLow]!;
    this.#seqHigh = records[base + field.seqHigh]!;
    this.#slab = slabs[records[base + field.slab]!]!;
    this.#frontOffset = records[base + field.frontOffset]!;
    this.#frontLength = records[base + field.frontLength]!;
    this.#middleOffset = records[base + field.middleOffset]!;
    this.#middleLength = records[base + field.middleLength]!;
    this.#dataOffset = records[base + field.dataOffset]!;
    this.#dataLength = records[base + field.dataLength]!;
    this.#front = undefined;
    this.#middle = undefined;
    this.#data = undefined;
    this.#body = undefined;
  }

  get type(): number {
    return this.#typeAndPriority & 0xffff;
  }

  get priority(): number {
    return this.#typeAndPriority >>> 16;
  }

  get version(): number {
    return this.#versions & 0xffff;
  }

  get compatVersion(): number {
    return this.#versions >>> 16;
  }

  /** Position in its session, from 1. */
  get seq(): bigint {
    return (BigInt(this.#seqHigh >>> 0) << 32n) | BigInt(this.#seqLow >>> 0);
  }

  get tidLow(): number {
    return this.#tidLow;
  }

  get tidHigh(): number {
    return this.#tidHigh;
  }

  get tid(): bigint {
    return (BigInt(this.#tidHigh >>> 0) << 32n) | BigInt(this.#tidLow >>> 0);
  }

  get front(): Buffer {
    this.#front ??= bufferView(this.#slab, this.#frontOffset, this.#frontLength);
    return this.#front;
  }

  get middle(): Buffer {
    this.#middle ??= bufferView(this.#slab, this.#middleOffset, this.#middleLength);
    return this.#middle;
  }

  get data(): Buffer {
    this.#data ??= bufferView(this.#slab, this.#dataOffset, this.#dataLength);
    return this.#data;
  }

  /** Payload bytes: front, middle and data together. */
  get byteLength(): number {
    return this.#frontLength + this.#middleLength + this.#dataLength;
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
    answer.tidLow = this.#tidLow;
    answer.tidHigh = this.#tidHigh;
    return this.connection.send(answer);
  }
}
