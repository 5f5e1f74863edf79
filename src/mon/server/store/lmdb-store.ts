/**
 * A MonStore in a folder, on LMDB. A commit resolves once its pages are on the disk (`overlappingSync` off:
 * lmdb's promise waits for the flush); LMDB's own double meta page makes each transaction whole or absent.
 *
 * Keys are [prefix, version] or [prefix, name]; lmdb orders numbers by value and before text.
 */
import { chmodSync, closeSync, mkdirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { ErrorCode, MsgrError } from '../../../errors.ts';
import { versionOfKey } from './keys.ts';
import type { MonStore, StoreTransaction } from './mon-store.ts';

type StoreKey = [prefix: string, key: number | string];

export class LmdbStore implements MonStore {
  readonly #db: RootDatabase<Uint8Array, StoreKey>;
  readonly #path: string;

  private constructor(db: RootDatabase<Uint8Array, StoreKey>, path: string) {
    this.#db = db;
    this.#path = path;
  }

  /** For its owner only: the keys of the cluster lie in it. @throws MsgrError ERR_MSGR_STORE */
  static makeFolder(folder: string): void {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
    } catch (cause) {
      throw new MsgrError(ErrorCode.Store, `the folder ${folder} cannot be made: ${reason(cause)}`, {
        cause,
      });
    }
  }

  /** @throws MsgrError ERR_MSGR_STORE */
  static async open(folder: string): Promise<LmdbStore> {
    const { open } = await loadLmdb();
    const path = join(folder, 'store.lmdb');
    checkHeader(path);
    try {
      const options = { path, encoding: 'binary', noSubdir: true, overlappingSync: false } as const;
      const db = open<Uint8Array, StoreKey>(options);
      for (const file of [path, `${path}-lock`]) chmodSync(file, 0o600);
      return new LmdbStore(db, path);
    } catch (cause) {
      throw new MsgrError(ErrorCode.Store, `the store ${path} cannot be opened: ${reason(cause)}`, { cause });
    }
  }

  get(prefix: string, key: string): Uint8Array | undefined {
    return this.#attempt('read', () => this.#db.getBinary(storeKey(prefix, key)));
  }

  *keys(prefix: string, first?: string): Iterable<string> {
    const start = first === undefined ? ([prefix] as unknown as StoreKey) : storeKey(prefix, first);
    for (const [ofPrefix, key] of this.#db.getKeys({ start })) {
      if (ofPrefix !== prefix) return;
      yield String(key);
    }
  }

  async commit(transaction: StoreTransaction): Promise<void> {
    try {
      await this.#db.transaction(() => {
        for (const operation of transaction.operations) {
          const key = storeKey(operation.prefix, operation.key);
          if (operation.kind === 'put') void this.#db.put(key, operation.value);
          else void this.#db.remove(key);
        }
      });
    } catch (cause) {
      throw this.#failed('written', cause);
    }
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  #attempt<T>(verb: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw this.#failed(verb, cause);
    }
  }

  #failed(verb: string, cause: unknown): MsgrError {
    return new MsgrError(ErrorCode.Store, `the store ${this.#path} cannot be ${verb}: ${reason(cause)}`, {
      cause,
    });
  }
}

/** MDB_MAGIC, little-endian, after the header of the first page. */
const magic = Buffer.from([0xde, 0xc0, 0xef, 0xbe]);
const headBytes = 64;

/** The lmdb package crashes on a file that is no store. @throws MsgrError ERR_MSGR_STORE */
function checkHeader(path: string): void {
  const head = Buffer.alloc(headBytes);
  let length: number;
  try {
    const file = openSync(path, 'r');
    try {
      length = readSync(file, head, 0, headBytes, 0);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw new MsgrError(ErrorCode.Store, `the store ${path} cannot be read: ${reason(cause)}`, { cause });
  }
  if (length > 0 && !head.includes(magic)) throw new MsgrError(ErrorCode.Store, `${path} is no LMDB file`);
}

function storeKey(prefix: string, key: string): StoreKey {
  return [prefix, versionOfKey(key) ?? key];
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** Only a monitor needs it, so only a monitor loads it. */
async function loadLmdb(): Promise<typeof import('lmdb')> {
  try {
    return await import('lmdb');
  } catch (cause) {
    throw new MsgrError(
      ErrorCode.Store,
      `the package lmdb cannot be loaded, which a monitor keeps its state in: ${reason(cause)}; npm install lmdb`,
      { cause },
    );
  }
}
