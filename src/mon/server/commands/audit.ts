/** Lines of the audit log: who asked for which command. Values of secrets are left out. */
import type { MonSession } from '../session.ts';
import type { JsonCommand } from './arguments.ts';

/** What is kept with `config-key` is mostly passwords and private keys. */
function isSecret(command: JsonCommand, name: string): boolean {
  return name === 'val' && String(command.prefix).startsWith('config-key');
}

const commandCharactersMax = 4096;

export function auditLine({ addrs, entity }: MonSession, command: JsonCommand, what: string): string {
  const shown = Object.entries(command).map(([name, value]) => [
    name,
    isSecret(command, name) ? '(value hidden)' : value,
  ]);
  const text = JSON.stringify([Object.fromEntries(shown)]).slice(0, commandCharactersMax);
  return `from='${addrs}' entity='${entity}' cmd=${text}: ${what}`;
}
