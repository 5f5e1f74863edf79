/**
 * What the monitor says of its commands, in the JSON from which Ceph's command line tool makes its own
 * syntax: words as texts, arguments as objects.
 */
import type { CommandDefinition } from './command.ts';
import { formatJson } from './reply.ts';
import type { CommandSignature } from './signature.ts';

export function describeCommands(
  commands: readonly { readonly definition: CommandDefinition; readonly signature: CommandSignature }[],
): string {
  const described = commands.map(({ definition, signature }, index) => [
    `cmd${String(index).padStart(3, '0')}`,
    {
      sig: [
        ...signature.words,
        ...signature.arguments.map(({ attributes }) =>
          Object.fromEntries([...attributes].sort(([one], [other]) => (one < other ? -1 : 1))),
        ),
      ],
      help: definition.help,
      module: definition.module,
      perm: definition.permissions,
      flags: definition.flags ?? 0,
    },
  ]);
  return formatJson(Object.fromEntries(described), 'json');
}
