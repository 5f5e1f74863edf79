/** SESSION_RECONNECT_OK: the session goes on. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface SessionReconnectOk {
  /** Seq of the last message that the acceptor received; the connector sends again what comes after it. */
  readonly messageSeq: bigint;
}

export const sessionReconnectOkFrame = defineControlFrame<SessionReconnectOk>({
  tag: Tag.SessionReconnectOk,
  byteLength: 8,
  write: (encoder, value) => void encoder.u64(value.messageSeq),
  read: (decoder) => ({ messageSeq: decoder.u64('messageSeq') }),
});
