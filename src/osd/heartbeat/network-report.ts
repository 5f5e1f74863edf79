/**
 * Gathers what the main side is to be told, and tells it in batches: about once a second, and at once when a
 * peer's health changed. While main stands still nothing is sent that it could not read: what it will find
 * then is the newest state, not a queue of old ones. All that is gathered is bounded by the number of peers.
 */

import type { NetworkPeer } from './network-peer.ts';
import {
  type NetworkBatch,
  type NetworkCounters,
  type NetworkEvent,
  type NetworkName,
  PeerField,
  type PeerPingTimes,
} from './network-protocol.ts';
import type { PingTimes } from './ping-times.ts';

/** Numbers, so half as many round trips; more than a second's worth of any cluster. */
const roundTripNumbersMax = 8192;

export class NetworkReport {
  readonly counters: NetworkCounters = {
    pingsSent: 0,
    pingsReceived: 0,
    repliesSent: 0,
    repliesReceived: 0,
    repliesStale: 0,
    pingsDropped: 0,
    youDiedSent: 0,
    resets: 0,
    refusals: 0,
  };
  readonly #network: NetworkName;
  #roundTrips: number[] = [];
  #pingTimes = new Map<number, PingTimes>();
  /** By kind and OSD, the last one of each. */
  #events = new Map<string, NetworkEvent>();
  #isUrgent = false;

  constructor(network: NetworkName) {
    this.#network = network;
  }

  get isUrgent(): boolean {
    return this.#isUrgent;
  }

  urge(): void {
    this.#isUrgent = true;
  }

  event(event: NetworkEvent): void {
    this.#events.set('osd' in event ? `${event.kind} ${event.osd}` : event.kind, event);
    this.#isUrgent = true;
  }

  roundTrip(osd: number, rttMs: number): void {
    if (this.#roundTrips.length < roundTripNumbersMax) this.#roundTrips.push(osd, rttMs);
  }

  pingTimes(osd: number, times: PingTimes): void {
    this.#pingTimes.set(osd, times);
  }

  forget(osd: number): void {
    this.#pingTimes.delete(osd);
  }

  /** What there is to tell; peers are told once for each change. Undefined when there is nothing. */
  take(
    atMs: number,
    peers: Iterable<NetworkPeer>,
    lastPingIn: (osd: number) => number,
    lagMs: number,
    mainLagMs: number,
  ): NetworkBatch | undefined {
    // Who owes an answer is told of each time: its silence grows.
    const changed = [...peers].filter((peer) => peer.isChanged || peer.history.length > 0);
    if (changed.length === 0 && this.#events.size === 0 && this.#pingTimes.size === 0) return undefined;
    const rows = new Float64Array(changed.length * PeerField.count);
    for (const [index, peer] of changed.entries()) {
      peer.writeRow(rows, index * PeerField.count, lastPingIn(peer.osd));
      peer.isChanged = false;
    }
    const batch: NetworkBatch = {
      network: this.#network,
      atMs,
      peers: rows,
      roundTrips: Float64Array.from(this.#roundTrips),
      pingTimes: [...this.#pingTimes].map(([osd, times]): PeerPingTimes => ({ osd, times })),
      events: [...this.#events.values()],
      counters: { ...this.counters },
      lagMs,
      mainLagMs,
    };
    this.#roundTrips = [];
    this.#pingTimes = new Map();
    this.#events = new Map();
    this.#isUrgent = false;
    return batch;
  }
}
