/** Codecs of what the full map and the incremental both carry: per-OSD structs, addresses, upmaps. */
import { crc32c } from '../wire/crc32c.ts';
import type { Decoder } from '../wire/decoder.ts';
import type { Encoder } from '../wire/encoder.ts';
import { decodeEntityAddr, encodeEntityAddr, entityAddrBytesMin } from '../wire/entity-addr.ts';
import { decodeUtime, encodeUtime, utimeZero } from '../wire/utime.ts';
import {
  decodeI32Array,
  decodeMap,
  decodeStruct,
  decodeText,
  decodeTextMap,
  encodeI32Array,
  encodeStruct,
  encodeTextMap,
} from './fields.ts';
import type { BlocklistEntry, ErasureCodeProfiles, OsdInfo, OsdXinfo, UpmapItem } from './osdmap.ts';
import { decodePgMap, encodePgMap, type PgMap } from './pg.ts';

/** Version byte and six epochs. */
export const osdInfoBytes = 25;
const osdInfoVersion = 1;
/** Header and the fields of version 3. */
export const osdXinfoBytesMin = 34;

/** The seed of the CRC that seals a map. */
const crcSeed = 0xffffffff;

/** The CRC of a map: over everything but the four bytes of the CRC itself at `crcAt`. */
export function mapCrc(bytes: Uint8Array, start: number, crcAt: number, end: number): number {
  const front = crc32c(crcSeed, bytes.subarray(start, crcAt));
  return crc32c(front, bytes.subarray(crcAt + 4, end)) >>> 0;
}

export function decodeOsdInfo(d: Decoder): OsdInfo {
  const at = d.position;
  const version = d.u8('struct_v');
  if (version !== osdInfoVersion) d.fail('struct_v', `must be ${osdInfoVersion}, not ${version}`, at);
  return {
    lastCleanBegin: d.u32('last_clean_begin'),
    lastCleanEnd: d.u32('last_clean_end'),
    upFrom: d.u32('up_from'),
    upThru: d.u32('up_thru'),
    downAt: d.u32('down_at'),
    lostAt: d.u32('lost_at'),
  };
}

export function encodeOsdInfo(e: Encoder, info: OsdInfo): void {
  e.u8(osdInfoVersion).u32(info.lastCleanBegin).u32(info.lastCleanEnd);
  e.u32(info.upFrom).u32(info.upThru).u32(info.downAt).u32(info.lostAt);
}

export function decodeOsdXinfo(d: Decoder, field: string): OsdXinfo {
  return decodeStruct(d, field, 3, 4, (version) => ({
    downStamp: decodeUtime(d, 'down_stamp'),
    laggyProbability: d.u32('laggy_probability'),
    laggyInterval: d.u32('laggy_interval'),
    features: d.u64('features'),
    oldWeight: d.u32('old_weight'),
    lastPurgedSnapsScrub: version >= 4 ? decodeUtime(d, 'last_purged_snaps_scrub') : utimeZero,
    deadEpoch: version >= 4 ? d.u32('dead_epoch') : 0,
  }));
}

export function encodeOsdXinfo(e: Encoder, xinfo: OsdXinfo): void {
  encodeStruct(e, xinfo.written, (version) => {
    encodeUtime(e, xinfo.downStamp);
    e.u32(xinfo.laggyProbability).u32(xinfo.laggyInterval).u64(xinfo.features).u32(xinfo.oldWeight);
    if (version >= 4) {
      encodeUtime(e, xinfo.lastPurgedSnapsScrub);
      e.u32(xinfo.deadEpoch);
    }
  });
}

export function decodeBlocklist(d: Decoder, field: string): Map<string, BlocklistEntry> {
  const at = d.position;
  const entries = d.list(field, entityAddrBytesMin + 8, (index) => ({
    addr: decodeEntityAddr(d, String(index)),
    until: decodeUtime(d, `${index}.until`),
  }));
  const byKey = new Map(entries.map((entry) => [entry.addr.key, entry]));
  if (byKey.size !== entries.length) d.fail(field, 'an address occurs twice', at);
  return byKey;
}

export function encodeBlocklist(e: Encoder, blocklist: ReadonlyMap<string, BlocklistEntry>): void {
  e.list(blocklist.values() as Iterable<BlocklistEntry>, ({ addr, until }) => {
    encodeEntityAddr(e, addr);
    encodeUtime(e, until);
  });
}

export function decodeProfiles(d: Decoder, field: string): ErasureCodeProfiles {
  return decodeMap(
    d,
    field,
    8,
    () => decodeText(d, 'name'),
    (name) => decodeTextMap(d, name),
  );
}

export function encodeProfiles(e: Encoder, profiles: ErasureCodeProfiles): void {
  e.map(
    profiles,
    (name) => e.string(name),
    (profile) => encodeTextMap(e, profile),
  );
}

/** PGs and the OSDs that each is mapped to. */
export function decodePgOsds(d: Decoder, field: string): PgMap<Int32Array> {
  return decodePgMap(d, field, 4, () => decodeI32Array(d, 'osds'));
}

export function encodePgOsds(e: Encoder, map: PgMap<Int32Array>): void {
  encodePgMap(e, map, (osds) => encodeI32Array(e, osds));
}

export function decodePgOsd(d: Decoder, field: string): PgMap<number> {
  return decodePgMap(d, field, 4, () => d.i32('osd'));
}

export function encodePgOsd(e: Encoder, map: PgMap<number>): void {
  encodePgMap(e, map, (osd) => e.i32(osd));
}

export function decodeUpmapItems(d: Decoder, field: string): PgMap<readonly UpmapItem[]> {
  return decodePgMap(d, field, 4, () => d.list('items', 8, () => ({ from: d.i32('from'), to: d.i32('to') })));
}

export function encodeUpmapItems(e: Encoder, map: PgMap<readonly UpmapItem[]>): void {
  encodePgMap(e, map, (items) => {
    e.list(items, ({ from, to }) => e.i32(from).i32(to));
  });
}
