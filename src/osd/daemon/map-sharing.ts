/**
 * Maps for whoever is behind. Each connection is told each epoch once: the peer has the newer of what it
 * said it has and what it was sent here. Facts: OSDService::maybe_share_map, send_incremental_map,
 * build_incremental_map_msg.
 */
import type { Connection } from '../../messenger/connection.ts';
import { Message } from '../../messenger/message.ts';
import { MOSDMap } from '../../wire/messages/m-osd-map.ts';
import type { Uuid } from '../../wire/uuid.ts';
import type { MapHistory } from './map-history.ts';

export interface MapSharingInit {
  readonly fsid: Uuid;
  readonly maps: MapHistory;
  limits(): { readonly epochsMax: number; readonly messageMax: number; readonly messageBytesMax: number };
  /** Called for each message that is sent. */
  onShared(): void;
}

export class MapSharing {
  readonly #init: MapSharingInit;
  readonly #sentEpochs = new WeakMap<Connection, number>();

  constructor(init: MapSharingInit) {
    this.#init = init;
  }

  /** `peerEpoch`: the map that the peer is known to have at least. */
  share(connection: Connection, peerEpoch: number): void {
    const { epoch } = this.#init.maps;
    const since = Math.max(peerEpoch, this.#sentEpochs.get(connection) ?? 0);
    if (epoch <= since) {
      this.#sentEpochs.set(connection, since);
      return;
    }
    const message = this.#message(since);
    if (message === undefined) return;
    connection.send(message);
    this.#sentEpochs.set(connection, epoch);
    this.#init.onShared();
  }

  #message(since: number): Message | undefined {
    const { fsid, maps } = this.#init;
    const { epochsMax, messageBytesMax, messageMax } = this.#init.limits();
    const newest = maps.epoch;
    const whole = new Map<number, Uint8Array>();
    const incrementals = new Map<number, Uint8Array>();
    const from = Math.max(since, newest - epochsMax);
    if (from < maps.oldest) {
      // Too far behind for what is kept: the newest map as a whole.
      const encoded = maps.encodedMap();
      if (encoded === undefined) return undefined;
      whole.set(newest, encoded);
    } else {
      let bytes = 0;
      for (let epoch = from + 1; epoch <= newest; epoch++) {
        const incremental = maps.incremental(epoch)!;
        bytes += incremental.byteLength;
        if (incrementals.size >= messageMax || (incrementals.size > 0 && bytes > messageBytesMax)) break;
        incrementals.set(epoch, incremental);
      }
    }
    return Message.of(MOSDMap, {
      fsid,
      incrementalMaps: incrementals,
      maps: whole,
      oldestMap: maps.clusterOldest,
      newestMap: newest,
      gapRemovedSnaps: new Map(),
    });
  }
}
