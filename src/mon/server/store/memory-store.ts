/** A MonStore that lives as long as its process, for tests and for clusters that are thrown away. */
import { compareKeys } from './keys.ts';
import type { MonStore, StoreTransaction } from './mon-store.ts';

export class MemoryStore implements MonStore {
  readonly #prefixes = new Map<string, Map<string, Uint8Array>>();

  get(prefix: string, key: string): Uint8Array | undefined {
    return this.#prefixes.get(prefix)?.get(key);
  }

  *keys(prefix: string, first?: string): Iterable<string> {
    const keys = [...(this.#prefixes.get(prefix)?.keys() ?? [])].sort(compareKeys);
    for (const key of keys) if (first === undefined || compareKeys(key, first) >= 0) yield key;
  }

  async commit(transaction: StoreTransaction): Promise<void> {
    for (const operation of transaction.operations) {
      const { prefix, key } = operation;
      const values = this.#prefixes.get(prefix) ?? new Map<string, Uint8Array>();
      this.#prefixes.set(prefix, values);
      if (operation.kind === 'put') values.set(key, operation.value);
      else values.delete(key);
    }
  }

  /** What it holds can be opened again by a monitor that is given this object. */
  async close(): Promise<void> {}
}
