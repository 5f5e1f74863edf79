/**
 * A real Ceph cluster for one test: ceph-mon and ceph-osd processes on loopback, in memory, in a folder of
 * their own. One monitor and two OSDs are up in one to three seconds.
 *
 * Addresses. A cluster owns one /16 of 127.0.0.0/8, picked at random and held by a listening socket for as
 * long as the cluster lives, so that runs side by side never meet:
 *
 *     127.S.0.M:3300   monitors (M = 1…)          127.S.0.1:3299   the socket that holds the /16
 *     127.S.1.1N       osd.N, front network       127.S.2.1N       osd.N, back network
 *
 * Ownership. Every process is a direct child that the kernel kills when the thread that started it dies
 * (PR_SET_PDEATHSIG through setpriv), so a crashed test leaves none behind; its folder is swept away by the
 * next start. Start a cluster from the main thread, not from a worker that ends earlier.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Keyring } from '../../src/auth/keyring.ts';
import { CephConfig } from '../../src/config/ceph-config.ts';
import type { Monitor } from '../../src/mon/server/monitor.ts';
import { EntityAuthName, EntityType } from '../../src/wire/entity-name.ts';
import { waitUntil, withTimeout } from './timeout.ts';

export interface CephClusterOptions {
  /** Monitors `a`, `b`, …; 1 by default. */
  mons?: number;
  /** `ours`: one monitor of this project, in this process, in place of ceph-mon; {@link CephCluster.monitor}. */
  monitor?: 'ceph' | 'ours';
  /** OSDs `osd.0`, `osd.1`, …; none by default. All are up when {@link CephCluster.start} returns. */
  osds?: number;
  /** `none` (the default) leaves every byte on the wire plain. */
  auth?: 'none' | 'cephx';
  /** The one connection mode offered everywhere; absent means Ceph's own defaults. */
  mode?: 'crc' | 'secure';
  /** More lines for the `[global]` section of ceph.conf; they win over the ones written here. */
  conf?: Record<string, string>;
}

/** The four addresses an OSD listens on, in Ceph's text form with the nonce: `v2:127.9.1.10:6800/4711`. */
export interface OsdAddresses {
  public: string;
  cluster: string;
  hbFront: string;
  hbBack: string;
}

interface AddressVector {
  addrvec: { type: string; addr: string; nonce: number }[];
}

/** The part of `ceph osd dump --format json` that tests read; the rest is there too, untyped. */
export interface OsdDump {
  [key: string]: unknown;
  epoch: number;
  fsid: string;
  osds: {
    [key: string]: unknown;
    osd: number;
    uuid: string;
    up: 0 | 1;
    in: 0 | 1;
    public_addrs: AddressVector;
    cluster_addrs: AddressVector;
    heartbeat_front_addrs: AddressVector;
    heartbeat_back_addrs: AddressVector;
  }[];
}

const kFolderPrefix = 'msgr2-ceph-';
/** Long enough for a loaded two-core machine; the usual time is a hundredth of it. */
const kStartTimeoutMs = 60_000;
const kCommandTimeoutMs = 60_000;
/** After SIGTERM; an OSD on memstore needs some 50 ms. */
const kStopTimeoutMs = 3_000;

/**
 * True when the real daemons are installed. Otherwise prints one SKIPPED line, which `npm test` counts, and
 * returns false; with MSGR2_REQUIRE_CEPH=1 it throws instead, so that CI cannot pass without them.
 */
export function requireCeph(what = 'tests against real Ceph daemons'): boolean {
  const missing = ['ceph-mon', 'ceph-osd', 'ceph', 'monmaptool', 'setpriv'].filter((name) => !onPath(name));
  if (missing.length === 0) return true;
  const reason = `${what}: ${missing.join(', ')} not installed (Debian: ceph-mon ceph-osd ceph-common)`;
  if (process.env.MSGR2_REQUIRE_CEPH === '1') throw new Error(`MSGR2_REQUIRE_CEPH=1, but ${reason}`);
  console.log(`SKIPPED ${reason}`);
  return false;
}

export class CephCluster {
  readonly fsid = randomUUID();
  /** The cluster's folder; gone after {@link stop}. */
  readonly folder: string;
  /** The monitors' addresses in Ceph's text form; a monitor's nonce is 0. */
  readonly monAddrs: readonly string[];

  /** The monitor of this project, when there is one. */
  #ours: Monitor | undefined;
  readonly #options: CephClusterOptions;
  readonly #subnet: number;
  readonly #lock: Server;
  readonly #daemons = new Map<string, ChildProcess>();
  #stopped: Promise<void> | undefined;

