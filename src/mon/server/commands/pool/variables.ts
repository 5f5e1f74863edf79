/**
 * The variables of a pool that `osd pool get` and `set` know: the words of the commands, which of them are
 * flags, which need a cache tier or an erasure code, and which are options that a pool may not have.
 */
import type { PoolFlagName } from '../../../../maps/pool.ts';

export const flagVariables = [
  'nodelete',
  'nopgchange',
  'nosizechange',
  'write_fadvise_dontneed',
  'noscrub',
  'nodeep-scrub',
  'bulk',
] as const satisfies readonly PoolFlagName[];

export const tierVariables: readonly string[] = [
  'hit_set_type',
  'hit_set_period',
  'hit_set_count',
  'hit_set_fpp',
  'target_max_objects',
  'target_max_bytes',
  'cache_target_dirty_ratio',
  'cache_target_dirty_high_ratio',
  'cache_target_full_ratio',
  'cache_min_flush_age',
  'cache_min_evict_age',
  'min_read_recency_for_promote',
  'min_write_recency_for_promote',
  'hit_set_grade_decay_rate',
  'hit_set_search_last_n',
];

export const erasureVariables: readonly string[] = ['erasure_code_profile', 'allow_ec_overwrites'];

/** In the order in which Ceph describes them. */
export const gettableVariables =
  'size|min_size|pg_num|pgp_num|crush_rule|hashpspool|nodelete|nopgchange|nosizechange|' +
  'write_fadvise_dontneed|noscrub|nodeep-scrub|hit_set_type|hit_set_period|hit_set_count|' +
  'hit_set_fpp|use_gmt_hitset|target_max_objects|target_max_bytes|cache_target_dirty_ratio|' +
  'cache_target_dirty_high_ratio|cache_target_full_ratio|cache_min_flush_age|' +
  'cache_min_evict_age|erasure_code_profile|min_read_recency_for_promote|all|' +
  'min_write_recency_for_promote|fast_read|hit_set_grade_decay_rate|hit_set_search_last_n|' +
  'scrub_min_interval|scrub_max_interval|deep_scrub_interval|recovery_priority|' +
  'recovery_op_priority|scrub_priority|compression_mode|compression_algorithm|' +
  'compression_required_ratio|compression_max_blob_size|compression_min_blob_size|csum_type|' +
  'csum_min_block|csum_max_block|allow_ec_overwrites|fingerprint_algorithm|pg_autoscale_mode|' +
  'pg_autoscale_bias|pg_num_min|pg_num_max|target_size_bytes|target_size_ratio|dedup_tier|' +
  'dedup_chunk_algorithm|dedup_cdc_chunk_size|bulk';

export const settableVariables =
  'size|min_size|pg_num|pgp_num|pgp_num_actual|crush_rule|hashpspool|nodelete|nopgchange|' +
  'nosizechange|write_fadvise_dontneed|noscrub|nodeep-scrub|hit_set_type|hit_set_period|' +
  'hit_set_count|hit_set_fpp|use_gmt_hitset|target_max_bytes|target_max_objects|' +
  'cache_target_dirty_ratio|cache_target_dirty_high_ratio|cache_target_full_ratio|' +
  'cache_min_flush_age|cache_min_evict_age|min_read_recency_for_promote|' +
  'min_write_recency_for_promote|fast_read|hit_set_grade_decay_rate|hit_set_search_last_n|' +
  'scrub_min_interval|scrub_max_interval|deep_scrub_interval|recovery_priority|' +
  'recovery_op_priority|scrub_priority|compression_mode|compression_algorithm|' +
  'compression_required_ratio|compression_max_blob_size|compression_min_blob_size|csum_type|' +
  'csum_min_block|csum_max_block|allow_ec_overwrites|fingerprint_algorithm|pg_autoscale_mode|' +
  'pg_autoscale_bias|pg_num_min|pg_num_max|target_size_bytes|target_size_ratio|dedup_tier|' +
  'dedup_chunk_algorithm|dedup_cdc_chunk_size|bulk';

/** Types of the options, as they are kept. */
export const optionTypes: Readonly<Record<string, 'string' | 'int' | 'double'>> = {
  scrub_min_interval: 'double',
  scrub_max_interval: 'double',
  deep_scrub_interval: 'double',
  recovery_priority: 'int',
  recovery_op_priority: 'int',
  scrub_priority: 'int',
  compression_mode: 'string',
  compression_algorithm: 'string',
  compression_required_ratio: 'double',
  compression_max_blob_size: 'int',
  compression_min_blob_size: 'int',
  csum_type: 'int',
  csum_max_block: 'int',
  csum_min_block: 'int',
  fingerprint_algorithm: 'string',
  pg_num_min: 'int',
  pg_num_max: 'int',
  target_size_bytes: 'int',
  target_size_ratio: 'double',
  pg_autoscale_bias: 'double',
  read_lease_interval: 'double',
  dedup_tier: 'int',
  dedup_chunk_algorithm: 'string',
  dedup_cdc_chunk_size: 'int',
};

/** Names of csum_type by their numbers. */
export const checksumNames = ['', 'none', 'xxhash32', 'xxhash64', 'crc32c', 'crc32c_16', 'crc32c_8'];
