/**
 * OSDMap::Incremental: what changed from one epoch to the next. Plain data, like the map.
 */
import type { EntityAddr } from '../wire/entity-addr.ts';
import type { EntityAddrVec } from '../wire/entity-addrvec.ts';
import { supportedDefault } from '../wire/features.ts';
import { type Utime, utimeZero } from '../wire/utime.ts';
import type { Uuid } from '../wire/uuid.ts';
import type { CrushMap } from './crush/map.ts';
import { type PoolSnaps, type Written, writtenAs } from './fields.ts';
import {
  type BlocklistEntry,
  type ErasureCodeProfiles,
  noStretchMode,
  type OsdXinfo,
  type StretchMode,
  type UpmapItem,
} from './osdmap.ts';
import { type PgId, PgMap } from './pg.ts';
import type { PgPool } from './pool.ts';

export interface CleanInterval {
  readonly begin: number;
  readonly end: number;
}

/** Maps are keyed by OSD unless said otherwise; a release of 255 and a ratio below 0 mean no change. */
export interface OSDMapIncremental {
  readonly fsid: Uuid;
  /** The epoch that results. */
  readonly epoch: number;
  readonly modified: Utime;
  /** -1: no change. */
  readonly newPoolMax: number;
  readonly newFlags: number;
  /** A whole map in place of all changes; empty nearly always. */
  readonly fullMap: Uint8Array;
  /** A new CRUSH map; empty for no change. */
  readonly crushBytes: Uint8Array;
  readonly crush: CrushMap | undefined;
  readonly newMaxOsd: number;
  readonly newPools: ReadonlyMap<number, PgPool>;
  readonly newPoolNames: ReadonlyMap<number, string>;
  readonly oldPools: readonly number[];
  /** OSDs that came up, with their public addresses. */
  readonly newUpClient: ReadonlyMap<number, EntityAddrVec>;
  /** Bits to flip; 0 means the bit of up. */
  readonly newState: ReadonlyMap<number, number>;
  readonly newWeight: ReadonlyMap<number, number>;
  /** No OSDs: the entry is removed. */
  readonly newPgTemp: PgMap<Int32Array>;
  /** -1: the entry is removed. */
  readonly newPrimaryTemp: PgMap<number>;
  readonly newPrimaryAffinity: ReadonlyMap<number, number>;
  readonly newErasureCodeProfiles: ErasureCodeProfiles;
  readonly oldErasureCodeProfiles: readonly string[];
  readonly newPgUpmap: PgMap<Int32Array>;
  readonly oldPgUpmap: readonly PgId[];
  readonly newPgUpmapItems: PgMap<readonly UpmapItem[]>;
  readonly oldPgUpmapItems: readonly PgId[];
  readonly newRemovedSnaps: PoolSnaps;
  readonly newPurgedSnaps: PoolSnaps;
  readonly newLastUpChange: Utime;
  readonly newLastInChange: Utime;

  readonly newHbBackUp: ReadonlyMap<number, EntityAddrVec>;
  readonly newUpThru: ReadonlyMap<number, number>;
  readonly newLastCleanInterval: ReadonlyMap<number, CleanInterval>;
  readonly newLost: ReadonlyMap<number, number>;
  readonly newBlocklist: ReadonlyMap<string, BlocklistEntry>;
  readonly oldBlocklist: readonly EntityAddr[];
  readonly newUpCluster: ReadonlyMap<number, EntityAddrVec>;
  readonly clusterSnapshot: string;
  readonly newUuid: ReadonlyMap<number, Uuid>;
  readonly newXinfo: ReadonlyMap<number, OsdXinfo>;
  readonly newHbFrontUp: ReadonlyMap<number, EntityAddrVec>;
  /** Features that the resulting full map is encoded with. */
  readonly encodeFeatures: bigint;
  readonly newNearfullRatio: number;
  readonly newFullRatio: number;
  readonly newBackfillfullRatio: number;
  readonly newRequireMinCompatClient: number;
  readonly newRequireOsdRelease: number;
  readonly newCrushNodeFlags: ReadonlyMap<number, number>;
  readonly newDeviceClassFlags: ReadonlyMap<number, number>;
  readonly changeStretchMode: boolean;
  readonly newStretchMode: StretchMode;

  /** CRC that the full map must have after this change. */
  readonly fullCrc: number;
  readonly written: Written;
  readonly clientWritten: Written;
  readonly osdWritten: Written;
}

const unchangedRelease = 0xff;

/** A change of nothing, to build one from. */
export function makeIncremental(
  fields: Partial<OSDMapIncremental> & Pick<OSDMapIncremental, 'fsid' | 'epoch'>,
): OSDMapIncremental {
  return {
    modified: utimeZero,
    newPoolMax: -1,
    newFlags: -1,
    fullMap: new Uint8Array(0),
    crushBytes: new Uint8Array(0),
    crush: undefined,
    newMaxOsd: -1,
    newPools: new Map(),
    newPoolNames: new Map(),
    oldPools: [],
    newUpClient: new Map(),
    newState: new Map(),
    newWeight: new Map(),
    newPgTemp: new PgMap(),
    newPrimaryTemp: new PgMap(),
    newPrimaryAffinity: new Map(),
    newErasureCodeProfiles: new Map(),
    oldErasureCodeProfiles: [],
    newPgUpmap: new PgMap(),
    oldPgUpmap: [],
    newPgUpmapItems: new PgMap(),
    oldPgUpmapItems: [],
    newRemovedSnaps: new Map(),
    newPurgedSnaps: new Map(),
    newLastUpChange: utimeZero,
    newLastInChange: utimeZero,
    newHbBackUp: new Map(),
    newUpThru: new Map(),
    newLastCleanInterval: new Map(),
    newLost: new Map(),
    newBlocklist: new Map(),
    oldBlocklist: [],
    newUpCluster: new Map(),
    clusterSnapshot: '',
    newUuid: new Map(),
    newXinfo: new Map(),
    newHbFrontUp: new Map(),
    encodeFeatures: supportedDefault,
    newNearfullRatio: -1,
    newFullRatio: -1,
    newBackfillfullRatio: -1,
    newRequireMinCompatClient: unchangedRelease,
    newRequireOsdRelease: unchangedRelease,
    newCrushNodeFlags: new Map(),
    newDeviceClassFlags: new Map(),
    changeStretchMode: false,
    newStretchMode: noStretchMode,
    fullCrc: 0,
    written: writtenAs(8, 7),
    clientWritten: writtenAs(8, 1),
    osdWritten: writtenAs(9, 1),
    ...fields,
  };
}
