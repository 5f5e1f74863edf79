/**
 * The configuration database: options that the monitor sets for clients and daemons, by section (`global`,
 * `osd`, `osd.3`) and mask (`host:a`, `class:ssd`), and keys that others keep with it (`config-key`).
 *
 * In the store: `config`/`SECTION[/MASK]/OPTION` and `config-key`/`KEY`, values as they were given.
 */
import type { MonService, Proposer } from '../service.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';
import { type ConfigEntry, type ConfigTarget, configFor, parseConfigKey } from './config-map.ts';

export interface ConfigServiceInit {
  readonly store: MonStore;
  readonly proposer: Proposer;
}

const configPrefix = 'config';
const keyPrefix = 'config-key';
const versionPrefix = 'config-version';
const versionKey = 'last';

interface Change {
  readonly prefix: typeof configPrefix | typeof keyPrefix;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export class ConfigService implements MonService {
  readonly name = configPrefix;
  readonly #init: ConfigServiceInit;
  readonly #entries = new Map<string, ConfigEntry>();
  readonly #keys = new Map<string, Uint8Array>();
  #pending: Change[] = [];
  #version = 0;
  #versionProposed = 0;
  readonly #listeners = new Set<() => void>();

  constructor(init: ConfigServiceInit) {
    this.#init = init;
    this.#load();
  }

  // ── Options ──────────────────────────────────────────────────────────────────────────────────────

  /** Counts commits; subscriptions of `config` go by it. */
  get version(): number {
    return this.#version;
  }

  /** Committed options, ordered as `config dump` shows them. */
  get entries(): Iterable<ConfigEntry> {
    return this.#entries.values();
  }

  entry(key: string): ConfigEntry | undefined {
    return this.#entries.get(key);
  }

  /** What MConfig tells a subscriber: the value of each option that is set for it. */
  configFor(target: ConfigTarget): Map<string, string> {
    return new Map([...configFor(this.#entries.values(), target)].map(([name, { value }]) => [name, value]));
  }

  /** Resolves when durable. `value` undefined removes it. */
  set(key: string, value: string | undefined): Promise<void> {
    return this.#change({
      prefix: configPrefix,
      key,
      value: value === undefined ? undefined : Buffer.from(value),
    });
  }

  // ── config-key ───────────────────────────────────────────────────────────────────────────────────

  key(key: string): Uint8Array | undefined {
    return this.#keys.get(key);
  }

  /** In order. */
  keys(): string[] {
    return [...this.#keys.keys()].sort();
  }

  /** Resolves when durable. `value` undefined removes it. */
  setKey(key: string, value: Uint8Array | undefined): Promise<void> {
    return this.#change({ prefix: keyPrefix, key, value });
  }

  // ── Service ──────────────────────────────────────────────────────────────────────────────────────

  /** Called after each commit. The function given back ends it. */
  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  propose(transaction: StoreTransaction): () => void {
    const changes = this.#pending;
    this.#pending = [];
    for (const { key, prefix, value } of changes) {
      if (value === undefined) transaction.erase(prefix, key);
      else transaction.put(prefix, key, value);
    }
    this.#versionProposed++;
    const version = this.#versionProposed;
    transaction.put(versionPrefix, versionKey, Buffer.from(String(version)));
    return () => {
      for (const change of changes) this.#apply(change);
      this.#version = version;
      for (const listener of this.#listeners) listener();
    };
  }

  async #change(change: Change): Promise<void> {
    this.#pending.push(change);
    await this.#init.proposer.propose();
  }

  #apply({ key, prefix, value }: Change): void {
    if (prefix === keyPrefix) {
      if (value === undefined) this.#keys.delete(key);
      else this.#keys.set(key, value);
    } else if (value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, parseConfigKey(key, Buffer.from(value).toString()));
  }

  #load(): void {
    const { store } = this.#init;
    for (const prefix of [configPrefix, keyPrefix] as const) {
      for (const key of store.keys(prefix)) this.#apply({ prefix, key, value: store.get(prefix, key) });
    }
    const version = store.get(versionPrefix, versionKey);
    this.#version = version === undefined ? 0 : Number(Buffer.from(version).toString());
    this.#versionProposed = this.#version;
  }
}
