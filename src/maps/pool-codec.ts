/**
 * The encoding of `pg_pool_t`: ENCODE_START(29, 5), 30 for stretch pools. Versions from 24 on are read; a
 * pool is written in the version it has.
 */
import type { Decoder } from '../wire/decoder.ts';
import type { Encoder } from '../wire/encoder.ts';
import { decodeIntervals, encodeIntervals } from '../wire/interval-set.ts';
import { decodeUtime, encodeUtime, utimeZero } from '../wire/utime.ts';
import {
  decodeMap,
  decodePoolId,
  decodeStruct,
  decodeText,
  decodeTextMap,
  encodeStruct,
  encodeTextMap,
  type Written,
} from './fields.ts';
import { decodePgId, encodePgId } from './pg.ts';
import {
  type EVersion,
  makePool,
  type PgMergeMeta,
  type PgPool,
  type PoolOption,
  type PoolSnap,
} from './pool.ts';

const poolVersionMin = 24;
const poolVersionKnown = 30;
/** Every field of version 24 at its smallest. */
export const poolBytesMin = 200;

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
