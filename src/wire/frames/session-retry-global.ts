/** SESSION_RETRY_GLOBAL: the connector's global_seq is behind; it tries again with a larger one. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface SessionRetryGlobal {
  /** The global_seq that the acceptor last saw of the connector. */
  readonly globalSeq: bigint;
}

export const sessionRetryGlobalFrame = defineControlFrame<SessionRetryGlobal>({
  tag: Tag.SessionRetryGlobal,
  byteLength: 8,
  write: (encoder, value) => void encoder.u64(value.globalSeq),
  read: (decoder) => ({ globalSeq: decoder.u64('globalSeq') }),
});
