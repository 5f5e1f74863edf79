/** Entities with their keys, as keyrings and programs have them. */
import { type EntityAuth, Keyring, parseAuthName } from '../../../../auth/keyring.ts';
import { MsgrError } from '../../../../errors.ts';
import type { EntityAuthName } from '../../../../wire/entity-name.ts';

export type NamedEntity = readonly [EntityAuthName, EntityAuth];

/** Nothing when the text is no entity. */
export function parseEntityName(text: string): EntityAuthName | undefined {
  try {
    return parseAuthName(text);
  } catch (error) {
    if (error instanceof MsgrError) return undefined;
    throw error;
  }
}

export function keyringText(entities: Iterable<NamedEntity>): string {
  const keyring = new Keyring();
  for (const [name, { key, caps }] of entities) keyring.set(name, { key, caps: sorted(caps) });
  return keyring.format();
}

export function entityJson([name, { caps, key }]: NamedEntity): object {
  return { entity: String(name), key: key.toBase64(), caps: Object.fromEntries(sorted(caps)) };
}

/** As `auth ls` shows it. */
export function entityText([name, { caps, key }]: NamedEntity): string {
  const lines = [...sorted(caps)].map(([service, text]) => `\tcaps: [${service}] ${text}\n`);
  return `${name}\n\tkey: ${key.toBase64()}\n${lines.join('')}`;
}

function sorted(caps: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...caps].sort(([one], [other]) => (one < other ? -1 : 1)));
}
