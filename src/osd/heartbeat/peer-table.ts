/** The heartbeat peers of the main side: who they are, what is known of each, and what that means. */

import { pgPeers } from '../../maps/neighbours.ts';
import type { OSDMap } from '../../maps/osdmap.ts';
import type { HeartbeatOptions } from './heartbeat-options.ts';
import { HeartbeatPeer } from './heartbeat-peer.ts';
import { judgeLink, type NetworkFault } from './link-state.ts';
import { findFaults, sameFaults } from './network-faults.ts';
import {
  type NetworkBatch,
  type NetworkName,
  type NetworkPeer,
  networkNames,
  PeerField,
} from './network-protocol.ts';
import type { LinkStatus, OsdHeartbeatInit, PeerStatus } from './osd-heartbeat-types.ts';
import { selectPeers } from './peer-selection.ts';

export interface PeerChanges {
  readonly added: Readonly<Record<NetworkName, readonly NetworkPeer[]>>;
  readonly removed: readonly number[];
}

export class PeerTable {
  readonly #init: OsdHeartbeatInit;
  readonly #peers = new Map<number, HeartbeatPeer>();
  #faults: readonly NetworkFault[] = [];
  /** Peers came or went, or a link's state is another: the faults may be others. */
  #isChanged = false;

  constructor(init: OsdHeartbeatInit) {
    this.#init = init;
  }

  get size(): number {
    return this.#peers.size;
  }

  get faults(): readonly NetworkFault[] {
    return this.#faults;
  }

  get(osd: number): HeartbeatPeer | undefined {
    return this.#peers.get(osd);
  }

  has(osd: number): boolean {
    return this.#peers.has(osd);
  }

  all(): HeartbeatPeer[] {
    return [...this.#peers.values()];
  }

  drop(osd: number): boolean {
    this.#isChanged = true;
    return this.#peers.delete(osd);
  }

  /** Chooses anew. Those to be added are in the table when this returns; those to be removed still are. */
  choose(map: OSDMap, options: HeartbeatOptions, isActive: boolean, nowMs: number): PeerChanges {
    const { whoami, random } = this.#init;
    const owedSinceMs = nowMs - options.osd_heartbeat_interval * 1000;
    const owing = new Set(
      this.all()
        .filter((peer) => peer.owesSince(owedSinceMs))
        .map(({ osd }) => osd),
    );
    const pgs = isActive ? (this.#init.pgPeers?.(map) ?? pgPeers(map, whoami)) : [];
    const chosen = selectPeers({
      map,
      whoami,
      pgPeers: pgs,
      current: this.#peers.keys(),
      owing,
      options,
      random,
    });
    const removed = [...this.#peers.keys()].filter((osd) => !chosen.has(osd));
    const added: Record<NetworkName, NetworkPeer[]> = { back: [], front: [] };
    for (const osd of chosen) {
      const upFrom = map.osdInfo[osd]?.upFrom ?? 0;
      if (this.#peers.get(osd)?.upFrom === upFrom) continue;
      const specs = networkNames.flatMap((network) => specOf(osd, network, map));
      // Ceph pings nobody without a back address; without a front one, over back only.
      if (!specs.some(({ network }) => network === 'back')) continue;
      const peer = new HeartbeatPeer(
        osd,
        upFrom,
        specs.map(({ network }) => network),
        nowMs,
      );
      this.#peers.set(osd, peer);
      this.#isChanged = true;
      for (const { network, spec } of specs) added[network].push(spec);
    }
    return { added, removed };
  }

  /** All peers of a network, for its half to begin with. */
  specs(network: NetworkName, map: OSDMap): NetworkPeer[] {
    return this.all().flatMap(({ osd, links }) =>
      links.has(network) ? specOf(osd, network, map).map(({ spec }) => spec) : [],
    );
  }

  /** The peers that the batch told something about. */
  take(batch: NetworkBatch): HeartbeatPeer[] {
    const changed: HeartbeatPeer[] = [];
    for (let base = 0; base < batch.peers.length; base += PeerField.count) {
      const row = batch.peers.subarray(base, base + PeerField.count);
      const peer = this.#peers.get(row[PeerField.osd]!);
      if (peer?.take(batch.network, row, batch.atMs)) changed.push(peer);
    }
    return changed;
  }

  clear(network: NetworkName): void {
    for (const peer of this.#peers.values()) peer.clear(network);
  }

  /** Each link by what was known when its network told of it last: the main thread's lateness has no part. */
  judge(peers: readonly HeartbeatPeer[], options: HeartbeatOptions): void {
    for (const peer of peers) {
      for (const [network, link] of peer.links) {
        const facts = peer.facts(network);
        if (facts === undefined) continue;
        const other = peer.facts(network === 'front' ? 'back' : 'front');
        const before = peer.judge(network, judgeLink(facts, other, link.atMs, options), link.atMs);
        if (before === undefined) continue;
        this.#isChanged = true;
        const { state: to, reason } = link;
        this.#init.hooks.linkChanged?.({ osd: peer.osd, network, from: before, to, reason, atMs: link.atMs });
      }
    }
  }

  updateFaults(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    const nowMs = this.#init.clock.nowMs();
    const faults = findFaults(this.#init.whoami, this.#peers.values(), this.#faults, nowMs);
    const isSame = sameFaults(faults, this.#faults);
    this.#faults = faults;
    if (!isSame) this.#init.hooks.faultsChanged?.(faults);
  }

  statuses(nowMs: number): PeerStatus[] {
    return this.all()
      .sort((left, right) => left.osd - right.osd)
      .map((peer) => ({
        osd: peer.osd,
        upFrom: peer.upFrom,
        isHealthy: peer.isHealthy,
        isUnhealthy: peer.isUnhealthy,
        networks: Object.fromEntries(
          [...peer.links.keys()].map((network) => [network, linkStatus(peer, network, nowMs)]),
        ),
      }));
  }
}

function specOf(
  osd: number,
  network: NetworkName,
  map: OSDMap,
): { network: NetworkName; spec: NetworkPeer }[] {
  const addrs = (network === 'front' ? map.hbFrontAddrs : map.hbBackAddrs)[osd];
  if (addrs?.v2() === undefined) return [];
  return [{ network, spec: { osd, addrs: String(addrs), upFrom: map.osdInfo[osd]?.upFrom ?? 0 } }];
}

function linkStatus(peer: HeartbeatPeer, network: NetworkName, nowMs: number): LinkStatus {
  const { state, reason, sinceMs } = peer.links.get(network)!;
  const facts = peer.facts(network);
  return {
    state,
    reason,
    sinceMs,
    isConnected: facts?.isConnected ?? false,
    lastHeardMs: facts === undefined || facts.lastRx === 0 ? undefined : nowMs - facts.lastRx,
    lastRttMs: facts?.lastRttMs ?? 0,
    missed: facts?.missed ?? 0,
  };
}
