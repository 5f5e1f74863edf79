/** Makes tickets, as a monitor does, for who has proven to be somebody. */
import type { Options } from '../../options.ts';
import { type EntityAuthName, EntityType, entityTypeName } from '../../wire/entity-name.ts';
import { utimeFromMs } from '../../wire/utime.ts';
import type { EntityAuth } from '../keyring.ts';
import { sealTicketInfo } from './auth-ticket.ts';
import { CryptoKey } from './crypto-key.ts';
import type { KeyServer } from './key-server.ts';
import type { KeyType } from './key-type.ts';
import type { TicketGrant } from './ticket-grant.ts';

export interface TicketHolder {
  readonly name: EntityAuthName;
  readonly globalId: bigint;
  readonly auth: EntityAuth;
}

export class TicketMaker {
  readonly #keys: KeyServer;
  readonly #options: Options;
  readonly #now: () => number;

  constructor(keys: KeyServer, options: Options, now: () => number) {
    this.#keys = keys;
    this.#options = options;
    this.#now = now;
  }

  /** Undefined for what is no service. */
  make(service: number, { name, globalId, auth }: TicketHolder): TicketGrant | undefined {
    const secret = this.#keys.currentSecret(service);
    if (secret === undefined) return undefined;
    const now = this.#now();
    const { auth_mon_ticket_ttl: monTtl, auth_service_ticket_ttl: serviceTtl } = this.#options;
    const ttlMs = 1000 * (service === EntityType.Auth ? monTtl : serviceTtl);
    const created = utimeFromMs(now);
    // The holder must know the type, and so must the service; the monitor alone opens its own tickets.
    const type = service === EntityType.Auth ? auth.key.type : Math.min(auth.key.type, secret.key.type);
    const sessionKey = CryptoKey.generate(type as KeyType, created);
    const blob = sealTicketInfo(secret.key, {
      ticket: {
        name,
        globalId,
        created,
        expires: utimeFromMs(now + ttlMs),
        caps: service === EntityType.Auth ? undefined : auth.caps.get(entityTypeName(service)),
      },
      sessionKey,
    });
    return { service, sessionKey, ticket: { secretId: secret.id, blob }, validity: utimeFromMs(ttlMs) };
  }

  /** One for each bit, AUTH excepted, that is a service. */
  makeAll(services: number, holder: TicketHolder): TicketGrant[] {
    const grants: TicketGrant[] = [];
    for (let service = 1; service <= EntityType.Any && service <= services; service <<= 1) {
      if ((services & service) === 0 || service === EntityType.Auth) continue;
      const grant = this.make(service, holder);
      if (grant !== undefined) grants.push(grant);
    }
    return grants;
  }
}
