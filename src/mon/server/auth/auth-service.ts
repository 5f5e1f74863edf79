/**
 * The durable key server: entities with their keys and caps, rotating secrets, and the global ids that were
 * given out. The handshakes see what is committed only; commands change what is pending and call `propose`.
 *
 * Store, prefix `auth`: `entity/client.admin`, `rotating/4` (by the service's type), `max_global_id`,
 * `last_committed`. Rotating secrets have the type of the monitors' own key: a cluster whose keys are `aes`
 * has daemons and tools that read no other (Ceph before 19.2.6).
 */
import { CryptoKey } from '../../../auth/cephx/crypto-key.ts';
import type { KeyServer } from '../../../auth/cephx/key-server.ts';
import { KeyType } from '../../../auth/cephx/key-type.ts';
import {
  currentSecret,
  decodeRotatingSecrets,
  encodeRotatingSecrets,
  noRotatingSecrets,
  type RotatingSecrets,
  rotatedSecrets,
} from '../../../auth/cephx/rotating-secrets.ts';
import { services, serviceTtlMs } from '../../../auth/cephx/services.ts';
import { type EntityAuth, parseAuthName } from '../../../auth/keyring.ts';
import { ErrorCode, MsgrError } from '../../../errors.ts';
import type { Options } from '../../../options.ts';
import { Decoder } from '../../../wire/decoder.ts';
import { encodeWith } from '../../../wire/encoder.ts';
import { EntityAuthName, EntityType } from '../../../wire/entity-name.ts';
import type { MonService } from '../service.ts';
import type { MonStore, StoreTransaction } from '../store/mon-store.ts';
import { encodeVersion, readVersion } from '../store/values.ts';
import { decodeEntityAuth, encodeEntityAuth } from './entity-record.ts';
import { GlobalIds } from './global-ids.ts';

const prefix = 'auth';
const entityKey = 'entity/';
const rotatingKey = 'rotating/';

/** The monitors' common name, `mon.`. */
export const monitorName = new EntityAuthName(EntityType.Mon, '');

export interface AuthServiceInit {
  readonly store: MonStore;
  readonly options: Options;
  /** Wall clock in ms. */
  readonly now: () => number;
}

export class AuthService implements MonService, KeyServer {
  readonly name = prefix;
  readonly isUrgent = true;
  readonly globalIds: GlobalIds;
  readonly #init: AuthServiceInit;
  readonly #entities = new Map<string, EntityAuth>();
  readonly #rotating = new Map<number, RotatingSecrets>();
  /** Undefined: to be removed. */
  #pendingEntities = new Map<string, EntityAuth | undefined>();
  #pendingRotating = new Map<number, RotatingSecrets>();
  /** On their way to the disk: no longer pending and not committed yet. */
  #proposedEntities: ReadonlyMap<string, EntityAuth | undefined> = new Map();
  #proposedRotating: ReadonlyMap<number, RotatingSecrets> = new Map();
  #version: number;

