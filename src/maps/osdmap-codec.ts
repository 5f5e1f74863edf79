/**
 * The full OSDMap's encoding.
 *
 * ```
 * ENCODE_START(8, 7)
 *   ENCODE_START(9, 1)   what clients need: pools, states, weights, addresses, CRUSH, upmaps
 *   ENCODE_START(9, 1)   what OSDs need besides: heartbeat addresses, epochs, uuids (10 in stretch mode)
 *   u32 crc              crc32c from -1 over all bytes but these four
 * ```
 * Maps of Nautilus and later are read. Every part remembers its version and keeps the fields it does not
 * know, so that a map is written as it was read.
 */
import { Decoder } from '../wire/decoder.ts';
import { Encoder } from '../wire/encoder.ts';
import { decodeEntityAddrVec, encodeEntityAddrVec, entityAddrVecBytesMin } from '../wire/entity-addrvec.ts';
import { decodeUtime, encodeUtime } from '../wire/utime.ts';
import { decodeUuid, encodeUuid, uuidBytes } from '../wire/uuid.ts';
import { decodeCrushMap } from './crush/codec.ts';
import type { CrushMap } from './crush/map.ts';
import {
  decodeIdMap,
  decodeMap,
  decodePoolId,
  decodePoolSnaps,
  decodeStruct,
  decodeText,
  decodeU32Array,
  encodeIdMap,
  encodePoolSnaps,
  encodeStruct,
  encodeU32Array,
} from './fields.ts';
import {
  decodeBlocklist,
  decodeOsdInfo,
  decodeOsdXinfo,
  decodePgOsd,
  decodePgOsds,
  decodeProfiles,
  decodeUpmapItems,
  encodeBlocklist,
  encodeOsdInfo,
  encodeOsdXinfo,
  encodePgOsd,
  encodePgOsds,
  encodeProfiles,
  encodeUpmapItems,
  mapCrc,
  osdInfoBytes,
  osdXinfoBytesMin,
} from './osd-fields.ts';
import { noStretchMode, type OSDMap, type StretchMode } from './osdmap.ts';
import { decodePool, encodePool, poolBytesMin } from './pool-codec.ts';

const wrapperVersion = 8;
const clientVersionMin = 8;
const clientVersionKnown = 9;
const osdVersionMin = 7;
const osdVersionKnown = 10;

/**
 * Reads a whole map and checks its CRC. Arrays of the map are copies; texts of unknown fields and the
 * CRUSH map's bytes are views into `bytes`, which must not change afterwards.
 *
 * @throws MsgrError `ERR_MSGR_MALFORMED` with the offset and the name of the first field that is wrong.
 */
export function decodeOsdMap(bytes: Uint8Array): OSDMap {
  const d = new Decoder(bytes);
  let crcAt = 0;
  let crc = 0;
  const map = decodeStruct(d, 'osdmap', wrapperVersion, wrapperVersion, () => {
    const { written: clientWritten, ...client } = decodeClientPart(d);
    const { written: osdWritten, ...osd } = decodeOsdPart(d, client.maxOsd);
    crcAt = d.position;
    crc = d.u32('crc');
    return { ...client, ...osd, clientWritten, osdWritten };
  });
  const actual = mapCrc(bytes, 0, crcAt, d.position);
  if (actual !== crc) d.fail('osdmap.crc', `${crc} is stated, ${actual} is right`, crcAt);
  d.finish('osdmap.end');
  return map;
}

