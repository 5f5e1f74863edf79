/**
 * What the monitor keeps: values by prefix and key, as in Ceph's MonitorDBStore (`osdmap` / `full_17`).
 * A transaction is kept whole or not at all; once `commit` has resolved it survives kill -9 and loss of power.
 */

/** Keys of one prefix are ordered as `compareKeys` orders them: numbers by value, before names. */
export interface MonStore {
  /** The value as it was committed last; the caller may keep it and must not change it. */
  get(prefix: string, key: string): Uint8Array | undefined;
  /** Keys of the prefix in order; from `first` on when given. */
  keys(prefix: string, first?: string): Iterable<string>;
  /** Transactions are kept in the order of their commits. Rejects with ERR_MSGR_STORE: the monitor must end. */
  commit(transaction: StoreTransaction): Promise<void>;
  close(): Promise<void>;
}

export type StoreOperation =
  | { readonly kind: 'put'; readonly prefix: string; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'erase'; readonly prefix: string; readonly key: string };

/** Changes that belong together, in order. */
export class StoreTransaction {
  readonly operations: StoreOperation[] = [];

  /** The value is the store's from here on. */
  put(prefix: string, key: string, value: Uint8Array): this {
    this.operations.push({ kind: 'put', prefix, key, value });
    return this;
  }

  erase(prefix: string, key: string): this {
    this.operations.push({ kind: 'erase', prefix, key });
    return this;
  }

  get isEmpty(): boolean {
    return this.operations.length === 0;
  }
}
