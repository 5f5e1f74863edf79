/**
 * A heartbeat network on this thread: for transports that have no threads, for simulations and tests. When
 * this thread stands still so do its pings; the network notices, excuses its peers, and says so.
 */
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type {
  HeartbeatMessengerCounters,
  NetworkHost,
  NetworkHostEvents,
} from '../heartbeat/network-host.ts';
import type { NetworkCommand, NetworkName } from '../heartbeat/network-protocol.ts';
import { HeartbeatMessengers, type HeartbeatMessengersInit } from './heartbeat-messengers.ts';

export type InThreadHostInit = Omit<HeartbeatMessengersInit, 'deliver' | 'main'>;

export class InThreadHost implements NetworkHost {
  readonly network: NetworkName;
  events: NetworkHostEvents = { onBatch() {}, onDied() {}, onRestarted() {} };
  readonly #messengers: HeartbeatMessengers;

  constructor(init: InThreadHostInit) {
    this.network = init.network;
    this.#messengers = new HeartbeatMessengers({ ...init, deliver: (batch) => this.events.onBatch(batch) });
  }

  start(): Promise<EntityAddrVec> {
    return this.#messengers.start();
  }

  rebind(avoidPorts: ReadonlySet<number>): Promise<EntityAddrVec> {
    return this.#messengers.rebind(avoidPorts);
  }

  command(command: NetworkCommand): void {
    this.#messengers.network.command(command);
  }

  /** Nothing waits: batches are handed over as they are made. */
  drain(): void {}

  /** The auth is shared with the daemon, and new tickets with it. */
  updateAuth(): void {}

  counters(): Promise<HeartbeatMessengerCounters> {
    return Promise.resolve(this.#messengers.counters());
  }

  close(): Promise<void> {
    return this.#messengers.close();
  }
}
