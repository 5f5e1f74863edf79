/** All control frames in one table, for what must handle every kind: the dumper, tests, error texts. */

import { ackFrame } from './ack.ts';
import { authBadMethodFrame } from './auth-bad-method.ts';
import { authDoneFrame } from './auth-done.ts';
import { authReplyMoreFrame } from './auth-reply-more.ts';
import { authRequestFrame } from './auth-request.ts';
import { authRequestMoreFrame } from './auth-request-more.ts';
import { authSignatureFrame } from './auth-signature.ts';
import { clientIdentFrame } from './client-ident.ts';
import type { ControlFrame } from './control-frame.ts';
import { helloFrame } from './hello.ts';
import { identMissingFeaturesFrame } from './ident-missing-features.ts';
import { keepalive2Frame } from './keepalive2.ts';
import { keepalive2AckFrame } from './keepalive2-ack.ts';
import { serverIdentFrame } from './server-ident.ts';
import { sessionReconnectFrame } from './session-reconnect.ts';
import { sessionReconnectOkFrame } from './session-reconnect-ok.ts';
import { sessionResetFrame } from './session-reset.ts';
import { sessionRetryFrame } from './session-retry.ts';
import { sessionRetryGlobalFrame } from './session-retry-global.ts';
import { sharedMemoryFrame } from './shared-memory.ts';
import { waitFrame } from './wait.ts';

// Each codec has its own type of value; the table gives that up, and a caller pairs encode with decode.
const all: readonly unknown[] = [
  helloFrame,
  authRequestFrame,
  authBadMethodFrame,
  authReplyMoreFrame,
  authRequestMoreFrame,
  authDoneFrame,
  authSignatureFrame,
  clientIdentFrame,
  serverIdentFrame,
  identMissingFeaturesFrame,
  sessionReconnectFrame,
  sessionResetFrame,
  sessionRetryFrame,
  sessionRetryGlobalFrame,
  sessionReconnectOkFrame,
  waitFrame,
  keepalive2Frame,
  keepalive2AckFrame,
  ackFrame,
  sharedMemoryFrame,
];

/** The codec of each tag but MESSAGE, whose four segments the frame layer takes apart. */
export const controlFrames: ReadonlyMap<number, ControlFrame<unknown>> = new Map(
  (all as ControlFrame<unknown>[]).map((frame) => [frame.tag, frame]),
);
