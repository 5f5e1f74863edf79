/** Values that others keep with the monitor, mostly secrets: what is needed to reach them is `allow *`. */
import { Errno } from '../../../../auth/errno.ts';
import type { CommandContext, CommandDefinition, CommandReply } from '../command.ts';
import { answer, done, failed, formatJson } from '../reply.ts';

/** Ceph's mon_config_key_max_entry_size. */
const valueBytesMax = 65_536;
const keyCharactersMax = 1024;

const shared = { module: 'config-key' } as const;

export const configKeyCommands: readonly CommandDefinition[] = [
  {
    ...shared,
    signature: 'config-key get name=key,type=CephString',
    help: 'the value of a key',
    permissions: 'r',
    run({ args, monitor }) {
      const value = monitor.config.key(args.text('key')!);
      return value === undefined ? failed(Errno.ENOENT, '') : answer(value);
    },
  },
  {
    ...shared,
    signature: 'config-key set name=key,type=CephString name=val,type=CephString,req=false',
    help: 'keep a value, of the command line or of -i FILE',
    permissions: 'rw',
    run: setKey,
  },
  {
    ...shared,
    signature: 'config-key put name=key,type=CephString name=val,type=CephString,req=false',
    help: 'keep a value, of the command line or of -i FILE',
    permissions: 'rw',
    flags: 4,
    run: setKey,
  },
  ...['rm', 'del'].map(
    (word): CommandDefinition => ({
      ...shared,
      signature: `config-key ${word} name=key,type=CephString`,
      help: 'forget a key',
      permissions: 'rw',
      flags: word === 'del' ? 4 : 0,
      async run({ args, monitor }) {
        const key = args.text('key')!;
        if (monitor.config.key(key) !== undefined) await monitor.config.setKey(key, undefined);
        return done('key deleted');
      },
    }),
  ),
  {
    ...shared,
    signature: 'config-key exists name=key,type=CephString',
    help: 'whether a key is kept',
    permissions: 'r',
    run({ args, monitor }) {
      const key = args.text('key')!;
      return monitor.config.key(key) === undefined
        ? failed(Errno.ENOENT, `key '${key}' doesn't exist`)
        : done(`key '${key}' exists`);
    },
  },
  ...['ls', 'list'].map(
    (word): CommandDefinition => ({
      ...shared,
      signature: `config-key ${word}`,
      help: 'the keys that are kept',
      permissions: 'r',
      flags: word === 'list' ? 4 : 0,
      run: ({ format, monitor }) => answer(formatJson(monitor.config.keys(), format)),
    }),
  ),
  {
    ...shared,
    signature: 'config-key dump name=key,type=CephString,req=false',
    help: 'keys and their values, those that begin with a text',
    permissions: 'r',
    run({ args, format, monitor }) {
      const start = args.text('key') ?? '';
      const pairs = monitor.config
        .keys()
        .filter((key) => key.startsWith(start))
        .map((key) => [key, valueText(monitor.config.key(key)!)]);
      return answer(formatJson(Object.fromEntries(pairs), format));
    },
  },
];

async function setKey({ args, input, monitor }: CommandContext): Promise<CommandReply> {
  const key = args.text('key')!;
  const given = args.text('val');
  const value = given === undefined ? input : Buffer.from(given);
  if (key === '' || key.length > keyCharactersMax) {
    return failed(Errno.EINVAL, `a key has 1 to ${keyCharactersMax} characters`);
  }
  if (value.length > valueBytesMax) {
    return failed(Errno.EFBIG, `a value has ${valueBytesMax} bytes at most`);
  }
  await monitor.config.setKey(key, Uint8Array.from(value));
  return done(`set ${key}`);
}

/** What is no text is only said to be there. */
function valueText(value: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(value);
    return /^[\x20-\x7e\s\u0080-\uffff]*$/.test(text)
      ? text
      : `<<< binary blob of length ${value.length} >>>`;
  } catch {
    return `<<< binary blob of length ${value.length} >>>`;
  }
}
