/**
 * What is known of a running cluster at any moment: OSDs up and down by the monitor's maps, each with the time
 * this process learnt it, and what the OSDs themselves see of each other.
 */
import { isUp } from '../../maps/osdmap.ts';
import type { MonClient } from '../../mon/client/mon-client.ts';
import { type NetworkName, networkNames } from '../../osd/heartbeat/network-protocol.ts';
import { LatencyRecorder, type LatencySummary } from '../latency.ts';
import { type Observation, observe } from '../top/observation.ts';

export interface OsdEvent {
  readonly atMs: number;
  readonly epoch: number;
  readonly osd: number;
  readonly to: 'up' | 'down';
}

export class ClusterWatcher {
  /** In the order in which they were learnt. */
  readonly events: OsdEvent[] = [];
  epoch = 0;
  observations: readonly Observation[] = [];
  readonly #up = new Set<number>();
  readonly #pings = new Map<NetworkName, LatencyRecorder>(
    networkNames.map((network) => [network, new LatencyRecorder()]),
  );
  readonly #lastRtts = new Map<string, number>();
  #handle: (event: OsdEvent) => void = () => undefined;

  /** Calls `handle` at each change of an OSD, until the signal. */
  async followMaps(client: MonClient, signal: AbortSignal, handle: (event: OsdEvent) => void): Promise<void> {
    this.#handle = handle;
    try {
      for await (const { epoch, map } of client.osdMaps({ signal })) {
        this.epoch = epoch;
        for (let osd = 0; osd < map.maxOsd; osd++) this.#note(osd, isUp(map, osd), epoch);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #note(osd: number, isUpNow: boolean, epoch: number): void {
    if (this.#up.has(osd) === isUpNow) return;
    if (isUpNow) this.#up.add(osd);
    else this.#up.delete(osd);
    const event: OsdEvent = { atMs: performance.now(), epoch, osd, to: isUpNow ? 'up' : 'down' };
    this.events.push(event);
    this.#handle(event);
  }

  isUp(osd: number): boolean {
    return this.#up.has(osd);
  }

  /** Asks every OSD once what it sees; who does not answer is left out. */
  async look(sockets: readonly string[]): Promise<void> {
    const seen = await Promise.all(sockets.map((path) => observe(path).catch(() => undefined)));
    this.observations = seen.filter((each) => each !== undefined);
    for (const { osd, sights } of this.observations) {
      for (const [peer, networks] of sights) {
        for (const [network, sight] of Object.entries(networks)) {
          if (sight.state === 'up') this.#record(`${osd} ${peer}`, network as NetworkName, sight.lastRttMs);
        }
      }
    }
  }

  /** The same figure again is the same ping again. */
  #record(pair: string, network: NetworkName, rttMs: number): void {
    const key = `${pair} ${network}`;
    if (rttMs === 0 || this.#lastRtts.get(key) === rttMs) return;
    this.#lastRtts.set(key, rttMs);
    this.#pings.get(network)!.record(rttMs);
  }

  /** Round trips that were seen; undefined when none was. */
  pings(network: NetworkName): (LatencySummary & { readonly count: number }) | undefined {
    const recorder = this.#pings.get(network)!;
    const summary = recorder.summary();
    return summary && { ...summary, count: recorder.count };
  }

  get failuresReported(): number {
    return this.observations.reduce((sum, { failuresReported = 0 }) => sum + failuresReported, 0);
  }
}
