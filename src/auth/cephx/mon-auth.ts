/**
 * The monitor's side of cephx: an AuthProvider whose acceptors let clients of the monitor in and give them
 * tickets. What it must look up stands behind `KeyServer`. Later requests of a client (MAuth) are answered
 * by the `requests` of its connection's `auth`.
 *
 * A global id is given back only to who shows the AUTH ticket that it came with (CVE-2021-20288).
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Options } from '../../options.ts';
import { EntityType } from '../../wire/entity-name.ts';
import type { AuthClient, AuthProvider, AuthServer } from '../auth.ts';
import { connectionModes } from '../connection-modes.ts';
import { CipherPolicy } from './cipher-policy.ts';
import type { KeyServer } from './key-server.ts';
import { CephxMonServer } from './mon-server.ts';
import { TicketMaker } from './mon-tickets.ts';
import { type RandomBytes, systemRandomBytes } from './random.ts';

export interface MonAuthInit {
  readonly keys: KeyServer;
  readonly options: Options;
  /** An id that was never given before, above 0. */
  readonly assignGlobalId: () => bigint;
  /** Wall clock in ms. */
  readonly now?: () => number;
  readonly random?: RandomBytes;
}

/** What the acceptors of a monitor share. */
export interface MonAuthContext extends Required<MonAuthInit> {
  readonly ciphers: CipherPolicy;
  readonly tickets: TicketMaker;
}

export class MonAuth implements AuthProvider {
  readonly #context: MonAuthContext;

  constructor(init: MonAuthInit) {
    const { keys, options, now = Date.now, random = systemRandomBytes } = init;
    const tickets = new TicketMaker(keys, options, now);
    this.#context = { ...init, now, random, ciphers: new CipherPolicy(options), tickets };
  }

  client(): AuthClient {
    throw new MsgrError(ErrorCode.Unsupported, 'this monitor connects to nobody');
  }

  server(peerType: number): AuthServer {
    const modes = connectionModes(this.#context.options, EntityType.Mon, peerType);
    return new CephxMonServer(this.#context, peerType, modes);
  }
}
