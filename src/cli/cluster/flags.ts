/** The flags of every command that speaks to a cluster: those of Ceph's own tools. */
import { type Command, Option } from 'commander';
import { parseAuthName } from '../../auth/keyring.ts';
import { CephConfig, parseGiven } from '../../config/ceph-config.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { CliError } from '../cli-error.ts';
import { oneOf, seconds } from '../values.ts';

export interface ClusterFlags {
  conf?: string;
  monHost?: string;
  name?: string;
  id?: string;
  user?: string;
  cluster?: string;
  keyring?: string;
  /** Seconds. */
  connectTimeout?: number;
  /** Of `--option`, by name. */
  option?: Record<string, string>;
}

export const outputFormats = ['json', 'json-pretty', 'plain', 'xml', 'xml-pretty', 'yaml'] as const;

/** Flags that a command has another use for: short ones, or long ones, which are left out whole. */
export interface ClusterFlagsOptions {
  readonly without?: readonly string[];
}

export function addClusterFlags(command: Command, { without = [] }: ClusterFlagsOptions = {}): Command {
  const add = (flags: string, description: string): Option => {
    const [short, long] = flags.split(', ');
    const option = new Option(long !== undefined && without.includes(short!) ? long : flags, description);
    if (!without.includes(option.long!)) command.addOption(option.helpGroup('Cluster:'));
    return option;
  };
  add('-c, --conf <file>', 'ceph.conf; else $CEPH_CONF, /etc/ceph, ~/.ceph and this folder are looked at');
  add('-m, --mon-host <addresses>', 'where the monitors are, in place of mon_host');
  add('-n, --name <type.id>', 'who to be: client.admin unless said otherwise');
  add('--id <id>', 'the same for clients: client.ID');
  command.addOption(new Option('--user <id>').hideHelp());
  add('--cluster <name>', "the cluster's name, which is ceph.conf's name too");
  add('-k, --keyring <file>', 'where its key is');
  const patience = 'go on trying for so long (else every monitor is tried once)';
  add('--connect-timeout <seconds>', patience).argParser(seconds(0.001, 86_400));
  add('--option <name=value>', 'any option of ceph.conf; repeatable').argParser(
    (text: string, previous: Record<string, string> | undefined) => ({
      ...previous,
      ...givenOption(text),
    }),
  );
  return command;
}

export function formatOption(...formats: readonly string[]): Option {
  return new Option('-f, --format <format>', formats.join(', ')).argParser(oneOf(...formats));
}

/** Dashes count as underscores on a command line, though not in a file. */
function givenOption(text: string): Record<string, string> {
  const [name, value] = parseGiven(text);
  return { [name.replaceAll('-', '_')]: value };
}

/** Words of $CEPH_ARGS that are flags of ours, by the names in {@link ClusterFlags}. */
const argumentNames: Readonly<Record<string, keyof ClusterFlags>> = {
  '-c': 'conf',
  '--conf': 'conf',
  '-m': 'monHost',
  '--mon-host': 'monHost',
  '--mon_host': 'monHost',
  '-n': 'name',
  '--name': 'name',
  '--id': 'id',
  '--user': 'id',
  '--cluster': 'cluster',
  '-k': 'keyring',
  '--keyring': 'keyring',
};

/** What $CEPH_ARGS says: flags, and any option as `--name value` or `--name=value`. */
export function parseCephArgs(text: string): ClusterFlags {
  const flags: { [name in keyof ClusterFlags]: unknown } = {};
  const option: Record<string, string> = {};
  const words = text.split(/\s+/).filter((word) => word !== '');
  while (words.length > 0) {
    const match = /^(--?[^=]+)(?:=(.*))?$/s.exec(words.shift()!);
    if (match === null) continue;
    const value = match[2] ?? (words[0]?.startsWith('-') === false ? words.shift()! : 'true');
    const name = argumentNames[match[1]!];
    if (name !== undefined) flags[name] = value;
    else option[match[1]!.replace(/^--?/, '').replaceAll('-', '_')] = value;
  }
  return { ...(flags as ClusterFlags), option };
}

/** The configuration that the flags, the environment and ceph.conf make together. @throws CliError */
export function configOf(flags: ClusterFlags, environment: NodeJS.ProcessEnv = process.env): CephConfig {
  const fromEnvironment = parseCephArgs(environment.CEPH_ARGS ?? '');
  const isNamed = [flags.name, flags.id, flags.user].some((each) => each !== undefined);
  const both: ClusterFlags = {
    ...fromEnvironment,
    ...flags,
    ...(isNamed ? { name: nameOf(flags) } : { name: nameOf(fromEnvironment) }),
  };
  try {
    return CephConfig.load({
      name: parseAuthName(both.name!),
      conf: both.conf,
      cluster: both.cluster,
      given: {
        ...fromEnvironment.option,
        ...flags.option,
        ...(both.monHost === undefined ? {} : { mon_host: both.monHost }),
        ...(both.keyring === undefined ? {} : { keyring: both.keyring }),
      },
      environment,
    });
  } catch (error) {
    if (!(error instanceof MsgrError)) throw error;
    throw new CliError(error.message, {
      cause: error,
      exitCode: error.code === ErrorCode.InvalidArgument ? 2 : 1,
    });
  }
}

function nameOf({ id, name, user }: ClusterFlags): string {
  const given = id ?? user;
  return name ?? (given === undefined ? 'client.admin' : `client.${given}`);
}
