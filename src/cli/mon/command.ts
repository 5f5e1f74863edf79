/** `msgr2 mon`: the monitor in the box, in the foreground until SIGTERM or SIGINT. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { aesWarningCode } from '../../auth/cephx/cipher-policy.ts';
import { Keyring } from '../../auth/keyring.ts';
import { CephConfig, parseGiven } from '../../config/ceph-config.ts';
import { Monitor } from '../../mon/server/monitor.ts';
import { EntityAuthName, EntityType } from '../../wire/entity-name.ts';
import { CliError } from '../cli-error.ts';
import { untilSignal } from '../cluster/until-signal.ts';
import { oneOf } from '../values.ts';
import { silenceWarning } from '../warnings.ts';
import { confFileName, writeConf } from './written-conf.ts';

interface MonFlags {
  readonly data: string;
  readonly publicAddr?: string;
  readonly conf?: string;
  readonly id: string;
  readonly fsid?: string;
  readonly auth?: string;
  readonly keyring?: string;
  readonly keyType: 'aes' | 'aes256k';
  readonly option?: Record<string, string>;
}

export function monCommand(): Command {
  return new Command('mon')
    .description('a monitor for a cluster on one machine, which Ceph’s tools and daemons take for theirs')
    .requiredOption('--data <folder>', 'where its state is, durable; made on the first start')
    .option('--public-addr <address>', 'where it listens: 10.0.0.1, 10.0.0.1:3300, v2:[::1]:3300')
    .option(
      '-c, --conf <file>',
      `ceph.conf; else ${confFileName} in the data folder, written on the first start`,
    )
    .option('-i, --id <id>', "the monitor's own name", 'a')
    .option('--fsid <uuid>', 'of a new cluster; made when it is not given')
    .option('--auth <method>', 'cephx or none, for everyone; else as ceph.conf says', oneOf('cephx', 'none'))
    .option('--keyring <file>', 'entities that a new cluster begins with; mon. and client.admin are made')
    .option('--key-type <type>', 'of the keys that are made: aes, or aes256k', oneOf('aes', 'aes256k'), 'aes')
    .option(
      '--option <name=value>',
      'any option of ceph.conf; repeatable',
      (text: string, previous: Record<string, string> | undefined) => {
        const [name, value] = parseGiven(text);
        return { ...previous, [name.replaceAll('-', '_')]: value };
      },
    )
    .action((flags: MonFlags) => untilSignal((signal) => serve(flags, signal)));
}

async function serve(flags: MonFlags, signal: AbortSignal): Promise<void> {
  const data = resolve(flags.data);
  const config = configOf(flags, data);
  for (const warning of config.warnings) process.stderr.write(`${warning}; the default is used\n`);
  // Who chose the type of the keys, or has a cluster of them, knows; the document says what it means.
  silenceWarning(aesWarningCode);
  const publicAddr = flags.publicAddr ?? config.get('public_addr') ?? onlyMonHost(config);
  const fsid = flags.fsid ?? config.get('fsid');
  const monitor = await Monitor.start({
    data,
    name: flags.id,
    options: config.options,
    keyType: flags.keyType,
    ...(publicAddr === undefined ? {} : { publicAddr }),
    ...(fsid === undefined ? {} : { fsid }),
    ...(flags.keyring === undefined ? {} : { keyring: Keyring.load([flags.keyring]) }),
  });
  if (flags.conf === undefined) writeConf(data, monitor, flags.option ?? {});
  process.stdout.write(`mon.${flags.id} of ${monitor.fsid} is ready at ${monitor.publicAddrs.front}\n`);
  const onAbort = (): void => void monitor.close();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const failure = await monitor.ended;
  if (failure !== undefined) throw failure;
}

function configOf({ auth, conf, id, option }: MonFlags, data: string): CephConfig {
  const written = join(data, confFileName);
  const methods = auth === undefined ? {} : authOptions(auth);
  return CephConfig.load({
    name: new EntityAuthName(EntityType.Mon, id),
    conf: conf ?? (existsSync(written) ? written : '/dev/null'),
    cluster: 'ceph',
    given: { ...methods, ...option },
  });
}

function authOptions(method: string): Record<string, string> {
  return Object.fromEntries(['cluster', 'service', 'client'].map((of) => [`auth_${of}_required`, method]));
}

/** A configuration with one monitor says where it is; with more, this one is not all of them. */
function onlyMonHost(config: CephConfig): string | undefined {
  const monHost = config.monHost?.trim();
  if (monHost === undefined || monHost === '') return undefined;
  const isOne = !/[,;\s]/.test(monHost.replace(/^\[[^\]]*\]$/, ''));
  if (isOne) return monHost;
  throw new CliError(
    `${config.whereSet('mon_host')}: mon host names several monitors, and this is one for a cluster that has no other; give --public-addr, or run ceph-mon`,
  );
}
