/**
 * What every transport over byte streams is made of: its channels, the turn and the memory they share.
 * The transport itself adds where streams come from.
 */
import { secureMode } from '../../wire/frame-secure.ts';
import type { Channel, ChannelHandler } from '../channel.ts';
import { BatchTable } from './batch-table.ts';
import type { ByteStream, ByteStreamHandler, ConnectStream } from './byte-stream.ts';
import type { ChannelHost } from './channel-host.ts';
import { SendSlabPool } from './send-slab.ts';
import { StreamChannel } from './stream-channel.ts';
import { Turn } from './turn.ts';

export interface StreamHostOptions {
  readonly connect: ConnectStream;
  /** Calls back at the end of the turn. */
  readonly defer: (run: () => void) => void;
  readonly messageBytesMax: number;
  /** Another mode in place of `secureMode`, for tests that need one near its end. */
  readonly secureMode?: ChannelHost['secureMode'];
}

export class StreamHost implements ChannelHost {
  readonly turn: Turn;
  readonly batch = new BatchTable();
  readonly pool = new SendSlabPool();
  readonly connect: ConnectStream;
  readonly messageBytesMax: number;
  readonly secureMode: ChannelHost['secureMode'];
  readonly #channels = new Set<Channel>();
  #lastId = 0;

  constructor(options: StreamHostOptions) {
    this.turn = new Turn(options.defer);
    this.connect = options.connect;
    this.messageBytesMax = options.messageBytesMax;
    this.secureMode = options.secureMode ?? secureMode;
  }

  createChannel(handler: ChannelHandler): StreamChannel {
    const channel = new StreamChannel(this, ++this.#lastId, handler);
    this.#channels.add(channel);
    return channel;
  }

  /** A channel for an accepted stream; destroyed when `onAccept` does not give it a handler. */
  accept(open: (handler: ByteStreamHandler) => ByteStream, onAccept: (channel: Channel) => void): void {
    const channel = this.createChannel(noHandler);
    channel.accept(open);
    try {
      onAccept(channel);
    } finally {
      if (channel.handler === noHandler) channel.destroy();
    }
  }

  forget(channel: Channel): void {
    this.#channels.delete(channel);
  }

  destroyChannels(): void {
    for (const channel of this.#channels) channel.destroy();
  }
}

/** Stands in until the owner of an accepted channel has set its own. */
const noHandler: ChannelHandler = {
  onOpen() {},
  onBytes() {},
  onFrame() {},
  onMessages: () => false,
  onDrain() {},
  onClosed() {},
};
