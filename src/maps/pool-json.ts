/** A pool as `ceph osd dump` and `ceph osd pool ls detail` show it in JSON, its id and name left out. */
import { Decoder } from '../wire/decoder.ts';
import { utimeToString } from '../wire/utime.ts';
import { formatPgId } from './pg.ts';
import { type EVersion, type PgPool, poolFlag } from './pool.ts';
import {
  autoscaleModes,
  cacheModes,
  hitSetTypes,
  intervalsText,
  poolFlagsText,
  poolOptionNames,
} from './print.ts';

export function poolJson(pool: PgPool): Record<string, unknown> {
  const merge = pool.lastPgMergeMeta;
  return {
    create_time: utimeToString(pool.createTime),
    flags: pool.flags,
    flags_names: poolFlagsText(pool.flags),
    type: pool.type,
    size: pool.size,
    min_size: pool.minSize,
    crush_rule: pool.crushRule,
    peering_crush_bucket_count: pool.peeringCrushBucketCount,
    peering_crush_bucket_target: pool.peeringCrushBucketTarget,
    peering_crush_bucket_barrier: pool.peeringCrushBucketBarrier,
    peering_crush_bucket_mandatory_member: pool.peeringCrushMandatoryMember,
    object_hash: pool.objectHash,
    pg_autoscale_mode: autoscaleModes[pool.pgAutoscaleMode] ?? '???',
    pg_num: pool.pgNum,
    pg_placement_num: pool.pgpNum,
    pg_placement_num_target: pool.pgpNumTarget,
    pg_num_target: pool.pgNumTarget,
    pg_num_pending: pool.pgNumPending,
    last_pg_merge_meta: {
      source_pgid: formatPgId(merge.sourcePg),
      ready_epoch: merge.readyEpoch,
      last_epoch_started: merge.lastEpochStarted,
      last_epoch_clean: merge.lastEpochClean,
      source_version: versionText(merge.sourceVersion),
      target_version: versionText(merge.targetVersion),
    },
    // Epochs go through a stream here, which makes text of them.
    last_change: String(pool.lastChange),
    last_force_op_resend: String(pool.lastForceOpResend),
    last_force_op_resend_prenautilus: String(pool.lastForceOpResendPrenautilus),
    last_force_op_resend_preluminous: String(pool.lastForceOpResendPreluminous),
    auid: pool.auid,
    snap_mode: (pool.flags & poolFlag('pool_snaps')) === 0n ? 'selfmanaged' : 'pool',
    snap_seq: pool.snapSeq,
    snap_epoch: pool.snapEpoch,
    pool_snaps: [...pool.snaps.values()].map(({ snapId, stamp, name }) => ({
      snapid: snapId,
      stamp: utimeToString(stamp),
      name,
    })),
    removed_snaps: intervalsText(pool.removedSnaps),
    quota_max_bytes: pool.quotaMaxBytes,
    quota_max_objects: pool.quotaMaxObjects,
    tiers: pool.tiers,
    tier_of: pool.tierOf,
    read_tier: pool.readTier,
    write_tier: pool.writeTier,
    cache_mode: cacheModes[pool.cacheMode] ?? 'unknown',
    target_max_bytes: pool.targetMaxBytes,
    target_max_objects: pool.targetMaxObjects,
    cache_target_dirty_ratio_micro: pool.cacheTargetDirtyRatioMicro,
    cache_target_dirty_high_ratio_micro: pool.cacheTargetDirtyHighRatioMicro,
    cache_target_full_ratio_micro: pool.cacheTargetFullRatioMicro,
    cache_min_flush_age: pool.cacheMinFlushAge,
    cache_min_evict_age: pool.cacheMinEvictAge,
    erasure_code_profile: pool.erasureCodeProfile,
    hit_set_params: hitSetJson(pool),
    hit_set_period: pool.hitSetPeriod,
    hit_set_count: pool.hitSetCount,
    use_gmt_hitset: pool.useGmtHitset,
    min_read_recency_for_promote: pool.minReadRecencyForPromote,
    min_write_recency_for_promote: pool.minWriteRecencyForPromote,
    hit_set_grade_decay_rate: pool.hitSetGradeDecayRate,
    hit_set_search_last_n: pool.hitSetSearchLastN,
    grade_table: gradeTable(pool),
    stripe_width: pool.stripeWidth,
    expected_num_objects: pool.expectedNumObjects,
    fast_read: pool.fastRead,
    options: poolOptionsJson(pool),
    application_metadata: applicationsJson(pool),
  };
}

/** By name, in order. */
export function poolOptionsJson(pool: PgPool): Record<string, string | bigint | number> {
  const named = [...pool.options].map(
    ([key, option]) => [poolOptionNames[key] ?? String(key), option.value] as const,
  );
  return Object.fromEntries(named.sort(([left], [right]) => (left < right ? -1 : 1)));
}

export function applicationsJson(pool: PgPool): Record<string, Record<string, string>> {
  return Object.fromEntries(
    [...pool.applicationMetadata].map(([name, metadata]) => [name, Object.fromEntries(metadata)]),
  );
}

function versionText({ version, epoch }: EVersion): string {
  return `${epoch}'${version}`;
}

const bloom = hitSetTypes.indexOf('bloom');

function hitSetJson({ hitSetParams: { type, written } }: PgPool): Record<string, unknown> {
  const name = hitSetTypes[type] ?? '???';
  if (type !== bloom) return { type: name };
  const decoder = new Decoder(written.rest, 'hit_set_params');
  return decoder.versioned('bloom', 1, () => ({
    type: name,
    false_positive_probability: decoder.u32('fpp_micro') / 1_000_000,
    target_size: decoder.u64('target_size'),
    seed: decoder.u64('seed'),
  }));
}

/** What the n-th last hit set is worth, in millionths. */
function gradeTable({ hitSetCount, hitSetGradeDecayRate }: PgPool): number[] {
  let grade = 1_000_000;
  return Array.from({ length: Math.min(hitSetCount, 1024) }, () => {
    grade = Math.trunc(grade * (1 - hitSetGradeDecayRate / 100));
    return grade;
  });
}
