/**
 * The rotating secrets of one service, as a daemon of that service holds them: they open the tickets of
 * those who connect to it.
 */
import { utimeToMs } from '../../wire/utime.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { ServiceSecrets } from './open-authorizer.ts';
import { currentSecret, type RotatingSecrets, rotatingSecretCount } from './rotating-secrets.ts';

export class RotatingKeys implements ServiceSecrets {
  /** `EntityType` of the service. */
  readonly service: number;
  readonly held: RotatingSecrets;

  constructor(service: number, held: RotatingSecrets) {
    this.service = service;
    this.held = held;
  }

  serviceSecret(service: number, secretId: bigint): CryptoKey | undefined {
    return service === this.service ? this.held.secrets.get(secretId)?.key : undefined;
  }

  /**
   * When newer ones are to be fetched, in ms of the wall clock: when the monitor has begun to use the last
   * one that is held, and made another.
   */
  get renewAfter(): number {
    const current = currentSecret(this.held);
    if (current === undefined || this.held.secrets.size < rotatingSecretCount) return 0;
    return utimeToMs(current.secret.expiration);
  }

  /** Time between the last two rotations, in ms; 0 when it cannot be told. */
  get periodMs(): number {
    const ends = [...this.held.secrets.values()].map(({ expiration }) => utimeToMs(expiration));
    const [last = 0, before = last] = ends.sort((a, b) => b - a);
    return last - before;
  }
}
