/** What the main side keeps of one network as a whole: its counters, and the ping times of its peers. */
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type { NetworkBatch, NetworkCounters } from './network-protocol.ts';
import type { NetworkMetrics } from './osd-heartbeat-types.ts';
import type { PingTimes } from './ping-times.ts';
import { RoundTrips } from './round-trips.ts';

export class NetworkBook {
  addrs: EntityAddrVec | undefined;
  restarts = 0;
  mainLagMsMax = 0;
  readonly pingTimes = new Map<number, PingTimes>();
  readonly #roundTrips = new Map<number, RoundTrips>();
  #counters: Partial<NetworkCounters> = {};
  #lagMs = 0;
  #lagMsMax = 0;

  take(batch: NetworkBatch, isPeer: (osd: number) => boolean): void {
    this.#counters = batch.counters;
    this.#lagMs = batch.lagMs;
    this.#lagMsMax = Math.max(this.#lagMsMax, batch.lagMs);
    for (const { osd, times } of batch.pingTimes) if (isPeer(osd)) this.pingTimes.set(osd, times);
    for (let index = 0; index + 1 < batch.roundTrips.length; index += 2) {
      const osd = batch.roundTrips[index]!;
      if (!isPeer(osd)) continue;
      let trips = this.#roundTrips.get(osd);
      if (trips === undefined) {
        trips = new RoundTrips();
        this.#roundTrips.set(osd, trips);
      }
      trips.record(batch.roundTrips[index + 1]!);
    }
  }

  forget(osds: readonly number[]): void {
    for (const osd of osds) {
      this.pingTimes.delete(osd);
      this.#roundTrips.delete(osd);
    }
  }

  metrics(): NetworkMetrics {
    return {
      counters: { ...this.#counters },
      lagMs: this.#lagMs,
      lagMsMax: this.#lagMsMax,
      restarts: this.restarts,
      roundTrips: new Map([...this.#roundTrips].map(([osd, trips]) => [osd, trips.snapshot()])),
    };
  }
}
