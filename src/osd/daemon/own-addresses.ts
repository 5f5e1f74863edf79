/** The four address vectors under which an OSD stands in the map, and whether a map has it under them. */
import type { OSDMap } from '../../maps/osdmap.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';

export interface OwnAddresses {
  readonly public: EntityAddrVec;
  readonly cluster: EntityAddrVec;
  readonly hbBack: EntityAddrVec;
  readonly hbFront: EntityAddrVec;
}

export interface WrongAddress {
  /** With Ceph's words: `client`, `cluster`, `heartbeat back`, `heartbeat front`. */
  readonly what: string;
  readonly inMap: EntityAddrVec | undefined;
  readonly own: EntityAddrVec;
}

/** The first of the addresses that the map has otherwise. */
export function wrongAddress(map: OSDMap, osd: number, own: OwnAddresses): WrongAddress | undefined {
  const pairs: readonly WrongAddress[] = [
    { what: 'client', inMap: map.clientAddrs[osd], own: own.public },
    { what: 'cluster', inMap: map.clusterAddrs[osd], own: own.cluster },
    { what: 'heartbeat back', inMap: map.hbBackAddrs[osd], own: own.hbBack },
    { what: 'heartbeat front', inMap: map.hbFrontAddrs[osd], own: own.hbFront },
  ];
  return pairs.find((pair) => pair.inMap?.key !== pair.own.key);
}

/** The OSD that has these addresses on any of its messengers; undefined when none has. */
export function osdAt(map: OSDMap, addrs: EntityAddrVec): number | undefined {
  const { key } = addrs;
  for (let osd = 0; osd < map.maxOsd; osd++) {
    for (const vectors of [map.clientAddrs, map.clusterAddrs, map.hbBackAddrs, map.hbFrontAddrs]) {
      if (vectors[osd]?.key === key) return osd;
    }
  }
  return undefined;
}
