/**
 * The in-memory network of the simulation: transports whose bytes go through pipes, driven by one virtual
 * clock and one seeded generator. Nothing here waits for the host: two runs with one seed and the same
 * calls do the same, byte for byte and event for event.
 *
 *      const network = createMemoryNetwork({ seed: 1 });
 *      const a = network.createTransport({ address: '10.0.0.1' });
 *      const b = network.createTransport({ address: '10.0.0.2' });
 *      … use them …
 *      network.run(10_000);            // everything that happens in ten seconds of virtual time
 *
 * Addresses are the hosts' network interfaces: a partition is between two of them, in one direction.
 */
import { ErrorCode, MsgrError } from '../../errors.ts';
import { messageBytesMaxDefault } from '../../limits.ts';
import type { SocketAddress } from '../socket.ts';
import type { ByteStreamHandler } from '../stream/byte-stream.ts';
import { socketAddressText } from '../stream/socket-text.ts';
import { type FaultCounts, type MemoryFaults, noFaults } from './faults.ts';
import { MemoryHost } from './memory-host.ts';
import { MemoryPipe } from './memory-pipe.ts';
import { MemoryStream } from './memory-stream.ts';
import { MemoryTransport } from './memory-transport.ts';
import { Random } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface MemoryNetworkOptions {
  /** Of the faults' generator; a failing run prints it. */
  readonly seed: number;
  /** Shared with others when given. */
  readonly clock?: VirtualClock;
  readonly faults?: Partial<MemoryFaults>;
}

export interface MemoryTransportOptions {
  /** Where its connections come from unless `localAddress` says otherwise; 127.0.0.1 (or ::1) by default. */
  readonly address?: string;
  readonly messageBytesMax?: number;
}

/** Where the next connection is to be reset. */
export interface PlannedReset {
  /** Bytes from the connector (`c2s`) or from the acceptor (`s2c`). */
  readonly direction: 'c2s' | 's2c';
  /** Bytes of that direction that still arrive. */
  readonly afterBytes: number;
}

export interface MemoryListener {
  readonly address: SocketAddress;
  readonly host: MemoryHost;
  accept(open: (handler: ByteStreamHandler) => MemoryStream): void;
}

/** Ports given to connecting sockets and to listeners that ask for port 0. */
const ephemeralPortMin = 32768;
const ephemeralPortMax = 60999;

/** Hears what happens to a connection before somebody accepts it: it is then gone when it would be. */
const notAccepted: ByteStreamHandler = { onOpen() {}, onData() {}, onDrain() {}, onClose() {} };

const anyAddress: readonly string[] = ['0.0.0.0', '::'];

export function createMemoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  return new MemoryNetwork(options);
}

export class MemoryNetwork {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** May be changed at any time; counts for what is written, delivered or dialled from then on. */
  readonly faults: MemoryFaults;
  readonly injected: FaultCounts = {
    partialReads: 0,
    partialWrites: 0,
    resets: 0,
    corruptions: 0,
    refusals: 0,
    clogs: 0,
  };
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #streams = new Set<MemoryStream>();
  readonly #partitions = new Set<string>();
  /** Steps of connection attempts that wait for a path to open. */
  #waiting: { from: SocketAddress; to: SocketAddress; step: () => void }[] = [];
  #plannedReset: PlannedReset | undefined;
  #lastPort = ephemeralPortMin - 1;

  constructor({ seed, clock, faults }: MemoryNetworkOptions) {
    this.clock = clock ?? new VirtualClock();
    this.random = new Random(seed);
    this.faults = { ...noFaults, ...faults };
  }

  /** Ends of connections that are open or being opened. */
  get streamCount(): number {
    return this.#streams.size;
  }

  createTransport(options: MemoryTransportOptions = {}): MemoryTransport {
    const host = new MemoryHost(this.clock);
    return new MemoryTransport(
      this,
      host,
      options.address,
      options.messageBytesMax ?? messageBytesMaxDefault,
    );
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    return this.clock.step();
  }

  /** Runs every event up to `untilMs` of virtual time. */
  run(untilMs: number): void {
    this.clock.run(untilMs);
  }

  /** As `run`, when what is simulated waits for promises. */
  runAsync(untilMs: number): Promise<void> {
    return this.clock.runAsync(untilMs);
  }

  // Faults that are called for

  /** Bytes from address `from` no longer reach `to`, connection attempts included; `*` stands for any. */
  partition(from: string, to: string): void {
    this.#partitions.add(pairKey(from, to));
  }

  /** Ends a partition that was made with the same words; what waited goes on its way. */
  heal(from: string, to: string): void {
    this.#partitions.delete(pairKey(from, to));
    this.#pumpAll();
  }

  healAll(): void {
    this.#partitions.clear();
    this.#pumpAll();
  }

  isPartitioned(from: SocketAddress, to: SocketAddress): boolean {
    const partitions = this.#partitions;
    return (
      partitions.size > 0 &&
      (partitions.has(pairKey(from.host, to.host)) ||
        partitions.has(pairKey('*', to.host)) ||
        partitions.has(pairKey(from.host, '*')))
    );
  }

