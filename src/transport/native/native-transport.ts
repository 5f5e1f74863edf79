/**
 * The `async` transport: TypeScript's half of the native event loop (design D1 to D3).
 *
 * One delivery per loop turn brings a table of records; consecutive messages of one channel are handed to
 * its handler in one call. What a handler throws goes to `uncaughtException` in the next tick, so the other
 * channels' records of the same delivery are not lost.
 */
import { isIP } from 'node:net';
import { ErrorCode, MsgrError } from '../../errors.ts';
import * as limits from '../../limits.ts';
import { loadNative, type NativeLoop } from '../../native.ts';
import type { Channel, ChannelHandler, Listener, Transport } from '../channel.ts';
import { Field, memoryMask, placeFields } from '../message-batch.ts';
import type { SocketAddress, SocketOptions } from '../socket.ts';
import { readAddressWords } from './address-words.ts';
import { Control } from './control-words.ts';
import { NativeBatch, tableSource } from './native-batch.ts';
import {
  addressText,
  counterWords,
  NativeChannel,
  type NativeChannelHost,
  RecordKind,
} from './native-channel.ts';
import { socketError } from './native-errors.ts';
import { SendTable } from './send-table.ts';
import { youngCollection } from './young-collection.ts';

export interface NativeTransportOptions {
  /**
   * Microseconds for which the loop polls after traffic instead of sleeping, while messages follow one
   * another closely; 0: never. Default 50.
   */
  readonly busyPollUs?: number;
  /** 0: the loop runs on the thread that makes the transport. 1: on a thread of its own. Default 0. */
  readonly threads?: 0 | 1;
  /** The CPU that the loop's thread runs on; with `threads: 0` that is the calling thread. Default: any. */
  readonly cpu?: number;
  /**
   * Overwrites received bytes that no handler keeps with 0xa5, so that a view which was kept all the same
   * shows. For debugging; default false.
   */
  readonly poisonRecycled?: boolean;
  /** Front, middle and data bytes of one message; default `messageBytesMaxDefault`. */
  readonly messageBytesMax?: number;
  /** One socket call in so many breaks its connection (`ms_inject_socket_failures`); default 0: none. */
  readonly injectSocketFailures?: number;
  /** One socket call in so many moves a few bytes only; default 0: none. For tests. */
  readonly injectShortIo?: number;
  /** Start of the random sequence of injected faults. */
  readonly injectSeed?: number;
}

/** Throws ERR_MSGR_NATIVE_LOAD without the addon, ERR_MSGR_INVALID_ARGUMENT for an option that cannot be used. */
export function createNativeTransport(options: NativeTransportOptions = {}): Transport {
  return new NativeTransport(options);
}

const busyPollUsDefault = 50;

/** V8 takes what hangs on these for constant; what is imported it looks up each time. */
const field = Field;
const word = Control;
const batchLayout = { memoryMask, placeFields } as const;

interface Acceptor {
  readonly onAccept: (channel: Channel) => void;
}

/** Stands in until `onAccept` has set one. */
const noHandler: ChannelHandler = {
  onOpen() {},
  onBytes() {},
  onFrame() {},
  onMessages: () => false,
  onDrain() {},
  onClosed() {},
};

class NativeTransport implements Transport, NativeChannelHost {
  readonly name = 'async';
  readonly native: NativeLoop;
  readonly sendTable: SendTable;
  readonly #channels: (NativeChannel | undefined)[] = [];
  readonly #acceptors = new Map<number, Acceptor>();
  readonly #control: Int32Array;
  readonly #batches: NativeBatch[] = [];
  readonly #counterChunks: Uint32Array[] = [];
  #isClosed = false;

  constructor(options: NativeTransportOptions) {
    const { NativeLoop } = loadNative();
    const messageBytesMax = options.messageBytesMax ?? limits.messageBytesMaxDefault;
    checkInteger('busyPollUs', options.busyPollUs, 0, 1_000_000);
    checkInteger('threads', options.threads, 0, 1);
    checkInteger('cpu', options.cpu, 0, 1023);
    checkInteger('messageBytesMax', messageBytesMax, 1, 0x7fff0000);
    const { messageBytesMax: _, ...native } = options;
    const slabBytes = options.threads === 1 ? limits.slabBytesOfThread : limits.slabBytes;
    try {
      this.native = new NativeLoop(
        {
          busyPollUs: busyPollUsDefault,
          ...native,
          limits: { ...limits, slabBytes, messageBytesMaxDefault: messageBytesMax },
        },
        () => this.#deliver(),
        youngCollection(),
      );
    } catch (error) {
      throw new MsgrError(ErrorCode.InvalidArgument, (error as Error).message, { cause: error });
    }
    this.sendTable = new SendTable(this.native, messageBytesMax);
    const { memory, layout } = this.native;
    this.#control = new Int32Array(memory, 0, layout.releasesOffset / 4);
    for (let table = 0; table < layout.tables; table++) {
      this.#batches.push(new NativeBatch(this.native, table));
    }
  }

