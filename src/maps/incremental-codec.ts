/**
 * The encoding of OSDMap::Incremental.
 *
 * ```
 * ENCODE_START(8, 7)
 *   ENCODE_START(8, 1)   clients' part
 *   ENCODE_START(9, 1)   OSDs' part (10 when stretch mode changes)
 *   u32 inc_crc          crc32c from -1 over all bytes but these four
 *   u32 full_crc         CRC of the full map that results
 * ```
 */
import { Decoder } from '../wire/decoder.ts';
import { Encoder } from '../wire/encoder.ts';
import { decodeEntityAddr, encodeEntityAddr, entityAddrBytesMin } from '../wire/entity-addr.ts';
import {
  decodeEntityAddrVec,
  type EntityAddrVec,
  encodeEntityAddrVec,
  entityAddrVecBytesMin,
} from '../wire/entity-addrvec.ts';
import { decodeUtime, encodeUtime, utimeZero } from '../wire/utime.ts';
import { decodeUuid, encodeUuid, uuidBytes } from '../wire/uuid.ts';
import {
  decodeIdMap,
  decodeMap,
  decodePoolId,
  decodePoolSnaps,
  decodeStruct,
  decodeText,
  encodeIdMap,
  encodePoolSnaps,
  encodeStruct,
} from './fields.ts';
import type { OSDMapIncremental } from './incremental.ts';
import {
  decodeBlocklist,
  decodeOsdXinfo,
  decodePgOsd,
  decodePgOsds,
  decodeProfiles,
  decodeUpmapItems,
  encodeBlocklist,
  encodeOsdXinfo,
  encodePgOsd,
  encodePgOsds,
  encodeProfiles,
  encodeUpmapItems,
  mapCrc,
  osdXinfoBytesMin,
} from './osd-fields.ts';
import { noStretchMode } from './osdmap.ts';
import { decodeNestedCrush } from './osdmap-codec.ts';
import { decodePgId, encodePgId, pgIdBytes } from './pg.ts';
import { decodePool, encodePool, poolBytesMin } from './pool-codec.ts';

const wrapperVersion = 8;
const clientVersionMin = 7;
const clientVersionKnown = 8;
const osdVersionMin = 7;
const osdVersionKnown = 10;

/**
 * Reads a change and checks its own CRC; `fullCrc` is for who applies it.
 *
 * @throws MsgrError `ERR_MSGR_MALFORMED` with the offset and the name of the first field that is wrong.
 */
export function decodeIncremental(bytes: Uint8Array): OSDMapIncremental {
  const d = new Decoder(bytes);
  let crcAt = 0;
  let crc = 0;
  const incremental = decodeStruct(d, 'incremental', wrapperVersion, wrapperVersion, () => {
    const { written: clientWritten, ...client } = decodeClientPart(d);
    const { written: osdWritten, ...osd } = decodeOsdPart(d);
    crcAt = d.position;
    crc = d.u32('inc_crc');
    return { ...client, ...osd, clientWritten, osdWritten, fullCrc: d.u32('full_crc') };
  });
  const actual = mapCrc(bytes, 0, crcAt, d.position);
  if (actual !== crc) d.fail('incremental.inc_crc', `${crc} is stated, ${actual} is right`, crcAt);
  d.finish('incremental.end');
  return incremental;
}

