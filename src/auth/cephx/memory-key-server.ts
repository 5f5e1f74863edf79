/**
 * A KeyServer that keeps everything in memory. Rotating secrets are made when they are first asked for and
 * follow the clock from then on: whenever the one in use runs out, the next takes its place and another
 * next is made.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import type { Options } from '../../options.ts';
import type { EntityAuthName } from '../../wire/entity-name.ts';
import type { EntityAuth } from '../keyring.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { KeyServer } from './key-server.ts';
import { KeyType, keyTypeOf } from './key-type.ts';
import {
  currentSecret,
  noRotatingSecrets,
  type RotatingSecrets,
  rotatedSecrets,
} from './rotating-secrets.ts';
import { services, serviceTtlMs } from './services.ts';

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
    const held = this.#rotating.get(service) ?? noRotatingSecrets;
    const rotating = rotatedSecrets(held, this.#now(), serviceTtlMs(service, this.#options), this.#cipher);
    this.#rotating.set(service, rotating);
    return rotating;
  }
}
