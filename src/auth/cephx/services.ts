/** Which services a monitor has rotating secrets of, and how long their tickets are good. */
import type { Options } from '../../options.ts';
import { EntityType } from '../../wire/entity-name.ts';

export const services: readonly number[] = [
  EntityType.Auth,
  EntityType.Mon,
  EntityType.Osd,
  EntityType.Mds,
  EntityType.Mgr,
];

export function serviceTtlMs(service: number, options: Options): number {
  const { auth_mon_ticket_ttl: mon, auth_service_ticket_ttl: others } = options;
  return 1000 * (service === EntityType.Auth ? mon : others);
}
