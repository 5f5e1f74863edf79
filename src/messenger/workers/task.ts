/**
 * What crosses between the messenger's thread and a worker: tables of fixed-size records (the layout of
 * transport/message-batch.ts) beside one slab of payload bytes, both moved, not cloned.
 *
 *      main ── Task { records, slab, peers, progress } ──────────────────► worker      by piscina
 *      main ◄── ResultPart { task, records, slab, failures } ── 1…n ────── worker      by its parent port
 *      main ◄── TaskSummary { parts, busyMs } ─────────────────────────── worker      by piscina
 *
 * Parts have the outcomes of the task's messages in order, each part going on where the one before
 * ended. The two ways are two ports and may overtake one another, therefore both sides count the parts.
 */
import { Field, recordFields } from '../../transport/message-batch.ts';
import { Message, type ReceivedMessage } from '../message.ts';
import type { WorkerReply } from './worker-message.ts';

/** Shared with the worker while it has the task, as i32 indices: what is known of a worker that ended. */
export const Progress = {
  /** Messages that the handler was called for. */
  begun: 0,
  /** Parts that are on their way, or arrived. */
  posted: 1,
} as const;

export interface Task {
  readonly id: number;
  readonly records: Int32Array<ArrayBuffer>;
  readonly slab: ArrayBuffer;
  /** Names of the senders; `Field.channel` of a record is an index into it. */
  readonly peers: readonly string[];
  readonly progress: Int32Array<SharedArrayBuffer>;
}

/** In `Field.kind` of a result's record. */
export const Outcome = { silent: 0, reply: 1, failed: 2 } as const;

/** An error as it can cross: whatever was thrown, in text. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
}

export interface ResultPart {
  readonly task: number;
  readonly records: Int32Array<ArrayBuffer>;
  readonly slab: ArrayBuffer;
  /** One for each record that failed, in order. */
  readonly failures: readonly Failure[];
}

export interface TaskSummary {
  readonly parts: number;
  /** From the first message's beginning to the last one's end. */
  readonly busyMs: number;
}

interface Segments {
  readonly front: Uint8Array;
  readonly middle: Uint8Array;
  readonly data: Uint8Array;
  readonly byteLength: number;
}

/** Copies the payloads; the one copy on the way in. */
export function packTask(id: number, messages: readonly ReceivedMessage[]): Task {
  const records = new Int32Array(messages.length * recordFields);
  const slab = new ArrayBuffer(sumOfBytes(messages));
  const slabBytes = new Uint8Array(slab);
  const peers: string[] = [];
  const peerIndices = new Map<unknown, number>();
  let offset = 0;
  for (const [index, message] of messages.entries()) {
    const base = index * recordFields;
    const { connection, seq } = message;
    let peer = peerIndices.get(connection);
    if (peer === undefined) {
      peer = peers.push(String(connection.peerName)) - 1;
      peerIndices.set(connection, peer);
    }
    packHeader(records, base, message);
    records[base + Field.channel] = peer;
    records[base + Field.tidLow] = message.tidLow;
    records[base + Field.tidHigh] = message.tidHigh;
    records[base + Field.seqLow] = Number(BigInt.asIntN(32, seq));
    records[base + Field.seqHigh] = Number(BigInt.asIntN(32, seq >> 32n));
    offset = packSegments(records, base, slabBytes, offset, message);
  }
  const progress = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  return { id, records, slab, peers, progress };
}

/** Gathers outcomes in a worker until they are sent. */
export class ResultWriter {
  readonly #task: number;
  #outcomes: (Message | Failure | undefined)[] = [];

  constructor(task: number) {
    this.#task = task;
  }

  get count(): number {
    return this.#outcomes.length;
  }

