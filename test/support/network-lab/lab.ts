/**
 * Bare metal on one machine: hosts with two NICs each, as network namespaces, at a front and a back switch
 * whose links can be made bad one by one and one way at a time.
 *
 *      host-1 ── front ──┐               ┌── back ── host-1
 *      host-2 ── front ──┤ switch front  ├── back ── host-2      192.0.2.N/24 front, 198.51.100.N/24 back
 *      host-3 ── front ──┘ switch back   └── back ── host-3      (addresses that are nobody's, RFC 5737)
 *
 * The switches are switch.cc in a namespace of their own: what tc netem does, also on kernels without it. All
 * namespaces carry this process's id and go away with the lab; those of processes that died are swept away
 * by the next one. Needs root, iproute2, setpriv and a C++ compiler; see {@link requireNetworkLab}.
 */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withTimeout } from '../timeout.ts';

const run = promisify(execFile);
const source = fileURLToPath(new URL('switch.cc', import.meta.url));
const program = fileURLToPath(new URL('../../../build/network-lab/switch', import.meta.url));
const namespaceFolder = '/run/netns';
const prefix = 'msgr2lab';
const commandTimeoutMs = 10_000;

export type LabNetwork = 'front' | 'back';
export const labNetworks: readonly LabNetwork[] = ['front', 'back'];

/** What is wrong with one direction of a link; absent is as before. */
export interface LinkFault {
  readonly down?: boolean;
  /** 0 to 1. */
  readonly loss?: number;
  readonly delayMs?: number;
  /** Added to or taken from the delay. */
  readonly jitterMs?: number;
  /** Larger packets vanish without a word. */
  readonly mtu?: number;
}

/** Why this machine cannot have a lab, or undefined. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  const missing = ['ip', 'setpriv', 'g++'].filter((name) => !onPath(name));
  return missing.length > 0 ? `${missing.join(', ')} not installed` : undefined;
}

function onPath(name: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** True when network namespaces can be made; otherwise says SKIPPED and why, which CI takes for a failure. */
export async function requireNetworkLab(what: string): Promise<boolean> {
  let reason = obstacle();
  if (reason === undefined) {
    const name = `${prefix}-${process.pid}-probe`;
    try {
      await run('ip', ['netns', 'add', name]);
      await run('ip', ['netns', 'del', name]);
    } catch (error) {
      reason = `network namespaces are not permitted (${String(error).split('\n')[0]})`;
    }
  }
  if (reason === undefined) return true;
  console.log(`SKIPPED ${what}: ${reason}`);
  return false;
}

/** One host: what runs on it is started with {@link start}. */
export class LabHost {
  readonly index: number;
  readonly namespace: string;

  constructor(index: number) {
    this.index = index;
    this.namespace = `${prefix}-${process.pid}-h${index}`;
  }

  address(network: LabNetwork): string {
    return network === 'front' ? `192.0.2.${this.index}` : `198.51.100.${this.index}`;
  }