  private constructor(options: CephClusterOptions, folder: string, subnet: number, lock: Server) {
    this.#options = options;
    this.folder = folder;
    this.#subnet = subnet;
    this.#lock = lock;
    this.monAddrs = this.#monNames().map((_, index) => `v2:127.${subnet}.0.${index + 1}:3300/0`);
  }

  /** Boots the cluster; everything that was started is gone again when this rejects. */
  static async start(options: CephClusterOptions = {}): Promise<CephCluster> {
    await sweepStaleFolders();
    const { subnet, lock } = await holdSubnet();
    const folder = await mkdtemp(join(tmpdir(), kFolderPrefix));
    const cluster = new CephCluster(options, folder, subnet, lock);
    try {
      await withTimeout(cluster.#boot(), kStartTimeoutMs, 'the Ceph cluster to start');
    } catch (cause) {
      const logs = await cluster.#logTails();
      await cluster.stop();
      throw new Error(`the Ceph cluster did not start: ${cause}\n${logs}`, { cause });
    }
    return cluster;
  }

  get confPath(): string {
    return join(this.folder, 'ceph.conf');
  }

  /** Ids of the running daemons' processes by name (`mon.a`, `osd.0`). */
  get pids(): ReadonlyMap<string, number> {
    return new Map([...this.#daemons].map(([name, child]) => [name, child.pid!]));
  }

  /** This project's monitor. */
  get monitor(): Monitor {
    if (!this.#ours) throw new Error('the monitor is a ceph-mon, or is stopped');
    return this.#ours;
  }

  /** Stops this project's monitor; {@link startOurs} starts it again on the same data. */
  async stopOurs(): Promise<void> {
    await this.#ours?.close();
    this.#ours = undefined;
  }

  async startOurs(): Promise<void> {
    // Loaded by those who want it: the store's native part is no business of other tests.
    const { Monitor } = await import('../../src/mon/server/monitor.ts');
    const name = new EntityAuthName(EntityType.Mon, 'a');
    this.#ours = await Monitor.start({
      data: join(this.folder, 'mon.a'),
      publicAddr: this.monAddrs[0]!,
      fsid: this.fsid,
      options: CephConfig.load({ name, conf: this.confPath, environment: {} }).options,
      keyring: Keyring.load([join(this.folder, 'all.keyring')]),
    });
  }

  /** The IP of osd.N on the front (public) network, for any N: also for an OSD the test plays itself. */
  frontIp(osd: number): string {
    return `127.${this.#subnet}.1.${10 + osd}`;
  }

  /** The IP of osd.N on the back (cluster) network. */
  backIp(osd: number): string {
    return `127.${this.#subnet}.2.${10 + osd}`;
  }

  /** The keyring file of `client.admin`, `osd.N` or `mon.`; present with auth none too, where nobody asks. */
  keyringPath(name: string): string {
    return join(this.folder, `${name}.keyring`);
  }

  monLog(name: string): string {
    return join(this.folder, `mon.${name}.log`);
  }

  osdLog(osd: number): string {
    return join(this.folder, `osd.${osd}.log`);
  }

  /** Runs the real `ceph` on this cluster; its standard output. Throws with its standard error. */
  ceph(...args: string[]): Promise<string> {
    return this.cephWithInput('', ...args);
  }

  /** As {@link ceph}, with text on standard input (for `-i -`). */
  cephWithInput(input: string, ...args: string[]): Promise<string> {
    const timeouts = ['--connect-timeout', '30'];
    return run('ceph', ['-c', this.confPath, ...timeouts, ...args], input);
  }

  /** One command on a daemon's admin socket; the answer is JSON. Costs no process, so polling is cheap. */
  async daemon(name: string, prefix: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const request = JSON.stringify({ ...args, prefix, format: 'json' });
    const answer = askAdminSocket(join(this.folder, `${name}.asok`), request);
    return JSON.parse(await withTimeout(answer, kCommandTimeoutMs, `${name} to answer '${prefix}'`));
  }

  async osdDump(): Promise<OsdDump> {
    return JSON.parse(await this.ceph('osd', 'dump', '--format', 'json'));
  }

  async addrsOf(osd: number): Promise<OsdAddresses> {
    const entry = (await this.osdDump()).osds.find((candidate) => candidate.osd === osd);
    if (!entry) throw new Error(`osd.${osd} is not in the map`);
    return {
      public: textOf(entry.public_addrs),
      cluster: textOf(entry.cluster_addrs),
      hbFront: textOf(entry.heartbeat_front_addrs),
      hbBack: textOf(entry.heartbeat_back_addrs),
    };
  }

  /** Ends osd.N and waits until it is gone. The map says "up" until somebody reports it. */
  async killOsd(osd: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#end(`osd.${osd}`, signal);
  }

  async killMon(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#end(`mon.${name}`, signal);
  }

  /** Starts osd.N again, with the data of a graceful stop; returns when it has seen itself up in the map. */
  async startOsd(osd: number): Promise<void> {
    const name = `osd.${osd}`;
    await this.#spawn(name, 'ceph-osd', ['-i', String(osd)]);
    await this.#untilAdminAnswer<{ state: string }>(name, 'status', (status) => status.state === 'active');
  }

  async startMon(name: string): Promise<void> {
    await this.#spawn(`mon.${name}`, 'ceph-mon', ['-i', name]);
  }

  /** Freezes osd.N: its sockets stay open and nothing answers. Returns when its threads stand still. */
  async pauseOsd(osd: number): Promise<void> {
    await this.#pause(`osd.${osd}`);
  }

  resumeOsd(osd: number): void {
    this.#running(`osd.${osd}`).kill('SIGCONT');
  }

  async pauseMon(name: string): Promise<void> {
    await this.#pause(`mon.${name}`);
  }

  resumeMon(name: string): void {
    this.#running(`mon.${name}`).kill('SIGCONT');
  }

  /** Resolves when these monitors, all that run by default, agree on a quorum of `size`. */
  async untilQuorum(size: number, names = this.#monNames()): Promise<void> {
    for (const name of names) {
      if (!this.#daemons.has(`mon.${name}`)) continue;
      await this.#untilAdminAnswer<{ quorum: number[] }>(
        `mon.${name}`,
        'mon_status',
        (status) => status.quorum.length === size,
      );
    }
  }

  /** Ends every process (OSDs first), waits for each, removes the folder. A second call waits for the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    try {
      for (const kind of ['osd.', 'mon.']) {
        const names = [...this.#daemons.keys()].filter((name) => name.startsWith(kind));
        await Promise.all(names.map((name) => this.#end(name, 'SIGTERM')));
      }
      await this.stopOurs();
    } finally {
      await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
      this.#lock.close();
    }
  }

  #monNames(): string[] {
    return Array.from({ length: this.#options.mons ?? 1 }, (_, index) => String.fromCharCode(97 + index));
  }

  #osdIds(): number[] {
    return Array.from({ length: this.#options.osds ?? 0 }, (_, index) => index);
  }

  async #boot(): Promise<void> {
    await writeFile(join(this.folder, 'owner'), String(process.pid));
    await writeFile(this.confPath, this.#conf());
    const keyring = await this.#writeKeyrings();
    if (this.#options.monitor === 'ours') await this.startOurs();
    else await this.#bootCephMons(keyring);
    await this.#createOsds();
    await Promise.all(this.#osdIds().map((osd) => this.startOsd(osd)));
  }

  async #bootCephMons(keyring: string): Promise<void> {
    const monmap = join(this.folder, 'monmap');
    const members = this.#monNames().flatMap((name, index) => [
      '--addv',
      name,
      `[${bare(this.monAddrs[index]!)}]`,
    ]);
    const release = ['--set-min-mon-release', '16', '--enable-all-features'];
    await run('monmaptool', ['--create', '--fsid', this.fsid, ...release, ...members, monmap]);

    await Promise.all(
      this.#monNames().map(async (name) => {
        await mkdir(join(this.folder, `mon.${name}`));
        const mkfs = ['--mkfs', '--monmap', monmap, '--keyring', keyring];
        await run('ceph-mon', ['-c', this.confPath, '-i', name, ...mkfs]);
        await this.startMon(name);
      }),
    );
    await this.untilQuorum(this.#monNames().length);
  }

  /** Registers all OSDs through one `ceph` in its interactive form: one start of Python in place of N. */
  async #createOsds(): Promise<void> {
    const uuids = this.#osdIds().map(() => randomUUID());
    if (uuids.length === 0) return;
    const commands = uuids.map((uuid, osd) => `osd new ${uuid} ${osd}\n`).join('');
    const registered = this.cephWithInput(commands);
    const made = uuids.map(async (uuid, osd) => {
      await mkdir(join(this.folder, `osd.${osd}`));
      const mkfs = ['--mkfs', '--osd-uuid', uuid, '--no-mon-config'];
      await run('ceph-osd', ['-c', this.confPath, '-i', String(osd), ...mkfs]);
    });
    await Promise.all([registered, ...made]);
  }

  async #spawn(name: string, program: string, args: string[]): Promise<void> {
    if (this.#daemons.has(name)) throw new Error(`${name} is running already`);
    await rm(join(this.folder, `${name}.asok`), { force: true });
    const command = ['--pdeathsig', 'KILL', program, '-c', this.confPath, ...args, '-f'];
    const child = spawn('setpriv', command, { stdio: 'ignore' });
    this.#daemons.set(name, child);
    child.once('error', () => this.#daemons.delete(name));
    child.once('exit', () => this.#daemons.delete(name));
  }

  async #pause(name: string): Promise<void> {
    const child = this.#running(name);
    child.kill('SIGSTOP');
    const stopped = () => /^State:\s*T/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
    await waitUntil(stopped, kStopTimeoutMs, `${name} to stand still`, 2);
  }

  #running(name: string): ChildProcess {
    const child = this.#daemons.get(name);
    if (!child) throw new Error(`${name} is not running`);
    return child;
  }

  async #end(name: string, signal: NodeJS.Signals): Promise<void> {
    const child = this.#running(name);
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    // A paused process takes SIGTERM only after it goes on.
    child.kill('SIGCONT');
    try {
      await withTimeout(gone, kStopTimeoutMs, `${name} to end`);
    } catch {
      child.kill('SIGKILL');
      await gone;
    }
  }