  /** Reads what is committed. @throws MsgrError ERR_MSGR_STORE */
  constructor(init: AuthServiceInit) {
    this.#init = init;
    const { store } = init;
    for (const key of store.keys(prefix, entityKey)) {
      if (!key.startsWith(entityKey)) break;
      const auth = readRecord(store, key, decodeEntityAuth);
      this.#entities.set(key.slice(entityKey.length), auth);
    }
    for (const key of store.keys(prefix, rotatingKey)) {
      if (!key.startsWith(rotatingKey)) break;
      this.#rotating.set(
        Number(key.slice(rotatingKey.length)),
        readRecord(store, key, decodeRotatingSecrets),
      );
    }
    this.globalIds = new GlobalIds(readVersion(store, prefix, 'max_global_id'));
    this.#version = readVersion(store, prefix, 'last_committed');
  }

  /** How often it changed. */
  get version(): number {
    return this.#version;
  }

  // ── KeyServer: what is committed ───────────────────────────────────────────────────────────────

  entity(name: EntityAuthName): EntityAuth | undefined {
    return this.#entities.get(String(name));
  }

  /** All of them, ordered by name. */
  entities(): [EntityAuthName, EntityAuth][] {
    return sorted(this.#entities);
  }

  currentSecret(service: number): { readonly id: bigint; readonly key: CryptoKey } | undefined {
    const rotating = this.#rotating.get(service);
    const current = rotating && currentSecret(rotating);
    return current && { id: current.id, key: current.secret.key };
  }

  serviceSecret(service: number, secretId: bigint): CryptoKey | undefined {
    return this.#rotating.get(service)?.secrets.get(secretId)?.key;
  }

  rotatingSecrets(service: number): RotatingSecrets | undefined {
    return this.#rotating.get(service);
  }

  // ── Changes: what will be ──────────────────────────────────────────────────────────────────────

  /** As it will be once what is pending is committed. */
  pendingEntity(name: EntityAuthName): EntityAuth | undefined {
    const text = String(name);
    const layers = [this.#pendingEntities, this.#proposedEntities, this.#entities];
    return layers.find((layer) => layer.has(text))?.get(text);
  }

  set(name: EntityAuthName, auth: EntityAuth): void {
    this.#pendingEntities.set(String(name), auth);
  }

  /** False when there is none. */
  delete(name: EntityAuthName): boolean {
    if (this.pendingEntity(name) === undefined) return false;
    this.#pendingEntities.set(String(name), undefined);
    return true;
  }

  /** A new key, of the type that the cluster's keys have. */
  generateKey(): CryptoKey {
    return CryptoKey.generate(this.#keyType);
  }

  // ── MonService ─────────────────────────────────────────────────────────────────────────────────

  get hasPending(): boolean {
    return this.#pendingEntities.size > 0 || this.#pendingRotating.size > 0 || this.globalIds.isLow;
  }

  /** Rotates secrets that ran out. */
  tick(): void {
    if (this.pendingEntity(monitorName) === undefined) return;
    const { now, options } = this.#init;
    for (const service of services) {
      const held =
        this.#pendingRotating.get(service) ??
        this.#proposedRotating.get(service) ??
        this.#rotating.get(service) ??
        noRotatingSecrets;
      const rotated = rotatedSecrets(held, now(), serviceTtlMs(service, options), this.#keyType);
      if (rotated !== held) this.#pendingRotating.set(service, rotated);
    }
  }

  propose(transaction: StoreTransaction): () => void {
    const entities = this.#pendingEntities;
    const rotating = this.#pendingRotating;
    this.#pendingEntities = new Map();
    this.#pendingRotating = new Map();
    this.#proposedEntities = entities;
    this.#proposedRotating = rotating;
    for (const [name, auth] of entities) {
      if (auth === undefined) transaction.erase(prefix, entityKey + name);
      else
        transaction.put(
          prefix,
          entityKey + name,
          encodeWith((e) => encodeEntityAuth(e, auth)),
        );
    }
    for (const [service, secrets] of rotating) {
      transaction.put(
        prefix,
        rotatingKey + service,
        encodeWith((e) => encodeRotatingSecrets(e, secrets)),
      );
    }
    const maxGlobalId = this.globalIds.extend();
    transaction.put(prefix, 'max_global_id', encodeVersion(maxGlobalId));
    transaction.put(prefix, 'last_committed', encodeVersion(this.#version + 1));
    return () => {
      this.#proposedEntities = new Map();
      this.#proposedRotating = new Map();
      for (const [name, auth] of entities) {
        if (auth === undefined) this.#entities.delete(name);
        else this.#entities.set(name, auth);
      }
      for (const [service, secrets] of rotating) this.#rotating.set(service, secrets);
      this.globalIds.committed(maxGlobalId);
      this.#version++;
    };
  }

  get #keyType(): KeyType {
    const own = this.pendingEntity(monitorName);
    if (own === undefined) throw new MsgrError(ErrorCode.Store, 'the monitor has no key of its own (mon.)');
    if (own.key.type === KeyType.None) throw new MsgrError(ErrorCode.Store, 'the key of mon. is none');
    return own.key.type as KeyType;
  }
}

function sorted(entities: ReadonlyMap<string, EntityAuth>): [EntityAuthName, EntityAuth][] {
  const named = [...entities].map(([text, auth]): [EntityAuthName, EntityAuth] => [
    parseAuthName(text),
    auth,
  ]);
  return named.sort(([a], [b]) => a.type - b.type || (a.id < b.id ? -1 : 1));
}

function readRecord<T>(store: MonStore, key: string, decode: (decoder: Decoder) => T): T {
  try {
    return decode(new Decoder(Buffer.from(store.get(prefix, key)!), key));
  } catch (cause) {
    if (!(cause instanceof MsgrError)) throw cause;
    throw new MsgrError(ErrorCode.Store, `the store's ${prefix}/${key} does not decode: ${cause.message}`, {
      cause,
    });
  }
}
