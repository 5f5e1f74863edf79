/**
 * The MonMap: the monitors of a cluster, by name and by rank, and its codec.
 *
 * ENCODE_START(9, 6); maps of Nautilus and later are read. A monitor's rank is its place in `ranks`, and
 * it is the number in its entity name: the monitor of rank 0 is mon.0 whatever its own name is.
 */
import { Decoder } from '../wire/decoder.ts';
import { Encoder } from '../wire/encoder.ts';
import {
  decodeEntityAddrVec,
  type EntityAddrVec,
  encodeEntityAddrVec,
  entityAddrVecBytesMin,
} from '../wire/entity-addrvec.ts';
import { decodeUtime, encodeUtime, type Utime } from '../wire/utime.ts';
import { decodeUuid, encodeUuid, type Uuid } from '../wire/uuid.ts';
import {
  decodeMap,
  decodeStruct,
  decodeText,
  decodeTextMap,
  encodeStruct,
  encodeTextMap,
  type Written,
} from './fields.ts';

/** mon_info_t. */
export interface MonInfo {
  readonly name: string;
  readonly publicAddrs: EntityAddrVec;
  /** Lower is asked first; a client chooses among those of the lowest. */
  readonly priority: number;
  readonly weight: number;
  readonly crushLocation: ReadonlyMap<string, string>;
  readonly written: Written;
}

/** mon_feature_t: a set of bits in a struct of its own. */
export interface MonFeatures {
  readonly bits: bigint;
  readonly written: Written;
}

export interface MonMap {
  readonly fsid: Uuid;
  readonly epoch: number;
  readonly lastChanged: Utime;
  readonly created: Utime;
  readonly persistentFeatures: MonFeatures;
  readonly optionalFeatures: MonFeatures;
  /** By name. */
  readonly monitors: ReadonlyMap<string, MonInfo>;
  readonly ranks: readonly string[];
  readonly minMonRelease: number;
  readonly removedRanks: readonly number[];
  /** 1 classic, 2 disallow, 3 connectivity. */
  readonly electionStrategy: number;
  readonly disallowedLeaders: readonly string[];
  readonly stretchModeEnabled: boolean;
  readonly tiebreaker: string;
  readonly stretchMarkedDown: readonly string[];
  readonly written: Written;
}

const versionMin = 6;
const versionKnown = 9;
/** Struct header, an empty name, an empty vector of addresses. */
const monInfoBytesMin = 6 + 4 + entityAddrVecBytesMin;

/**
 * @throws MsgrError `ERR_MSGR_MALFORMED` with the offset and the name of the first field that is wrong.
 */
export function decodeMonMap(bytes: Uint8Array): MonMap {
  const d = new Decoder(bytes);
  const map = decodeStruct(d, 'monmap', versionMin, versionKnown, (version) => {
    const names = (field: string) => d.list(field, 4, () => decodeText(d, 'name'));
    const since8 = version >= 8;
    const since9 = version >= 9;
    return {
      fsid: decodeUuid(d, 'fsid'),
      epoch: d.u32('epoch'),
      lastChanged: decodeUtime(d, 'last_changed'),
      created: decodeUtime(d, 'created'),
      persistentFeatures: decodeFeatures(d, 'persistent_features'),
      optionalFeatures: decodeFeatures(d, 'optional_features'),
      monitors: decodeMap(
        d,
        'mon_info',
        4 + monInfoBytesMin,
        () => decodeText(d, 'name'),
        (name) => decodeMonInfo(d, name),
      ),
      ranks: names('ranks'),
      minMonRelease: version >= 7 ? d.u8('min_mon_release') : 0,
      removedRanks: since8 ? d.list('removed_ranks', 4, () => d.u32('rank')) : [],
      electionStrategy: since8 ? d.u8('strategy') : 1,
      disallowedLeaders: since8 ? names('disallowed_leaders') : [],
      stretchModeEnabled: since9 ? d.bool('stretch_mode_enabled') : false,
      tiebreaker: since9 ? decodeText(d, 'tiebreaker_mon') : '',
      stretchMarkedDown: since9 ? names('stretch_marked_down_mons') : [],
    };
  });
  d.finish('monmap.end');
  return map;
}

function decodeFeatures(d: Decoder, field: string): MonFeatures {
  return decodeStruct(d, field, 1, 1, () => ({ bits: d.u64('features') }));
}

function decodeMonInfo(d: Decoder, field: string): MonInfo {
  return decodeStruct(d, field, 3, 5, (version) => ({
    name: decodeText(d, 'name'),
    publicAddrs: decodeEntityAddrVec(d, 'public_addrs'),
    priority: d.u16('priority'),
    weight: version >= 4 ? d.u16('weight') : 0,
    crushLocation: version >= 5 ? decodeTextMap(d, 'crush_loc') : new Map<string, string>(),
  }));
}

/** The bytes it was read from; for one of our own making, those that Pacific writes. */
export function encodeMonMap(map: MonMap): Uint8Array {
  const e = new Encoder();
  encodeStruct(e, map.written, (version) => {
    const names = (values: readonly string[]) => e.list(values, (name) => e.string(name));
    encodeUuid(e, map.fsid);
    e.u32(map.epoch);
    encodeUtime(e, map.lastChanged);
    encodeUtime(e, map.created);
    for (const { bits, written } of [map.persistentFeatures, map.optionalFeatures]) {
      encodeStruct(e, written, () => e.u64(bits));
    }
    e.map(
      map.monitors,
      (name) => e.string(name),
      (info) => encodeMonInfo(e, info),
    );
    names(map.ranks);
    if (version >= 7) e.u8(map.minMonRelease);
    if (version >= 8) {
      e.list(map.removedRanks, (rank) => e.u32(rank)).u8(map.electionStrategy);
      names(map.disallowedLeaders);
    }
    if (version >= 9) {
      e.bool(map.stretchModeEnabled).string(map.tiebreaker);
      names(map.stretchMarkedDown);
    }
  });
  return e.take();
}

function encodeMonInfo(e: Encoder, info: MonInfo): void {
  encodeStruct(e, info.written, (version) => {
    e.string(info.name);
    encodeEntityAddrVec(e, info.publicAddrs);
    e.u16(info.priority);
    if (version >= 4) e.u16(info.weight);
    if (version >= 5) encodeTextMap(e, info.crushLocation);
  });
}

/** The monitor with this rank. */
export function monitorOfRank(map: MonMap, rank: number): MonInfo | undefined {
  const name = map.ranks[rank];
  return name === undefined ? undefined : map.monitors.get(name);
}