function decodeClientPart(d: Decoder) {
  return decodeStruct(d, 'client', clientVersionMin, clientVersionKnown, (version) => {
    const fsid = decodeUuid(d, 'fsid');
    const epoch = d.u32('epoch');
    const modified = decodeUtime(d, 'modified');
    const newPoolMax = decodePoolId(d, 'new_pool_max');
    const newFlags = d.i32('new_flags');
    const fullMap = d.buffer('fullmap');
    const crushAt = d.position + 4;
    const crushBytes = d.buffer('crush');
    const crush = crushBytes.byteLength === 0 ? undefined : decodeNestedCrush(d, crushBytes, crushAt);
    const poolKey = () => decodePoolId(d, 'id');
    return {
      fsid,
      epoch,
      modified,
      newPoolMax,
      newFlags,
      fullMap,
      crushBytes,
      crush,
      newMaxOsd: d.i32('new_max_osd'),
      newPools: decodeMap(d, 'new_pools', 8 + poolBytesMin, poolKey, (id) => decodePool(d, String(id))),
      newPoolNames: decodeMap(d, 'new_pool_names', 12, poolKey, (id) => decodeText(d, String(id))),
      oldPools: d.list('old_pools', 8, poolKey),
      newUpClient: decodeAddrMap(d, 'new_up_client'),
      newState: decodeIdMap(d, 'new_state'),
      newWeight: decodeIdMap(d, 'new_weight'),
      newPgTemp: decodePgOsds(d, 'new_pg_temp'),
      newPrimaryTemp: decodePgOsd(d, 'new_primary_temp'),
      newPrimaryAffinity: decodeIdMap(d, 'new_primary_affinity'),
      newErasureCodeProfiles: decodeProfiles(d, 'new_erasure_code_profiles'),
      oldErasureCodeProfiles: d.list('old_erasure_code_profiles', 4, () => decodeText(d, 'name')),
      newPgUpmap: decodePgOsds(d, 'new_pg_upmap'),
      oldPgUpmap: d.list('old_pg_upmap', pgIdBytes, () => decodePgId(d, 'pgid')),
      newPgUpmapItems: decodeUpmapItems(d, 'new_pg_upmap_items'),
      oldPgUpmapItems: d.list('old_pg_upmap_items', pgIdBytes, () => decodePgId(d, 'pgid')),
      newRemovedSnaps: decodePoolSnaps(d, 'new_removed_snaps'),
      newPurgedSnaps: decodePoolSnaps(d, 'new_purged_snaps'),
      newLastUpChange: version >= 8 ? decodeUtime(d, 'new_last_up_change') : utimeZero,
      newLastInChange: version >= 8 ? decodeUtime(d, 'new_last_in_change') : utimeZero,
    };
  });
}

function decodeOsdPart(d: Decoder) {
  return decodeStruct(d, 'osd', osdVersionMin, osdVersionKnown, (version) => ({
    newHbBackUp: decodeAddrMap(d, 'new_hb_back_up'),
    newUpThru: decodeIdMap(d, 'new_up_thru'),
    newLastCleanInterval: decodeMap(
      d,
      'new_last_clean_interval',
      12,
      () => d.i32('osd'),
      () => ({
        begin: d.u32('begin'),
        end: d.u32('end'),
      }),
    ),
    newLost: decodeIdMap(d, 'new_lost'),
    newBlocklist: decodeBlocklist(d, 'new_blocklist'),
    oldBlocklist: d.list('old_blocklist', entityAddrBytesMin, (index) => decodeEntityAddr(d, String(index))),
    newUpCluster: decodeAddrMap(d, 'new_up_cluster'),
    clusterSnapshot: decodeText(d, 'cluster_snapshot'),
    newUuid: decodeMap(
      d,
      'new_uuid',
      4 + uuidBytes,
      () => d.i32('osd'),
      (osd) => decodeUuid(d, String(osd)),
    ),
    newXinfo: decodeMap(
      d,
      'new_xinfo',
      4 + osdXinfoBytesMin,
      () => d.i32('osd'),
      (osd) => decodeOsdXinfo(d, String(osd)),
    ),
    newHbFrontUp: decodeAddrMap(d, 'new_hb_front_up'),
    encodeFeatures: d.u64('encode_features'),
    newNearfullRatio: d.f32('new_nearfull_ratio'),
    newFullRatio: d.f32('new_full_ratio'),
    newBackfillfullRatio: d.f32('new_backfillfull_ratio'),
    newRequireMinCompatClient: d.u8('new_require_min_compat_client'),
    newRequireOsdRelease: d.u8('new_require_osd_release'),
    newCrushNodeFlags: version >= 8 ? decodeIdMap(d, 'new_crush_node_flags') : new Map<number, number>(),
    newDeviceClassFlags: version >= 9 ? decodeIdMap(d, 'new_device_class_flags') : new Map<number, number>(),
    ...decodeStretchChange(d, version),
  }));
}

function decodeStretchChange(d: Decoder, version: number) {
  if (version < 10) return { changeStretchMode: false, newStretchMode: noStretchMode };
  const changeStretchMode = d.bool('change_stretch_mode');
  const bucketCount = d.u32('new_stretch_bucket_count');
  const degraded = d.u32('new_degraded_stretch_mode');
  const recovering = d.u32('new_recovering_stretch_mode');
  const bucket = d.i32('new_stretch_mode_bucket');
  const enabled = d.bool('stretch_mode_enabled');
  return { changeStretchMode, newStretchMode: { enabled, bucketCount, degraded, recovering, bucket } };
}

function decodeAddrMap(d: Decoder, field: string): Map<number, EntityAddrVec> {
  return decodeMap(
    d,
    field,
    4 + entityAddrVecBytesMin,
    () => d.i32('osd'),
    (osd) => decodeEntityAddrVec(d, String(osd)),
  );
}