  async #untilAdminAnswer<T>(name: string, prefix: string, accept: (answer: T) => boolean): Promise<void> {
    await waitUntil(
      async () => {
        if (!this.#daemons.has(name)) throw new Error(`${name} ended by itself`);
        // Until the daemon listens on its socket every question fails; that is what is waited for.
        const answer = await this.daemon(name, prefix).catch(() => undefined);
        return answer !== undefined && accept(answer as T);
      },
      kStartTimeoutMs,
      `${name}: ${prefix}`,
    );
  }

  async #logTails(): Promise<string> {
    const names = (await readdir(this.folder)).filter((name) => name.endsWith('.log'));
    const tails = names.map(async (name) => {
      const text = await readFile(join(this.folder, name), 'utf8');
      return `--- ${name}\n${text.slice(-2000)}`;
    });
    return (await Promise.all(tails)).join('\n');
  }

  #conf(): string {
    const { auth = 'none', mode, conf = {} } = this.#options;
    const folder = this.folder;
    const global: Record<string, string> = {
      fsid: this.fsid,
      'mon host': this.monAddrs.map((address) => `[${bare(address)}]`).join(','),
      'auth cluster required': auth,
      'auth service required': auth,
      'auth client required': auth,
      'auth allow insecure global id reclaim': 'false',
      'ms bind msgr1': 'false',
      'run dir': folder,
      'crash dir': folder,
      keyring: join(folder, '$name.keyring'),
      'log to stderr': 'false',
      'err to stderr': 'false',
      'osd objectstore': 'memstore',
      'memstore device bytes': '268435456',
      'osd crush chooseleaf type': '0',
      'osd pool default size': String(Math.max(1, Math.min(3, this.#osdIds().length))),
      'osd pool default pg autoscale mode': 'off',
      'mon osd min down reporters': '1',
      'mon allow pool size one': 'true',
      // A nearly full disk under the temporary folder is no reason for a test's monitor to refuse service.
      'mon data avail warn': '1',
      'mon data avail crit': '0',
      // The defaults (1 s and 50 ms) batch the commits of a busy quorum; a lone test would only wait.
      'paxos propose interval': '0.05',
      'paxos min wait': '0.02',
      // Monitors that start together may call the same election twice; the second try need not wait 5 s.
      'mon election timeout': '1.5',
    };
    if (mode) {
      const kinds = ['cluster', 'service', 'client', 'mon cluster', 'mon service', 'mon client'];
      for (const kind of kinds) global[`ms ${kind} mode`] = mode;
    }
    // Ceph takes spaces and underscores for the same thing; without this a caller's line would be a second one.
    for (const [key, value] of Object.entries(conf)) global[key.replaceAll('_', ' ')] = value;
    const daemon = (data: string): Record<string, string> => ({
      [data]: join(folder, '$name'),
      'admin socket': join(folder, '$name.asok'),
      'log file': join(folder, '$name.log'),
    });
    const sections: Record<string, Record<string, string>> = {
      global,
      // mkfs puts the monitors' common key into the data folder; without a keyring cephx is off between them.
      mon: { ...daemon('mon data'), keyring: join(folder, '$name', 'keyring') },
      osd: daemon('osd data'),
    };
    for (const osd of this.#osdIds()) {
      sections[`osd.${osd}`] = { 'public addr': this.frontIp(osd), 'cluster addr': this.backIp(osd) };
    }
    return Object.entries(sections)
      .flatMap(([name, lines]) => [`[${name}]`, ...Object.entries(lines).map(([k, v]) => `${k} = ${v}`), ''])
      .join('\n');
  }

  /** One file per entity, and one with all of them for the monitor's mkfs, which takes the keys over. */
  async #writeKeyrings(): Promise<string> {
    const osdCaps = { mon: 'allow profile osd', mgr: 'allow profile osd', osd: 'allow *' };
    const entities: [string, Record<string, string>][] = [
      ['mon.', { mon: 'allow *' }],
      ['client.admin', { mon: 'allow *', mgr: 'allow *', osd: 'allow *', mds: 'allow *' }],
      ...this.#osdIds().map((osd): [string, Record<string, string>] => [`osd.${osd}`, osdCaps]),
    ];
    let all = '';
    for (const [name, caps] of entities) {
      const lines = Object.entries(caps).map(([service, cap]) => `\tcaps ${service} = "${cap}"\n`);
      const text = `[${name}]\n\tkey = ${newSecret()}\n${lines.join('')}`;
      await writeFile(this.keyringPath(name), text, { mode: 0o600 });
      all += text;
    }
    const path = join(this.folder, 'all.keyring');
    await writeFile(path, all, { mode: 0o600 });
    return path;
  }
}

