/**
 * The configuration database: options that the monitor sets for clients and daemons, by section (`global`,
 * `osd`, `osd.3`) and mask (`host:a`, `class:ssd`), and keys that others keep with it (`config-key`).
 *
 * In the store: `config`/`SECTION[/MASK]/OPTION` and `config-key`/`KEY` with values as they were given, and
 * `config-history`/N with what version N changed.
 */
import { configHistoryMax } from '../../../limits.ts';
import type { MonService, Proposer } from '../service.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';
import {
  type ConfigChange,
  type ConfigVersion,
  decodeVersion,
  encodeVersion,
  undoing,
} from './config-history.ts';
import { type ConfigEntry, type ConfigTarget, configFor, parseConfigKey } from './config-map.ts';

export interface ConfigServiceInit {
  readonly store: MonStore;
  readonly proposer: Proposer;
  wallMs?(): number;
}

const configPrefix = 'config';
const keyPrefix = 'config-key';
const historyPrefix = 'config-history';
/** As in Ceph, an empty configuration is the first version. */
const firstVersion: ConfigVersion = { version: 1, stampMs: 0, name: '', changes: [] };

export class ConfigService implements MonService {
  readonly name = configPrefix;
  /** An operator waits, and daemons are to hear of it. */
  readonly isUrgent = true;
  readonly #init: ConfigServiceInit;
  readonly #entries = new Map<string, ConfigEntry>();
  readonly #keys = new Map<string, Uint8Array>();
  readonly #history: ConfigVersion[] = [firstVersion];
  /** What will be, of what is not committed yet, and with which version. */
  readonly #next = new Map<string, { readonly value: string | undefined; readonly version: number }>();
  #pendingVersions: ConfigVersion[] = [];
  #pendingKeys = new Map<string, Uint8Array | undefined>();
  #lastVersion = firstVersion.version;
  readonly #listeners = new Set<() => void>();

  constructor(init: ConfigServiceInit) {
    this.#init = init;
    this.#load();
  }

  // ── Options ──────────────────────────────────────────────────────────────────────────────────────

  /** Of what is committed; subscriptions of `config` go by it. */
  get version(): number {
    return this.#history.at(-1)!.version;
  }

  /** Committed options. */
  get entries(): Iterable<ConfigEntry> {
    return this.#entries.values();
  }

  /** Committed versions, oldest first; old ones are forgotten. */
  get history(): readonly ConfigVersion[] {
    return this.#history;
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
    return this.setAll([[key, value]]);
  }

  /** One version of all these, without those that change nothing; `name` says what it is in the history. */
  setAll(values: Iterable<readonly [key: string, value: string | undefined]>, name = ''): Promise<void> {
    const changes: ConfigChange[] = [];
    const version = this.#lastVersion + 1;
    for (const [key, after] of values) {
      const { value: before } = this.#next.get(key) ?? this.#entries.get(key) ?? {};
      if (before === after) continue;
      changes.push({ key, before, after });
      this.#next.set(key, { value: after, version });
    }
    if (changes.length > 0) {
      changes.sort((one, other) => (one.key < other.key ? -1 : 1));
      this.#lastVersion = version;
      const stampMs = this.#init.wallMs?.() ?? Date.now();
      this.#pendingVersions.push({ version, stampMs, name, changes });
    }
    return this.#init.proposer.propose();
  }

  /** Makes everything as it was in a version; false when that is not remembered. */
  async resetTo(version: number): Promise<boolean> {
    const oldest = this.#history[0]!.version - 1;
    if (version < oldest || version > this.version) return false;
    await this.setAll(undoing(this.#history, version), `reset to ${version}`);
    return true;
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
    this.#pendingKeys.set(key, value);
    return this.#init.proposer.propose();
  }

  // ── Service ──────────────────────────────────────────────────────────────────────────────────────

  /** Called after each commit. The function given back ends it. */
  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get hasPending(): boolean {
    return this.#pendingVersions.length > 0 || this.#pendingKeys.size > 0;
  }

  propose(transaction: StoreTransaction): () => void {
    const versions = this.#pendingVersions;
    const keys = this.#pendingKeys;
    this.#pendingVersions = [];
    this.#pendingKeys = new Map();
    for (const version of versions) {
      transaction.put(historyPrefix, String(version.version), encodeVersion(version));
      const forgotten = version.version - configHistoryMax;
      if (forgotten > firstVersion.version) transaction.erase(historyPrefix, String(forgotten));
      for (const { after, key } of version.changes) {
        put(transaction, configPrefix, key, after === undefined ? undefined : Buffer.from(after));
      }
    }
    for (const [key, value] of keys) put(transaction, keyPrefix, key, value);
    return () => {
      for (const version of versions) this.#applyVersion(version);
      for (const [key, value] of keys) this.#applyKey(key, value);
      for (const listener of this.#listeners) listener();
    };
  }

  #applyVersion(version: ConfigVersion): void {
    for (const { after, key } of version.changes) {
      if (after === undefined) this.#entries.delete(key);
      else this.#entries.set(key, parseConfigKey(key, after));
      if (this.#next.get(key)?.version === version.version) this.#next.delete(key);
    }
    this.#history.push(version);
    if (this.#history.length > configHistoryMax) this.#history.shift();
  }

  #applyKey(key: string, value: Uint8Array | undefined): void {
    if (value === undefined) this.#keys.delete(key);
    else this.#keys.set(key, value);
  }

  #load(): void {
    const { store } = this.#init;
    for (const key of store.keys(configPrefix)) {
      const value = store.get(configPrefix, key);
      if (value !== undefined) this.#entries.set(key, parseConfigKey(key, Buffer.from(value).toString()));
    }
    for (const key of store.keys(keyPrefix)) this.#applyKey(key, store.get(keyPrefix, key));
    for (const key of store.keys(historyPrefix)) {
      const bytes = store.get(historyPrefix, key);
      if (bytes !== undefined) this.#history.push(decodeVersion(bytes, key));
    }
    // What was forgotten in the store is forgotten here.
    if (this.#history.length > 1 && this.#history[1]!.version > firstVersion.version + 1)
      this.#history.shift();
    this.#lastVersion = this.version;
  }
}

function put(
  transaction: StoreTransaction,
  prefix: string,
  key: string,
  value: Uint8Array | undefined,
): void {
  if (value === undefined) transaction.erase(prefix, key);
  else transaction.put(prefix, key, value);
}
