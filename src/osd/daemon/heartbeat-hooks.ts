/** What the daemon does for its heartbeats: to the monitor, to other OSDs, and into the log. */
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import type { NetworkName } from '../heartbeat/network-protocol.ts';
import type { OsdHeartbeatHooks } from '../heartbeat/osd-heartbeat-types.ts';
import type { ClusterPeers } from './cluster-peers.ts';
import type { OsdCore } from './osd-core.ts';

export interface HeartbeatHooksInit {
  readonly core: OsdCore;
  /** Undefined before the first map. */
  peers(): ClusterPeers | undefined;
  newestMap(): number;
  /** A heartbeat server had to move. */
  addrsChanged(network: NetworkName, addrs: EntityAddrVec): void;
}

export function heartbeatHooks(init: HeartbeatHooksInit): OsdHeartbeatHooks {
  const { client, log, messengers, monitors } = init.core;
  return {
    sendFailure: (failure) => monitors.sendFailure(failure),
    subscribeNextMap: () => client.subscribe('osdmap', { start: BigInt(init.newestMap() + 1) }),
    shareMap: (osd, epoch) => init.peers()?.shareWith(osd, epoch),
    markDownCluster: (_osd, addrs) => messengers.cluster.markDown(addrs),
    log: (level, line) => log.write(level, line),
    linkChanged: ({ from, network, osd, reason, to }) =>
      log.write(1, `heartbeat: osd.${osd} ${network} ${from} -> ${to}${reason && `: ${reason}`}`),
    // One NIC that stands out is worth a line that everybody sees: it names what a failed peer does not.
    faultsChanged: (faults) => {
      for (const { isOwn, network, owner, reason, separated, state } of faults) {
        const whose = isOwn ? 'my own' : `osd.${owner}'s`;
        const whom = separated.map((osd) => `osd.${osd}`).join(', ');
        log.write(-1, `heartbeat: ${whose} ${network} NIC is ${state}, which separates ${whom}: ${reason}`);
      }
    },
    networkDied: (network, { message }) =>
      log.write(-1, `the ${network} heartbeat thread ended, another takes its place: ${message}`),
    addrsChanged: (network, addrs) => init.addrsChanged(network, addrs),
  };
}
