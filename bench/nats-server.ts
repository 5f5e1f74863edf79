/** A nats-server of the bench's own, on a port of loopback that the system chooses, ended with the session. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CliError } from '../src/cli/cli-error.ts';

const program = 'nats-server';
const startLimitMs = 10_000;

/** As it names itself; undefined where it is not installed. */
export function natsServerVersion(): string | undefined {
  const { status, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim().replace(/^.* /, '') : undefined;
}

export function missingNatsServer(): string | undefined {
  return natsServerVersion() === undefined ? 'nats-server is not installed (Debian: nats-server)' : undefined;
}

export class NatsServer {
  readonly address: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(address: string, child: ChildProcess, folder: string) {
    this.address = address;
    this.#process = child;
    this.#folder = folder;
  }

  static async start(): Promise<NatsServer> {
    const folder = mkdtempSync(join(tmpdir(), 'msgr2-bench-nats-'));
    const port = await freePort();
    const config = join(folder, 'nats.conf');
    // Nothing is to be dropped because a subscriber is slow for a moment: the bench counts every message.
    writeFileSync(
      config,
      `host: 127.0.0.1\nport: ${port}\nmax_payload: 8MB\nmax_pending: 1GB\nwrite_deadline: "60s"\n`,
    );
    const child = spawn(program, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new NatsServer(`127.0.0.1:${port}`, child, folder);
    try {
      await untilReady(child);
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const { exitCode, signalCode } = this.#process;
    if (exitCode === null && signalCode === null) {
      const gone = new Promise((resolve) => this.#process.once('exit', resolve));
      this.#process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => reject(new CliError(`${program} is not ready: ${log}`)), startLimitMs);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-2000);
      if (!log.includes('Server is ready')) return;
      clearTimeout(timer);
      resolve();
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new CliError(`${program} ended with exit code ${code}: ${log}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
