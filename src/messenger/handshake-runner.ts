/** Carries out on a channel what the handshake machine decided. Shared by connector and acceptor. */
import type { AuthOutcome } from '../auth/auth.ts';
import type { HandshakeAction } from '../protocol/handshake.ts';
import type { Channel } from '../transport/channel.ts';

/** Runs the actions in order; answers the outcome when the last of them says that the peer is authenticated. */
export function runHandshakeActions(
  channel: Channel,
  actions: readonly HandshakeAction[],
): AuthOutcome | undefined {
  let outcome: AuthOutcome | undefined;
  for (const action of actions) {
    switch (action.kind) {
      case 'sendBytes':
        channel.sendBytes(action.bytes);
        break;
      case 'sendControl':
        channel.sendControl(action.tag, action.payload);
        break;
      case 'expectBytes':
        channel.expectBytes(action.count);
        break;
      case 'expectFrame':
        channel.expectFrame();
        break;
      case 'secure':
        channel.secure(action.secrets);
        break;
      case 'authenticated':
        outcome = action.outcome;
        break;
    }
  }
  return outcome;
}
