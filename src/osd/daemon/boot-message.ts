/** MOSDBoot: what an OSD says of itself when it asks to be marked up. */
import { join } from 'node:path';
import { Message } from '../../messenger/message.ts';
import { daemonVersion, spokenVersion } from '../../version.ts';
import type { EntityAddrVec } from '../../wire/entity-addrvec.ts';
import { supportedDefault } from '../../wire/features.ts';
import { MOSDBoot } from '../../wire/messages/m-osd-boot.ts';
import type { OsdSuperblock } from '../../wire/osd-superblock.ts';
import type { OsdData } from '../store/osd-data.ts';
import { hostMetadata, interfaceOf, isRotational } from './host-facts.ts';
import type { OwnAddresses } from './own-addresses.ts';

export interface BootMessageInit {
  readonly data: OsdData;
  readonly superblock: OsdSuperblock;
  readonly epoch: number;
  readonly bootEpoch: number;
  readonly addresses: OwnAddresses;
  readonly deviceClass: string;
}

/** The public addresses are not in it: the monitor takes them from the connection. */
export function bootMessage(init: BootMessageInit): Message {
  const { addresses, bootEpoch, epoch, superblock } = init;
  return Message.of(MOSDBoot, {
    paxosVersion: BigInt(epoch),
    superblock,
    heartbeatBackAddrs: addresses.hbBack,
    clusterAddrs: addresses.cluster,
    bootEpoch,
    heartbeatFrontAddrs: addresses.hbFront,
    metadata: bootMetadata(init),
    osdFeatures: supportedDefault,
  });
}

/** `ceph osd metadata N` shows it; names are Ceph's, what has none of Ceph's begins with `msgr2`. */
export function bootMetadata({ addresses, data, deviceClass }: BootMessageInit): Map<string, string> {
  const { release, version } = daemonVersion();
  const { folder } = data;
  return new Map([
    ...hostMetadata(),
    ['ceph_version', version],
    ['ceph_version_short', spokenVersion],
    ['ceph_release', release],
    ['created_at', data.createdAt],
    ['default_device_class', deviceClass],
    ['rotational', isRotational(folder) === false ? '0' : '1'],
    ['front_addr', String(addresses.public)],
    ['back_addr', String(addresses.cluster)],
    ['hb_front_addr', String(addresses.hbFront)],
    ['hb_back_addr', String(addresses.hbBack)],
    ['front_iface', interfaceFor(addresses.public)],
    ['back_iface', interfaceFor(addresses.cluster)],
    ['osd_data', join(folder)],
    // It holds no objects, and an operator must be able to tell.
    ['osd_objectstore', 'none'],
    ['msgr2_node_version', process.version],
  ]);
}

function interfaceFor(addrs: EntityAddrVec): string {
  return interfaceOf(addrs.front?.host ?? '');
}
