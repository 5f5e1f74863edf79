/**
 * A ChannelHandler for tests: writes down every event in order and lets a test wait for one. It also notices
 * an event that fires from inside a call on the channel, which the contract of channel.ts forbids.
 */
import type { MsgrError } from '../../src/errors.ts';
import type { Channel, ChannelHandler, OutgoingMessage } from '../../src/transport/channel.ts';
import { Field, type MessageBatch, memoryMask, placeFields } from '../../src/transport/message-batch.ts';
import { withTimeout } from '../support/timeout.ts';

/** One received message, copied out of the batch. */
export interface ReceivedMessage {
  type: number;
  priority: number;
  version: number;
  compatVersion: number;
  tidLow: number;
  tidHigh: number;
  seq: bigint;
  front: Uint8Array;
  middle: Uint8Array;
  data: Uint8Array;
}

export type ChannelEvent =
  | { kind: 'open' }
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'frame'; tag: number; payload: Buffer; raw: Buffer }
  | { kind: 'message'; message: ReceivedMessage }
  | { kind: 'drain' }
  | { kind: 'acknowledged'; seq: number }
  | { kind: 'closed'; error: MsgrError };

type EventOf<Kind extends ChannelEvent['kind']> = Extract<ChannelEvent, { kind: Kind }>;

/** Where record `index` of a batch begins, and the slab with its payload. */
export function recordAt(
  { places, words, slabs }: MessageBatch,
  index: number,
): { records: Int32Array; at: number; slab: ArrayBuffer } {
  const place = index * placeFields;
  const records = words[places[place]! & memoryMask]!;
  const at = places[place + 1]!;
  return { records, at, slab: slabs[records[at + Field.slab]!]! };
}

/** A view of the front of message `index`. */
export function frontView(batch: MessageBatch, index: number): Uint8Array {
  const { records, at, slab } = recordAt(batch, index);
  return new Uint8Array(slab, records[at + Field.frontOffset], records[at + Field.frontLength]);
}

/** Copies message `index` of a batch. */
export function readMessage(batch: MessageBatch, index: number): ReceivedMessage {
  const { records, at, slab } = recordAt(batch, index);
  const piece = (offset: number, length: number) =>
    new Uint8Array(slab.slice(records[at + offset]!, records[at + offset]! + records[at + length]!));
  const typeAndPriority = records[at + Field.typeAndPriority]!;
  const versions = records[at + Field.versions]!;
  return {
    type: typeAndPriority & 0xffff,
    priority: typeAndPriority >>> 16,
    version: versions & 0xffff,
    compatVersion: versions >>> 16,
    tidLow: records[at + Field.tidLow]! >>> 0,
    tidHigh: records[at + Field.tidHigh]! >>> 0,
    seq: (BigInt(records[at + Field.seqHigh]! >>> 0) << 32n) | BigInt(records[at + Field.seqLow]! >>> 0),
    front: piece(Field.frontOffset, Field.frontLength),
    middle: piece(Field.middleOffset, Field.middleLength),
    data: piece(Field.dataOffset, Field.dataLength),
  };
}

/** A message with defaults for what a test does not care about. */
export function outgoing(fields: Partial<OutgoingMessage> = {}): OutgoingMessage {
  const empty = new Uint8Array(0);
  return {
    type: 70,
    priority: 127,
    version: 5,
    compatVersion: 4,
    tidLow: 0,
    tidHigh: 0,
    front: empty,
    middle: empty,
    data: empty,
    ...fields,
  };
}

/** Bytes that differ along the way, so that a shifted or truncated copy does not compare equal. */
export function patternBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >>> 8) * 7 + seed) & 0xff;
  return bytes;
}

export class Recorder implements ChannelHandler {
  readonly events: ChannelEvent[] = [];
  /** Events that fired while a call on a channel was on the stack, by name. Must stay empty. */
  readonly reentrant: string[] = [];
  /** Called after an event was written down: a test acts from inside the handler. */
  react: ((event: ChannelEvent) => void) | undefined;
  /** What `onMessages` answers. */
  keep = false;
  messageCount = 0;
  /** When false, messages are counted and not copied. */
  copyMessages = true;

  #calls = 0;
  #taken = 0;
  #waiting: (() => void) | undefined;

  /** Runs a call on a channel; an event that fires meanwhile is a breach of contract. */
  call<T>(run: () => T): T {
    this.#calls++;
    try {
      return run();
    } finally {
      this.#calls--;
    }
  }

  onOpen(): void {
    this.#record({ kind: 'open' });
  }

  onBytes(bytes: Buffer): void {
    this.#record({ kind: 'bytes', bytes: Buffer.from(bytes) });
  }

  onFrame(tag: number, payload: Buffer, raw: Buffer): void {
    this.#record({ kind: 'frame', tag, payload: Buffer.from(payload), raw: Buffer.from(raw) });
  }

  onMessages(batch: MessageBatch, first: number, end: number): boolean {
    this.messageCount += end - first;
    if (this.copyMessages) {
      for (let index = first; index < end; index++) {
        this.#record({ kind: 'message', message: readMessage(batch, index) });
      }
    } else {
      this.#waiting?.();
    }
    return this.keep;
  }

  onDrain(): void {
    this.#record({ kind: 'drain' });
  }

  onAcknowledged(seq: number): void {
    this.#record({ kind: 'acknowledged', seq });
  }

  onClosed(error: MsgrError): void {
    this.#record({ kind: 'closed', error });
  }

  #record(event: ChannelEvent): void {
    if (this.#calls > 0) this.reentrant.push(event.kind);
    this.events.push(event);
    this.react?.(event);
    this.#waiting?.();
  }

  /** The next event not yet taken, of whatever kind; `acknowledged` and `drain` are passed over unless asked for. */
  async next<Kind extends ChannelEvent['kind']>(kind: Kind, timeoutMs = 5000): Promise<EventOf<Kind>> {
    const found = await withTimeout(
      this.#until(() => {
        while (this.#taken < this.events.length) {
          const event = this.events[this.#taken++]!;
          if (event.kind === kind) return event as EventOf<Kind>;
          if (event.kind !== 'acknowledged' && event.kind !== 'drain') {
            const detail = event.kind === 'closed' ? ` (${event.error.message})` : '';
            throw new Error(`expected '${kind}', got '${event.kind}'${detail}`);
          }
        }
        return undefined;
      }),
      timeoutMs,
      `event '${kind}' (have: ${this.events.length})`,
    );
    return found;
  }

  /** The next `count` messages, in order. */
  async nextMessages(count: number, timeoutMs = 10_000): Promise<ReceivedMessage[]> {
    const messages: ReceivedMessage[] = [];
    while (messages.length < count) messages.push((await this.next('message', timeoutMs)).message);
    return messages;
  }

  /** Waits until `probe` holds after some event. */
  async settled(probe: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
    await withTimeout(
      this.#until(() => (probe() ? true : undefined)),
      timeoutMs,
      what,
    );
  }

  /** Passes over what has happened so far. */
  takeAll(): void {
    this.#taken = this.events.length;
  }

  /** Events not yet taken. */
  get untaken(): ChannelEvent[] {
    return this.events.slice(this.#taken);
  }

  async #until<T>(probe: () => T | undefined): Promise<T> {
    for (;;) {
      const answer = probe();
      if (answer !== undefined) return answer;
      await new Promise<void>((resolve) => {
        // A gauge like `unackedBytes` can move without an event, so the probe is also asked by the clock.
        const timer = setTimeout(resolve, 5);
        this.#waiting = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** A channel with its recorder. */
export interface RecordedChannel {
  readonly channel: Channel;
  readonly events: Recorder;
}
