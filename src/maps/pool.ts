/**
 * `pg_pool_t`: one pool, from its replica count to its cache tier, and what placement makes of it.
 * Numbers of 64 bits that are not ids are bigints.
 */
import { type Utime, utimeZero } from '../wire/utime.ts';
import { type SnapIntervals, type Written, writtenAs } from './fields.ts';
import { crushHash2, ObjectHash, objectNameHash } from './hash.ts';
import { type PgId, pgMask, stableMod } from './pg.ts';

export const PoolType = { replicated: 1, erasure: 3 } as const;

/** Bits of {@link PgPool.flags}, with the names that Ceph prints. */
export const poolFlagNames = [
  'hashpspool',
  'full',
  'ec_overwrites',
  'incomplete_clones',
  'nodelete',
  'nopgchange',
  'nosizechange',
  'write_fadvise_dontneed',
  'noscrub',
  'nodeep-scrub',
  'full_quota',
  'nearfull',
  'backfillfull',
  'selfmanaged_snaps',
  'pool_snaps',
  'creating',
  'eio',
  'bulk',
] as const;
export type PoolFlagName = (typeof poolFlagNames)[number];

export function poolFlag(name: PoolFlagName): bigint {
  return 1n << BigInt(poolFlagNames.indexOf(name));
}

export interface PoolSnap {
  readonly snapId: bigint;
  readonly stamp: Utime;
  readonly name: string;
  readonly written: Written;
}

/** Values of pool_opts_t, told apart by the type that they have on the wire. */
export type PoolOption =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number };

/** The last merge of two PGs of the pool. */
export interface PgMergeMeta {
  readonly sourcePg: PgId;
  readonly readyEpoch: number;
  readonly lastEpochStarted: number;
  readonly lastEpochClean: number;
  readonly sourceVersion: EVersion;
  readonly targetVersion: EVersion;
  readonly written: Written;
}

/** eversion_t: a PG log's position. */
export interface EVersion {
  readonly version: bigint;
  readonly epoch: number;
}

export interface PgPool {
  readonly type: number;
  /** Copies, or chunks of an erasure-coded object. */
  readonly size: number;
  readonly minSize: number;
  readonly crushRule: number;
  /** How object names are hashed: {@link ObjectHash}. */
  readonly objectHash: number;
  readonly pgNum: number;
  /** PGs that placement tells apart; less than pgNum while PGs have split but not moved yet. */
  readonly pgpNum: number;
  /** Localized PGs of old; always 0. */
  readonly localPgNum: number;
  readonly localPgpNum: number;
  readonly lastChange: number;
  readonly snapSeq: bigint;
  readonly snapEpoch: number;
  readonly snaps: ReadonlyMap<bigint, PoolSnap>;
  readonly removedSnaps: SnapIntervals;
  readonly auid: bigint;
  readonly flags: bigint;
  /** Not used for a decade; always 0. */
  readonly crashReplayInterval: number;
  readonly quotaMaxBytes: bigint;
  readonly quotaMaxObjects: bigint;
  readonly tiers: readonly bigint[];
  /** Pool ids; -1 for none. */
  readonly tierOf: number;
  readonly readTier: number;
  readonly writeTier: number;
  readonly cacheMode: number;
  readonly properties: ReadonlyMap<string, string>;
  /** hit_set_params: a type (0 none) and what belongs to it, as read. */
  readonly hitSetParams: { readonly type: number; readonly written: Written };
  readonly hitSetPeriod: number;
  readonly hitSetCount: number;
  readonly stripeWidth: number;
  readonly targetMaxBytes: bigint;
  readonly targetMaxObjects: bigint;
  readonly cacheTargetDirtyRatioMicro: number;
  readonly cacheTargetDirtyHighRatioMicro: number;
  readonly cacheTargetFullRatioMicro: number;
  readonly cacheMinFlushAge: number;
  readonly cacheMinEvictAge: number;
  readonly erasureCodeProfile: string;
  /** Epochs since which clients resend their operations, for three ages of clients. */
  readonly lastForceOpResend: number;
  readonly lastForceOpResendPrenautilus: number;
  readonly lastForceOpResendPreluminous: number;
  readonly minReadRecencyForPromote: number;
  readonly minWriteRecencyForPromote: number;
  readonly expectedNumObjects: bigint;
  readonly useGmtHitset: boolean;
  readonly fastRead: boolean;
  readonly hitSetGradeDecayRate: number;
  readonly hitSetSearchLastN: number;
  /** By the number of the option. */
  readonly options: ReadonlyMap<number, PoolOption>;
  readonly optionsWritten: Written;
  readonly applicationMetadata: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly createTime: Utime;
  readonly pgNumTarget: number;
  readonly pgpNumTarget: number;
  readonly pgNumPending: number;
  /** Written by 14.1 only; always 0. */
  readonly mergeLastEpochStarted: number;
  readonly mergeLastEpochClean: number;
  /** 0 off, 1 warn, 2 on, 255 unknown. */
  readonly pgAutoscaleMode: number;
  readonly lastPgMergeMeta: PgMergeMeta;
  /** Of stretch pools; the count is 0 for all others. */
  readonly peeringCrushBucketCount: number;
  readonly peeringCrushBucketTarget: number;
  readonly peeringCrushBucketBarrier: number;
  readonly peeringCrushMandatoryMember: number;
  readonly written: Written;
}

