/** What a handler in a worker is given and gives back. The module that exports `handle` imports its types from here. */
import { Buffer } from 'node:buffer';
import { Field } from '../../transport/message-batch.ts';
import type { MessageType } from '../../wire/messages/registry.ts';
import type { MessageInit } from '../message.ts';

/** A received message in a worker: a copy of its own, that the handler may change and keep. */
export class WorkerMessage {
  readonly type: number;
  readonly priority: number;
  readonly version: number;
  readonly compatVersion: number;
  readonly tid: bigint;
  /** Position in its session, from 1. */
  readonly seq: bigint;
  /** Who sent it, in Ceph's text form: `client.4123`. */
  readonly peer: string;
  readonly front: Buffer;
  readonly middle: Buffer;
  readonly data: Buffer;

  /** From a record of a task; `base` is the record's first index. */
  constructor(records: Int32Array, base: number, slab: ArrayBuffer, peers: readonly string[]) {
    const field = (name: keyof typeof Field): number => records[base + Field[name]]!;
    const segment = (offset: number, length: number): Buffer => Buffer.from(slab, offset, length);
    this.type = field('typeAndPriority') & 0xffff;
    this.priority = field('typeAndPriority') >>> 16;
    this.version = field('versions') & 0xffff;
    this.compatVersion = field('versions') >>> 16;
    this.tid = u64(field('tidLow'), field('tidHigh'));
    this.seq = u64(field('seqLow'), field('seqHigh'));
    this.peer = peers[field('channel')]!;
    this.front = segment(field('frontOffset'), field('frontLength'));
    this.middle = segment(field('middleOffset'), field('middleLength'));
    this.data = segment(field('dataOffset'), field('dataLength'));
  }

  /**
   * The content when the message is of that type, else undefined.
   * @throws MsgrError ERR_MSGR_MALFORMED
   */
  as<Body>(messageType: MessageType<Body>): Body | undefined {
    return this.type === messageType.type ? messageType.decode(this) : undefined;
  }
}

/** The answer: it goes back on the connection the message came on, with its transaction id. */
export type WorkerReply = Omit<MessageInit, 'tid'>;

export interface WorkerContext {
  /** `handlerData` of the dispatcher: a copy, but for SharedArrayBuffers. */
  readonly data: unknown;
  /** Which worker this is, from 0; a replaced one keeps the number. */
  readonly worker: number;
}

/**
 * Runs in a worker, for one message at a time in each. What it throws or rejects with is reported for that
 * message.
 */
export type WorkerHandler = (
  message: WorkerMessage,
  context: WorkerContext,
) => WorkerReply | undefined | void | Promise<WorkerReply | undefined | void>;

function u64(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}
