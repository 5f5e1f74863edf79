/**
 * `pg_pool_t`: one pool, from its replica count to its cache tier, and its codec.
 *
 * Versions 24 to 30 are understood (30 only exists for stretch pools; Pacific writes 29 for all others).
 * Numbers of 64 bits that are not ids are bigints.
 */
import type { Decoder } from '../wire/decoder.ts';
import type { Encoder } from '../wire/encoder.ts';
import { decodeIntervals, encodeIntervals } from '../wire/interval-set.ts';
import { decodeUtime, encodeUtime, type Utime, utimeZero } from '../wire/utime.ts';
import {
  decodeMap,
  decodePoolId,
  decodeStruct,
  decodeText,
  decodeTextMap,
  encodeStruct,
  encodeTextMap,
  type SnapIntervals,
  type Written,
  writtenAs,
} from './fields.ts';
import { crushHash2, ObjectHash, objectNameHash } from './hash.ts';
import { decodePgId, encodePgId, type PgId, pgMask, stableMod } from './pg.ts';

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

const poolVersionMin = 24;
const poolVersionKnown = 30;
const noMandatoryMember = 0x7fffffff;
/** Every field of version 24 at its smallest. */
export const poolBytesMin = 200;

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

export function decodePool(decoder: Decoder, field: string): PgPool {
  return decodeStruct(decoder, field, poolVersionMin, poolVersionKnown, (version) => {
    const d = decoder;
    const type = d.u8('type');
    const size = d.u8('size');
    const crushRule = d.u8('crush_rule');
    const objectHash = d.u8('object_hash');
    const pgNum = d.u32('pg_num');
    const pgpNum = d.u32('pgp_num');
    const localPgNum = d.u32('lpg_num');
    const localPgpNum = d.u32('lpgp_num');
    const lastChange = d.u32('last_change');
    const snapSeq = d.u64('snap_seq');
    const snapEpoch = d.u32('snap_epoch');
    const snaps = decodeMap(
      d,
      'snaps',
      30,
      () => d.u64('snapid'),
      (id) => decodeSnap(d, String(id)),
    );
    const removedSnaps = decodeIntervals(d, 'removed_snaps');
    const auid = d.u64('auid');
    const flags = d.u64('flags');
    const crashReplayInterval = d.u32('crash_replay_interval');
    const minSize = d.u8('min_size');
    const quotaMaxBytes = d.u64('quota_max_bytes');
    const quotaMaxObjects = d.u64('quota_max_objects');
    const tiers = d.list('tiers', 8, () => d.u64('tier'));
    const tierOf = decodePoolId(d, 'tier_of');
    const cacheMode = d.u8('cache_mode');
    const readTier = decodePoolId(d, 'read_tier');
    const writeTier = decodePoolId(d, 'write_tier');
    const properties = decodeTextMap(d, 'properties');
    const hitSetParams = decodeStruct(d, 'hit_set_params', 1, 1, () => ({ type: d.u8('type') }));
    const hitSetPeriod = d.u32('hit_set_period');
    const hitSetCount = d.u32('hit_set_count');
    const stripeWidth = d.u32('stripe_width');
    const targetMaxBytes = d.u64('target_max_bytes');
    const targetMaxObjects = d.u64('target_max_objects');
    const cacheTargetDirtyRatioMicro = d.u32('cache_target_dirty_ratio_micro');
    const cacheTargetFullRatioMicro = d.u32('cache_target_full_ratio_micro');
    const cacheMinFlushAge = d.u32('cache_min_flush_age');
    const cacheMinEvictAge = d.u32('cache_min_evict_age');
    const erasureCodeProfile = decodeText(d, 'erasure_code_profile');
    const lastForceOpResendPreluminous = d.u32('last_force_op_resend_preluminous');
    const minReadRecencyForPromote = d.u32('min_read_recency_for_promote');
    const expectedNumObjects = d.u64('expected_num_objects');
    const cacheTargetDirtyHighRatioMicro = d.u32('cache_target_dirty_high_ratio_micro');
    const minWriteRecencyForPromote = d.u32('min_write_recency_for_promote');
    const useGmtHitset = d.bool('use_gmt_hitset');
    const fastRead = d.bool('fast_read');
    const hitSetGradeDecayRate = d.u32('hit_set_grade_decay_rate');
    const hitSetSearchLastN = d.u32('hit_set_search_last_n');
    const { options, written: optionsWritten } = decodeOptions(d);
    const lastForceOpResendPrenautilus =
      version >= 25 ? d.u32('last_force_op_resend_prenautilus') : lastForceOpResendPreluminous;
    const applicationMetadata =
      version >= 26
        ? decodeMap(
            d,
            'application_metadata',
            8,
            () => decodeText(d, 'name'),
            (name) => decodeTextMap(d, name),
          )
        : new Map<string, Map<string, string>>();
    const createTime = version >= 27 ? decodeUtime(d, 'create_time') : utimeZero;
    const splits = version >= 28 ? decodeSplits(d) : unsplit(pgNum, pgpNum, lastForceOpResendPrenautilus);
    const lastPgMergeMeta = version >= 29 ? decodeMergeMeta(d, 'last_pg_merge_meta') : defaultMergeMeta;
    const stretch = version >= 30 ? decodeStretch(d) : defaultStretch;
    return {
      type,
      size,
      minSize,
      crushRule,
      objectHash,
      pgNum,
      pgpNum,
      localPgNum,
      localPgpNum,
      lastChange,
      snapSeq,
      snapEpoch,
      snaps,
      removedSnaps,
      auid,
      flags,
      crashReplayInterval,
      quotaMaxBytes,
      quotaMaxObjects,
      tiers,
      tierOf,
      readTier,
      writeTier,
      cacheMode,
      properties,
      hitSetParams,
      hitSetPeriod,
      hitSetCount,
      stripeWidth,
      targetMaxBytes,
      targetMaxObjects,
      cacheTargetDirtyRatioMicro,
      cacheTargetDirtyHighRatioMicro,
      cacheTargetFullRatioMicro,
      cacheMinFlushAge,
      cacheMinEvictAge,
      erasureCodeProfile,
      lastForceOpResendPrenautilus,
      lastForceOpResendPreluminous,
      minReadRecencyForPromote,
      minWriteRecencyForPromote,
      expectedNumObjects,
      useGmtHitset,
      fastRead,
      hitSetGradeDecayRate,
      hitSetSearchLastN,
      options,
      optionsWritten,
      applicationMetadata,
      createTime,
      ...splits,
      lastPgMergeMeta,
      ...stretch,
    };
  });
}