  /** @throws when the reply is none: a field that does not fit the wire, a segment that is no Uint8Array. */
  reply(reply: WorkerReply | undefined | void): void {
    if (reply === undefined) {
      this.#outcomes.push(undefined);
      return;
    }
    if (reply === null || typeof reply !== 'object') {
      throw new TypeError(`a handler answers with an object or undefined, not ${String(reply)}`);
    }
    for (const segment of [reply.front, reply.middle, reply.data]) {
      if (segment === undefined || segment instanceof Uint8Array) continue;
      throw new TypeError('front, middle and data of a reply are Uint8Arrays');
    }
    this.#outcomes.push(new Message(reply));
  }

  fail(error: unknown): void {
    this.#outcomes.push(failureOf(error));
  }

  /** What was gathered, copied into memory that can be moved; the one copy on the way out. */
  take(): ResultPart {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    const replies = outcomes.filter((outcome): outcome is Message => outcome instanceof Message);
    const records = new Int32Array(outcomes.length * recordFields);
    const slab = new ArrayBuffer(sumOfBytes(replies));
    const slabBytes = new Uint8Array(slab);
    const failures: Failure[] = [];
    let offset = 0;
    for (const [index, outcome] of outcomes.entries()) {
      const base = index * recordFields;
      if (outcome === undefined) continue;
      if (outcome instanceof Message) {
        records[base + Field.kind] = Outcome.reply;
        packHeader(records, base, outcome);
        offset = packSegments(records, base, slabBytes, offset, outcome);
      } else {
        records[base + Field.kind] = Outcome.failed;
        failures.push(outcome);
      }
    }
    return { task: this.#task, records, slab, failures };
  }
}

/** The reply in a part's record. */
export function unpackReply(part: ResultPart, base: number): Message {
  const { records, slab } = part;
  const field = (name: keyof typeof Field): number => records[base + Field[name]]!;
  return new Message({
    type: field('typeAndPriority') & 0xffff,
    priority: field('typeAndPriority') >>> 16,
    version: field('versions') & 0xffff,
    compatVersion: field('versions') >>> 16,
    front: new Uint8Array(slab, field('frontOffset'), field('frontLength')),
    middle: new Uint8Array(slab, field('middleOffset'), field('middleLength')),
    data: new Uint8Array(slab, field('dataOffset'), field('dataLength')),
  });
}

/** The error that a handler threw, as far as it could cross. */
export function unpackFailure(failure: Failure): Error {
  const { name, message, stack, code } = failure;
  const error = new Error(message);
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true });
  if (stack !== undefined) error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}

function failureOf(error: unknown): Failure {
  try {
    if (error instanceof Error) {
      const { name, message, stack, code } = error as NodeJS.ErrnoException;
      return {
        name: String(name),
        message: String(message),
        stack: stack === undefined ? undefined : String(stack),
        code: typeof code === 'string' ? code : undefined,
      };
    }
    return { name: 'Error', message: String(error), stack: undefined, code: undefined };
  } catch {
    // An object whose own properties throw when they are read.
    return { name: 'Error', message: 'an error that cannot be read', stack: undefined, code: undefined };
  }
}

function sumOfBytes(messages: readonly Segments[]): number {
  return messages.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function packHeader(records: Int32Array, base: number, message: Message | ReceivedMessage): void {
  records[base + Field.typeAndPriority] = message.type | (message.priority << 16);
  records[base + Field.versions] = message.version | (message.compatVersion << 16);
}

function packSegments(
  records: Int32Array,
  base: number,
  slab: Uint8Array,
  offset: number,
  { front, middle, data }: Segments,
): number {
  slab.set(front, offset);
  records[base + Field.frontOffset] = offset;
  records[base + Field.frontLength] = front.byteLength;
  offset += front.byteLength;
  slab.set(middle, offset);
  records[base + Field.middleOffset] = offset;
  records[base + Field.middleLength] = middle.byteLength;
  offset += middle.byteLength;
  slab.set(data, offset);
  records[base + Field.dataOffset] = offset;
  records[base + Field.dataLength] = data.byteLength;
  return offset + data.byteLength;
}