const noMandatoryMember = 0x7fffffff;
/** A pool as the monitor would make it, every field that is not given at its default. */
export function makePool(fields: Partial<PgPool> & Pick<PgPool, 'type' | 'size' | 'pgNum'>): PgPool {
  const pgpNum = fields.pgpNum ?? fields.pgNum;
  return {
    minSize: fields.size - (fields.size >> 1),
    crushRule: 0,
    objectHash: ObjectHash.rjenkins,
    pgpNum,
    localPgNum: 0,
    localPgpNum: 0,
    lastChange: 0,
    snapSeq: 0n,
    snapEpoch: 0,
    snaps: new Map(),
    removedSnaps: [],
    auid: 0n,
    flags: poolFlag('hashpspool'),
    crashReplayInterval: 0,
    quotaMaxBytes: 0n,
    quotaMaxObjects: 0n,
    tiers: [],
    tierOf: -1,
    readTier: -1,
    writeTier: -1,
    cacheMode: 0,
    properties: new Map(),
    hitSetParams: { type: 0, written: writtenAs(1, 1) },
    hitSetPeriod: 0,
    hitSetCount: 0,
    stripeWidth: 0,
    targetMaxBytes: 0n,
    targetMaxObjects: 0n,
    cacheTargetDirtyRatioMicro: 400_000,
    cacheTargetDirtyHighRatioMicro: 600_000,
    cacheTargetFullRatioMicro: 800_000,
    cacheMinFlushAge: 0,
    cacheMinEvictAge: 0,
    erasureCodeProfile: '',
    lastForceOpResend: 0,
    lastForceOpResendPrenautilus: 0,
    lastForceOpResendPreluminous: 0,
    minReadRecencyForPromote: 0,
    minWriteRecencyForPromote: 0,
    expectedNumObjects: 0n,
    useGmtHitset: true,
    fastRead: false,
    hitSetGradeDecayRate: 0,
    hitSetSearchLastN: 0,
    options: new Map(),
    optionsWritten: writtenAs(2, 1),
    applicationMetadata: new Map(),
    createTime: utimeZero,
    pgNumTarget: fields.pgNum,
    pgpNumTarget: pgpNum,
    pgNumPending: fields.pgNum,
    mergeLastEpochStarted: 0,
    mergeLastEpochClean: 0,
    pgAutoscaleMode: 0,
    lastPgMergeMeta: {
      sourcePg: { pool: 0, seed: 0 },
      readyEpoch: 0,
      lastEpochStarted: 0,
      lastEpochClean: 0,
      sourceVersion: { version: 0n, epoch: 0 },
      targetVersion: { version: 0n, epoch: 0 },
      written: writtenAs(1, 1),
    },
    peeringCrushBucketCount: 0,
    peeringCrushBucketTarget: 0,
    peeringCrushBucketBarrier: 0,
    peeringCrushMandatoryMember: noMandatoryMember,
    written: writtenAs(29, 5),
    ...fields,
  };
}

/** True when OSDs of a PG may move up to fill a gap: their order means nothing in a replicated pool. */
export function canShiftOsds(pool: PgPool): boolean {
  return pool.type === PoolType.replicated;
}

/** True when the pool is kept in two sites at once. */
export function isStretchPool(pool: PgPool): boolean {
  return pool.peeringCrushBucketCount !== 0;
}

/** The hash of an object: of its locator key when it has one, with the namespace before it. */
export function hashObject(pool: PgPool, name: string, key = '', namespace = ''): number {
  const hashed = key === '' ? name : key;
  return objectNameHash(pool.objectHash, namespace === '' ? hashed : `${namespace}\x1f${hashed}`);
}

/** Cuts a whole hash to the PG that stores its objects. */
export function hashToSeed(pool: PgPool, hash: number): number {
  return stableMod(hash, pool.pgNum, pgMask(pool.pgNum));
}

/** The input of CRUSH for a PG, as an unsigned number. */
export function placementSeed(pool: PgPool, poolId: number, seed: number): number {
  const cut = stableMod(seed, pool.pgpNum, pgMask(pool.pgpNum));
  if ((pool.flags & poolFlag('hashpspool')) !== 0n) return crushHash2(cut, poolId);
  // Pools without the flag overlap: PG 0.5 lies where 1.4 lies.
  return (cut + poolId) >>> 0;
}
