/**
 * When what is pending becomes committed. As in Ceph, the first change waits paxos_min_wait for others to
 * join it, and no proposal follows another within paxos_propose_interval; urgent services do not wait, and
 * take along what the others have. One transaction holds all services, and one is on its way at a time:
 *
 *      propose() ──► waits ──► transaction ──► durable ──► services applied ──► onCommit ──► callers go on
 *                      ▲                          │
 *                      └──── came meanwhile ──────┘        a failing store: onFailure, and nobody is answered
 */
import type { MsgrError } from '../../errors.ts';
import type { Options } from '../../options.ts';
import type { Clock } from '../../transport/clock.ts';
import type { MonService, Proposer } from './service.ts';
import { type MonStore, StoreTransaction } from './store/mon-store.ts';

export interface ProposalsInit {
  readonly store: MonStore;
  readonly clock: Clock;
  readonly options: Options;
  /** Asked in this order: one may depend on what those before it have proposed. */
  readonly services: readonly MonService[];
  /** Every service has its new state; before anyone who waits goes on. */
  readonly onCommit: () => void;
  /** The store failed, so nothing can be promised any more. */
  readonly onFailure: (error: MsgrError) => void;
}

export class Proposals implements Proposer {
  readonly #init: ProposalsInit;
  #waiters: (() => void)[] = [];
  #timer: unknown;
  #timerDue = 0;
  #isCommitting = false;
  #isStopped = false;
  #lastCommitMs = Number.NEGATIVE_INFINITY;
  /** Resolves when the transaction under way is over. */
  #underWay: Promise<void> = Promise.resolve();

  constructor(init: ProposalsInit) {
    this.#init = init;
  }

  propose(): Promise<void> {
    const done = new Promise<void>((resolve) => this.#waiters.push(resolve));
    this.#schedule();
    return done;
  }

  /** Proposes at once what is pending; resolves when it is durable. */
  async flush(): Promise<void> {
    const done = this.propose();
    this.#init.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#underWay;
    if (!this.#isCommitting) this.#commit();
    await done;
  }

  /** Nothing is proposed any more; resolves when the store is left alone. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#init.clock.clearTimeout(this.#timer);
    await this.#underWay;
  }

  #schedule(): void {
    if (this.#isCommitting || this.#isStopped) return;
    const { clock } = this.#init;
    const due = clock.nowMs() + this.#delayMs();
    if (this.#timer !== undefined) {
      if (this.#timerDue <= due) return;
      clock.clearTimeout(this.#timer);
    }
    this.#timerDue = due;
    this.#timer = clock.setTimeout(() => this.#commit(), Math.max(0, due - clock.nowMs()));
  }

  #delayMs(): number {
    const { clock, options, services } = this.#init;
    const pending = services.filter((service) => service.hasPending);
    // Nothing to wait for, or nothing that may wait.
    if (pending.length === 0 || pending.some((service) => service.isUrgent)) return 0;
    const sinceLastMs = clock.nowMs() - this.#lastCommitMs;
    const intervalMs = 1000 * options.paxos_propose_interval;
    return sinceLastMs > intervalMs ? 1000 * options.paxos_min_wait : intervalMs - sinceLastMs;
  }

  #commit(): void {
    this.#timer = undefined;
    if (this.#isCommitting || this.#isStopped) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    const transaction = new StoreTransaction();
    const applied: (() => void)[] = [];
    for (const service of this.#init.services) {
      if (service.hasPending) applied.push(service.propose(transaction));
    }
    this.#isCommitting = true;
    this.#underWay = this.#write(transaction, applied, waiters);
  }

  async #write(
    transaction: StoreTransaction,
    applied: readonly (() => void)[],
    waiters: readonly (() => void)[],
  ): Promise<void> {
    const { store, clock, onCommit, onFailure } = this.#init;
    try {
      if (!transaction.isEmpty) await store.commit(transaction);
    } catch (error) {
      this.#isStopped = true;
      onFailure(error as MsgrError);
      return;
    }
    this.#isCommitting = false;
    if (applied.length > 0) {
      this.#lastCommitMs = clock.nowMs();
      for (const apply of applied) apply();
      onCommit();
    }
    for (const resolve of waiters) resolve();
    if (this.#waiters.length > 0 || this.#init.services.some((service) => service.hasPending))
      this.#schedule();
  }
}
