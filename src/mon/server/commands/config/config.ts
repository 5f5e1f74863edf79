/** Options of daemons and clients, kept by the monitor. */
import { Errno } from '../../../../auth/errno.ts';
import { ErrorCode, MsgrError } from '../../../../errors.ts';
import { cephOption, cephOptions, checkValue } from '../../config/ceph-options.ts';
import { type ConfigEntry, configFor, configKey } from '../../config/config-map.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, done, failed, formatJson, isJson } from '../reply.ts';
import { table } from '../text.ts';
import { parseEntity, parseWho } from './targets.ts';

export const configCommands: readonly CommandDefinition[] = [
  {
    signature:
      'config set name=who,type=CephString name=name,type=CephString name=value,type=CephString name=force,type=CephBool,req=false',
    help: 'set an option for everyone, a kind of daemon, or one of them',
    module: 'config',
    permissions: 'rw',
    async run({ args, monitor }) {
      const { mask, section } = parseWho(args.text('who')!);
      const name = optionName(args.text('name')!);
      const value = args.flag('force') ? args.text('value')! : checkedValue(name, args.text('value')!);
      await monitor.config.set(configKey(section, mask, name), value);
      return done();
    },
  },
  {
    signature: 'config rm name=who,type=CephString name=name,type=CephString',
    help: 'forget an option',
    module: 'config',
    permissions: 'rw',
    async run({ args, monitor }) {
      const { mask, section } = parseWho(args.text('who')!);
      await monitor.config.set(configKey(section, mask, optionName(args.text('name')!)), undefined);
      return done();
    },
  },
  {
    signature: 'config get name=who,type=CephString name=key,type=CephString,req=false',
    help: 'the options that hold for one entity',
    module: 'config',
    permissions: 'r',
    run({ args, format, monitor }) {
      const found = configFor(monitor.config.entries, parseEntity(monitor, args.text('who')!));
      const key = args.text('key');
      if (key !== undefined) {
        const name = optionName(key);
        const value = found.get(name)?.value ?? cephOption(name)?.default;
        return value === undefined ? failed(Errno.ENOENT, `unrecognized key '${key}'`) : answer(`${value}\n`);
      }
      const entries = [...found.values()].sort(byOption);
      if (isJson(format)) {
        return answer(
          formatJson(Object.fromEntries(entries.map((entry) => [entry.option, heldJson(entry)])), format),
        );
      }
      return answer(tableOf(entries, ({ section }) => section));
    },
  },
  {
    signature: 'config dump',
    help: 'every option that is set, for whomever',
    module: 'mon',
    permissions: 'r',
    run({ format, monitor }) {
      const entries = [...monitor.config.entries].sort(byDumpOrder);
      if (isJson(format)) return answer(formatJson(entries.map(dumpJson), format));
      return answer(tableOf(entries, ({ section }) => `${'  '.repeat(depthOf(section))}${section}`));
    },
  },
  {
    signature: 'config help name=key,type=CephString',
    help: 'what an option takes',
    module: 'config',
    permissions: 'r',
    run({ args, format }) {
      const option = cephOption(optionName(args.text('key')!));
      if (option === undefined) return failed(Errno.ENOENT, '');
      const { default: value, isRuntime, level, max = '', min = '', name, type } = option;
      if (isJson(format)) {
        return answer(
          formatJson(
            { name, type, level, default: value, min, max, can_update_at_runtime: isRuntime },
            format,
          ),
        );
      }
      return answer(
        `${name} - \n  (${type}, ${level})\n  Default: ${value}\n  Can update at runtime: ${isRuntime}\n`,
      );
    },
  },
  {
    signature: 'config ls',
    help: 'the names of all options',
    module: 'config',
    permissions: 'r',
    run({ format }) {
      const names = [...cephOptions().keys()];
      return answer(isJson(format) ? formatJson(names, format) : `${names.join('\n')}\n`);
    },
  },
  {
    signature: 'config generate-minimal-conf',
    help: 'the least that a client must have in its ceph.conf',
    module: 'config',
    permissions: 'r',
    run({ monitor }) {
      const hosts = monitor.monMap.ranks.map((name) =>
        String(monitor.monMap.monitors.get(name)!.publicAddrs),
      );
      return answer(
        `# minimal ceph.conf for ${monitor.fsid}\n[global]\n\tfsid = ${monitor.fsid}\n\tmon_host = ${hosts.join(' ')}\n`,
      );
    },
  },
];

/** Spaces and dashes are as good as underscores. */
export function optionName(text: string): string {
  return text.trim().replaceAll(/[ -]/g, '_');
}

/** @throws MsgrError in Ceph's words */
export function checkedValue(name: string, text: string): string {
  const option = cephOption(name);
  const refuse = (message: string) => new MsgrError(ErrorCode.InvalidArgument, message);
  if (option === undefined) throw refuse(`unrecognized config option '${name}'`);
  if (option.isNeverKept) throw refuse(`${name} is special and cannot be stored by the mon`);
  const checked = checkValue(option, text);
  if (checked.problem !== undefined) throw refuse(`error parsing value: ${checked.problem}`);
  return checked.value;
}

function byOption({ option: one }: ConfigEntry, { option: other }: ConfigEntry): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function depthOf(section: string): number {
  return section === 'global' ? 0 : section.includes('.') ? 2 : 1;
}

const kinds = ['global', 'mon', 'mgr', 'osd', 'mds', 'client'];

function kindOf(section: string): number {
  return kinds.indexOf(section.split('.')[0]!);
}

/** Everyone first, then by kind, the kind before single entities; by option, and by where it is kept. */
function byDumpOrder(one: ConfigEntry, other: ConfigEntry): number {
  const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
  return (
    kindOf(one.section) - kindOf(other.section) ||
    compare(one.section, other.section) ||
    compare(one.option, other.option) ||
    compare(one.key, other.key)
  );
}

function knowledgeOf({ option }: ConfigEntry): { readonly level: string; readonly isRuntime: boolean } {
  const { isRuntime = false, level = 'unknown' } = cephOption(option) ?? {};
  return { level, isRuntime };
}

function maskJson({ mask }: ConfigEntry): object {
  const parts = mask === '' ? [] : mask.split('/').map((part) => part.split(':'));
  const place = parts.find(([type]) => type !== 'class');
  const deviceClass = parts.find(([type]) => type === 'class')?.[1];
  return {
    ...(place && { location_type: place[0], location_value: place[1] }),
    ...(deviceClass !== undefined && { device_class: deviceClass }),
  };
}

function heldJson(entry: ConfigEntry): object {
  const { section, value } = entry;
  return { value, section, mask: maskJson(entry), can_update_at_runtime: knowledgeOf(entry).isRuntime };
}

function dumpJson(entry: ConfigEntry): object {
  const { mask, option, section, value } = entry;
  const { isRuntime, level } = knowledgeOf(entry);
  return { section, name: option, value, level, can_update_at_runtime: isRuntime, mask, ...maskJson(entry) };
}

function tableOf(entries: readonly ConfigEntry[], who: (entry: ConfigEntry) => string): string {
  const rows = entries.map((entry) => {
    const { isRuntime, level } = knowledgeOf(entry);
    return [who(entry), entry.mask, level, entry.option, entry.value, isRuntime ? '' : '*'];
  });
  const columns = ['WHO', 'MASK', 'LEVEL', 'OPTION', 'VALUE', 'RO'].map((heading) => ({ heading }));
  return `${table(columns, rows)}\n`;
}