/** A CryptoKey as keyrings hold it: u16 type 1 (AES), u32 seconds, u32 nanoseconds, u16 length, 16 bytes. */
function newSecret(): string {
  const key = Buffer.alloc(28);
  key.writeUInt16LE(1, 0);
  key.writeUInt32LE(Math.floor(Date.now() / 1000), 2);
  key.writeUInt16LE(16, 10);
  randomBytes(16).copy(key, 12);
  return key.toString('base64');
}

function bare(address: string): string {
  return address.replace(/\/\d+$/, '');
}

function textOf(addresses: AddressVector): string {
  const address = addresses.addrvec.find((candidate) => candidate.type === 'v2');
  if (!address) throw new Error('no v2 address: the OSD is not up');
  return `v2:${address.addr}/${address.nonce}`;
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs a program to its end under the same death watch as the daemons. */
function run(program: string, args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: kCommandTimeoutMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 } as const;
    const child = execFile(
      'setpriv',
      ['--pdeathsig', 'KILL', program, ...args],
      options,
      (error, out, err) => {
        if (!error) resolve(out);
        else
          reject(new Error(`${program} ${args.join(' ')}: ${err.trim() || error.message}`, { cause: error }));
      },
    );
    // A program that ends without reading its input breaks the pipe; its exit status tells the story.
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}