  /** Starts a program on the host; the kernel kills it when this process dies. Its end is the caller's. */
  start(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const inside = ['ip', 'netns', 'exec', this.namespace, command, ...args];
    return spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inside], options);
  }

  /** Runs a program on the host to its end and answers its standard output. */
  async run(command: string, args: readonly string[], timeoutMs = commandTimeoutMs): Promise<string> {
    const inside = ['netns', 'exec', this.namespace, command, ...args];
    const { stdout } = await run('ip', inside, { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
    return stdout;
  }
}

export class NetworkLab implements AsyncDisposable {
  /** From index 1 on. */
  readonly hosts: readonly LabHost[];
  readonly #switchNamespace = `${prefix}-${process.pid}-sw`;
  readonly #switches = new Map<LabNetwork, RunningSwitch>();

  private constructor(count: number) {
    this.hosts = Array.from({ length: count }, (_, index) => new LabHost(index + 1));
  }

  static async create(init: { readonly hosts: number; readonly mtu?: number }): Promise<NetworkLab> {
    await buildSwitch();
    await sweep();
    const lab = new NetworkLab(init.hosts);
    try {
      await lab.#wire(init.mtu ?? 9000);
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  host(index: number): LabHost {
    const host = this.hosts[index - 1];
    if (host === undefined) throw new Error(`the lab has no host ${index}`);
    return host;
  }

  async #wire(mtu: number): Promise<void> {
    await run('ip', ['netns', 'add', this.#switchNamespace]);
    for (const { index, namespace } of this.hosts) {
      await run('ip', ['netns', 'add', namespace]);
      await run('ip', ['-n', namespace, 'link', 'set', 'lo', 'up']);
      for (const network of labNetworks) await this.#plug(this.host(index), network, mtu);
    }
    for (const network of labNetworks) {
      const ports = this.hosts.map(({ index }) => portName(network, index));
      this.#switches.set(network, await RunningSwitch.start(this.#switchNamespace, ports));
    }
  }

  async #plug(host: LabHost, network: LabNetwork, mtu: number): Promise<void> {
    const { namespace } = host;
    const port = portName(network, host.index);
    const there = ['netns', this.#switchNamespace];
    const size = ['mtu', String(mtu)];
    await run('ip', [
      '-n',
      namespace,
      'link',
      'add',
      network,
      ...size,
      'type',
      'veth',
      'peer',
      'name',
      port,
      ...size,
      ...there,
    ]);
    await run('ip', ['netns', 'exec', namespace, program, '--plain', network]);
    await run('ip', ['-n', namespace, 'addr', 'add', `${host.address(network)}/24`, 'dev', network]);
    await run('ip', ['-n', namespace, 'link', 'set', network, 'up']);
    await run('ip', ['-n', this.#switchNamespace, 'link', 'set', port, 'up']);
  }

  /** Makes a link bad, or good again: `out` is what the host sends, `in` what it receives. */
  async setLink(
    host: LabHost,
    network: LabNetwork,
    fault: LinkFault,
    directions: readonly ('in' | 'out')[] = ['in', 'out'],
  ): Promise<void> {
    const { down, loss, delayMs, jitterMs, mtu } = fault;
    const words = [
      ...(down === undefined ? [] : [down ? 'down' : 'up']),
      ...Object.entries({ loss, delay: delayMs, jitter: jitterMs, mtu })
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => `${name} ${value}`),
    ].join(' ');
    for (const direction of directions) {
      const side = direction === 'out' ? 'tx' : 'rx';
      await this.#switches.get(network)!.command(`set ${portName(network, host.index)} ${side} ${words}`);
    }
  }

  /** The NIC itself goes down or comes up: the host's own kernel knows at once. */
  async setNic(host: LabHost, network: LabNetwork, state: 'up' | 'down'): Promise<void> {
    await run('ip', ['-n', host.namespace, 'link', 'set', network, state]);
  }

  async close(): Promise<void> {
    for (const running of this.#switches.values()) await running.stop();
    for (const name of [...this.hosts.map(({ namespace }) => namespace), this.#switchNamespace]) {
      if (existsSync(join(namespaceFolder, name))) await run('ip', ['netns', 'del', name]);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function portName(network: LabNetwork, index: number): string {
  return `${network}${index}`;
}

/** One switch.cc and its dialogue. */
class RunningSwitch {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start(namespace: string, ports: readonly string[]): Promise<RunningSwitch> {
    const inside = ['ip', 'netns', 'exec', namespace, program, ...ports];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...inside], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const running = new RunningSwitch(child);
    const answer = await running.#answer();
    if (answer !== 'ready') throw new Error(`the switch did not start: ${answer}`);
    return running;
  }

  async command(line: string): Promise<void> {
    this.#child.stdin!.write(`${line}\n`);
    const answer = await this.#answer();
    if (answer !== 'ok') throw new Error(`switch: ${line}: ${answer}`);
  }

  async #answer(): Promise<string> {
    const { value, done } = await withTimeout(this.#answers.next(), commandTimeoutMs, 'the switch to answer');
    return done ? 'it ended' : value;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.end();
    await withTimeout(ended, commandTimeoutMs, 'the switch to end');
  }
}

async function buildSwitch(): Promise<void> {
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(dirname(program), { recursive: true });
  const own = `${program}.${process.pid}`;
  await run('g++', ['-std=c++20', '-O2', '-Wall', '-Wextra', '-o', own, source]);
  await run('mv', [own, program]);
}

/** Namespaces of processes that are no more. */
async function sweep(): Promise<void> {
  if (!existsSync(namespaceFolder)) return;
  for (const name of readdirSync(namespaceFolder)) {
    const pid = new RegExp(`^${prefix}-(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) await run('ip', ['netns', 'del', name]);
  }
}
