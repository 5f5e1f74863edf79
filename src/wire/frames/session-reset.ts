/** SESSION_RESET: the acceptor no longer has the session that the connector wants back. */
import { defineControlFrame } from './control-frame.ts';
import { Tag } from './tag.ts';

export interface SessionReset {
  /** True: forget everything, queued messages too. False: only the acceptor's part is gone. */
  readonly full: boolean;
}

export const sessionResetFrame = defineControlFrame<SessionReset>({
  tag: Tag.SessionReset,
  byteLength: 1,
  write: (encoder, value) => void encoder.bool(value.full),
  read: (decoder) => ({ full: decoder.bool('full') }),
});
