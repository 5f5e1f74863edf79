/**
 * A whole cluster on this machine: one embedded monitor and some OSDs, each a process of its own, on loopback
 * addresses that stand for two NICs:
 *
 *      mon.a    127.0.0.1, a free port
 *      osd.N    front 127.0.1.(10 + N), back 127.0.2.(10 + N)
 *
 * Processes are children and end with this one. Everything they keep is in one folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Keyring } from '../../auth/keyring.ts';
import type { MonClient } from '../../mon/client/mon-client.ts';
import { CliError } from '../cli-error.ts';
import { osdConfigOf } from '../osd/flags.ts';
import { makeFolder, makeKey } from '../osd/mkfs.ts';

/** Beside this file, in TypeScript as in JavaScript. */
const main = fileURLToPath(import.meta.url).replace(/local-cluster\/daemons(\.[jt]s)$/, 'main$1');
const osdsMax = 200;
const stopTimeoutMs = 10_000;

export interface LocalClusterOptions {
  readonly folder: string;
  readonly osds: number;
  readonly auth: 'none' | 'cephx';
  /** Lines of the `[global]` section. */
  readonly conf: Readonly<Record<string, string>>;
}

export class LocalCluster implements AsyncDisposable {
  readonly osds: readonly number[];
  readonly confPath: string;
  readonly #options: LocalClusterOptions;
  readonly #running = new Map<string, ChildProcess>();
  readonly #fsid = randomUUID();

  constructor(options: LocalClusterOptions) {
    if (options.osds > osdsMax) throw new CliError(`at most ${osdsMax} OSDs find addresses here`);
    this.#options = options;
    this.osds = Array.from({ length: options.osds }, (_, osd) => osd);
    this.confPath = join(options.folder, 'ceph.conf');
  }

  /** Starts the monitor and writes the ceph.conf that leads to it. */
  async startMonitor(): Promise<void> {
    const { auth, conf, folder } = this.#options;
    const data = join(folder, 'mon');
    const options = Object.entries(conf).flatMap(([name, value]) => ['--option', `${name}=${value}`]);
    const flags = ['--data', data, '--public-addr', '127.0.0.1:0', '--fsid', this.#fsid, '--auth', auth];
    const child = this.#start('mon.a', ['mon', ...flags, ...options]);
    const address = await readyAddress(child);
    writeFileSync(this.confPath, this.#confText(address));
  }

  #confText(monitor: string): string {
    const { auth, conf, folder } = this.#options;
    const global: Record<string, string> = {
      fsid: this.#fsid,
      'mon host': `[${monitor}]`,
      'auth cluster required': auth,
      'auth service required': auth,
      'auth client required': auth,
      // Ceph 16's type of keys is said to be taken, so nobody warns of it on a demonstration's terminal.
      'auth allowed ciphers': 'aes aes256k',
      'osd data': join(folder, 'osd.$id'),
      'admin socket': join(folder, '$name.asok'),
      'log file': join(folder, '$name.log'),
      ...conf,
    };
    const text = Object.entries(global).map(([name, value]) => `${name} = ${value}`);
    // Each OSD is a host of its own, as on bare metal: reports count by host.
    const osds = this.osds.flatMap((osd) => [
      `[osd.${osd}]`,
      `public addr = 127.0.1.${10 + osd}`,
      `cluster addr = 127.0.2.${10 + osd}`,
      `crush location = host=host${osd} root=default`,
    ]);
    const client = ['[client]', `keyring = ${join(folder, 'mon', 'ceph.$name.keyring')}`];
    return `${['[global]', ...text, ...client, ...osds].join('\n')}\n`;
  }

  /** Makes an OSD's identity and tells the monitor of it: what an operator does once on each host. */
  async createOsd(osd: number, client: MonClient): Promise<void> {
    const config = osdConfigOf({ id: osd, conf: this.confPath });
    const uuid = randomUUID();
    mkdirSync(config.get('osd_data')!, { recursive: true, mode: 0o700 });
    makeFolder(config, uuid);
    const command = { prefix: 'osd new', uuid, id: String(osd) };
    if (this.#options.auth === 'none') {
      await client.command(command);
      return;
    }
    makeKey(config);
    const { key } = Keyring.load(config.keyringPaths).require(config.name);
    const secrets = JSON.stringify({ cephx_secret: key.toBase64() });
    await client.command(command, { input: Buffer.from(secrets) });
  }

  startOsd(osd: number): void {
    this.#start(`osd.${osd}`, ['osd', '--id', String(osd), '--conf', this.confPath]);
  }

  adminSocket(osd: number): string {
    return join(this.#options.folder, `osd.${osd}.asok`);
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /** @throws CliError when it does not run. */
  signal(name: string, signal: NodeJS.Signals): void {
    const child = this.#running.get(name);
    if (child === undefined) throw new CliError(`${name} is not running; ${this.#lastWords(name)}`);
    child.kill(signal);
  }

  #start(name: string, args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Its log is a file; what it says here is only why it could not begin.
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#words.set(name, text.trim()));
    child.stdout.resume();
    this.#running.set(name, child);
    child.once('exit', () => {
      if (this.#running.get(name) === child) this.#running.delete(name);
    });
    return child;
  }

  readonly #words = new Map<string, string>();

  /** What a daemon said last, when it ended by itself. */
  #lastWords(name: string): string {
    const words = this.#words.get(name);
    if (words !== undefined && words !== '') return words;
    try {
      const log = readFileSync(join(this.#options.folder, `${name}.log`), 'utf8');
      return log.trimEnd().split('\n').at(-1) ?? '';
    } catch {
      return 'it left no word';
    }
  }

  /** Names of daemons that ended and why, of those that should run. */
  fallen(names: readonly string[]): string[] {
    return names
      .filter((name) => !this.#running.has(name))
      .map((name) => `${name}: ${this.#lastWords(name)}`);
  }

  /** Ends all, OSDs first, as an operator would; who does not end in time is killed. */
  async stop(): Promise<void> {
    const isOsd = (name: string): boolean => name.startsWith('osd.');
    const names = [...this.#running.keys()];
    await Promise.all(names.filter(isOsd).map((name) => this.#end(name)));
    await Promise.all(names.filter((name) => !isOsd(name)).map((name) => this.#end(name)));
  }

  async #end(name: string): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** The address in the line that a monitor prints when it is ready. */
async function readyAddress(child: ChildProcess): Promise<string> {
  let words = '';
  child.stderr!.on('data', (text: string) => {
    words += text;
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    const address = / is ready at (v2:\S+?)\/\d+$/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new CliError(`the monitor did not start: ${words.trim()}`);
}