  createChannel(handler: ChannelHandler): Channel {
    this.#mustBeOpen();
    return this.#make(this.native.createChannel(), handler);
  }

  async listen(
    address: SocketAddress,
    options: SocketOptions,
    onAccept: (channel: Channel) => void,
  ): Promise<Listener> {
    this.#mustBeOpen();
    if (isIP(address.host) !== address.family) {
      throw new MsgrError(ErrorCode.Bind, `${address.host} is no IPv${address.family} address`);
    }
    const answer = this.native.listen(address, options);
    const [listener, step, errno] = answer as unknown as [number, number, number];
    if (listener < 0) throw socketError(step, errno, addressText(address));
    this.#acceptors.set(listener, { onAccept });
    return {
      address: readAddressWords(answer, 3)!,
      close: async () => {
        if (this.#acceptors.delete(listener)) this.native.closeListener(listener);
      },
    };
  }

  flush(): void {
    this.sendTable.flush();
  }

  ref(): void {
    this.native.setReferenced(true);
  }

  unref(): void {
    this.native.setReferenced(false);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const channel of this.#channels) channel?.markGone();
    this.#acceptors.clear();
    this.native.close();
  }

  forget(channel: NativeChannel): void {
    this.#channels[channel.id] = undefined;
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new MsgrError(ErrorCode.Closed, 'the transport is closed');
  }

  #make(id: number, handler: ChannelHandler): NativeChannel {
    const { countersPerChunk } = this.native.layout;
    const chunk = Math.floor(id / countersPerChunk);
    this.#counterChunks[chunk] ??= new Uint32Array(this.native.counters(chunk));
    const first = (id % countersPerChunk) * counterWords * 2;
    const counters = this.#counterChunks[chunk]!.subarray(first, first + counterWords * 2);
    const channel = new NativeChannel(this, id, handler, counters);
    this.#channels[id] = channel;
    return channel;
  }

  #deliver(): boolean {
    this.sendTable.takeReleases();
    const count = this.#control[word.deliveredCount]!;
    const batch = this.#batches[this.#control[word.deliveredTable]!]!;
    batch.begin();
    const { places, words, slabs } = batch;
    let isKept = false;
    let index = 0;
    while (index < count) {
      const place = index * batchLayout.placeFields;
      const source = places[place]!;
      const memory = words[source & batchLayout.memoryMask]!;
      const at = places[place + 1]!;
      const id = memory[at + field.channel]!;
      if (source === tableSource) {
        this.#deliverEvent(memory[at + field.kind]!, id, memory, at, slabs);
        index++;
        continue;
      }
      let end = index + 1;
      for (let next = place + batchLayout.placeFields; end < count; next += batchLayout.placeFields, end++) {
        if (places[next] !== source) break;
      }
      const channel = this.#channels[id];
      if (channel !== undefined && memory[at + field.generation]! >= channel.messageGeneration) {
        if (this.#deliverMessages(channel, batch, index, end)) isKept = true;
      }
      index = end;
    }
    batch.end();
    return isKept;
  }

  #deliverMessages(channel: NativeChannel, batch: NativeBatch, first: number, end: number): boolean {
    try {
      return channel.handler.onMessages(batch, first, end);
    } catch (error) {
      throwLater(error);
      // Nobody knows what it kept.
      return true;
    }
  }

  #deliverEvent(
    kind: number,
    id: number,
    records: Int32Array,
    at: number,
    slabs: readonly ArrayBuffer[],
  ): void {
    if (kind === RecordKind.destroyed) {
      this.native.giveBack(id);
      return;
    }
    try {
      if (kind === RecordKind.accepted) this.#accept(id, records, at);
      else this.#channels[id]?.handle(kind, records, at, slabs);
    } catch (error) {
      throwLater(error);
    }
  }

  #accept(id: number, records: Int32Array, at: number): void {
    const acceptor = this.#acceptors.get(records[at + Field.dataLength]!);
    if (this.#isClosed) return;
    const channel = this.#make(id, noHandler);
    if (acceptor === undefined) {
      channel.destroy();
      return;
    }
    channel.takeSocket(records, at);
    try {
      acceptor.onAccept(channel);
    } catch (error) {
      // Nobody has taken it over.
      channel.destroy();
      throw error;
    }
  }
}

function checkInteger(name: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw new MsgrError(
    ErrorCode.InvalidArgument,
    `${name} must be an integer from ${min} to ${max}, not ${value}`,
  );
}

function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
