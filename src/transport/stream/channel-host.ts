/** What a transport is to its channels. */
import type { StreamSecrets } from '../../protocol/stream-secrets.ts';
import type { FrameMode } from '../../wire/frame.ts';
import type { Channel } from '../channel.ts';
import type { BatchTable } from './batch-table.ts';
import type { ConnectStream } from './byte-stream.ts';
import type { SendSlabPool } from './send-slab.ts';
import type { Turn } from './turn.ts';

/** What the channels of one transport share. */
export interface ChannelHost {
  readonly turn: Turn;
  readonly batch: BatchTable;
  readonly pool: SendSlabPool;
  readonly connect: ConnectStream;
  /** Payload bytes of one message, in either direction. */
  readonly messageBytesMax: number;
  /** The mode of a stream that has these secrets. */
  readonly secureMode: (secrets: StreamSecrets) => FrameMode;
  /** The channel is destroyed. */
  forget(channel: Channel): void;
}