function decodeClientPart(d: Decoder) {
  return decodeStruct(d, 'client', clientVersionMin, clientVersionKnown, (version) => {
    const fsid = decodeUuid(d, 'fsid');
    const epoch = d.u32('epoch');
    const created = decodeUtime(d, 'created');
    const modified = decodeUtime(d, 'modified');
    const poolKey = () => decodePoolId(d, 'id');
    const pools = decodeMap(d, 'pools', 8 + poolBytesMin, poolKey, (id) => decodePool(d, String(id)));
    const poolNames = decodeMap(d, 'pool_name', 12, poolKey, (id) => decodeText(d, String(id)));
    const poolMax = d.i32('pool_max');
    const flags = d.u32('flags');
    const maxOsdAt = d.position;
    const maxOsd = d.i32('max_osd');
    if (maxOsd < 0) d.fail('max_osd', `${maxOsd} is negative`, maxOsdAt);
    const osdState = perOsd(d, 'osd_state', maxOsd, () => decodeU32Array(d, 'osd_state'));
    const osdWeight = perOsd(d, 'osd_weight', maxOsd, () => decodeU32Array(d, 'osd_weight'));
    const clientAddrs = decodeAddrs(d, 'client_addrs', maxOsd);
    const pgTemp = decodePgOsds(d, 'pg_temp');
    const primaryTemp = decodePgOsd(d, 'primary_temp');
    const affinityAt = d.position;
    const primaryAffinity = decodeU32Array(d, 'osd_primary_affinity');
    if (primaryAffinity.length !== 0 && primaryAffinity.length !== maxOsd) {
      d.fail(
        'osd_primary_affinity',
        `has ${primaryAffinity.length} elements, max_osd is ${maxOsd}`,
        affinityAt,
      );
    }
    const crushAt = d.position + 4;
    const crushBytes = d.buffer('crush');
    const crush = decodeNestedCrush(d, crushBytes, crushAt);
    const erasureCodeProfiles = decodeProfiles(d, 'erasure_code_profiles');
    const pgUpmap = decodePgOsds(d, 'pg_upmap');
    const pgUpmapItems = decodeUpmapItems(d, 'pg_upmap_items');
    const crushVersion = d.i32('crush_version');
    const newRemovedSnaps = decodePoolSnaps(d, 'new_removed_snaps');
    const newPurgedSnaps = decodePoolSnaps(d, 'new_purged_snaps');
    const changes =
      version >= 9
        ? { lastUpChange: decodeUtime(d, 'last_up_change'), lastInChange: decodeUtime(d, 'last_in_change') }
        : { lastUpChange: { sec: 0, nsec: 0 }, lastInChange: { sec: 0, nsec: 0 } };
    return {
      fsid,
      epoch,
      created,
      modified,
      pools,
      poolNames,
      poolMax,
      flags,
      maxOsd,
      osdState,
      osdWeight,
      clientAddrs,
      pgTemp,
      primaryTemp,
      primaryAffinity,
      crush,
      crushBytes,
      erasureCodeProfiles,
      pgUpmap,
      pgUpmapItems,
      crushVersion,
      newRemovedSnaps,
      newPurgedSnaps,
      ...changes,
    };
  });
}

function decodeOsdPart(d: Decoder, maxOsd: number) {
  return decodeStruct(d, 'osd', osdVersionMin, osdVersionKnown, (version) => ({
    hbBackAddrs: decodeAddrs(d, 'hb_back_addrs', maxOsd),
    osdInfo: perOsd(d, 'osd_info', maxOsd, () => d.list('osd_info', osdInfoBytes, () => decodeOsdInfo(d))),
    blocklist: decodeBlocklist(d, 'blocklist'),
    clusterAddrs: decodeAddrs(d, 'cluster_addrs', maxOsd),
    clusterSnapshotEpoch: d.u32('cluster_snapshot_epoch'),
    clusterSnapshot: decodeText(d, 'cluster_snapshot'),
    osdUuid: perOsd(d, 'osd_uuid', maxOsd, () => d.list('osd_uuid', uuidBytes, () => decodeUuid(d, 'uuid'))),
    osdXinfo: perOsd(d, 'osd_xinfo', maxOsd, () =>
      d.list('osd_xinfo', osdXinfoBytesMin, (osd) => decodeOsdXinfo(d, String(osd))),
    ),
    hbFrontAddrs: decodeAddrs(d, 'hb_front_addrs', maxOsd),
    nearfullRatio: d.f32('nearfull_ratio'),
    fullRatio: d.f32('full_ratio'),
    backfillfullRatio: d.f32('backfillfull_ratio'),
    requireMinCompatClient: d.u8('require_min_compat_client'),
    requireOsdRelease: d.u8('require_osd_release'),
    removedSnapsQueue: decodePoolSnaps(d, 'removed_snaps_queue'),
    crushNodeFlags: version >= 8 ? decodeIdMap(d, 'crush_node_flags') : new Map<number, number>(),
    deviceClassFlags: version >= 9 ? decodeIdMap(d, 'device_class_flags') : new Map<number, number>(),
    stretchMode: version >= 10 ? decodeStretchMode(d) : noStretchMode,
  }));
}

/** A list that must have one element per OSD. */
function perOsd<T extends { length: number }>(d: Decoder, field: string, maxOsd: number, read: () => T): T {
  const at = d.position;
  const values = read();
  if (values.length !== maxOsd) d.fail(field, `has ${values.length} elements, max_osd is ${maxOsd}`, at);
  return values;
}

function decodeAddrs(d: Decoder, field: string, maxOsd: number) {
  return perOsd(d, field, maxOsd, () =>
    d.list(field, entityAddrVecBytesMin, (osd) => decodeEntityAddrVec(d, String(osd))),
  );
}

