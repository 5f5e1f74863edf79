/**
 * The OSDMap: which OSDs there are, where, up or down, in or out, which pools, and everything that bends
 * placement. One per epoch; plain data that nobody changes after it was made (apply.ts makes the next one
 * and shares what stayed the same).
 *
 * Arrays are indexed by OSD and all have `maxOsd` elements. Those that placement reads are typed arrays.
 */
import type { EntityAddr } from '../wire/entity-addr.ts';
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { type Utime, utimeZero } from '../wire/utime.ts';
import { Uuid } from '../wire/uuid.ts';
import type { CrushMap } from './crush/map.ts';
import { type PoolSnaps, type Written, writtenAs } from './fields.ts';
import { PgMap } from './pg.ts';
import type { PgPool } from './pool.ts';
import { OsdState } from './states.ts';

/** Reweight of an OSD that is wholly in; 0 is out. */
export const osdIn = 0x10000;
export const osdOut = 0;
/** Affinity of an OSD that is never passed over as primary. */
export const defaultPrimaryAffinity = 0x10000;

/** osd_info_t: the epochs of an OSD's last lives. */
export interface OsdInfo {
  readonly lastCleanBegin: number;
  readonly lastCleanEnd: number;
  readonly upFrom: number;
  readonly upThru: number;
  readonly downAt: number;
  readonly lostAt: number;
}

export const noOsdInfo: OsdInfo = {
  lastCleanBegin: 0,
  lastCleanEnd: 0,
  upFrom: 0,
  upThru: 0,
  downAt: 0,
  lostAt: 0,
};

/** osd_xinfo_t: what else the monitor remembers of an OSD. */
export interface OsdXinfo {
  readonly downStamp: Utime;
  /** 0 is never, 0xffffffff always laggy. */
  readonly laggyProbability: number;
  readonly laggyInterval: number;
  readonly features: bigint;
  /** Reweight before it was marked out by itself, given back when it comes in. */
  readonly oldWeight: number;
  readonly lastPurgedSnapsScrub: Utime;
  readonly deadEpoch: number;
  readonly written: Written;
}

export const noOsdXinfo: OsdXinfo = {
  downStamp: utimeZero,
  laggyProbability: 0,
  laggyInterval: 0,
  features: 0n,
  oldWeight: 0,
  lastPurgedSnapsScrub: utimeZero,
  deadEpoch: 0,
  written: writtenAs(4, 1),
};

export interface BlocklistEntry {
  readonly addr: EntityAddr;
  readonly until: Utime;
}

/** One replacement of pg_upmap_items. */
export interface UpmapItem {
  readonly from: number;
  readonly to: number;
}

export interface StretchMode {
  readonly enabled: boolean;
  readonly bucketCount: number;
  readonly degraded: number;
  readonly recovering: number;
  readonly bucket: number;
}

export const noStretchMode: StretchMode = {
  enabled: false,
  bucketCount: 0,
  degraded: 0,
  recovering: 0,
  bucket: 0,
};

export type ErasureCodeProfiles = ReadonlyMap<string, ReadonlyMap<string, string>>;

export interface OSDMap {
  readonly fsid: Uuid;
  readonly epoch: number;
  readonly created: Utime;
  readonly modified: Utime;
  readonly pools: ReadonlyMap<number, PgPool>;
  readonly poolNames: ReadonlyMap<number, string>;
  /** Highest pool id ever given out; an i32 here, an i64 in changes. */
  readonly poolMax: number;
  readonly flags: number;
  readonly maxOsd: number;
  readonly osdState: Uint32Array;
  readonly osdWeight: Uint32Array;
  readonly clientAddrs: readonly EntityAddrVec[];
  readonly pgTemp: PgMap<Int32Array>;
  readonly primaryTemp: PgMap<number>;
  /** Empty when every OSD has the default. */
  readonly primaryAffinity: Uint32Array;
  readonly crush: CrushMap;
  /** The CRUSH map's encoding, as it lies in this map. */
  readonly crushBytes: Uint8Array;
  readonly erasureCodeProfiles: ErasureCodeProfiles;
  readonly pgUpmap: PgMap<Int32Array>;
  readonly pgUpmapItems: PgMap<readonly UpmapItem[]>;
  readonly crushVersion: number;
  readonly newRemovedSnaps: PoolSnaps;
  readonly newPurgedSnaps: PoolSnaps;
  readonly lastUpChange: Utime;
  readonly lastInChange: Utime;

