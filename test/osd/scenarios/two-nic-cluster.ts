/**
 * A cluster on bare metal that is made of network namespaces: a real ceph-mon on a host of its own, and
 * our OSDs, each alone on a host with a front and a back NIC.
 *
 *      host 1 … N    osd.0 … osd.N-1    front 192.0.2.1 … N       back 198.51.100.1 … N
 *      host N+1      mon.a              front 192.0.2.N+1
 *
 * What the monitor decides is read from its OSDMaps as they come (`msgr2 watch osdmap` beside it), what the
 * OSDs see from their admin sockets; all of it with the time at which this process learnt it.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Observation, observe } from '../../../src/cli/top/observation.ts';
import { type LabHost, NetworkLab } from '../../support/network-lab/lab.ts';
import { waitUntil, withTimeout } from '../../support/timeout.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const bootTimeoutMs = 60_000;

/** An OSD's state in a new map, as `msgr2 watch osdmap` tells it. */
export interface OsdChange {
  readonly atMs: number;
  readonly osd: number;
  readonly to: 'up' | 'down';
}

export interface TwoNicOptions {
  readonly osds: number;
  /** More lines of the `[global]` section. */
  readonly conf?: Readonly<Record<string, string>>;
}

export class TwoNicCluster implements AsyncDisposable {
  readonly lab: NetworkLab;
  readonly osds: readonly number[];
  /** Everything that the monitor marked up or down, since the cluster stood. */
  readonly changes: OsdChange[] = [];
  readonly #folder: string;
  readonly #fsid = randomUUID();
  readonly #conf: Readonly<Record<string, string>>;
  readonly #running = new Map<string, ChildProcess>();
  readonly #isUp = new Map<number, boolean>();

  private constructor(lab: NetworkLab, folder: string, { conf = {}, osds }: TwoNicOptions) {
    this.lab = lab;
    this.#folder = folder;
    this.osds = Array.from({ length: osds }, (_, osd) => osd);
    this.#conf = conf;
  }

  static async start(options: TwoNicOptions): Promise<TwoNicCluster> {
    const lab = await NetworkLab.create({ hosts: options.osds + 1 });
    const folder = await mkdtemp(join(tmpdir(), 'msgr2-two-nics-'));
    const cluster = new TwoNicCluster(lab, folder, options);
    try {
      await cluster.#boot();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  host(osd: number): LabHost {
    return this.lab.host(osd + 1);
  }

  get monHost(): LabHost {
    return this.lab.host(this.osds.length + 1);
  }

  async #boot(): Promise<void> {
    await writeFile(this.#path('ceph.conf'), this.#confText());
    await this.#makeMonitor();
    await this.startMonitor();
    await this.#watch();
    for (const osd of this.osds) await this.#makeOsd(osd);
    for (const osd of this.osds) this.startOsd(osd);
    await this.untilUp(this.osds);
    await this.untilSettled();
  }

  #path(...names: string[]): string {
    return join(this.#folder, ...names);
  }

  #confText(): string {
    const mon = `[v2:${this.monHost.address('front')}:3300]`;
    const global: Record<string, string> = {
      fsid: this.#fsid,
      'mon host': mon,
      'public network': '192.0.2.0/24',
      'cluster network': '198.51.100.0/24',
      'auth cluster required': 'none',
      'auth service required': 'none',
      'auth client required': 'none',
      'ms bind msgr1': 'false',
      'run dir': this.#folder,
      'admin socket': this.#path('$name.asok'),
      keyring: this.#path('keyring'),
      'log file': this.#path('$name.log'),
      'mon data': this.#path('mon'),
      'osd data': this.#path('osd.$id'),
      'mon cluster log file': this.#path('cluster.log'),
      'osd pool default size': '2',
      ...this.#conf,
    };
    const lines = ['[global]', ...Object.entries(global).map(([key, value]) => `${key} = ${value}`)];
    // One machine has one host name: each OSD says which host it plays.
    for (const osd of this.osds) lines.push(`[osd.${osd}]`, `crush location = host=host${osd} root=default`);
    return `${lines.join('\n')}\n`;
  }

