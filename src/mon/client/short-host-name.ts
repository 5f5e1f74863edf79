import { hostname } from 'node:os';

/** The host's name up to its first dot, as monitors show it of their subscribers. */
export function shortHostName(): string {
  return hostname().split('.', 1)[0]!;
}
