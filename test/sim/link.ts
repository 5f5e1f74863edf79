/** What the simulation keeps about a connection object of one process. */
import type { PeerConnection } from '../../src/messenger/peer-connection.ts';
import type { Policy } from '../../src/messenger/policy.ts';

/** A process, as far as the ledger is concerned. */
export interface ProcessView {
  /** Index of the entity whose incarnation it is; also its entity number. */
  readonly entity: number;
  readonly nonce: number;
  readonly isAlive: boolean;
  /** Its last incarnation had the same address and nonce: what that sent may still arrive, and be taken for its own. */
  readonly keepsNonce: boolean;
}

export class Link {
  readonly number: number;
  readonly process: ProcessView;
  readonly connection: PeerConnection;
  /** Set before the simulation marks it down: whoever does so is told of no reset. */
  markedDownBySelf = false;
  /** A send answered that the sender is to wait; `drain` has not been since. */
  mustDrain = false;
  /** Events that its dispatcher got: resets and remote resets. */
  resetEvents = 0;

  constructor(number: number, process: ProcessView, connection: PeerConnection) {
    this.number = number;
    this.process = process;
    this.connection = connection;
  }

  get policy(): Policy {
    return this.connection.policy;
  }

  get name(): string {
    return `link ${this.number} (entity ${this.process.entity} to ${this.connection.peerAddrs})`;
  }
}
