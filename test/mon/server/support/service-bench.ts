/** Services over a store, proposed by hand: what is pending, what is durable, what comes back after a start. */
import type { MonService, Proposer } from '../../../../src/mon/server/service.ts';
import { MemoryStore } from '../../../../src/mon/server/store/memory-store.ts';
import { StoreTransaction } from '../../../../src/mon/server/store/mon-store.ts';

export class ServiceBench implements Proposer {
  readonly store = new MemoryStore();
  #waiters: (() => void)[] = [];

  propose(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** One proposal of these services, down to the store. */
  async commit(...services: MonService[]): Promise<void> {
    const waiters = this.#waiters;
    this.#waiters = [];
    const transaction = new StoreTransaction();
    const apply = services
      .filter(({ hasPending }) => hasPending)
      .map((service) => service.propose(transaction));
    await this.store.commit(transaction);
    for (const one of apply) one();
    for (const waiter of waiters) waiter();
    await Promise.resolve();
  }
}