const { lastPgMergeMeta: defaultMergeMeta, ...defaultPool } = makePool({ type: 1, size: 1, pgNum: 1 });
const defaultStretch = {
  peeringCrushBucketCount: defaultPool.peeringCrushBucketCount,
  peeringCrushBucketTarget: defaultPool.peeringCrushBucketTarget,
  peeringCrushBucketBarrier: defaultPool.peeringCrushBucketBarrier,
  peeringCrushMandatoryMember: defaultPool.peeringCrushMandatoryMember,
};

function decodeSplits(d: Decoder) {
  return {
    pgNumTarget: d.u32('pg_num_target'),
    pgpNumTarget: d.u32('pgp_num_target'),
    pgNumPending: d.u32('pg_num_pending'),
    mergeLastEpochStarted: d.u32('pg_num_dec_last_epoch_started'),
    mergeLastEpochClean: d.u32('pg_num_dec_last_epoch_clean'),
    lastForceOpResend: d.u32('last_force_op_resend'),
    pgAutoscaleMode: d.u8('pg_autoscale_mode'),
  };
}

function unsplit(pgNum: number, pgpNum: number, lastForceOpResend: number): ReturnType<typeof decodeSplits> {
  return {
    pgNumTarget: pgNum,
    pgpNumTarget: pgpNum,
    pgNumPending: pgNum,
    mergeLastEpochStarted: 0,
    mergeLastEpochClean: 0,
    lastForceOpResend,
    // Ceph warns only, after an upgrade.
    pgAutoscaleMode: 1,
  };
}

function decodeStretch(d: Decoder) {
  return {
    peeringCrushBucketCount: d.u32('peering_crush_bucket_count'),
    peeringCrushBucketTarget: d.u32('peering_crush_bucket_target'),
    peeringCrushBucketBarrier: d.u32('peering_crush_bucket_barrier'),
    peeringCrushMandatoryMember: d.i32('peering_crush_mandatory_member'),
  };
}

function decodeSnap(d: Decoder, field: string): PoolSnap {
  return decodeStruct(d, field, 2, 2, () => ({
    snapId: d.u64('snapid'),
    stamp: decodeUtime(d, 'stamp'),
    name: decodeText(d, 'name'),
  }));
}

/** Type numbers of pool_opts_t. */
const optionString = 0;
const optionInt = 1;
const optionDouble = 2;

function decodeOptions(d: Decoder): { options: Map<number, PoolOption>; written: Written } {
  return decodeStruct(d, 'opts', 1, 2, (version) => ({
    options: decodeMap<number, PoolOption>(
      d,
      'opts',
      12,
      () => d.i32('key'),
      (key) => {
        const at = d.position;
        const type = d.i32(`${key}.type`);
        if (type === optionString) return { type: 'string', value: decodeText(d, `${key}`) };
        if (type === optionInt) {
          return { type: 'int', value: version >= 2 ? d.i64(`${key}`) : BigInt(d.i32(`${key}`)) };
        }
        if (type === optionDouble) return { type: 'double', value: d.f64(`${key}`) };
        return d.fail(`${key}.type`, `${type} is no known type`, at);
      },
    ),
  }));
}

