/** Keys of both ends of a stream, made from a number. */
import { createHash } from 'node:crypto';
import { ConnectionMode } from '../../src/auth/auth.ts';
import { type StreamSecrets, streamSecrets } from '../../src/protocol/stream-secrets.ts';

export interface SecretPair {
  readonly connector: StreamSecrets;
  readonly acceptor: StreamSecrets;
}

/** Another number, other keys. */
export function secretPair(seed: number): SecretPair {
  const outcome = {
    globalId: 0n,
    connectionMode: ConnectionMode.Secure,
    connectionSecret: createHash('sha512').update(`stream ${seed}`).digest(),
  };
  return { connector: streamSecrets(outcome, 'connector')!, acceptor: streamSecrets(outcome, 'acceptor')! };
}
