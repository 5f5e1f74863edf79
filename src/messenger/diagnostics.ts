/**
 * What an observer can listen to: channels of node:diagnostics_channel, and the same as lines with
 * NODE_DEBUG=msgr2. Nobody listening costs one comparison.
 *
 *      msgr2:connection:state   { messenger, connection, state, cause }
 *      msgr2:accept:failed      { messenger, remote, error }
 */
import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { MsgrError } from '../errors.ts';
import type { ConnectionState } from './connection.ts';
import type { Messenger } from './messenger.ts';
import type { PeerConnection } from './peer-connection.ts';

export interface ConnectionStateEvent {
  readonly messenger: Messenger;
  readonly connection: PeerConnection;
  readonly state: ConnectionState;
  readonly cause: MsgrError | undefined;
}

export interface AcceptFailedEvent {
  readonly messenger: Messenger;
  /** The peer's socket address in text. */
  readonly remote: string;
  readonly error: MsgrError;
}

const connectionState = channel('msgr2:connection:state');
const acceptFailed = channel('msgr2:accept:failed');
const debug = debuglog('msgr2');

export const diagnostics = {
  connectionState(event: ConnectionStateEvent): void {
    if (connectionState.hasSubscribers) connectionState.publish(event);
    if (debug.enabled) {
      const { messenger, connection, state, cause } = event;
      debug(
        '%s >> %s %s%s',
        messenger.label,
        connection.targetAddr,
        state,
        cause ? `: ${cause.message}` : '',
      );
    }
  },
  acceptFailed(event: AcceptFailedEvent): void {
    if (acceptFailed.hasSubscribers) acceptFailed.publish(event);
    if (debug.enabled)
      debug('%s << %s refused: %s', event.messenger.label, event.remote, event.error.message);
  },
};
