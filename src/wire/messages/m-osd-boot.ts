/**
 * MOSDBoot: an OSD asks to be marked up (facts 2.9). Its public addresses are not in the message: the
 * monitor takes those that the connection's CLIENT_IDENT gave.
 */
import type { Decoder } from '../decoder.ts';
import { decodeEntityAddr } from '../entity-addr.ts';
import { decodeEntityAddrVec, EntityAddrVec, encodeEntityAddrVec } from '../entity-addrvec.ts';
import { decodeOsdSuperblock, encodeOsdSuperblock, type OsdSuperblock } from '../osd-superblock.ts';
import { decodePaxosPrefix, encodePaxosPrefix, type PaxosServiceMessage } from './paxos-service-message.ts';
import { defineMessage } from './registry.ts';

/** Version that had one address where there are vectors now. */
const versionOfSingleAddrs = 6;

/** `paxosVersion` is the sender's OSDMap epoch. */
export interface MOSDBoot extends PaxosServiceMessage {
  readonly superblock: OsdSuperblock;
  readonly heartbeatBackAddrs: EntityAddrVec;
  readonly clusterAddrs: EntityAddrVec;
  /** Epoch at which this process was last added to the map; 0 on its first boot. */
  readonly bootEpoch: number;
  readonly heartbeatFrontAddrs: EntityAddrVec;
  /** What `ceph osd metadata` shows: `hostname`, `ceph_version`, `front_addr` and so on. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly osdFeatures: bigint;
}

function decodeAddrs(decoder: Decoder, field: string, version: number): EntityAddrVec {
  return version > versionOfSingleAddrs
    ? decodeEntityAddrVec(decoder, field)
    : EntityAddrVec.of(decodeEntityAddr(decoder, field));
}

export const MOSDBoot = defineMessage<MOSDBoot>({
  type: 71,
  name: 'osd_boot',
  headVersion: 7,
  compatVersion: 7,
  encode(body, encoder) {
    encodePaxosPrefix(encoder, body);
    encodeOsdSuperblock(encoder, body.superblock);
    encodeEntityAddrVec(encoder, body.heartbeatBackAddrs);
    encodeEntityAddrVec(encoder, body.clusterAddrs);
    encoder.u32(body.bootEpoch);
    encodeEntityAddrVec(encoder, body.heartbeatFrontAddrs);
    encoder.map(
      body.metadata,
      (name) => encoder.string(name),
      (value) => encoder.string(value),
    );
    encoder.u64(body.osdFeatures);
  },
  decode: (decoder, { version }) => ({
    ...decodePaxosPrefix(decoder),
    superblock: decodeOsdSuperblock(decoder, 'superblock'),
    heartbeatBackAddrs: decodeAddrs(decoder, 'heartbeatBackAddrs', version),
    clusterAddrs: decodeAddrs(decoder, 'clusterAddrs', version),
    bootEpoch: decoder.u32('bootEpoch'),
    heartbeatFrontAddrs: decodeAddrs(decoder, 'heartbeatFrontAddrs', version),
    metadata: decoder.map(
      'metadata',
      8,
      () => decoder.string('name'),
      () => decoder.string('value'),
    ),
    osdFeatures: decoder.u64('osdFeatures'),
  }),
});
