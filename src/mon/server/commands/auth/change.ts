/** Commands that make, change and remove entities. */
import { Errno } from '../../../../auth/errno.ts';
import { type EntityAuth, Keyring } from '../../../../auth/keyring.ts';
import { ErrorCode, MsgrError } from '../../../../errors.ts';
import type { EntityAuthName } from '../../../../wire/entity-name.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, done, failed, formatJson, isJson } from '../reply.ts';
import { checkCaps, differingCap, parseCaps } from './caps.ts';
import { entityJson, parseEntityName } from './entity-text.ts';

const shared = { module: 'auth', permissions: 'rwx' } as const;
const entityAndCaps = 'name=entity,type=CephString name=caps,type=CephString,n=N,req=false';

export const authChangeCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'auth import',
    help: 'take over the entities of a keyring (-i FILE)',
    run: importKeyring,
  },
  {
    ...shared,
    signature: `auth add ${entityAndCaps}`,
    help: 'add an entity, with the key of a keyring (-i FILE) or a new one',
    run: add,
  },
  {
    ...shared,
    signature: `auth get-or-create-key ${entityAndCaps}`,
    help: 'the key of an entity, which is made when there is none',
    run: (context) =>
      getOrCreate(context, (_name, { key }) => {
        const text = key.toBase64();
        return isJson(context.format) ? formatJson({ key: text }, context.format) : `${text}\n`;
      }),
  },
  {
    ...shared,
    signature: `auth get-or-create ${entityAndCaps}`,
    help: 'a keyring with the key of an entity, which is made when there is none',
    run: (context) =>
      getOrCreate(context, (name, auth) =>
        isJson(context.format)
          ? formatJson([entityJson([name, auth])], context.format)
          : `[${name}]\n\tkey = ${auth.key.toBase64()}\n`,
      ),
  },
  {
    ...shared,
    signature: 'auth caps name=entity,type=CephString name=caps,type=CephString,n=N',
    help: 'set the capabilities of an entity',
    async run({ args, monitor }) {
      const name = entityName(args.text('entity')!);
      const caps = parseCaps(args.list('caps'));
      const found = monitor.auth.pendingEntity(name);
      if (found === undefined) return failed(Errno.ENOENT, `couldn't find entry ${name}`);
      monitor.auth.set(name, { key: found.key, caps });
      await monitor.propose();
      return done(`updated caps for ${name}`);
    },
  },
  ...['del', 'rm'].map(
    (word): CommandDefinition => ({
      ...shared,
      signature: `auth ${word} name=entity,type=CephString`,
      help: 'remove an entity',
      flags: word === 'del' ? 4 : 0,
      async run({ args, monitor }) {
        const name = entityName(args.text('entity')!);
        if (!monitor.auth.delete(name)) return done(`entity ${name} does not exist`);
        await monitor.propose();
        return done('updated');
      },
    }),
  ),
];

/** @throws MsgrError in Ceph's words */
function entityName(text: string): EntityAuthName {
  const name = parseEntityName(text);
  if (name === undefined) throw new MsgrError(ErrorCode.InvalidArgument, 'bad entity name');
  return name;
}

/** @throws MsgrError; what the keyring holds is not told. */
function readKeyring(input: Uint8Array): Keyring {
  try {
    return Keyring.parse(input, 'the keyring');
  } catch (cause) {
    if (!(cause instanceof MsgrError)) throw cause;
    throw new MsgrError(ErrorCode.InvalidArgument, `error decoding keyring: ${cause.message}`, { cause });
  }
}

async function importKeyring({ input, monitor }: CommandContext): Promise<CommandReply> {
  if (input.length === 0) return failed(Errno.EINVAL, 'auth import: no data supplied');
  const keyring = readKeyring(input);
  if (keyring.size === 0) return failed(Errno.EINVAL, 'auth import: the keyring names nobody');
  const entities = keyring.names().map((name) => [name, keyring.require(name)] as const);
  for (const [, { caps }] of entities) for (const [service, text] of caps) checkCaps(service, text);
  for (const [name, auth] of entities) monitor.auth.set(name, auth);
  await monitor.propose();
  return done('imported keyring');
}

/** What the command says of the entity; the key is of a keyring or new. */
function wanted({ args, input, monitor }: CommandContext, name: EntityAuthName): EntityAuth {
  const given = parseCaps(args.list('caps'));
  if (input.length === 0) return { key: monitor.auth.generateKey(), caps: given };
  const { caps, key } = readKeyring(input).require(name);
  for (const [service, text] of caps) checkCaps(service, text);
  return { key, caps: given.size > 0 ? given : caps };
}

async function add(context: CommandContext): Promise<CommandReply> {
  const { args, input, monitor } = context;
  const name = entityName(args.text('entity')!);
  let auth: EntityAuth;
  try {
    auth = wanted(context, name);
  } catch (error) {
    if (error instanceof MsgrError && error.code === ErrorCode.Keyring)
      return failed(Errno.EINVAL, error.message);
    throw error;
  }
  const held = monitor.auth.pendingEntity(name);
  if (held !== undefined) {
    if (input.length > 0 && held.key.toBase64() !== auth.key.toBase64()) {
      return failed(Errno.EINVAL, `entity ${name} exists but key does not match`);
    }
    const differing = differingCap(held.caps, auth.caps);
    return differing === undefined
      ? done()
      : failed(Errno.EINVAL, `entity ${name} exists but cap ${differing} does not match`);
  }
  monitor.auth.set(name, auth);
  await monitor.propose();
  return done(`added key for ${name}`);
}

async function getOrCreate(
  { args, monitor }: CommandContext,
  show: (name: EntityAuthName, auth: EntityAuth) => string,
): Promise<CommandReply> {
  const name = entityName(args.text('entity')!);
  const caps = parseCaps(args.list('caps'));
  let auth = monitor.auth.pendingEntity(name);
  if (auth === undefined) {
    auth = { key: monitor.auth.generateKey(), caps };
    monitor.auth.set(name, auth);
  } else if (caps.size > 0) {
    const differing = differingCap(auth.caps, caps);
    if (differing !== undefined) {
      return failed(Errno.EINVAL, `key for ${name} exists but cap ${differing} does not match`);
    }
  }
  // Also when another command made it, whose commit is still to come.
  await monitor.propose();
  return answer(show(name, auth));
}
