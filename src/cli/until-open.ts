/** Waiting for a connection's first session, with the reason when there will be none. */
import type { MsgrError } from '../errors.ts';
import { ErrorCode } from '../errors.ts';
import type { Connection, ConnectionState } from '../messenger/connection.ts';
import { CliError } from './cli-error.ts';

/**
 * Resolves when the session runs; rejects with a {@link CliError} when the first attempt fails. A messenger
 * would go on trying, a command that was given a wrong address had better say so.
 */
export function untilOpen(connection: Connection, target: string): Promise<void> {
  if (connection.isConnected) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const onState = (state: ConnectionState, cause: MsgrError | undefined): void => {
      if (state === 'connecting' || state === 'wait') return;
      connection.off('state', onState);
      if (state === 'open') resolve();
      else reject(new CliError(`no session with ${target}: ${explain(cause)}`, { cause }));
    };
    connection.on('state', onState);
  });
}

/** The cause, and what it usually means for whoever typed the address. */
function explain(cause: MsgrError | undefined): string {
  if (cause === undefined) return 'the connection was closed';
  switch (cause.code) {
    case ErrorCode.Refused:
      return 'nothing listens there (connection refused)';
    case ErrorCode.PeerClosed:
    case ErrorCode.PeerMismatch:
      return `${cause.message}. Ceph closes without a word when the nonce is not that of the running daemon: compare the address with 'ceph osd dump'`;
    case ErrorCode.BadBanner:
      return `${cause.message}. Is it the port of a v2: address?`;
    default:
      return cause.message;
  }
}
