/**
 * From links to NICs: which one stands out. A link that is dead while the same peer answers on the other
 * network is no dead peer but a dead path; when it is so for every peer, the path's common end is our own.
 */
import type { HeartbeatPeer } from './heartbeat-peer.ts';
import { LinkState, type NetworkFault } from './link-state.ts';
import { type NetworkName, networkNames } from './network-protocol.ts';

export function findFaults(
  whoami: number,
  peers: Iterable<HeartbeatPeer>,
  before: readonly NetworkFault[],
  nowMs: number,
): NetworkFault[] {
  const all = [...peers].sort((left, right) => left.osd - right.osd);
  return networkNames.flatMap((network) => faultsOf(network, whoami, all, before, nowMs));
}

function faultsOf(
  network: NetworkName,
  whoami: number,
  peers: readonly HeartbeatPeer[],
  before: readonly NetworkFault[],
  nowMs: number,
): NetworkFault[] {
  const separated = peers.filter((peer) => isDead(peer, network) && isAliveElsewhere(peer, network));
  if (separated.length === 0) return [];
  const isReached = peers.some((peer) => isAlive(peer.links.get(network)?.state));
  const make = (owner: number, osds: readonly HeartbeatPeer[], reason: string): NetworkFault => {
    const sinceMs = before.find((fault) => fault.network === network && fault.owner === owner)?.sinceMs;
    const isOneWay = osds.every((peer) => peer.links.get(network)?.state === LinkState.oneWay);
    return {
      network,
      owner,
      isOwn: owner === whoami,
      state: isOneWay ? LinkState.oneWay : LinkState.down,
      separated: osds.map((peer) => peer.osd),
      sinceMs: sinceMs ?? nowMs,
      reason,
    };
  };
  const other = network === 'front' ? 'back' : 'front';
  if (!isReached && separated.length > 1) {
    const reason = `no peer is reached over ${network}, ${separated.length} answer over ${other}`;
    return [make(whoami, separated, reason)];
  }
  const doubt = peers.length === 1 ? `, or osd.${whoami}'s own: there is no other peer to compare with` : '';
  return separated.map((peer) =>
    make(peer.osd, [peer], `osd.${peer.osd} answers over ${other} and not over ${network}${doubt}`),
  );
}

function isDead(peer: HeartbeatPeer, network: NetworkName): boolean {
  const state = peer.links.get(network)?.state;
  return state === LinkState.down || state === LinkState.oneWay;
}

function isAlive(state: LinkState | undefined): boolean {
  return state === LinkState.up || state === LinkState.degraded;
}

function isAliveElsewhere(peer: HeartbeatPeer, network: NetworkName): boolean {
  return [...peer.links].some(([name, { state }]) => name !== network && isAlive(state));
}

/** Whether anything of it is news. */
export function sameFaults(left: readonly NetworkFault[], right: readonly NetworkFault[]): boolean {
  const key = (faults: readonly NetworkFault[]): string =>
    JSON.stringify(faults.map(({ network, owner, state, separated }) => [network, owner, state, separated]));
  return key(left) === key(right);
}