function decodeMergeMeta(d: Decoder, field: string): PgMergeMeta {
  return decodeStruct(d, field, 1, 1, () => ({
    sourcePg: decodePgId(d, 'source_pgid'),
    readyEpoch: d.u32('ready_epoch'),
    lastEpochStarted: d.u32('last_epoch_started'),
    lastEpochClean: d.u32('last_epoch_clean'),
    sourceVersion: decodeEVersion(d, 'source_version'),
    targetVersion: decodeEVersion(d, 'target_version'),
  }));
}

function decodeEVersion(d: Decoder, field: string): EVersion {
  return { version: d.u64(`${field}.version`), epoch: d.u32(`${field}.epoch`) };
}

export function encodePool(encoder: Encoder, pool: PgPool): void {
  encodeStruct(encoder, pool.written, (version) => {
    const e = encoder;
    e.u8(pool.type).u8(pool.size).u8(pool.crushRule).u8(pool.objectHash).u32(pool.pgNum).u32(pool.pgpNum);
    e.u32(pool.localPgNum).u32(pool.localPgpNum).u32(pool.lastChange).u64(pool.snapSeq).u32(pool.snapEpoch);
    e.map(
      pool.snaps,
      (id) => e.u64(id),
      (snap) => encodeSnap(e, snap),
    );
    encodeIntervals(e, pool.removedSnaps);
    e.u64(pool.auid).u64(pool.flags).u32(pool.crashReplayInterval).u8(pool.minSize);
    e.u64(pool.quotaMaxBytes).u64(pool.quotaMaxObjects);
    e.list(pool.tiers, (tier) => e.u64(tier));
    e.i64(pool.tierOf).u8(pool.cacheMode).i64(pool.readTier).i64(pool.writeTier);
    encodeTextMap(e, pool.properties);
    encodeStruct(e, pool.hitSetParams.written, () => e.u8(pool.hitSetParams.type));
    e.u32(pool.hitSetPeriod).u32(pool.hitSetCount).u32(pool.stripeWidth);
    e.u64(pool.targetMaxBytes).u64(pool.targetMaxObjects);
    e.u32(pool.cacheTargetDirtyRatioMicro).u32(pool.cacheTargetFullRatioMicro);
    e.u32(pool.cacheMinFlushAge).u32(pool.cacheMinEvictAge).string(pool.erasureCodeProfile);
    e.u32(pool.lastForceOpResendPreluminous).u32(pool.minReadRecencyForPromote).u64(pool.expectedNumObjects);
    e.u32(pool.cacheTargetDirtyHighRatioMicro).u32(pool.minWriteRecencyForPromote);
    e.bool(pool.useGmtHitset).bool(pool.fastRead).u32(pool.hitSetGradeDecayRate).u32(pool.hitSetSearchLastN);
    encodeOptions(e, pool);
    if (version >= 25) e.u32(pool.lastForceOpResendPrenautilus);
    if (version >= 26) {
      e.map(
        pool.applicationMetadata,
        (name) => e.string(name),
        (entries) => encodeTextMap(e, entries),
      );
    }
    if (version >= 27) encodeUtime(e, pool.createTime);
    if (version >= 28) {
      e.u32(pool.pgNumTarget).u32(pool.pgpNumTarget).u32(pool.pgNumPending);
      e.u32(pool.mergeLastEpochStarted).u32(pool.mergeLastEpochClean).u32(pool.lastForceOpResend);
      e.u8(pool.pgAutoscaleMode);
    }
    if (version >= 29) encodeMergeMeta(e, pool.lastPgMergeMeta);
    if (version >= 30) {
      e.u32(pool.peeringCrushBucketCount).u32(pool.peeringCrushBucketTarget);
      e.u32(pool.peeringCrushBucketBarrier).i32(pool.peeringCrushMandatoryMember);
    }
  });
}

function encodeSnap(e: Encoder, snap: PoolSnap): void {
  encodeStruct(e, snap.written, () => {
    e.u64(snap.snapId);
    encodeUtime(e, snap.stamp);
    e.string(snap.name);
  });
}

function encodeOptions(e: Encoder, pool: PgPool): void {
  encodeStruct(e, pool.optionsWritten, (version) => {
    e.map(
      pool.options,
      (key) => e.i32(key),
      (option) => {
        if (option.type === 'string') e.i32(optionString).string(option.value);
        else if (option.type === 'double') e.i32(optionDouble).f64(option.value);
        else if (version >= 2) e.i32(optionInt).i64(option.value);
        else e.i32(optionInt).i32(Number(option.value));
      },
    );
  });
}

function encodeMergeMeta(e: Encoder, meta: PgMergeMeta): void {
  encodeStruct(e, meta.written, () => {
    encodePgId(e, meta.sourcePg);
    e.u32(meta.readyEpoch).u32(meta.lastEpochStarted).u32(meta.lastEpochClean);
    e.u64(meta.sourceVersion.version).u32(meta.sourceVersion.epoch);
    e.u64(meta.targetVersion.version).u32(meta.targetVersion.epoch);
  });
}
