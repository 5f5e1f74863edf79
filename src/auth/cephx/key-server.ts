/** What the monitor's side of cephx must be able to look up: entities, and the secrets of services. */
import type { EntityAuthName } from '../../wire/entity-name.ts';
import type { EntityAuth } from '../keyring.ts';
import type { CryptoKey } from './crypto-key.ts';
import type { ServiceSecrets } from './open-authorizer.ts';
import type { RotatingSecrets } from './rotating-secrets.ts';

export interface KeyServer extends ServiceSecrets {
  /** Undefined for who is not known. */
  entity(name: EntityAuthName): EntityAuth | undefined;
  /** The secret that tickets for the service are sealed with now; undefined for what is no service. */
  currentSecret(service: number): { readonly id: bigint; readonly key: CryptoKey } | undefined;
  /** All that are good, for the service's daemons. */
  rotatingSecrets(service: number): RotatingSecrets | undefined;
}