/** The bytes it was read from; for one of our own making, with a right `inc_crc` and `fullCrc` as given. */
export function encodeIncremental(incremental: OSDMapIncremental): Uint8Array {
  const e = new Encoder(1024);
  let crcAt = 0;
  encodeStruct(e, incremental.written, () => {
    encodeClientPart(e, incremental);
    encodeOsdPart(e, incremental);
    crcAt = e.byteLength;
    e.u32(0).u32(incremental.fullCrc);
  });
  e.patchU32(crcAt, mapCrc(e.peek(), 0, crcAt, e.byteLength));
  return e.take();
}

function encodeClientPart(e: Encoder, inc: OSDMapIncremental): void {
  encodeStruct(e, inc.clientWritten, (version) => {
    encodeUuid(e, inc.fsid);
    e.u32(inc.epoch);
    encodeUtime(e, inc.modified);
    e.i64(inc.newPoolMax).i32(inc.newFlags).buffer(inc.fullMap).buffer(inc.crushBytes).i32(inc.newMaxOsd);
    e.map(
      inc.newPools,
      (id) => e.i64(id),
      (pool) => encodePool(e, pool),
    );
    e.map(
      inc.newPoolNames,
      (id) => e.i64(id),
      (name) => e.string(name),
    );
    e.list(inc.oldPools, (id) => e.i64(id));
    encodeAddrMap(e, inc.newUpClient);
    encodeIdMap(e, inc.newState);
    encodeIdMap(e, inc.newWeight);
    encodePgOsds(e, inc.newPgTemp);
    encodePgOsd(e, inc.newPrimaryTemp);
    encodeIdMap(e, inc.newPrimaryAffinity);
    encodeProfiles(e, inc.newErasureCodeProfiles);
    e.list(inc.oldErasureCodeProfiles, (name) => e.string(name));
    encodePgOsds(e, inc.newPgUpmap);
    e.list(inc.oldPgUpmap, (pg) => encodePgId(e, pg));
    encodeUpmapItems(e, inc.newPgUpmapItems);
    e.list(inc.oldPgUpmapItems, (pg) => encodePgId(e, pg));
    encodePoolSnaps(e, inc.newRemovedSnaps);
    encodePoolSnaps(e, inc.newPurgedSnaps);
    if (version >= 8) {
      encodeUtime(e, inc.newLastUpChange);
      encodeUtime(e, inc.newLastInChange);
    }
  });
}

function encodeOsdPart(e: Encoder, inc: OSDMapIncremental): void {
  encodeStruct(e, inc.osdWritten, (version) => {
    encodeAddrMap(e, inc.newHbBackUp);
    encodeIdMap(e, inc.newUpThru);
    e.map(
      inc.newLastCleanInterval,
      (osd) => e.i32(osd),
      ({ begin, end }) => e.u32(begin).u32(end),
    );
    encodeIdMap(e, inc.newLost);
    encodeBlocklist(e, inc.newBlocklist);
    e.list(inc.oldBlocklist, (addr) => encodeEntityAddr(e, addr));
    encodeAddrMap(e, inc.newUpCluster);
    e.string(inc.clusterSnapshot);
    e.map(
      inc.newUuid,
      (osd) => e.i32(osd),
      (uuid) => encodeUuid(e, uuid),
    );
    e.map(
      inc.newXinfo,
      (osd) => e.i32(osd),
      (xinfo) => encodeOsdXinfo(e, xinfo),
    );
    encodeAddrMap(e, inc.newHbFrontUp);
    e.u64(inc.encodeFeatures).f32(inc.newNearfullRatio).f32(inc.newFullRatio).f32(inc.newBackfillfullRatio);
    e.u8(inc.newRequireMinCompatClient).u8(inc.newRequireOsdRelease);
    if (version >= 8) encodeIdMap(e, inc.newCrushNodeFlags);
    if (version >= 9) encodeIdMap(e, inc.newDeviceClassFlags);
    if (version >= 10) {
      const { enabled, bucketCount, degraded, recovering, bucket } = inc.newStretchMode;
      e.bool(inc.changeStretchMode).u32(bucketCount).u32(degraded).u32(recovering).i32(bucket).bool(enabled);
    }
  });
}

function encodeAddrMap(e: Encoder, addrs: ReadonlyMap<number, EntityAddrVec>): void {
  e.map(
    addrs,
    (osd) => e.i32(osd),
    (vec) => encodeEntityAddrVec(e, vec),
  );
}
