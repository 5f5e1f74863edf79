/** A monitor client from a configuration, connected, or one line that says what is missing. */
import { existsSync, readFileSync } from 'node:fs';
import { AuthMethod, type AuthSession } from '../../auth/auth.ts';
import { aesWarningCode } from '../../auth/cephx/cipher-policy.ts';
import { CryptoKey } from '../../auth/cephx/crypto-key.ts';
import { CephxSession } from '../../auth/cephx/session.ts';
import { authMethods } from '../../auth/connection-modes.ts';
import { Errno } from '../../auth/errno.ts';
import { Keyring } from '../../auth/keyring.ts';
import { noneSession } from '../../auth/none.ts';
import type { CephConfig } from '../../config/ceph-config.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { Messenger } from '../../messenger/messenger.ts';
import { Policy } from '../../messenger/policy.ts';
import { MonClient } from '../../mon/client/mon-client.ts';
import { resolveOptions } from '../../options.ts';
import { EntityName, EntityType } from '../../wire/entity-name.ts';
import { cephMessages } from '../../wire/messages/ceph-messages.ts';
import { MessageRegistry } from '../../wire/messages/registry.ts';
import { CliError } from '../cli-error.ts';
import { silenceWarning } from '../warnings.ts';
import { type ClusterFlags, configOf } from './flags.ts';

export interface OpenCluster extends AsyncDisposable {
  readonly config: CephConfig;
  readonly client: MonClient;
}

/** Warnings about the configuration go to standard error. @throws CliError */
export async function openCluster(flags: ClusterFlags, signal?: AbortSignal): Promise<OpenCluster> {
  const config = configOf(flags);
  for (const warning of config.warnings) process.stderr.write(`${warning}; the default is used\n`);
  // Who names the types of keys that are taken knows that aes is among them.
  if (config.whereSet('auth_allowed_ciphers') !== undefined) silenceWarning(aesWarningCode);
  const monHost = monHostOf(config);
  const { hint, sessions } = authenticationOf(config);
  let failure: unknown = new CliError(hint);
  for (const [index, auth] of sessions.entries()) {
    const cluster = new CommandLineCluster(config, monHost, auth);
    try {
      await connect(cluster.client, flags.connectTimeout, signal);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      // The method that is wanted most has the most to say.
      if (index === 0) failure = explained(error, hint);
      if (!(error instanceof MsgrError) || error.errno !== Errno.EOPNOTSUPP) break;
    }
  }
  throw failure;
}

/** Whatever name it has the key of, a command line is a client: `-n mon.` and `-n osd.0` too. */
class CommandLineCluster implements OpenCluster {
  readonly config: CephConfig;
  readonly client: MonClient;
  readonly #messenger: Messenger;

  constructor(config: CephConfig, monHost: string, auth: AuthSession) {
    const { name, options } = config;
    this.config = config;
    this.#messenger = Messenger.create({
      name: EntityName.client(-1),
      label: 'command line',
      auth,
      messageTypes: new MessageRegistry(cephMessages),
      options,
    });
    this.#messenger.setDefaultPolicy(Policy.lossyClient());
    try {
      this.client = new MonClient({ name, monHost, auth, options, messenger: this.#messenger });
    } catch (error) {
      void this.#messenger.shutdown();
      if (!(error instanceof MsgrError)) throw error;
      throw new CliError(`${config.whereSet('mon_host') ?? config.file.path}: ${error.message}`, {
        cause: error,
      });
    }
    this.#messenger.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.#messenger.shutdown();
  }
}

/** Without a time, once every monitor was tried in vain; MonClient itself would go on. */
async function connect(
  client: MonClient,
  timeoutSeconds: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (timeoutSeconds !== undefined) {
    return client.connect({ timeoutMs: timeoutSeconds * 1000, ...(signal && { signal }) });
  }
  const giveUp = new AbortController();
  let failure: MsgrError | undefined;
  client.once('huntFailed', (error) => {
    failure = error;
    giveUp.abort();
  });
  try {
    await client.connect({
      signal: AbortSignal.any([giveUp.signal, ...(signal === undefined ? [] : [signal])]),
    });
  } catch (error) {
    throw failure ?? error;
  }
}

function monHostOf(config: CephConfig): string {
  const { file, monHost, searched } = config;
  if (monHost !== undefined) return monHost;
  if (file.path !== '') {
    throw new CliError(`${file.path} does not say where the monitors are: it has no 'mon host' in [global]`);
  }
  throw new CliError(
    `no ceph.conf was found (${searched.join(', ')}): name one with --conf, or the monitors with --mon-host`,
  );
}

// ── Authentication ───────────────────────────────────────────────────────────────────────────────────

interface Authentication {
  /** In the order they are to be tried. */
  readonly sessions: readonly AuthSession[];
  /** What helps when a monitor refuses: where the key is from, or why there is none. */
  readonly hint: string;
}

function authenticationOf(config: CephConfig): Authentication {
  const options = resolveOptions(config.options);
  const methods = authMethods(options, EntityType.Client, EntityType.Mon);
  const found = methods.includes(AuthMethod.Cephx) ? findKey(config) : undefined;
  const sessions = methods.flatMap((method): AuthSession[] => {
    if (method === AuthMethod.None) return [noneSession(config.name)];
    if (found?.key === undefined) return [];
    return [new CephxSession({ name: config.name, key: found.key, options, type: EntityType.Client })];
  });
  const hint = found?.hint ?? 'the option auth_client_required does not allow cephx';
  if (sessions.length === 0) throw new CliError(hint);
  return { sessions, hint };
}

/** From `key`, from the file `keyfile`, or from the first keyring there is. */
function findKey(config: CephConfig): { key?: CryptoKey; hint: string } {
  const { keyringPaths, name } = config;
  try {
    const key = config.get('key');
    if (key) return { key: CryptoKey.parse(key), hint: `the key is that of ${config.whereSet('key')}` };
    const keyfile = config.get('keyfile');
    if (keyfile)
      return {
        key: CryptoKey.parse(readFileSync(keyfile, 'utf8').trim()),
        hint: `the key is that of ${keyfile}`,
      };
    const path = keyringPaths.find((candidate) => existsSync(candidate));
    if (path !== undefined)
      return { key: Keyring.load([path]).require(name).key, hint: `the key is that of ${path}` };
  } catch (error) {
    throw new CliError((error as Error).message, { cause: error });
  }
  const places = keyringPaths.join(', ') || 'no place at all';
  return {
    hint: `no keyring for ${name} was found in ${places}: name one with --keyring, or another client with --name`,
  };
}

function explained(error: unknown, hint: string): unknown {
  if (!(error instanceof MsgrError)) return error;
  const message = error.code === ErrorCode.Auth ? `${error.message}; ${hint}` : error.message;
  return new CliError(message, { cause: error, exitCode: error.errno === Errno.EACCES ? Errno.EACCES : 1 });
}