  async #makeMonitor(): Promise<void> {
    const address = this.monHost.address('front');
    const monmap = this.#path('monmap');
    const release = ['--set-min-mon-release', '16', '--enable-all-features'];
    const addv = ['--addv', 'a', `[v2:${address}:3300]`];
    await run('monmaptool', ['--create', '--fsid', this.#fsid, ...release, ...addv, monmap]);
    await run('ceph-authtool', ['--create-keyring', this.#path('keyring'), '--gen-key', '-n', 'mon.']);
    await mkdir(this.#path('mon'));
    const mkfs = ['--mkfs', '--monmap', monmap, '--keyring', this.#path('keyring')];
    await run('ceph-mon', ['-c', this.#path('ceph.conf'), '-i', 'a', ...mkfs]);
  }

  async startMonitor(): Promise<void> {
    const args = ['-c', this.#path('ceph.conf'), '-i', 'a', '-f'];
    const public_ = ['--public-addr', `v2:${this.monHost.address('front')}:3300`];
    this.#start('mon.a', this.monHost, 'ceph-mon', [...args, ...public_]);
    await waitUntil(
      () =>
        this.#ask('status').then(
          () => true,
          () => false,
        ),
      bootTimeoutMs,
      'the monitor',
      200,
    );
  }

  /** The `ceph` command on the monitor's host. */
  #ask(...words: string[]): Promise<string> {
    const flags = ['-c', this.#path('ceph.conf'), '--connect-timeout', '10'];
    return this.monHost.run('ceph', [...flags, ...words], bootTimeoutMs);
  }

  async #makeOsd(osd: number): Promise<void> {
    const uuid = randomUUID();
    await this.#ask('osd', 'new', uuid, String(osd));
    await mkdir(this.#path(`osd.${osd}`));
    const args = ['osd', '--mkfs', '--id', String(osd), '--osd-uuid', uuid, '-c', this.#path('ceph.conf')];
    await run(process.execPath, ['--import', 'tsx', cli, ...args]);
  }

  startOsd(osd: number): void {
    const args = ['osd', '--id', String(osd), '-c', this.#path('ceph.conf')];
    this.#start(`osd.${osd}`, this.host(osd), process.execPath, ['--import', 'tsx', cli, ...args]);
  }

  #start(name: string, host: LabHost, command: string, args: readonly string[]): void {
    const child = host.start(command, args, { stdio: 'ignore' });
    this.#running.set(name, child);
    child.once('exit', () => {
      if (this.#running.get(name) === child) this.#running.delete(name);
    });
  }

  /** Follows the maps from the monitor's own host, where no link is ever bad. */
  async #watch(): Promise<void> {
    const args = ['watch', 'osdmap', '--format', 'json', '-c', this.#path('ceph.conf')];
    const child = this.monHost.start(process.execPath, ['--import', 'tsx', cli, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#running.set('watch', child);
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => this.#handleLine(line));
    await withTimeout(once(lines, 'line'), bootTimeoutMs, 'the first osdmap');
  }

  #handleLine(line: string): void {
    const atMs = performance.now();
    const { changes = [] } = JSON.parse(line) as { changes?: { osd?: number; change: string }[] };
    for (const { change, osd } of changes) {
      const to = change === 'down' ? 'down' : change === 'up' || change === 'restarted' ? 'up' : undefined;
      if (osd === undefined || to === undefined) continue;
      this.#isUp.set(osd, to === 'up');
      this.changes.push({ atMs, osd, to });
    }
  }

  isUp(osd: number): boolean {
    return this.#isUp.get(osd) === true;
  }

  async untilUp(osds: readonly number[], timeoutMs = bootTimeoutMs): Promise<void> {
    const all = (): boolean => osds.every((osd) => this.isUp(osd));
    await waitUntil(all, timeoutMs, `osd.${osds.join(', osd.')} to be up`, 50);
  }

  /** Every OSD reaches every other one on both networks. */
  async untilSettled(timeoutMs = bootTimeoutMs): Promise<void> {
    const settled = async (): Promise<boolean> => {
      const observations = await Promise.all(this.osds.map((osd) => this.observe(osd)));
      return observations.every(
        (each) =>
          each?.state === 'active' &&
          each.sights.size === this.osds.length - 1 &&
          [...each.sights.values()].every(({ back, front }) => back?.state === 'up' && front?.state === 'up'),
      );
    };
    await waitUntil(settled, timeoutMs, 'every OSD to reach every other one on both networks', 200);
  }

  /** What an OSD sees; undefined while it does not answer. */
  observe(osd: number): Promise<Observation | undefined> {
    return observe(this.#path(`osd.${osd}.asok`)).catch(() => undefined);
  }

  kill(name: string, signal: NodeJS.Signals): void {
    const child = this.#running.get(name);
    if (child === undefined) throw new Error(`${name} is not running`);
    child.kill(signal);
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  async close(): Promise<void> {
    for (const child of this.#running.values()) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await this.lab.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
