/**
 * A heartbeat network's half in the simulation: the real machine, with links of the simulated wire, on a loop
 * of its own. Its loop and main's are paused apart, as a worker thread and a main thread are.
 */
import { HeartbeatNetwork } from '../../../src/osd/heartbeat/heartbeat-network.ts';
import type { HeartbeatOptions } from '../../../src/osd/heartbeat/heartbeat-options.ts';
import { SharedMainWatch } from '../../../src/osd/heartbeat/main-watch.ts';
import type {
  HeartbeatMessengerCounters,
  NetworkHost,
  NetworkHostEvents,
} from '../../../src/osd/heartbeat/network-host.ts';
import type {
  NetworkBatch,
  NetworkCommand,
  NetworkName,
} from '../../../src/osd/heartbeat/network-protocol.ts';
import type { MemoryHost } from '../../../src/transport/memory/memory-host.ts';
import type { Random } from '../../../src/transport/memory/random.ts';
import { EntityAddr } from '../../../src/wire/entity-addr.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import type { Wire } from './wire.ts';

export interface SimHostInit {
  readonly wire: Wire;
  readonly network: NetworkName;
  readonly osd: number;
  readonly options: HeartbeatOptions;
  readonly random: Random;
  /** The loop of this network, and main's. */
  readonly loop: MemoryHost;
  readonly main: MemoryHost;
  readonly mainTicks: Int32Array<SharedArrayBuffer>;
  /** Wall clock at the start: it may be anything. */
  readonly wallMs: number;
}

export class SimHost implements NetworkHost {
  readonly network: NetworkName;
  events: NetworkHostEvents = { onBatch() {}, onDied() {}, onRestarted() {} };
  readonly machine: HeartbeatNetwork;
  readonly #init: SimHostInit;
  /** Batches on their way to main: `drain` takes them before its turn. */
  #arrived: NetworkBatch[] = [];
  #life = 0;

  constructor(init: SimHostInit) {
    const { wire, network, osd, random, loop, main } = init;
    this.network = network;
    this.#init = init;
    this.machine = new HeartbeatNetwork({
      network,
      clock: loop,
      startMs: 0,
      startWallMs: init.wallMs,
      random: () => random.float(),
      options: init.options,
      main: new SharedMainWatch(init.mainTicks, 0),
      connect: (to, _addrs, events) => wire.connect(network, osd, to, loop, events),
      deliver: (batch) => {
        this.#arrived.push(batch);
        main.run(() => this.drain());
      },
    });
  }

  start(): Promise<EntityAddrVec> {
    this.#listen();
    this.machine.start();
    return Promise.resolve(addrsOf(this.network, this.#init.osd, this.#life));
  }

  rebind(): Promise<EntityAddrVec> {
    this.#life++;
    this.#listen();
    return Promise.resolve(addrsOf(this.network, this.#init.osd, this.#life));
  }

  command(command: NetworkCommand): void {
    this.#init.loop.run(() => this.machine.command(command));
  }

  drain(): void {
    for (const batch of this.#arrived.splice(0)) this.events.onBatch(batch);
  }

  updateAuth(): void {}

  counters(): Promise<HeartbeatMessengerCounters> {
    return Promise.reject(new Error('no messengers are simulated here'));
  }

  close(): Promise<void> {
    this.machine.stop();
    return Promise.resolve();
  }

  #listen(): void {
    const { wire, network, osd, loop } = this.#init;
    wire.listen(network, {
      osd,
      host: loop,
      handlePing: (from, ping, reply) => this.machine.handlePing(from, ping, reply),
    });
  }
}

/** Addresses by number; another life has another port. */
export function addrsOf(
  network: NetworkName | 'public' | 'cluster',
  osd: number,
  life: number,
): EntityAddrVec {
  const net = { public: 1, cluster: 2, front: 1, back: 2 }[network];
  const port = { public: 6800, cluster: 6801, front: 6802, back: 6803 }[network] + 4 * life;
  const host = `10.${net}.${osd >> 8}.${osd & 0xff}`;
  return EntityAddrVec.of(new EntityAddr({ type: 2, host, port, nonce: 1 + life }));
}