  /** The next connection that is made ends after so many bytes, as if its path were cut there. */
  planReset(plan: PlannedReset): void {
    this.#plannedReset = plan;
  }

  /** Resets every connection between the two addresses, in both directions; `*` stands for any. */
  resetConnections(a = '*', b = '*'): void {
    const matches = (address: SocketAddress, wanted: string) => wanted === '*' || address.host === wanted;
    for (const stream of [...this.#streams]) {
      const { peer } = stream;
      if (peer === undefined || stream.isClosed) continue;
      if (matches(stream.localAddress, a) && matches(peer.localAddress, b)) this.resetConnection(stream);
    }
  }

  // For the transports

  /** Milliseconds that something takes to its destination. */
  latency(): number {
    const [min, max] = this.faults.latencyMs;
    return min === max ? min : min + this.random.float() * (max - min);
  }

  /** A port nobody listens on. */
  ephemeralPort(): number {
    this.#lastPort = this.#lastPort === ephemeralPortMax ? ephemeralPortMin : this.#lastPort + 1;
    return this.#lastPort;
  }

  /** Throws `ERR_MSGR_BIND` when the address is taken. */
  bind(listener: MemoryListener): void {
    const key = listenerKey(listener.address.host, listener.address.port);
    if (this.#listeners.has(key)) {
      throw new MsgrError(ErrorCode.Bind, `address in use: ${socketAddressText(listener.address)}`);
    }
    this.#listeners.set(key, listener);
  }

  unbind(listener: MemoryListener): void {
    this.#listeners.delete(listenerKey(listener.address.host, listener.address.port));
  }

  /** Starts to connect a stream to `address`. */
  dial(stream: MemoryStream, address: SocketAddress): void {
    this.#streams.add(stream);
    const { localAddress } = stream;
    this.#travel(localAddress, address, () => {
      if (stream.isClosed) return;
      const listener = this.#listenerAt(address);
      const isRefused = this.random.chance(this.faults.refuse);
      if (isRefused) this.injected.refusals++;
      if (listener === undefined || isRefused) {
        const peer = socketAddressText(address);
        const error = new MsgrError(ErrorCode.Refused, `${peer} refused the connection`, { peer });
        this.#travel(address, localAddress, () => stream.host.run(() => stream.fail(error)));
        return;
      }
      this.#connect(stream, listener, address);
    });
  }

  /** Both ends fail: this one now, the other as soon as word of it arrives. */
  resetConnection(stream: MemoryStream): void {
    this.injected.resets++;
    const { peer } = stream;
    this.#resetEnd(stream);
    if (peer === undefined) return;
    this.#travel(stream.localAddress, peer.localAddress, () => peer.host.run(() => this.#resetEnd(peer)));
  }

  forget(stream: MemoryStream): void {
    this.#streams.delete(stream);
  }

  #resetEnd(stream: MemoryStream): void {
    if (stream.isClosed) return;
    const peer = stream.remoteAddress === undefined ? '' : socketAddressText(stream.remoteAddress);
    const cause = Object.assign(new Error('connection reset by peer'), { code: 'ECONNRESET' });
    stream.fail(new MsgrError(ErrorCode.Socket, `${peer}: connection reset`, { cause, peer }));
    stream.discard();
  }

  #connect(stream: MemoryStream, listener: MemoryListener, address: SocketAddress): void {
    const plan = this.#plannedReset;
    this.#plannedReset = undefined;
    const resetAt = (direction: PlannedReset['direction']) =>
      plan?.direction === direction ? plan.afterBytes : Number.POSITIVE_INFINITY;
    const far = new MemoryStream(this, listener.host, address, stream.localAddress, notAccepted);
    const forward = new MemoryPipe(this, stream, far, resetAt('c2s'));
    const backward = new MemoryPipe(this, far, stream, resetAt('s2c'));
    stream.attach(far, backward, forward);
    far.attach(stream, forward, backward);
    this.#streams.add(far);
    listener.host.run(() => {
      if (far.isClosed) return;
      listener.accept((handler) => {
        far.accepted(handler);
        return far;
      });
    });
    this.#travel(address, stream.localAddress, () => stream.host.run(() => stream.opened()));
  }

  #listenerAt({ host, port }: SocketAddress): MemoryListener | undefined {
    const exact = this.#listeners.get(listenerKey(host, port));
    if (exact !== undefined) return exact;
    for (const any of anyAddress) {
      const listener = this.#listeners.get(listenerKey(any, port));
      if (listener !== undefined) return listener;
    }
    return undefined;
  }

  /** Runs `step` a latency later, when there is a path by then, or as soon as there is one. */
  #travel(from: SocketAddress, to: SocketAddress, step: () => void): void {
    this.clock.setTimeout(() => {
      if (this.isPartitioned(from, to)) this.#waiting.push({ from, to, step });
      else step();
    }, this.latency());
  }

  #pumpAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { from, to, step } of waiting) this.#travel(from, to, step);
    for (const stream of this.#streams) stream.pump();
  }
}

function pairKey(from: string, to: string): string {
  return `${from}>${to}`;
}

function listenerKey(host: string, port: number): string {
  return `${host}/${port}`;
}
