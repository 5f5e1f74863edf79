/** Commands that show entities and their keys. */
import { Errno } from '../../../../auth/errno.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, failed, formatJson, isJson } from '../reply.ts';
import { entityJson, entityText, keyringText, type NamedEntity, parseEntityName } from './entity-text.ts';

const shared = { module: 'auth', permissions: 'rx' } as const;

export const authShowCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'auth export name=entity,type=CephString,req=false',
    help: 'a keyring with the key of one entity, or of all',
    run(context) {
      const { args, format, monitor } = context;
      if (args.text('entity') !== undefined) {
        return withEntity(context, 'no key for', (entity) =>
          keyringReply([entity], format, `export ${entity[0]}`),
        );
      }
      return keyringReply(monitor.auth.entities().filter(isClient), format, 'exported master keyring');
    },
  },
  {
    ...shared,
    signature: 'auth get name=entity,type=CephString',
    help: 'a keyring with the key of one entity',
    run: (context) =>
      withEntity(context, 'failed to find', (entity) =>
        keyringReply([entity], context.format, `exported keyring for ${entity[0]}`),
      ),
  },
  ...['get-key', 'print-key', 'print_key'].map(
    (word): CommandDefinition => ({
      ...shared,
      signature: `auth ${word} name=entity,type=CephString`,
      help: 'the key of one entity',
      run: (context) =>
        withEntity(context, `don't have`, ([, { key }]) => {
          const text = key.toBase64();
          return answer(isJson(context.format) ? formatJson({ key: text }, context.format) : text);
        }),
    }),
  ),
  ...['ls', 'list'].map(
    (word): CommandDefinition => ({
      ...shared,
      signature: `auth ${word}`,
      help: 'all entities with their keys and capabilities',
      flags: word === 'list' ? 4 : 0,
      run({ format, monitor }) {
        const entities = monitor.auth.entities().filter(isClient);
        if (isJson(format)) return answer(formatJson({ auth_dump: entities.map(entityJson) }, format));
        return answer(entities.map(entityText).join(''), 'installed auth entries:\n');
      },
    }),
  ),
];

/** The monitors' own key is in nobody's list. */
function isClient([name]: NamedEntity): boolean {
  return String(name) !== 'mon.';
}

function keyringReply(
  entities: readonly NamedEntity[],
  format: CommandContext['format'],
  message: string,
): CommandReply {
  const data = isJson(format) ? formatJson(entities.map(entityJson), format) : keyringText(entities);
  return answer(data, message);
}

function withEntity(
  { args, monitor }: CommandContext,
  missing: string,
  run: (entity: NamedEntity) => CommandReply,
): CommandReply {
  const text = args.text('entity')!;
  const name = parseEntityName(text);
  if (name === undefined) return failed(Errno.EINVAL, `invalid entity_auth ${text}`);
  const found = monitor.auth.entity(name);
  if (found !== undefined) return run([name, found]);
  return failed(Errno.ENOENT, `${missing} ${name}${missing === 'failed to find' ? ' in keyring' : ''}`);
}