  readonly hbBackAddrs: readonly EntityAddrVec[];
  readonly osdInfo: readonly OsdInfo[];
  /** By {@link EntityAddr.key}. */
  readonly blocklist: ReadonlyMap<string, BlocklistEntry>;
  readonly clusterAddrs: readonly EntityAddrVec[];
  readonly clusterSnapshotEpoch: number;
  readonly clusterSnapshot: string;
  readonly osdUuid: readonly Uuid[];
  readonly osdXinfo: readonly OsdXinfo[];
  readonly hbFrontAddrs: readonly EntityAddrVec[];
  readonly nearfullRatio: number;
  readonly fullRatio: number;
  readonly backfillfullRatio: number;
  readonly requireMinCompatClient: number;
  readonly requireOsdRelease: number;
  readonly removedSnapsQueue: PoolSnaps;
  readonly crushNodeFlags: ReadonlyMap<number, number>;
  readonly deviceClassFlags: ReadonlyMap<number, number>;
  readonly stretchMode: StretchMode;

  /** How the whole, the clients' part and the OSDs' part were written. */
  readonly written: Written;
  readonly clientWritten: Written;
  readonly osdWritten: Written;
}

/** True when the OSD was created and not destroyed since. */
export function osdExists(map: OSDMap, osd: number): boolean {
  return osd >= 0 && osd < map.maxOsd && (map.osdState[osd]! & OsdState.exists) !== 0;
}

export function isUp(map: OSDMap, osd: number): boolean {
  return osdExists(map, osd) && (map.osdState[osd]! & OsdState.up) !== 0;
}

export function isIn(map: OSDMap, osd: number): boolean {
  return osdExists(map, osd) && map.osdWeight[osd] !== osdOut;
}

/** 1 for every OSD unless an operator lowered it. */
export function primaryAffinityOf(map: OSDMap, osd: number): number {
  return map.primaryAffinity[osd] ?? defaultPrimaryAffinity;
}

/** The pool with this name, and its id. */
export function findPool(map: OSDMap, name: string): { id: number; pool: PgPool } | undefined {
  for (const [id, poolName] of map.poolNames) {
    const pool = poolName === name ? map.pools.get(id) : undefined;
    if (pool !== undefined) return { id, pool };
  }
  return undefined;
}

/** A map with nothing in it, to build one from; written as Pacific writes. */
export function emptyOsdMap(crush: CrushMap, crushBytes: Uint8Array): OSDMap {
  return {
    fsid: Uuid.zero,
    epoch: 1,
    created: utimeZero,
    modified: utimeZero,
    pools: new Map(),
    poolNames: new Map(),
    poolMax: 0,
    flags: 0,
    maxOsd: 0,
    osdState: new Uint32Array(0),
    osdWeight: new Uint32Array(0),
    clientAddrs: [],
    pgTemp: new PgMap(),
    primaryTemp: new PgMap(),
    primaryAffinity: new Uint32Array(0),
    crush,
    crushBytes,
    erasureCodeProfiles: new Map(),
    pgUpmap: new PgMap(),
    pgUpmapItems: new PgMap(),
    crushVersion: 1,
    newRemovedSnaps: new Map(),
    newPurgedSnaps: new Map(),
    lastUpChange: utimeZero,
    lastInChange: utimeZero,
    hbBackAddrs: [],
    osdInfo: [],
    blocklist: new Map(),
    clusterAddrs: [],
    clusterSnapshotEpoch: 0,
    clusterSnapshot: '',
    osdUuid: [],
    osdXinfo: [],
    hbFrontAddrs: [],
    nearfullRatio: 0,
    fullRatio: 0,
    backfillfullRatio: 0,
    requireMinCompatClient: 0,
    requireOsdRelease: 0,
    removedSnapsQueue: new Map(),
    crushNodeFlags: new Map(),
    deviceClassFlags: new Map(),
    stretchMode: noStretchMode,
    written: writtenAs(8, 7),
    clientWritten: writtenAs(9, 1),
    osdWritten: writtenAs(9, 1),
  };
}
