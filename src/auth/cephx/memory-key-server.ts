/**
 * A KeyServer that keeps everything in memory. Rotating secrets are made when they are first asked for and
 * follow the clock from then on: whenever the one in use runs out, the next takes its place and another
 * next is made.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Options } from '../../options.ts';
import { type EntityAuthName, EntityType } from '../../wire/entity-name.ts';
import { utimeFromMs, utimeToMs } from '../../wire/utime.ts';
import type { EntityAuth } from '../keyring.ts';
import { CryptoKey } from './crypto-key.ts';
import type { KeyServer } from './key-server.ts';
import { KeyType, keyTypeOf } from './key-type.ts';
import {
  currentSecret,
  type ExpiringKey,
  type RotatingSecrets,
  rotatingSecretCount,
} from './rotating-secrets.ts';

const services: readonly number[] = [
  EntityType.Auth,
  EntityType.Mon,
  EntityType.Osd,
  EntityType.Mds,
  EntityType.Mgr,
];

export class MemoryKeyServer implements KeyServer {
  readonly #options: Options;
  readonly #now: () => number;
  readonly #cipher: KeyType;
  readonly #entities = new Map<string, EntityAuth>();
  readonly #rotating = new Map<number, RotatingSecrets>();

  /** `now`: wall clock in ms. @throws MsgrError ERR_MSGR_INVALID_ARGUMENT for an unknown auth_service_cipher. */
  constructor(options: Options, now: () => number = Date.now) {
    this.#options = options;
    this.#now = now;
    const cipher = keyTypeOf(options.auth_service_cipher);
    if (cipher === undefined || cipher === KeyType.None) {
      throw new MsgrError(
        ErrorCode.InvalidArgument,
        `option auth_service_cipher takes aes or aes256k, not ${JSON.stringify(options.auth_service_cipher)}`,
      );
    }
    this.#cipher = cipher;
  }

  set(name: EntityAuthName, auth: EntityAuth): void {
    this.#entities.set(String(name), auth);
  }

  /** What it has keeps good until its tickets run out. */
  delete(name: EntityAuthName): boolean {
    return this.#entities.delete(String(name));
  }

  entity(name: EntityAuthName): EntityAuth | undefined {
    return this.#entities.get(String(name));
  }

  currentSecret(service: number): { id: bigint; key: CryptoKey } | undefined {
    const rotating = this.rotatingSecrets(service);
    const current = rotating && currentSecret(rotating);
    return current && { id: current.id, key: current.secret.key };
  }

  serviceSecret(service: number, secretId: bigint): CryptoKey | undefined {
    return this.rotatingSecrets(service)?.secrets.get(secretId)?.key;
  }

  rotatingSecrets(service: number): RotatingSecrets | undefined {
    if (!services.includes(service)) return undefined;
    let rotating: RotatingSecrets = this.#rotating.get(service) ?? { secrets: new Map(), maxId: 0n };
    while (this.#mustRotate(rotating)) rotating = this.#rotate(rotating, service);
    this.#rotating.set(service, rotating);
    return rotating;
  }

  #mustRotate(rotating: RotatingSecrets): boolean {
    if (rotating.secrets.size < rotatingSecretCount) return true;
    return utimeToMs(currentSecret(rotating)!.secret.expiration) <= this.#now();
  }

  /** Adds one that runs out a lifetime after the last, and drops the oldest of more than three. */
  #rotate({ secrets, maxId }: RotatingSecrets, service: number): RotatingSecrets {
    const now = this.#now();
    const ttl = this.#ttlMs(service);
    const last = secrets.get(maxId);
    const begins = last === undefined ? now : Math.max(now + ttl, utimeToMs(last.expiration));
    const added: ExpiringKey = {
      key: CryptoKey.generate(this.#cipher, utimeFromMs(now)),
      expiration: utimeFromMs(begins + ttl),
    };
    const all = [...secrets, [maxId + 1n, added] as const];
    return { secrets: new Map(all.slice(-rotatingSecretCount)), maxId: maxId + 1n };
  }

  #ttlMs(service: number): number {
    const { auth_mon_ticket_ttl: mon, auth_service_ticket_ttl: others } = this.#options;
    return 1000 * (service === EntityType.Auth ? mon : others);
  }
}
