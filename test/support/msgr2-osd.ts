/**
 * Our OSD daemon as a process of its own beside a real cluster's daemons: registered, made and started the
 * way an operator does it, with `msgr2 osd`. It dies with the test that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Keyring, parseAuthName } from '../../src/auth/keyring.ts';
import { moduleBeside } from '../../src/module-beside.ts';
import type { CephCluster } from './ceph-cluster.ts';
import { waitUntil, withTimeout } from './timeout.ts';

const main = fileURLToPath(moduleBeside('../../src/cli/main', import.meta.url));
/** Node and its sources take seconds to start where others work, too. */
const bootTimeoutMs = 90_000;
const stopTimeoutMs = 10_000;

export interface Msgr2OsdOptions {
  /** More flags of `msgr2 osd`. */
  readonly flags?: readonly string[];
  /** `cephx` registers the key that `--mkkey` makes. */
  readonly auth?: 'none' | 'cephx';
  /** A built `main.js` in place of the source. */
  readonly main?: string;
}

export class Msgr2Osd implements AsyncDisposable {
  readonly id: number;
  readonly uuid: string;
  readonly #cluster: CephCluster;
  readonly #flags: readonly string[];
  readonly #program: readonly string[];
  #child: ChildProcess | undefined;
  #stderr = '';

  private constructor(cluster: CephCluster, id: number, uuid: string, options: Msgr2OsdOptions) {
    this.#cluster = cluster;
    this.id = id;
    this.uuid = uuid;
    this.#flags = options.flags ?? [];
    const script = options.main ?? main;
    this.#program = script.endsWith('.ts') ? ['--import', 'tsx', script] : [script];
  }

  /** Registers osd.ID, makes its folder and key; it does not run yet. */
  static async make(cluster: CephCluster, id: number, options: Msgr2OsdOptions = {}): Promise<Msgr2Osd> {
    const osd = new Msgr2Osd(cluster, id, randomUUID(), options);
    const identity = ['--mkfs', '--osd-uuid', osd.uuid, ...(options.auth === 'cephx' ? ['--mkkey'] : [])];
    const child = osd.#spawn(identity);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`mkfs of osd.${id} ended with ${code}: ${osd.#stderr}`);
    const secret = options.auth === 'cephx' ? JSON.stringify({ cephx_secret: osd.#key() }) : undefined;
    const input = secret === undefined ? [] : ['-i', '-'];
    await cluster.cephWithInput(secret ?? '', 'osd', 'new', osd.uuid, String(id), ...input);
    return osd;
  }

  /** Makes it, starts it, and waits until it has seen itself up. */
  static async start(cluster: CephCluster, id: number, options: Msgr2OsdOptions = {}): Promise<Msgr2Osd> {
    const osd = await Msgr2Osd.make(cluster, id, options);
    osd.run();
    await osd.untilActive();
    return osd;
  }

  get name(): string {
    return `osd.${this.id}`;
  }

  get pid(): number {
    return this.#running().pid!;
  }

  /** What it wrote to standard error so far: of all its runs. */
  get stderr(): string {
    return this.#stderr;
  }

  log(): Promise<string> {
    return readFile(this.#cluster.osdLog(this.id), 'utf8').catch(() => '');
  }

  run(): void {
    this.#child = this.#spawn([]);
  }

  async untilActive(timeoutMs = bootTimeoutMs): Promise<void> {
    const isActive = async (): Promise<boolean> => {
      this.#running();
      const status = await this.admin('status').catch(() => undefined);
      return (status as { state?: string } | undefined)?.state === 'active';
    };
    try {
      await waitUntil(isActive, timeoutMs, `${this.name} to be active`);
    } catch (cause) {
      throw new Error(`${cause}\n${this.#stderr}\n${(await this.log()).slice(-4000)}`, { cause });
    }
  }

  /** A command on its admin socket. */
  admin(prefix: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return this.#cluster.daemon(this.name, prefix, args);
  }

  /** Freezes it; returns when its threads stand still. */
  async pause(): Promise<void> {
    const child = this.#running();
    child.kill('SIGSTOP');
    const isStill = () => /^State:\s*T/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
    await waitUntil(isStill, stopTimeoutMs, `${this.name} to stand still`, 2);
  }

  resume(): void {
    this.#running().kill('SIGCONT');
  }

  /** Resolves with its exit code, or with the signal that ended it. */
  async end(signal: NodeJS.Signals): Promise<number | string> {
    const child = this.#running();
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code, by] = await withTimeout(ended, stopTimeoutMs, `${this.name} to end`);
    return code ?? by!;
  }

  /** Resolves when it ended by itself. */
  async ended(timeoutMs: number): Promise<number | string> {
    const [code, by] = await withTimeout(once(this.#running(), 'exit'), timeoutMs, `${this.name} to end`);
    return code ?? by!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  #running(): ChildProcess {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${this.name} is not running: ${this.#stderr.slice(-2000)}`);
    }
    return child;
  }

  #spawn(more: readonly string[]): ChildProcess {
    const addresses = [
      ['--public-addr', this.#cluster.frontIp(this.id)],
      ['--cluster-addr', this.#cluster.backIp(this.id)],
    ].flat();
    const conf = ['-c', this.#cluster.confPath, '--id', String(this.id), ...addresses];
    const args = [...this.#program, 'osd', ...conf, ...this.#flags, ...more];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr += chunk;
    });
    return child;
  }

  #key(): string {
    return Keyring.load([this.#cluster.keyringPath(this.name)])
      .require(parseAuthName(this.name))
      .key.toBase64();
  }
}

function once(child: ChildProcess, event: 'exit'): Promise<[code: number | null, signal: string | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once(event, (code, signal) => resolve([code, signal]));
  });
}
