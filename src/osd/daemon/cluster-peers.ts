/** Other OSDs as this one meets them on the cluster network: whom it tells of newer maps, who refuses it. */
import { isUp } from '../../maps/osdmap.ts';
import type { Connection } from '../../messenger/connection.ts';
import type { Messenger } from '../../messenger/messenger.ts';
import type { Options } from '../../options.ts';
import { EntityType } from '../../wire/entity-name.ts';
import type { Uuid } from '../../wire/uuid.ts';
import type { MapHistory } from './map-history.ts';
import { MapSharing } from './map-sharing.ts';
import { osdAt } from './own-addresses.ts';

export interface ClusterPeersInit {
  readonly cluster: Messenger;
  readonly fsid: Uuid;
  readonly maps: MapHistory;
  options(): Options;
  /** For each message with maps that is sent. */
  onShared(): void;
  /** Nothing listens where this OSD, up in the map, should be. */
  refused(osd: number): void;
}

export class ClusterPeers {
  /** For connections of whatever peer that is behind. */
  readonly sharing: MapSharing;
  readonly #init: ClusterPeersInit;

  constructor(init: ClusterPeersInit) {
    this.#init = init;
    const { fsid, maps, onShared } = init;
    this.sharing = new MapSharing({
      fsid,
      maps,
      onShared,
      limits: () => {
        const options = init.options();
        return {
          epochsMax: options.osd_map_share_max_epochs,
          messageMax: options.osd_map_message_max,
          messageBytesMax: options.osd_map_message_max_bytes,
        };
      },
    });
  }

  /** Sends the maps that an up OSD lacks. `epoch`: the one it has. */
  shareWith(osd: number, epoch: number): void {
    const { cluster, maps } = this.#init;
    const { map } = maps;
    if (map === undefined || !isUp(map, osd)) return;
    const addrs = map.clusterAddrs[osd];
    if (addrs === undefined || addrs.length === 0) return;
    this.sharing.share(cluster.getConnection(addrs, { peerType: EntityType.Osd }), epoch);
  }

  refused(connection: Connection): void {
    const { map } = this.#init.maps;
    const osd = map && osdAt(map, connection.peerAddrs);
    if (osd !== undefined && isUp(map!, osd)) this.#init.refused(osd);
  }
}
