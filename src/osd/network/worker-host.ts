/**
 * A heartbeat network in a worker thread of its own (D6), through a piscina of one thread: pings leave and
 * are answered whatever the main thread does. A thread that ends is replaced, at the same address.
 *
 *      start ─► starting ──bound──► running ──the thread ended──► resting ──restMs, doubling──► starting …
 *                  └──cannot bind, the first time──► start() rejects
 *      any ──close()──► closed
 *
 * One task runs as long as the network lives. piscina gives the thread, its end with its reason, and
 * TypeScript sources loaded as everywhere else; messages go over a port of their own, because piscina's is
 * not to be drained by hand, and `drain` must see what has arrived before the main loop gets to it.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { AuthSnapshot } from '../../auth/cephx/snapshot.ts';
import { ErrorCode, MsgrError } from '../../errors.ts';
import { threadModule } from '../../thread-module.ts';
import { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type {
  HeartbeatMessengerCounters,
  NetworkHost,
  NetworkHostEvents,
} from '../heartbeat/network-host.ts';
import type { NetworkCommand, NetworkName } from '../heartbeat/network-protocol.ts';
import type { WorkerTask } from './worker-entry.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './worker-protocol.ts';

/** As in `main-watch.ts`; `mayFallBack` is the host's own affair. */
export type WorkerHostInit = Omit<WorkerSetup, 'mayFallBack'>;

interface Waiting {
  readonly resolve: (message: FromWorker) => void;
  readonly reject: (error: Error) => void;
}

const entry = threadModule('worker-entry', import.meta.url);
const restMsMin = 100;
const restMsMax = 10_000;

export class WorkerHost implements NetworkHost {
  readonly network: NetworkName;
  events: NetworkHostEvents = { onBatch() {}, onDied() {}, onRestarted() {} };
  readonly #init: WorkerHostInit;
  #auth: WorkerHostInit['auth'];
  #addrs: EntityAddrVec | undefined;
  #pool: Piscina<WorkerTask, void> | undefined;
  #port: MessagePort | undefined;
  #ended: Promise<void> = Promise.resolve();
  #isClosed = false;
  #restMs = restMsMin;
  #restTimer: NodeJS.Timeout | undefined;
  #onStarted: (addrs: string) => void = () => {};
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  constructor(init: WorkerHostInit) {
    this.#init = init;
    this.#auth = init.auth;
    this.network = init.network;
  }

  async start(): Promise<EntityAddrVec> {
    this.#addrs = await this.#launch(this.#init.bindAddr, this.#init.nonce, false);
    return this.#addrs;
  }

  async rebind(avoidPorts: ReadonlySet<number>): Promise<EntityAddrVec> {
    const answer = await this.#ask((id) => ({ kind: 'rebind', id, avoidPorts: [...avoidPorts] }));
    if (answer.kind === 'rebound') this.#addrs = EntityAddrVec.parse(answer.addrs);
    return this.#addrs!;
  }

  /** Lost while the thread is being replaced; `onRestarted` is when all is said anew. */
  command(command: NetworkCommand): void {
    this.#post({ kind: 'command', command });
  }

  drain(): void {
    for (;;) {
      const received = this.#port && receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      this.#handle(received.message as FromWorker);
    }
  }

  updateAuth(snapshot: AuthSnapshot): void {
    if (this.#auth.kind === 'none') return;
    this.#auth = { kind: 'cephx', snapshot };
    this.#post({ kind: 'auth', snapshot });
  }

  async counters(): Promise<HeartbeatMessengerCounters> {
    const answer = await this.#ask((id) => ({ kind: 'counters', id }));
    if (answer.kind !== 'counters') throw new MsgrError(ErrorCode.Closed, 'the heartbeat thread ended');
    return answer.counters;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restTimer);
    this.#post({ kind: 'close' });
    await this.#ended;
  }

  /** The threads of the moment, for tests that end one. */
  get threads(): Piscina['threads'] {
    return this.#pool?.threads ?? [];
  }

  /** A new thread; resolves when it has bound. */
  #launch(bindAddr: string, nonce: number, mayFallBack: boolean): Promise<EntityAddrVec> {
    const { port1, port2 } = new MessageChannel();
    const pool = new Piscina<WorkerTask, void>({
      ...entry,
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      // With atomics a worker sleeps between tasks; ours has one task and sockets to look after.
      atomics: 'disabled',
      recordTiming: false,
    });
    // An error of a thread is the task's rejection as well, which is where it is dealt with.
    pool.on('error', () => {});
    this.#pool = pool;
    this.#port = port1;
    return new Promise((resolve, reject) => {
      let isStarted = false;
      this.#onStarted = (addrs) => {
        isStarted = true;
        this.#restMs = restMsMin;
        resolve(EntityAddrVec.parse(addrs));
      };
      port1.on('message', (message: FromWorker) => this.#handle(message));
      const setup: WorkerSetup = { ...this.#init, auth: this.#auth, bindAddr, nonce, mayFallBack };
      this.#ended = pool
        .run({ setup, port: port2 }, { name: 'run', transferList: [port2] })
        .then(
          () => undefined,
          (error: Error) => {
            if (!isStarted) reject(error);
            else if (!this.#isClosed) this.#died(error);
          },
        )
        .then(async () => {
          port1.close();
          if (this.#port === port1) this.#port = undefined;
          this.#failWaiting();
          await pool.destroy();
        });
    });
  }

  #died(reason: Error): void {
    this.events.onDied(reason);
    this.#restTimer = setTimeout(() => void this.#relaunch(), this.#restMs);
    this.#restMs = Math.min(2 * this.#restMs, restMsMax);
  }

  async #relaunch(): Promise<void> {
    if (this.#isClosed) return;
    const before = this.#addrs!.v2()!;
    try {
      const addrs = await this.#launch(`v2:${hostAndPort(before)}`, before.nonce, true);
      if (this.#isClosed) return;
      this.#addrs = addrs;
      this.events.onRestarted(addrs);
    } catch (error) {
      if (!this.#isClosed) this.#died(error as Error);
    }
  }

  #handle(message: FromWorker): void {
    switch (message.kind) {
      case 'batch':
        if (!this.#isClosed) this.events.onBatch(message.batch);
        break;
      case 'started':
        this.#onStarted(message.addrs);
        break;
      case 'failed':
        this.#waiting.get(message.id)?.reject(new MsgrError(message.code as ErrorCode, message.message));
        this.#waiting.delete(message.id);
        break;
      default:
        this.#waiting.get(message.id)?.resolve(message);
        this.#waiting.delete(message.id);
    }
  }

  #ask(question: (id: number) => ToWorker): Promise<FromWorker> {
    return new Promise((resolve, reject) => {
      if (this.#port === undefined) {
        reject(new MsgrError(ErrorCode.Closed, `the heartbeat thread of ${this.network} is not running`));
        return;
      }
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#post(question(id));
    });
  }

  #post(message: ToWorker): void {
    this.#port?.postMessage(message);
  }

  #failWaiting(): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new MsgrError(ErrorCode.Closed, `the heartbeat thread of ${this.network} ended`));
    }
    this.#waiting.clear();
  }
}

function hostAndPort({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