/** Errors inside the nested buffer are reported with offsets of the whole map. */
export function decodeNestedCrush(d: Decoder, bytes: Uint8Array, at: number): CrushMap {
  try {
    return decodeCrushMap(bytes);
  } catch (cause) {
    if (cause instanceof Error && 'field' in cause && 'offset' in cause) {
      return d.fail(String(cause.field), cause.message, at + Number(cause.offset));
    }
    throw cause;
  }
}

function decodeStretchMode(d: Decoder): StretchMode {
  return {
    enabled: d.bool('stretch_mode_enabled'),
    bucketCount: d.u32('stretch_bucket_count'),
    degraded: d.u32('degraded_stretch_mode'),
    recovering: d.u32('recovering_stretch_mode'),
    bucket: d.i32('stretch_mode_bucket'),
  };
}

/** The map's bytes with a right CRC: those it was read from, when nothing was changed. */
export function encodeOsdMap(map: OSDMap): Uint8Array {
  const e = new Encoder(4096);
  let crcAt = 0;
  encodeStruct(e, map.written, () => {
    encodeClientPart(e, map);
    encodeOsdPart(e, map);
    crcAt = e.byteLength;
    e.u32(0);
  });
  e.patchU32(crcAt, mapCrc(e.peek(), 0, crcAt, e.byteLength));
  return e.take();
}

/** The CRC that seals an encoded map, as it is stated in the map itself. */
export function osdMapCrc(encoded: Uint8Array, map: OSDMap): number {
  const at = encoded.byteLength - map.written.rest.byteLength - 4;
  return new DataView(encoded.buffer, encoded.byteOffset + at, 4).getUint32(0, true);
}

function encodeClientPart(e: Encoder, map: OSDMap): void {
  encodeStruct(e, map.clientWritten, (version) => {
    encodeUuid(e, map.fsid);
    e.u32(map.epoch);
    encodeUtime(e, map.created);
    encodeUtime(e, map.modified);
    e.map(
      map.pools,
      (id) => e.i64(id),
      (pool) => encodePool(e, pool),
    );
    e.map(
      map.poolNames,
      (id) => e.i64(id),
      (name) => e.string(name),
    );
    e.i32(map.poolMax).u32(map.flags).i32(map.maxOsd);
    encodeU32Array(e, map.osdState);
    encodeU32Array(e, map.osdWeight);
    e.list(map.clientAddrs, (addrs) => encodeEntityAddrVec(e, addrs));
    encodePgOsds(e, map.pgTemp);
    encodePgOsd(e, map.primaryTemp);
    encodeU32Array(e, map.primaryAffinity);
    e.buffer(map.crushBytes);
    encodeProfiles(e, map.erasureCodeProfiles);
    encodePgOsds(e, map.pgUpmap);
    encodeUpmapItems(e, map.pgUpmapItems);
    e.i32(map.crushVersion);
    encodePoolSnaps(e, map.newRemovedSnaps);
    encodePoolSnaps(e, map.newPurgedSnaps);
    if (version >= 9) {
      encodeUtime(e, map.lastUpChange);
      encodeUtime(e, map.lastInChange);
    }
  });
}

function encodeOsdPart(e: Encoder, map: OSDMap): void {
  encodeStruct(e, map.osdWritten, (version) => {
    e.list(map.hbBackAddrs, (addrs) => encodeEntityAddrVec(e, addrs));
    e.list(map.osdInfo, (info) => encodeOsdInfo(e, info));
    encodeBlocklist(e, map.blocklist);
    e.list(map.clusterAddrs, (addrs) => encodeEntityAddrVec(e, addrs));
    e.u32(map.clusterSnapshotEpoch).string(map.clusterSnapshot);
    e.list(map.osdUuid, (uuid) => encodeUuid(e, uuid));
    e.list(map.osdXinfo, (xinfo) => encodeOsdXinfo(e, xinfo));
    e.list(map.hbFrontAddrs, (addrs) => encodeEntityAddrVec(e, addrs));
    e.f32(map.nearfullRatio).f32(map.fullRatio).f32(map.backfillfullRatio);
    e.u8(map.requireMinCompatClient).u8(map.requireOsdRelease);
    encodePoolSnaps(e, map.removedSnapsQueue);
    if (version >= 8) encodeIdMap(e, map.crushNodeFlags);
    if (version >= 9) encodeIdMap(e, map.deviceClassFlags);
    if (version >= 10) {
      const { enabled, bucketCount, degraded, recovering, bucket } = map.stretchMode;
      e.bool(enabled).u32(bucketCount).u32(degraded).u32(recovering).i32(bucket);
    }
  });
}
