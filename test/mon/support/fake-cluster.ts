/**
 * Scripted monitors and a client of theirs, in virtual time. The monitors share one history of OSDMaps and
 * one list of the commands they carried out, as a quorum would.
 */
import type { AuthProvider } from '../../../src/auth/auth.ts';
import { writtenAs } from '../../../src/maps/fields.ts';
import type { OSDMapIncremental } from '../../../src/maps/incremental.ts';
import { encodeMonMap, type MonInfo, type MonMap } from '../../../src/maps/mon-map.ts';
import type { RandomSource } from '../../../src/messenger/random.ts';
import type { MonClientInit } from '../../../src/mon/client/init.ts';
import { MonClient } from '../../../src/mon/client/mon-client.ts';
import { createMemoryNetwork, type MemoryNetwork } from '../../../src/transport/memory/memory-network.ts';
import { EntityAddrVec } from '../../../src/wire/entity-addrvec.ts';
import { utimeZero } from '../../../src/wire/utime.ts';
import { Uuid } from '../../../src/wire/uuid.ts';
import { FakeMonitor } from './fake-monitor.ts';
import { OsdMapHistory } from './osd-map-history.ts';

export const clientHost = '10.0.1.1';

export interface FakeClusterOptions {
  readonly mons?: number;
  readonly seed?: number;
  /** The monitors' side; AUTH_NONE when absent. */
  readonly auth?: AuthProvider;
  /** By name: fields of monitors in the map that are not the usual ones. */
  readonly monitors?: Readonly<Record<string, Partial<MonInfo>>>;
}

export class FakeCluster {
  readonly network: MemoryNetwork;
  readonly random: RandomSource;
  readonly fsid = Uuid.parse('c38a29e7-3411-4fa3-9d39-eca1f40257d3');
  readonly auth: AuthProvider | undefined;
  readonly osdMaps = new OsdMapHistory(this.fsid);
  /** Carried out, in order. */
  readonly commands: { monitor: string; tid: bigint; prefix: string }[] = [];
  /** Log entries by sender and number. */
  readonly log = new Map<string, string>();
  readonly monitors: FakeMonitor[];
  config = new Map<string, string>();
  monMap: MonMap;
  readonly #clients: MonClient[] = [];

  private constructor(options: FakeClusterOptions) {
    this.network = createMemoryNetwork({ seed: options.seed ?? 1 });
    const { random } = this.network;
    this.random = {
      u32: () => random.integer(0, 0xffff_ffff),
      u64: () => (BigInt(random.integer(0, 0xffff_ffff)) << 32n) | BigInt(random.integer(0, 0xffff_ffff)),
    };
    this.auth = options.auth;
    const names = Array.from({ length: options.mons ?? 3 }, (_, index) => String.fromCharCode(97 + index));
    this.monitors = names.map((name, index) => new FakeMonitor(this, name, `v2:10.0.0.${index + 1}:3300`));
    this.monMap = this.makeMonMap(1, options.monitors);
  }

  static async start(options: FakeClusterOptions = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster(options);
    for (const monitor of cluster.monitors) await monitor.start();
    return cluster;
  }

  get monHost(): string {
    return this.monitors.map(({ address }) => address).join(',');
  }

  makeMonMap(epoch: number, changes: FakeClusterOptions['monitors'] = {}): MonMap {
    const info = ({ address, name }: FakeMonitor): MonInfo => ({
      name,
      publicAddrs: EntityAddrVec.parse(address),
      priority: 0,
      weight: 0,
      crushLocation: new Map(),
      written: writtenAs(5, 1),
      ...changes[name],
    });
    return {
      fsid: this.fsid,
      epoch,
      lastChanged: utimeZero,
      created: utimeZero,
      persistentFeatures: { bits: 0n, written: writtenAs(1, 1) },
      optionalFeatures: { bits: 0n, written: writtenAs(1, 1) },
      monitors: new Map(this.monitors.map((monitor) => [monitor.name, info(monitor)])),
      ranks: this.monitors.map(({ name }) => name),
      minMonRelease: 16,
      removedRanks: [],
      electionStrategy: 1,
      disallowedLeaders: [],
      stretchModeEnabled: false,
      tiebreaker: '',
      stretchMarkedDown: [],
      written: writtenAs(9, 6),
    };
  }

  monMapBytes(): Uint8Array {
    return encodeMonMap(this.monMap);
  }

  client(init: Partial<MonClientInit> = {}): MonClient {
    const transport = this.network.createTransport({ address: clientHost });
    const client = new MonClient({
      name: 'client.admin',
      monHost: this.monHost,
      transport,
      clock: transport.clock,
      random: this.random,
      wallClock: () => this.network.clock.nowMs(),
      ...init,
    });
    this.#clients.push(client);
    return client;
  }

  /** A client with a session. */
  async connected(init: Partial<MonClientInit> = {}): Promise<MonClient> {
    const client = this.client(init);
    await this.settle(client.connect());
    return client;
  }

  monitor(name: string): FakeMonitor {
    return this.monitors.find((monitor) => monitor.name === name)!;
  }

  /** The monitor that a client has its session with. */
  monitorOf(client: MonClient): FakeMonitor {
    return this.monitor(client.currentMon!.name);
  }

  /** One epoch more, told to all subscribers. */
  commit(fields?: Partial<OSDMapIncremental>): number {
    const epoch = this.osdMaps.commit(fields);
    for (const monitor of this.monitors) monitor.publish();
    return epoch;
  }

  /** So many milliseconds pass. */
  async pass(ms: number): Promise<void> {
    await this.network.runAsync(this.network.clock.nowMs() + ms);
  }

  /** Time passes until the promise settles; what it comes to. Fails after `msMax` of virtual time. */
  async settle<T>(promise: Promise<T>, msMax = 600_000): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    const endMs = this.network.clock.nowMs() + msMax;
    while (!isSettled) {
      if (this.network.clock.nowMs() >= endMs) throw new Error(`nothing settled within ${msMax} ms`);
      await this.pass(10);
    }
    return promise;
  }

  /** Time passes until the condition holds. */
  async until(condition: () => boolean, what: string, msMax = 600_000): Promise<void> {
    const endMs = this.network.clock.nowMs() + msMax;
    while (!condition()) {
      if (this.network.clock.nowMs() >= endMs) throw new Error(`not within ${msMax} ms: ${what}`);
      await this.pass(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = Promise.all(this.#clients.map((client) => client.close()));
    await this.settle(closing);
    for (const monitor of this.monitors) {
      monitor.resume();
      await monitor.kill();
    }
    // What is left of a closed world: nothing that would tick for ever.
    await this.pass(60_000);
  }
}
