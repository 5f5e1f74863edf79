/**
 * `OSDSuperblock`, as 16.2.15 writes it (struct_v 10, readable from 5): what an OSD knows of itself when
 * it starts, and tells the monitor in MOSDBoot (facts 2.9).
 */
import { type CompatSet, decodeCompatSet, encodeCompatSet } from './compat-set.ts';
import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';
import { decodeUtime, encodeUtime, type Utime, utimeZero } from './utime.ts';
import { decodeUuid, encodeUuid, type Uuid } from './uuid.ts';

const version = 10;
const compatVersion = 5;

export interface OsdSuperblock {
  readonly clusterFsid: Uuid;
  readonly whoami: number;
  /** The newest map that the OSD has applied, and the range of maps that it keeps. Epochs are u32. */
  readonly currentEpoch: number;
  readonly oldestMap: number;
  readonly newestMap: number;
  readonly weight: number;
  readonly compatFeatures: CompatSet;
  /** The OSD was last mounted in `mounted` and cleanly stopped in `cleanThru`. */
  readonly cleanThru: number;
  readonly mounted: number;
  readonly osdFsid: Uuid;
  readonly purgedSnapsLast: number;
  readonly lastPurgedSnapsScrub: Utime;
  readonly clusterOsdmapTrimLowerBound: number;
}

export function encodeOsdSuperblock(encoder: Encoder, superblock: OsdSuperblock): void {
  encoder.versioned(version, compatVersion, () => {
    encodeUuid(encoder, superblock.clusterFsid);
    encoder.i32(superblock.whoami);
    encoder.u32(superblock.currentEpoch).u32(superblock.oldestMap).u32(superblock.newestMap);
    encoder.f64(superblock.weight);
    encodeCompatSet(encoder, superblock.compatFeatures);
    encoder.u32(superblock.cleanThru).u32(superblock.mounted);
    encodeUuid(encoder, superblock.osdFsid);
    // Two retired fields: the epoch that marked the cluster full, and an empty map of such epochs by pool.
    encoder.u32(0).u32(0);
    encoder.u32(superblock.purgedSnapsLast);
    encodeUtime(encoder, superblock.lastPurgedSnapsScrub);
    encoder.u32(superblock.clusterOsdmapTrimLowerBound);
  });
}

export function decodeOsdSuperblock(decoder: Decoder, field: string): OsdSuperblock {
  const at = decoder.position;
  return decoder.versioned(field, version, (written) => {
    if (written < compatVersion) decoder.fail('struct_v', `${written} is older than ${compatVersion}`, at);
    const start = {
      clusterFsid: decodeUuid(decoder, 'clusterFsid'),
      whoami: decoder.i32('whoami'),
      currentEpoch: decoder.u32('currentEpoch'),
      oldestMap: decoder.u32('oldestMap'),
      newestMap: decoder.u32('newestMap'),
      weight: decoder.f64('weight'),
      compatFeatures: decodeCompatSet(decoder, 'compatFeatures'),
      cleanThru: decoder.u32('cleanThru'),
      mounted: decoder.u32('mounted'),
      osdFsid: decodeUuid(decoder, 'osdFsid'),
    };
    if (written >= 6) decoder.u32('lastMapMarkedFull');
    if (written >= 7) decoder.skip(12 * decoder.count('poolLastMapMarkedFull', 12), 'poolLastMapMarkedFull');
    return {
      ...start,
      purgedSnapsLast: written >= 9 ? decoder.u32('purgedSnapsLast') : 0,
      lastPurgedSnapsScrub: written >= 9 ? decodeUtime(decoder, 'lastPurgedSnapsScrub') : utimeZero,
      clusterOsdmapTrimLowerBound: written >= 10 ? decoder.u32('clusterOsdmapTrimLowerBound') : 0,
    };
  });
}

/** A superblock of an OSD that has never run: its identity and no maps. */
export function freshOsdSuperblock(identity: {
  clusterFsid: Uuid;
  osdFsid: Uuid;
  whoami: number;
  compatFeatures: CompatSet;
}): OsdSuperblock {
  return {
    ...identity,
    currentEpoch: 0,
    oldestMap: 0,
    newestMap: 0,
    weight: 0,
    cleanThru: 0,
    mounted: 0,
    purgedSnapsLast: 0,
    lastPurgedSnapsScrub: utimeZero,
    clusterOsdmapTrimLowerBound: 0,
  };
}
