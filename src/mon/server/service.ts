/**
 * A part of the monitor's state with a history of its own, as Ceph's PaxosService: what is committed, and
 * what is pending. Services never commit by themselves: `Proposals` asks those that have something pending,
 * writes all of it in one transaction, and only when that is durable does it become the committed state.
 */
import type { StoreTransaction } from './store/mon-store.ts';

export interface MonService {
  /** Its prefix in the store. */
  readonly name: string;
  readonly hasPending: boolean;
  /** What it has pending is proposed without a wait, as Ceph's auth, config and monmap services do. */
  readonly isUrgent?: boolean;
  /**
   * Puts what is pending into the transaction; nothing is pending any more. The function given back makes it
   * the committed state, and is called once the transaction is durable, in the order of the proposals.
   */
  propose(transaction: StoreTransaction): () => void;
  /** Every mon_tick_interval; what it finds to do becomes pending. */
  tick?(): void;
}

/** Who batches what services have pending. */
export interface Proposer {
  /**
   * Something became pending: it will be proposed after paxos_min_wait, or paxos_propose_interval after the
   * proposal before. Resolves when everything that was pending at the call is durable and committed.
   */
  propose(): Promise<void>;
}