/** Ceph's admin socket: JSON and a zero byte in, u32 big-endian length and that many bytes out. */
function askAdminSocket(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = createConnection(path, () => socket.write(`${request}\0`));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const answer = Buffer.concat(chunks);
      if (answer.length < 4 || answer.length !== 4 + answer.readUInt32BE(0)) {
        reject(new Error(`${path}: the answer is cut off after ${answer.length} bytes`));
      } else {
        resolve(answer.toString('utf8', 4));
      }
    });
  });
}

/** Takes one 127.S.0.0/16 for this cluster: whoever listens on 127.S.0.1:3299 owns it. */
async function holdSubnet(): Promise<{ subnet: number; lock: Server }> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const subnet = randomInt(16, 250);
    const lock = createServer((socket) => socket.destroy());
    const held = await new Promise<boolean>((resolve) => {
      lock.once('error', () => resolve(false));
      lock.listen({ host: `127.${subnet}.0.1`, port: 3299, exclusive: true }, () => resolve(true));
    });
    if (held) {
      lock.unref();
      return { subnet, lock };
    }
  }
  throw new Error('no free 127.x.0.0/16 found for a Ceph cluster');
}

/** Removes the folders of clusters whose process died without stopping them. */
async function sweepStaleFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(kFolderPrefix)) continue;
    const folder = join(tmpdir(), name);
    let owner: number;
    try {
      owner = Number(readFileSync(join(folder, 'owner'), 'utf8'));
    } catch {
      continue; // just made, or being removed, by its owner
    }
    if (owner > 0 && !isAlive(owner)) await rm(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
