/** SESSION_RETRY: the connector's connect_seq is behind; it tries again with one above this. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface SessionRetry {
  /** The connect_seq that the acceptor has for the session. */
  readonly connectSeq: bigint;
}

export const sessionRetryFrame = defineControlFrame<SessionRetry>({
  tag: Tag.SessionRetry,
  byteLength: 8,
  write: (encoder, value) => void encoder.u64(value.connectSeq),
  read: (decoder) => ({ connectSeq: decoder.u64('connectSeq') }),
});
