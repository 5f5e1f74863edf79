/** Other OSDs as this one meets them on the cluster network: whom it tells of newer maps, who refuses it. */
import { isUp } from '../../maps/osdmap.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import { EntityType } from '../../wire/entity-name.ts';
import type { MapHistory } from './map-history.ts';
import type { MapSharing } from './map-sharing.ts';
import { osdAt } from './own-addresses.ts';

export interface ClusterPeersInit {
  readonly cluster: Messenger;
  readonly maps: MapHistory;
  readonly sharing: MapSharing;
  /** Nothing listens where this OSD, up in the map, should be. */
  refused(osd: number): void;
}

export class ClusterPeers {
  readonly #init: ClusterPeersInit;

  constructor(init: ClusterPeersInit) {
    this.#init = init;
  }

  get sharing(): MapSharing {
    return this.#init.sharing;
  }

  /** Sends the maps that an up OSD lacks. `epoch`: the one it has. */
  shareWith(osd: number, epoch: number): void {
    const { cluster, maps, sharing } = this.#init;
    const { map } = maps;
    if (map === undefined || !isUp(map, osd)) return;
    const addrs = map.clusterAddrs[osd];
    if (addrs === undefined || addrs.length === 0) return;
    sharing.share(cluster.getConnection(addrs, { peerType: EntityType.Osd }), epoch);
  }

  refused(connection: Connection): void {
    const { map } = this.#init.maps;
    const osd = map && osdAt(map, connection.peerAddrs);
    if (osd !== undefined && isUp(map!, osd)) this.#init.refused(osd);
  }
}
