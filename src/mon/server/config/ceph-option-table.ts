/**
 * The options of Ceph 16.2.15 that a monitor may be asked to keep: name, type, level, whether it takes effect
 * at once, limits and default, as its daemons describe them. Made from the answers of `config ls` and
 * `config help`; a table of facts, not to be edited.
 *
 *      # TYPE LEVEL FLAGS       r: takes effect while running; n: may not be kept by the monitor
 *      NAME[MIN,MAX]=DEFAULT ; NAME{CHOICE|CHOICE}=DEFAULT ; …
 */
export const cephOptionTable = `
# addr advanced --
public_bind_addr=-
# addr basic --
cluster_addr=- ; public_addr=-
# addrvec basic --
public_addrv=
# bool advanced --
fatal_signal_handlers=true ; fuse_default_permissions=false ; mds_oft_prefetch_dirfrags=false
mds_replay_unsafe_with_closed_session=false ; osd_mclock_force_run_benchmark_on_init=false
osd_numa_auto_affinity=true ; osd_numa_prefer_iface=true
# bool advanced -n
daemonize=false ; fuse_debug=false ; no_config_file=false
# bool advanced r-
auth_allow_insecure_global_id_reclaim=true ; auth_expose_insecure_global_id_reclaim=true ; bdev_aio=true
bdev_async_discard=false ; bdev_enable_discard=false ; bdev_ioring=false ; bdev_ioring_hipri=false
bdev_ioring_sqthread_poll=false ; bdev_nvme_unbind_from_kernel=false ; bluefs_buffered_io=true
bluefs_compact_log_sync=false ; bluefs_log_replay_check_allocations=true
bluefs_replay_recovery_disable_compact=false ; bluefs_sync_write=false ; bluestore_clone_cow=true
bluestore_default_buffered_read=true ; bluestore_default_buffered_write=false
bluestore_fsck_error_on_no_per_pg_omap=false ; bluestore_fsck_error_on_no_per_pool_omap=false
bluestore_fsck_error_on_no_per_pool_stats=false ; bluestore_rocksdb_cf=true ; bluestore_tracing=false
bluestore_warn_on_bluefs_spillover=true ; bluestore_warn_on_legacy_statfs=true
bluestore_warn_on_no_per_pg_omap=false ; bluestore_warn_on_no_per_pool_omap=true
bluestore_warn_on_spurious_read_errors=true ; cephsqlite_blocklist_dead_locker=true
cephx_cluster_require_signatures=false ; cephx_require_signatures=false
cephx_service_require_signatures=false ; cephx_sign_messages=true ; client_check_pool_perm=true
client_collect_and_send_global_metrics=false ; client_die_on_failed_dentry_invalidate=true
client_dirsize_rbytes=true ; client_force_lazyio=false ; client_oc=true ; client_permissions=true
client_quota=true ; client_quota_df=true ; client_reconnect_stale=false ; compressor_zlib_isal=false
defer_client_eviction_on_laggy_osds=true ; event_tracing=false ; filestore_btrfs_clone_range=true
filestore_collect_device_partition_information=true ; filestore_fadvise=true ; filestore_fiemap=false
filestore_punch_hole=false ; filestore_seek_data_hole=false ; filestore_splice=false
filestore_wbthrottle_enable=true ; filestore_xfs_extsize=false ; fuse_allow_other=true
fuse_atomic_o_trunc=true ; fuse_big_writes=true ; fuse_disable_pagecache=false ; fuse_multithreaded=true
fuse_require_active_mds=true ; fuse_set_user_groups=true ; fuse_splice_move=true ; fuse_splice_read=true
fuse_splice_write=true ; fuse_syncfs_on_mksnap=true ; fuse_use_invalidate_cb=true
kstore_fsck_on_mount=false ; kstore_fsck_on_mount_deep=true ; kstore_sync_submit_transaction=false
kstore_sync_transaction=false ; leveldb_compact_on_mount=false ; leveldb_compression=true
leveldb_log_to_ceph_log=true ; leveldb_paranoid=false ; log_coarse_timestamps=true ; log_flush_on_exit=false
mds_abort_on_newly_corrupt_dentry=true ; mds_bal_export_pin=true ; mds_bal_fragment_dirs=true
mds_deny_all_reconnect=false ; mds_early_reply=true ; mds_enable_op_tracker=true
mds_enforce_unique_name=true ; mds_export_ephemeral_distributed=true ; mds_export_ephemeral_random=true
mds_forward_all_requests_to_auth=false ; mds_go_bad_corrupt_dentry=true
mds_hack_allow_loading_invalid_metadata=false ; mds_session_blocklist_on_evict=true
mds_session_blocklist_on_timeout=true ; mds_snap_rstat=false ; memstore_page_set=false
mgr_standby_modules=true ; mon_allow_pool_delete=false ; mon_allow_pool_size_one=false
mon_auth_validate_all_caps=true ; mon_cluster_log_to_file=true ; mon_cluster_log_to_stderr=false
mon_compact_on_bootstrap=false ; mon_compact_on_start=false ; mon_compact_on_trim=true
mon_enable_op_tracker=true ; mon_fake_pool_delete=false ; mon_force_quorum_join=false
mon_health_to_clog=true ; mon_mds_skip_sanity=false ; mon_osd_adjust_down_out_interval=true
mon_osd_adjust_heartbeat_grace=true ; mon_osd_auto_mark_auto_out_in=true ; mon_osd_auto_mark_in=false
mon_osd_auto_mark_new_in=true ; mon_osd_crush_smoke_test=true ; mon_osdmap_full_prune_enabled=true
mon_warn_on_cache_pools_without_hit_sets=true ; mon_warn_on_crush_straw_calc_version_zero=true
mon_warn_on_degraded_stretch_mode=true ; mon_warn_on_insecure_global_id_reclaim=true
mon_warn_on_insecure_global_id_reclaim_allowed=true ; mon_warn_on_legacy_crush_tunables=true
mon_warn_on_misplaced=false ; mon_warn_on_msgr2_not_enabled=true ; mon_warn_on_older_version=true
mon_warn_on_osd_down_out_interval_zero=true ; mon_warn_on_pool_no_redundancy=true
mon_warn_on_too_few_osds=true ; ms_async_rdma_cm=false ; ms_async_rdma_enable_hugepage=false
ms_async_rdma_support_srq=true ; ms_bind_before_connect=false ; ms_bind_ipv4=true ; ms_bind_ipv6=false
ms_bind_msgr1=true ; ms_bind_msgr2=true ; ms_bind_prefer_ipv4=false ; ms_dpdk_hw_flow_control=true
ms_dpdk_lro=true ; ms_dump_on_send=false ; ms_learn_addr_from_peer=true ; ms_tcp_nodelay=true
objectstore_blackhole=false ; osd_aggregated_slow_ops_logging=true ; osd_auto_mark_unfound_lost=false
osd_backoff_on_degraded=false ; osd_backoff_on_peering=false ; osd_backoff_on_unfound=true
osd_blkin_trace_all=false ; osd_calc_pg_upmaps_aggressively=true ; osd_check_for_log_corruption=false
osd_class_update_on_start=true ; osd_compact_on_start=false ; osd_crush_update_on_start=true
osd_crush_update_weight_set=true ; osd_discard_disconnected_ops=true ; osd_enable_op_tracker=true
osd_fast_fail_on_connection_refused=true ; osd_fast_info=true ; osd_fast_shutdown=true
osd_fast_shutdown_notify_mon=true ; osd_function_tracing=false ; osd_heartbeat_use_min_delay_socket=false
osd_ignore_stale_divergent_priors=false ; osd_journal_flush_on_shutdown=true ; osd_map_dedup=true
osd_memory_target_autotune=false ; osd_objectstore_fuse=false ; osd_objectstore_tracing=false
osd_open_classes_on_start=true ; osd_pool_default_ec_fast_read=false ; osd_pool_default_flag_bulk=false
osd_pool_default_flag_hashpspool=true ; osd_pool_default_flag_nodelete=false
osd_pool_default_flag_nopgchange=false ; osd_pool_default_flag_nosizechange=false
osd_read_ec_check_for_errors=false ; osd_recover_clone_overlap=true ; osd_repair_during_recovery=false
osd_scrub_auto_repair=false ; osd_scrub_during_recovery=false ; osd_scrub_invalid_stats=true
osd_shutdown_pgref_assert=false ; osd_tracing=false ; osd_use_stale_snap=false ; osdc_blkin_trace_all=false
perf=true ; qat_compressor_enabled=false ; rados_tracing=false
rbd_auto_exclusive_lock_until_manual_request=true ; rbd_balance_parent_reads=false
rbd_balance_snap_reads=false ; rbd_blkin_trace_all=false ; rbd_blocklist_on_break_lock=true ; rbd_cache=true
rbd_cache_block_writes_upfront=false ; rbd_cache_writethrough_until_flush=true ; rbd_clone_copy_on_read=false
rbd_disable_zero_copy_writes=true ; rbd_discard_on_zeroed_write_same=true ; rbd_enable_alloc_hint=true
rbd_journal_object_writethrough_until_flush=true ; rbd_localize_parent_reads=false
rbd_localize_snap_reads=false ; rbd_mirroring_resync_after_disconnect=false ; rbd_non_blocking_aio=true
rbd_parent_cache_enabled=false ; rbd_skip_partial_discard=true ; rbd_tracing=false ; rbd_validate_names=true
rbd_validate_pool=true ; rgw_cache_enabled=true ; rgw_content_length_compat=false
rgw_copy_obj_progress=true ; rgw_crypt_require_ssl=true ; rgw_crypt_suppress_logs=true
rgw_crypt_vault_verify_ssl=true ; rgw_enable_gc_threads=true ; rgw_enable_lc_threads=true
rgw_enable_ops_log=false ; rgw_enable_quota_threads=true ; rgw_enable_usage_log=false
rgw_enforce_swift_acls=true ; rgw_expose_bucket=false ; rgw_ignore_get_invalid_range=false
rgw_keystone_verify_ssl=true ; rgw_log_nonexistent_bucket=false ; rgw_log_object_name_utc=false
rgw_nfs_run_gc_threads=false ; rgw_nfs_run_lc_threads=false ; rgw_nfs_run_quota_threads=false
rgw_nfs_run_sync_thread=false ; rgw_nfs_s3_fast_attrs=false ; rgw_op_tracing=false ; rgw_opa_verify_ssl=true
rgw_ops_log_rados=true ; rgw_print_continue=true ; rgw_print_prohibited_content_length=false
rgw_rados_tracing=false ; rgw_relaxed_region_enforcement=false ; rgw_relaxed_s3_bucket_names=false
rgw_resolve_cname=false ; rgw_rest_getusage_op_compat=false ; rgw_run_sync_thread=true
rgw_s3_auth_use_keystone=false ; rgw_s3_auth_use_ldap=false ; rgw_s3_auth_use_rados=true
rgw_s3_auth_use_sts=false ; rgw_swift_account_in_url=false ; rgw_swift_enforce_content_length=false
rgw_swift_need_stats=true ; rgw_swift_versioning_enabled=false ; rgw_sync_obj_etag_verify=false
rgw_torrent_flag=false ; rgw_trust_forwarded_https=false ; rgw_use_opa_authz=false
rgw_user_quota_sync_idle_users=false ; rgw_verify_ssl=true ; rocksdb_collect_compaction_stats=false
rocksdb_collect_extended_stats=false ; rocksdb_collect_memory_stats=false ; rocksdb_log_to_ceph_log=true
rocksdb_perf=false ; throttler_perf_counter=true
# bool basic r-
err_to_graylog=false ; err_to_stderr=false ; err_to_syslog=false ; log_to_file=true ; log_to_graylog=false
log_to_stderr=true ; log_to_syslog=false ; mon_memory_autotune=true
rbd_move_parent_to_trash_on_remove=false ; rbd_move_to_trash_on_remove=false ; rgw_dynamic_resharding=true
rgw_enable_static_website=false ; rgw_user_unique_email=true
# bool dev --
bluefs_check_volume_selector_often=false ; bluestore_block_create=true ; bluestore_block_db_create=false
bluestore_block_preallocate_file=false ; bluestore_block_wal_create=false ; bluestore_bluefs=true
bluestore_bluefs_env_mirror=false ; lockdep_force_backtrace=false
mon_debug_no_initial_persistent_features=false ; mon_debug_no_require_octopus=false
mon_debug_no_require_pacific=false ; thp=false
# bool dev -n
client_use_faked_inos=false ; lockdep=false
# bool dev r-
auth_debug=false ; bdev_debug_aio=false ; bdev_debug_inflight_ios=false ; bluefs_check_for_zeros=false
bluefs_check_volume_selector_on_umount=false ; bluefs_replay_recovery=false ; bluestore_cache_autotune=true
bluestore_debug_freelist=false ; bluestore_debug_fsck_abort=false ; bluestore_debug_inject_bug21040=false
bluestore_debug_inject_read_err=false ; bluestore_debug_legacy_omap=false
bluestore_debug_no_reuse_blocks=false ; bluestore_debug_omit_block_device_write=false
bluestore_debug_omit_kv_commit=false ; bluestore_debug_permit_any_bdev_label=false
bluestore_fsck_on_mkfs=true ; bluestore_fsck_on_mkfs_deep=false ; bluestore_fsck_on_mount=false
bluestore_fsck_on_mount_deep=false ; bluestore_fsck_on_umount=false ; bluestore_fsck_on_umount_deep=false
bluestore_fsck_quick_fix_on_mount=false ; bluestore_ignore_data_csum=false
bluestore_sync_submit_transaction=false ; client_debug_force_sync_read=false
client_debug_getattr_caps=false ; client_die_on_failed_remount=false ; client_inject_fixed_oldest_tid=false
client_inject_release_failure=false ; client_try_dentry_invalidate=false ; client_use_random_mds=false
debug_allow_any_pool_priority=false ; debug_asok_assert_abort=false ; debug_asserts_on_shutdown=false
debug_deliberately_leak_memory=false ; debug_disable_randomized_ping=false ; filestore_blackhole=false
filestore_btrfs_snap=true ; filestore_debug_inject_read_err=false ; filestore_debug_omap_check=false
filestore_debug_verify_split=false ; filestore_fail_eio=true ; filestore_fsync_flushes_journal_data=false
filestore_journal_parallel=false ; filestore_journal_trailing=false ; filestore_journal_writeahead=false
filestore_odsync_write=false ; filestore_sloppy_crc=false ; filestore_zfs_snap=false
inject_early_sigterm=false ; journal_aio=true ; journal_block_align=true ; journal_dio=true
journal_discard=false ; journal_force_aio=false ; journal_ignore_corruption=false
journal_zero_on_create=false ; mds_connect_bootstrapping=false ; mds_debug_auth_pins=false
mds_debug_frag=false ; mds_debug_scatterstat=false ; mds_debug_subtrees=false ; mds_defer_session_stale=true
mds_dump_cache_after_rejoin=false ; mds_dump_cache_on_map=false ; mds_inject_health_dummy=false
mds_inject_migrator_session_race=false ; mds_inject_skip_replaying_inotable=false
mds_kill_skip_replaying_inotable=false ; mds_log_pause=false ; mds_log_skip_corrupt_events=false
mds_standby_replay_damaged=false ; mds_valgrind_exit=false ; mds_verify_scatter=false
mds_wipe_ino_prealloc=false ; mds_wipe_sessions=false ; memstore_debug_omit_block_device_write=false
mgr_debug_aggressive_pg_num_changes=false ; mon_debug_block_osdmap_trim=false
mon_debug_deprecated_as_obsolete=false ; mon_debug_dump_json=false ; mon_debug_dump_transactions=false
mon_debug_extra_checks=false ; mon_debug_no_require_bluestore_for_ec_overwrites=false
mon_debug_unsafe_allow_tier_with_nonempty_snaps=false ; mon_health_detail_to_clog=true
mon_osd_prime_pg_temp=true ; mon_sync_debug=false ; mon_warn_on_pool_no_app=true
mon_warn_on_pool_pg_num_not_power_of_two=true ; ms_blackhole_client=false ; ms_blackhole_mds=false
ms_blackhole_mgr=false ; ms_blackhole_mon=false ; ms_blackhole_osd=false ; ms_crc_data=true
ms_crc_header=true ; ms_die_on_bad_msg=false ; ms_die_on_bug=false ; ms_die_on_old_message=false
ms_die_on_skipped_message=false ; ms_die_on_unhandled_msg=false ; ms_dpdk_debug_allow_loopback=false
objecter_debug_inject_relock_delay=false ; objecter_inject_no_watch_ping=false
objecter_retry_writes_after_first_reply=false ; osd_allow_recovery_below_min_size=true
osd_check_max_object_name_len_on_startup=true ; osd_debug_crash_on_ignored_backoff=false
osd_debug_inject_copyfrom_error=false ; osd_debug_misdirected_ops=false ; osd_debug_no_acting_change=false
osd_debug_no_purge_strays=false ; osd_debug_op_order=false ; osd_debug_pg_log_writeout=false
osd_debug_pretend_recovery_active=false ; osd_debug_shutdown=false
osd_debug_skip_full_check_in_backfill_reservation=false ; osd_debug_skip_full_check_in_recovery=false
osd_debug_verify_cached_snaps=false ; osd_debug_verify_missing_on_start=false ; osd_debug_verify_snaps=false
osd_debug_verify_stray_on_activate=false ; osd_find_best_info_ignore_history_les=false
osd_inject_failure_on_pg_removal=false ; osd_mclock_skip_benchmark=false ; osd_pool_use_gmt_hitset=true
osd_rocksdb_iterator_bounds_enabled=true ; osd_skip_data_digest=false
rbd_invalidate_object_map_on_timeout=true ; rbd_mirror_memory_autotune=true
rgw_debug_inject_olh_cancel_modification_err=false ; rocksdb_cache_index_and_filter_blocks=true
rocksdb_cache_index_and_filter_blocks_with_high_priority=false ; rocksdb_cf_compact_on_deletion=false
rocksdb_partition_filters=false ; rocksdb_pin_l0_filter_and_index_blocks_in_cache=false
# bool dev rn
mempool_debug=false
# float advanced --
bluestore_volume_selection_reserved_factor=2
# float advanced -n
mon_cache_target_full_warn_ratio=0.66 ; mon_osd_backfillfull_ratio=0.9 ; mon_osd_full_ratio=0.95
mon_osd_nearfull_ratio=0.85
# float advanced r-
auth_mon_ticket_ttl=259200 ; auth_service_ticket_ttl=3600 ; bdev_flock_retry_interval=0.1
bluefs_failed_shared_alloc_cooldown=600 ; bluefs_log_compact_min_ratio=5
bluestore_bluefs_alloc_failure_dump_interval=0 ; bluestore_cache_trim_interval=0.05
bluestore_compression_required_ratio=0.875 ; bluestore_kv_sync_util_logging_s=10
bluestore_log_collection_list_age=60 ; bluestore_log_omap_iterator_age=5 ; bluestore_log_op_age=5
bluestore_max_defer_interval=3 ; bluestore_throttle_trace_rate=0 ; client_cache_mid=0.75
client_oc_max_dirty_age=5 ; filestore_commit_timeout=600 ; filestore_expected_throughput_bytes=209715200
filestore_expected_throughput_ops=200 ; filestore_max_sync_interval=5 ; immutable_object_cache_watermark=0.9
mds_bal_fragment_fast_factor=1.5 ; mds_bal_idle_threshold=0 ; mds_bal_replicate_threshold=8000
mds_bal_sample_interval=3 ; mds_bal_split_rd=25000 ; mds_bal_split_wr=10000 ; mds_bal_target_decay=10
mds_bal_unreplicate_threshold=0 ; mds_beacon_grace=15 ; mds_beacon_interval=4 ; mds_cache_mid=0.7
mds_cache_reservation=0.05 ; mds_cache_trim_decay_rate=1
mds_cap_acquisition_throttle_retry_request_timeout=0.5 ; mds_cap_revoke_eviction_timeout=0
mds_decay_halflife=5 ; mds_export_ephemeral_distributed_factor[1,100]=2
mds_export_ephemeral_random_max[0,1]=0.01 ; mds_health_cache_threshold=1.5 ; mds_heartbeat_grace=15
mds_log_warn_factor[1,]=2 ; mds_max_purge_ops_per_pg=0.5 ; mds_mon_shutdown_timeout=5
mds_op_complaint_time=30 ; mds_recall_max_decay_rate=1.5 ; mds_recall_warning_decay_rate=60
mds_reconnect_timeout=45 ; mds_replay_interval=1 ; mds_request_load_average_decay_rate=60
mds_scatter_nudge_interval=5 ; mds_session_cache_liveness_decay_rate=300
mds_session_cap_acquisition_decay_rate=30 ; mds_session_max_caps_throttle_ratio=1.1 ; mds_tick_interval=5
mgr_service_beacon_grace=60 ; mon_accept_timeout_factor=2 ; mon_client_hunt_interval=3
mon_client_hunt_interval_backoff=1.5 ; mon_client_hunt_interval_max_multiple=10
mon_client_hunt_interval_min_multiple=1 ; mon_client_log_interval=1 ; mon_client_ping_interval=10
mon_client_ping_timeout=30 ; mon_clock_drift_allowed=0.05 ; mon_clock_drift_warn_backoff=5
mon_delta_reset_interval=10 ; mon_election_timeout=5 ; mon_elector_ignore_propose_margin=0.0005
mon_elector_ping_timeout=2 ; mon_lease=5 ; mon_lease_ack_timeout_factor[1.0001,100]=2
mon_lease_renew_interval_factor[0,0.9999999]=0.6 ; mon_osd_blocklist_default_expire=3600
mon_osd_err_op_age_ratio=128 ; mon_osd_laggy_weight[0,1]=0.3 ; mon_osd_min_in_ratio=0.75
mon_osd_min_up_ratio=0.3 ; mon_osd_prime_pg_temp_max_estimate=0.25 ; mon_osd_warn_op_age=32
mon_pg_check_down_all_threshold=0.5 ; mon_pg_warn_max_object_skew=10 ; mon_probe_timeout=2
mon_reweight_max_change=0.05 ; mon_stretch_cluster_recovery_ratio[0.51,1]=0.6
mon_stretch_recovery_min_wait[1,]=15 ; mon_sync_timeout=60 ; mon_timecheck_interval=300
mon_timecheck_skew_interval=30 ; mon_warn_on_slow_ping_ratio=0.05 ; mon_warn_on_slow_ping_time=0
mon_warn_pg_not_deep_scrubbed_ratio[0,]=0.75 ; mon_warn_pg_not_scrubbed_ratio[0,]=0.5
ms_dpdk_hw_queue_weight=1 ; ms_initial_backoff=0.2 ; ms_max_backoff=15 ; objecter_timeout=10
osd_agent_delay_time=5 ; osd_agent_min_evict_effort[0,0.99]=0.1 ; osd_agent_quantize_effort=0.1
osd_agent_slop=0.02 ; osd_backfill_retry_interval=30 ; osd_crush_initial_weight=-1
osd_deep_scrub_interval=604800 ; osd_deep_scrub_randomize_ratio=0.15 ; osd_delete_sleep=0
osd_delete_sleep_hdd=5 ; osd_delete_sleep_hybrid=1 ; osd_delete_sleep_ssd=1 ; osd_failsafe_full_ratio=0.97
osd_heartbeat_min_healthy_ratio=0.33 ; osd_max_pg_per_osd_hard_ratio[1,]=3
osd_mclock_scheduler_anticipation_timeout=0 ; osd_memory_target_cgroup_limit_ratio[0,1]=0.8
osd_mon_shutdown_timeout=5 ; osd_op_complaint_time=30 ; osd_op_history_slow_op_threshold=10
osd_pg_epoch_max_lag_factor=2 ; osd_pool_default_cache_target_dirty_high_ratio=0.6
osd_pool_default_cache_target_dirty_ratio=0.4 ; osd_pool_default_cache_target_full_ratio=0.8
osd_pool_default_hit_set_bloom_fpp=0.05 ; osd_recovery_delay_start=0 ; osd_recovery_retry_interval=30
osd_recovery_sleep=0 ; osd_recovery_sleep_hdd=0.1 ; osd_recovery_sleep_hybrid=0.025
osd_recovery_sleep_ssd=0 ; osd_scrub_extended_sleep=0 ; osd_scrub_interval_randomize_ratio=0.5
osd_scrub_load_threshold=0.5 ; osd_scrub_max_interval=604800 ; osd_scrub_min_interval=86400
osd_scrub_sleep=0 ; osd_snap_trim_sleep=0 ; osd_snap_trim_sleep_hdd=5 ; osd_snap_trim_sleep_hybrid=2
osd_snap_trim_sleep_ssd=0 ; paxos_min_wait=0.05 ; paxos_propose_interval=1 ; rbd_cache_max_dirty_age=1
rbd_journal_commit_age=5 ; rbd_journal_object_flush_age=0 ; rbd_mirror_delete_retry_interval=30
rbd_mirror_image_policy_rebalance_timeout=0 ; rbd_mirror_image_policy_update_throttle_interval[1,]=1
rbd_mirror_journal_commit_age=5 ; rbd_mirror_journal_poll_age=5 ; rbd_mirror_sync_point_update_age=30
rgw_dmclock_admin_lim=0 ; rgw_dmclock_admin_res=100 ; rgw_dmclock_admin_wgt=100 ; rgw_dmclock_auth_lim=0
rgw_dmclock_auth_res=200 ; rgw_dmclock_auth_wgt=100 ; rgw_dmclock_data_lim=0 ; rgw_dmclock_data_res=500
rgw_dmclock_data_wgt=500 ; rgw_dmclock_metadata_lim=0 ; rgw_dmclock_metadata_res=500
rgw_dmclock_metadata_wgt=500 ; rgw_period_push_interval=2 ; rgw_period_push_interval_max=30
rgw_rados_pool_autoscale_bias[0.01,100000]=4 ; rgw_shard_warning_threshold=90 ; rocksdb_cache_row_ratio=0
# float basic r-
log_stop_at_utilization[0,1]=0.97 ; osd_mclock_max_capacity_iops_hdd=315
osd_mclock_max_capacity_iops_ssd=21500 ; target_max_misplaced_ratio=0.05
# float dev r-
bdev_debug_aio_log_age=5 ; bdev_debug_aio_suicide_timeout=60 ; bluestore_2q_cache_kin_ratio=0.5
bluestore_2q_cache_kout_ratio=0.5 ; bluestore_alloc_stats_dump_interval=86400
bluestore_cache_autotune_interval=5 ; bluestore_cache_kv_onode_ratio=0.04 ; bluestore_cache_kv_ratio=0.45
bluestore_cache_meta_ratio=0.45 ; bluestore_debug_inject_csum_err_probability=0 ; bluestore_debug_prefill=0
bluestore_debug_random_read_err=0 ; bluestore_extent_map_shard_target_size_slop=0.2
bluestore_fsck_shared_blob_tracker_size=0.03125 ; filestore_debug_random_read_err=0
filestore_index_retry_probability=0 ; filestore_min_sync_interval=0.01
filestore_queue_high_delay_multiple=0 ; filestore_queue_high_delay_multiple_bytes=0
filestore_queue_high_delay_multiple_ops=0 ; filestore_queue_high_threshhold=0.9
filestore_queue_low_threshhold=0.3 ; filestore_queue_max_delay_multiple=0
filestore_queue_max_delay_multiple_bytes=0 ; filestore_queue_max_delay_multiple_ops=0
journal_throttle_high_multiple=0 ; journal_throttle_high_threshhold=0.9 ; journal_throttle_low_threshhold=0.6
journal_throttle_max_multiple=0 ; mds_bal_midchunk=0.3 ; mds_bal_min_rebalance=0.1 ; mds_bal_min_start=0.2
mds_bal_minchunk=0.001 ; mds_bal_need_max=1.2 ; mds_bal_need_min=0.8 ; mds_dirstat_min_interval=1
mds_freeze_tree_timeout=30 ; mds_inject_journal_corrupt_dentry_first=0
mds_inject_rename_corrupt_dentry_first=0 ; mds_inject_traceless_reply_probability=0
mds_purge_queue_busy_flush_period=1 ; mds_sleep_rank_change=0 ; mds_task_status_update_interval=2
mgr_client_service_daemon_unregister_timeout=1 ; mgr_connect_retry_interval=1
mon_health_to_clog_tick_interval=60 ; mon_inject_pg_merge_bounce_probability=0
mon_inject_sync_get_chunk_delay=0 ; mon_inject_transaction_delay_max=10
mon_inject_transaction_delay_probability=0 ; mon_mds_blocklist_interval[3600,]=86400
mon_mgr_blocklist_interval[3600,]=86400 ; mon_mgr_proxy_client_bytes_ratio=0.3
mon_osd_prime_pg_temp_max_time=0.5 ; mon_scrub_inject_crc_mismatch=0 ; mon_scrub_inject_missing_keys=0
mon_subscribe_interval=86400 ; ms_inject_delay_max=1 ; ms_inject_delay_probability=0
ms_inject_internal_delays=0 ; objecter_tick_interval=5 ; osd_debug_deep_scrub_sleep=0
osd_debug_drop_ping_probability=0 ; osd_debug_inject_dispatch_delay_duration=0.1
osd_debug_inject_dispatch_delay_probability=0 ; osd_debug_random_push_read_error=0
osd_debug_reject_backfill_probability=0 ; osd_force_recovery_pg_log_entries_factor=1.3
osd_inject_bad_map_crc_probability=0 ; osd_mclock_cost_per_byte_usec=0
osd_mclock_cost_per_byte_usec_hdd=5.2 ; osd_mclock_cost_per_byte_usec_ssd=0.011
osd_mclock_cost_per_io_usec=0 ; osd_mclock_cost_per_io_usec_hdd=25000 ; osd_mclock_cost_per_io_usec_ssd=50
osd_memory_cache_resize_interval=1 ; osd_memory_expected_fragmentation[0,1]=0.15
osd_pool_default_read_lease_ratio=0.8 ; osd_scrub_backoff_ratio=0.66
rbd_mirror_memory_cache_autotune_interval=30 ; rbd_mirror_memory_cache_resize_interval=5
rbd_mirror_memory_expected_fragmentation[0,1]=0.15 ; rgw_inject_notify_timeout_probability[0,1]=0
rgw_sync_data_inject_err_probability=0 ; rgw_sync_meta_inject_err_probability=0
# int advanced --
bluestore_volume_selection_reserved=0 ; heartbeat_interval=5 ; mds_numa_node=-1 ; osd_numa_node=-1
osd_objecter_finishers=1 ; osd_op_num_shards=0 ; osd_op_num_shards_hdd=5 ; osd_op_num_shards_ssd=8
osd_op_num_threads_per_shard=0 ; osd_op_num_threads_per_shard_hdd=1 ; osd_op_num_threads_per_shard_ssd=2
rgw_numa_node=-1
# int advanced r-
bdev_aio_max_queue_depth=1024 ; bdev_aio_poll_ms=250 ; bdev_aio_reap_max=16
bluestore_fsck_quick_fix_threads=2 ; cephx_cluster_require_version=2 ; cephx_require_version=2
cephx_service_require_version=2 ; client_mount_gid=-1 ; client_mount_uid=-1 ; client_oc_max_objects=1000
client_readahead_max_periods=4 ; compressor_zlib_level=5 ; compressor_zlib_winsize[-15,32]=-15
compressor_zstd_level=1 ; crush_location_hook_timeout=10 ; filestore_op_thread_suicide_timeout=180
filestore_op_thread_timeout=60 ; filestore_op_threads=2 ; journal_max_write_entries=100
journaler_write_head_interval=15 ; leveldb_bloom_size=0 ; leveldb_max_open_files=0 ; log_max_new=1000
log_max_recent[1,]=500 ; max_rotating_auth_attempts=10 ; mds_bal_fragment_interval=5
mds_bal_fragment_size_max=100000 ; mds_bal_interval=10 ; mds_bal_merge_size=50 ; mds_bal_split_bits[1,24]=3
mds_bal_split_size=10000 ; mds_client_prealloc_inos=1000 ; mds_damage_table_max_entries=10000
mds_default_dir_hash=2 ; mds_dir_keys_per_op=16384 ; mds_dir_max_commit_size=10
mds_health_summarize_threshold=10 ; mds_log_events_per_segment=1024 ; mds_log_max_events=-1
mds_max_scrub_ops_in_progress=5 ; mds_root_ino_gid=0 ; mds_root_ino_uid=0 ; mgr_max_pg_num_change=128
mgr_stats_threshold[0,11]=5 ; mon_client_max_log_entries_per_message=1000 ; mon_cpu_threads=4
mon_data_avail_crit=5 ; mon_data_avail_warn=30 ; mon_health_to_clog_interval=600
mon_max_log_entries_per_event=4096 ; mon_max_log_epochs=500 ; mon_max_mdsmap_epochs=500
mon_max_mgrmap_epochs=500 ; mon_max_osd=10000 ; mon_mgr_inactive_grace=60 ; mon_mgr_mkfs_grace=120
mon_min_osdmap_epochs=500 ; mon_op_log_threshold=5 ; mon_osd_cache_size=500
mon_osd_destroyed_out_interval=600 ; mon_osd_down_out_interval=600 ; mon_osd_laggy_halflife=3600
mon_osd_laggy_max_interval=300 ; mon_osd_max_creating_pgs=1024 ; mon_osd_max_initial_pgs=1024
mon_osd_report_timeout=900 ; mon_osd_snap_trim_queue_warn_on=32768 ; mon_pg_stuck_threshold=60
mon_pg_warn_min_objects=10000 ; mon_pg_warn_min_pool_objects=1000 ; mon_pool_quota_crit_threshold=0
mon_pool_quota_warn_threshold=0 ; mon_reweight_max_osds=4 ; mon_scrub_max_keys=100 ; mon_scrub_timeout=300
mon_session_timeout=300 ; mon_sync_max_payload_keys=2000 ; mon_tick_interval=5 ; ms_async_rdma_dscp=96
ms_async_rdma_gid_idx=0 ; ms_async_rdma_roce_ver=1 ; ms_async_rdma_sl=3 ; ms_bind_port_max=7300
ms_bind_port_min=6800 ; ms_bind_retry_count=3 ; ms_bind_retry_delay=5 ; ms_dpdk_port_id=0
ms_dpdk_rx_buffer_count_per_core=8192 ; ms_dump_corrupt_message_level=1 ; ms_max_accept_failures=4
ms_tcp_listen_backlog=512 ; osd_agent_hist_halflife=1000 ; osd_agent_max_low_ops=2 ; osd_agent_max_ops=4
osd_backfill_scan_max=512 ; osd_backfill_scan_min=64 ; osd_beacon_report_interval=300
osd_command_max_records=256 ; osd_command_thread_suicide_timeout=900 ; osd_command_thread_timeout=600
osd_deep_scrub_keys=1024 ; osd_deep_scrub_update_digest_min_age=7200 ; osd_default_data_pool_replay_window=45
osd_heartbeat_grace=20 ; osd_heartbeat_min_peers=10 ; osd_heartbeat_stale=600 ; osd_hit_set_max_size=100000
osd_hit_set_min_size=1000 ; osd_map_cache_size=50 ; osd_map_message_max=40 ; osd_map_share_max_epochs=40
osd_max_markdown_count=5 ; osd_max_markdown_period=600 ; osd_max_scrubs=1 ; osd_min_recovery_priority=0
osd_mon_heartbeat_interval=30 ; osd_mon_heartbeat_stat_stale=3600 ; osd_mon_report_interval=5
osd_mon_report_max_in_flight=2 ; osd_op_log_threshold=5 ; osd_op_thread_suicide_timeout=150
osd_op_thread_timeout=15 ; osd_pg_object_context_cache_count=64 ; osd_pg_stat_report_interval_max=500
osd_pool_default_cache_max_evict_check_size=10 ; osd_pool_default_cache_min_evict_age=0
osd_pool_default_cache_min_flush_age=0 ; osd_pool_default_crush_rule=-1 ; osd_scrub_begin_hour[0,23]=0
osd_scrub_begin_week_day[0,6]=0 ; osd_scrub_chunk_max=25 ; osd_scrub_chunk_min=5 ; osd_scrub_end_hour[0,23]=0
osd_scrub_end_week_day[0,6]=0 ; osd_target_transaction_size=30 ; paxos_max_join_drift=10 ; paxos_min=500
paxos_stash_full_interval=25 ; paxos_trim_max=500 ; paxos_trim_min=250
rbd_mirror_image_perf_stats_prio[0,11]=5 ; rbd_mirror_perf_stats_prio[0,11]=5 ; rgw_acl_grants_max_num=100
rgw_bucket_default_quota_max_size=-1 ; rgw_bucket_quota_cache_size=10000 ; rgw_bucket_quota_ttl=600
rgw_cache_lru_size=10000 ; rgw_cors_rules_max_num=100 ; rgw_curl_low_speed_limit=1024
rgw_curl_low_speed_time=300 ; rgw_data_log_num_shards=128 ; rgw_data_log_window=30
rgw_data_notify_interval_msec=200 ; rgw_delete_multi_obj_max_num=1000 ; rgw_exit_timeout_secs=120
rgw_fcgi_socket_backlog=1024 ; rgw_gc_max_concurrent_io=10 ; rgw_gc_max_objs=32 ; rgw_gc_max_trim_chunk=16
rgw_gc_obj_min_wait=7200 ; rgw_gc_processor_max_time=3600 ; rgw_gc_processor_period=3600
rgw_keystone_api_version=2 ; rgw_keystone_token_cache_size=10000 ; rgw_lc_max_objs=32 ; rgw_lc_max_worker=3
rgw_lc_max_wp_worker=3 ; rgw_lc_thread_delay=0 ; rgw_list_bucket_min_readahead=1000
rgw_list_buckets_max_chunk=1000 ; rgw_max_slo_entries=1000 ; rgw_md_log_max_shards=64
rgw_md_notify_interval_msec=200 ; rgw_mp_lock_max_time=600 ; rgw_multipart_part_upload_limit=10000
rgw_nfs_fhcache_partitions=3 ; rgw_nfs_fhcache_size=2017 ; rgw_nfs_lru_lane_hiwat=911 ; rgw_nfs_lru_lanes=5
rgw_nfs_max_gc[1,]=300 ; rgw_nfs_namespace_expire_secs[1,]=300 ; rgw_nfs_write_completion_interval_s=10
rgw_num_async_rados_threads=32 ; rgw_num_control_oids=8 ; rgw_obj_tombstone_cache_size=1000
rgw_s3_success_create_obj_status=0 ; rgw_safe_max_objects_per_shard=102400 ; rgw_swift_token_expiration=86400
rgw_sync_log_trim_concurrent_buckets=4 ; rgw_sync_log_trim_interval=1200 ; rgw_sync_log_trim_max_buckets=16
rgw_sync_log_trim_min_cold_buckets=4 ; rgw_sync_trace_per_node_log_size=32
rgw_sync_trace_servicemap_update_interval=10 ; rgw_usage_log_flush_threshold=1024
rgw_usage_log_tick_interval=30 ; rgw_usage_max_shards=32 ; rgw_usage_max_user_shards[1,]=1
rgw_user_quota_bucket_sync_interval=180 ; rgw_user_quota_sync_interval=86400
rgw_user_quota_sync_wait_time=86400 ; rgw_website_routing_rules_max_num=50 ; rocksdb_cache_shard_bits=4
rotating_keys_bootstrap_timeout=30 ; rotating_keys_renewal_timeout=10 ; threadpool_default_timeout=60
threadpool_empty_queue_max_wait=2
# int basic r-
log_graylog_port=12201 ; mgr_stats_period=5 ; rgw_bucket_default_quota_max_objects=-1 ; rgw_init_timeout=300
rgw_max_concurrent_requests=1024 ; rgw_thread_pool_size=512 ; rgw_user_default_quota_max_objects=-1
rgw_user_default_quota_max_size=-1 ; rgw_user_max_buckets=1000
# int dev --
osd_crush_chooseleaf_type=1
# int dev r-
bdev_inject_crash=0 ; bdev_inject_crash_flush_delay=2 ; bluestore_debug_randomize_serial_transaction=0
bluestore_debug_small_allocations=0 ; bluestore_debug_too_many_blobs_threshold=24576
bluestore_gc_enable_blob_threshold=0 ; bluestore_gc_enable_total_threshold=0 ; bluestore_nid_prealloc=1024
client_notify_timeout=10 ; debug_heartbeat_testing_span=0 ; fake_statfs_for_testing=0
filestore_apply_finisher_threads=1 ; filestore_caller_concurrency=10 ; filestore_fd_cache_shards=16
filestore_fd_cache_size=128 ; filestore_inject_stall=0 ; filestore_kill_at=0 ; filestore_merge_threshold=-10
filestore_ondisk_finisher_threads=1 ; filestore_split_multiple=2 ; filestore_update_to=1000
heartbeat_inject_failure=0 ; journal_replay_from=0 ; mds_bal_max=-1 ; mds_bal_max_until=-1 ; mds_bal_mode=0
mds_kill_create_at=0 ; mds_kill_export_at=0 ; mds_kill_import_at=0 ; mds_kill_journal_at=0
mds_kill_journal_expire_at=0 ; mds_kill_journal_replay_at=0 ; mds_kill_link_at=0 ; mds_kill_mdstable_at=0
mds_kill_openc_at=0 ; mds_kill_rename_at=0 ; mds_op_log_threshold=5 ; mds_shutdown_check=0 ; mds_skip_ino=0
mds_thrash_exports=0 ; mds_thrash_fragments=0 ; mon_client_directed_command_retry=2
mon_health_log_update_period[0,]=5 ; mon_mds_force_trim_to=0 ; mon_mgr_digest_period=5
mon_osd_force_trim_to=0 ; mon_osd_mapping_pgs_per_chunk=4096 ; mon_sync_provider_kill_at=0
mon_sync_requester_kill_at=0 ; osd_client_watch_timeout=30 ; osd_debug_drop_ping_duration=0
osd_debug_feed_pullee=-1 ; osd_heartbeat_interval[1,60]=6 ; osd_kill_backfill_at=0
osd_object_clean_region_max_num_intervals=10 ; osd_pool_default_flags=0 ; paxos_kill_at=0
rgw_curl_buffersize[1024,524288]=524288 ; rgw_curl_wait_timeout_ms=1000 ; rgw_data_log_changes_size=1000
rgw_lc_debug_interval=-1 ; rgw_lc_lock_max_time=90 ; rgw_olh_pending_timeout_sec=3600
rgw_op_thread_suicide_timeout=0 ; rgw_op_thread_timeout=600 ; rgw_sync_lease_period=120
rocksdb_cf_compact_on_deletion_sliding_window=32768 ; rocksdb_cf_compact_on_deletion_trigger=16384
# millisecs advanced r-
cephsqlite_lock_renewal_interval[100,]=2000 ; cephsqlite_lock_renewal_timeout[100,]=30000
immutable_object_cache_qos_schedule_tick_min[1,]=50
# secs advanced r-
cephfs_mirror_action_update_interval[1,]=2 ; cephfs_mirror_mount_timeout[0,]=10
cephfs_mirror_restart_mirror_on_blocklist_interval[0,]=30
cephfs_mirror_restart_mirror_on_failure_interval[0,]=20 ; client_mount_timeout=300
client_shutdown_timeout[0,]=30 ; immutable_object_cache_qos_bps_burst_seconds[1,]=1
immutable_object_cache_qos_iops_burst_seconds[1,]=1 ; mds_beacon_mon_down_grace=60
mds_cache_trim_interval=1 ; mds_metrics_update_interval=2 ; mds_ping_grace=15 ; mds_ping_interval=5
mgr_tick_period=2 ; mon_down_mkfs_grace=60 ; mon_mgr_beacon_grace=30 ; mon_op_complaint_time=30
mon_op_history_duration=600 ; mon_op_history_slow_op_threshold=10 ; mon_scrub_interval=86400
mon_warn_older_version_delay=604800 ; rados_mon_op_timeout[0,]=0 ; rados_osd_op_timeout[0,]=0
# secs dev r-
client_caps_release_delay=5 ; client_debug_inject_tick_delay=0 ; client_tick_interval=1
mds_cache_release_free_interval=10
# size advanced --
bluestore_max_alloc_size=0 ; bluestore_min_alloc_size_hdd=4096 ; bluestore_min_alloc_size_ssd=4096
osd_journal_size=5120 ; osd_num_cache_shards=32
# size advanced r-
bdev_block_size=4096 ; bluefs_alloc_size=1048576 ; bluefs_log_compact_min_size=16777216
bluefs_max_log_runway=4194304 ; bluefs_max_prefetch=1048576 ; bluefs_min_flush_size=524288
bluefs_min_log_runway=1048576 ; bluefs_shared_alloc_size=65536 ; bluestore_compression_max_blob_size=0
bluestore_compression_max_blob_size_hdd=65536 ; bluestore_compression_max_blob_size_ssd=65536
bluestore_compression_min_blob_size=0 ; bluestore_compression_min_blob_size_hdd=8192
bluestore_compression_min_blob_size_ssd=8192 ; bluestore_fsck_read_bytes_cap=67108864
bluestore_prefer_deferred_size=0 ; bluestore_prefer_deferred_size_hdd=65536
bluestore_prefer_deferred_size_ssd=0 ; bluestore_throttle_bytes=67108864 ; bluestore_throttle_cost_per_io=0
bluestore_throttle_deferred_bytes=134217728 ; client_oc_max_dirty=104857600 ; client_oc_size=209715200
client_oc_target_dirty=8388608 ; client_readahead_max_bytes=0 ; client_readahead_min=131072
filestore_queue_max_bytes=104857600 ; filestore_wbthrottle_btrfs_bytes_hard_limit=419430400
filestore_wbthrottle_btrfs_bytes_start_flusher=41943040 ; filestore_wbthrottle_xfs_bytes_hard_limit=419430400
filestore_wbthrottle_xfs_bytes_start_flusher=41943040 ; fuse_max_write=0
immutable_object_cache_max_size=1073741824 ; journal_max_write_bytes=10485760
kstore_default_stripe_size=65536 ; kstore_max_bytes=67108864 ; leveldb_block_size=0
leveldb_cache_size=134217728 ; leveldb_write_buffer_size=8388608 ; mds_alternate_name_max=8192
mds_cache_trim_threshold=262144 ; mds_log_segment_size=0 ; mds_max_xattr_pairs_size=65536
mds_recall_global_max_decay_threshold=131072 ; mds_recall_max_caps=30000
mds_recall_max_decay_threshold=131072 ; mds_recall_warning_threshold=262144
mds_session_cache_liveness_magnitude=10 ; mds_session_metadata_threshold=16777216
memstore_device_bytes=1073741824 ; memstore_page_size=65536 ; mon_client_bytes=104857600
mon_config_key_max_entry_size=65536 ; mon_daemon_bytes=419430400 ; mon_data_size_warn=16106127360
mon_osd_cache_size_min=134217728 ; mon_reweight_min_bytes_per_osd=104857600
mon_sync_max_payload_size=1048576 ; ms_async_rdma_buffer_size=131072 ; ms_dispatch_throttle_bytes=104857600
ms_tcp_prefetch_max_size=4096 ; ms_tcp_rcvbuf=0 ; objecter_inflight_op_bytes=104857600
osd_bench_large_size_max_throughput=104857600 ; osd_bench_max_block_size=67108864
osd_client_message_size_cap=524288000 ; osd_copyfrom_max_chunk=8388608
osd_deep_scrub_large_omap_object_value_sum_threshold=1073741824 ; osd_deep_scrub_stride=524288
osd_heartbeat_min_size=2000 ; osd_map_message_max_bytes=10485760 ; osd_max_object_size=134217728
osd_max_omap_bytes_per_request=1073741824 ; osd_max_push_cost=8388608 ; osd_max_write_op_reply_len=64
osd_max_write_size[4,]=90 ; osd_op_pq_min_cost=65536 ; osd_pg_delete_cost=1048576
osd_pool_erasure_code_stripe_unit=4096 ; osd_push_per_object_cost=1000 ; osd_recovery_cost=20971520
osd_recovery_max_chunk=8388608 ; osd_scrub_cost=52428800 ; osd_snap_trim_cost=1048576
osd_tier_promote_max_bytes_sec=5242880 ; rbd_cache_max_dirty=25165824 ; rbd_cache_size=33554432
rbd_cache_target_dirty=16777216 ; rbd_default_stripe_unit=0 ; rbd_journal_max_payload_bytes=16384
rbd_journal_object_flush_bytes=1048576 ; rbd_readahead_disable_after_bytes=52428800
rbd_readahead_max_bytes=524288 ; rbd_sparse_read_threshold_bytes=65536
rgw_copy_obj_progress_every_bytes=1048576 ; rgw_get_obj_max_req_size=4194304
rgw_get_obj_window_size=16777216 ; rgw_max_attr_name_len=0 ; rgw_max_attr_size=0 ; rgw_max_chunk_size=4194304
rgw_max_put_param_size=1048576 ; rgw_max_put_size=5368709120 ; rgw_multipart_min_part_size=5242880
rgw_obj_stripe_size=4194304 ; rgw_ops_log_data_backlog=5242880 ; rgw_put_obj_max_window_size=67108864
rgw_put_obj_min_window_size=16777216 ; rgw_sync_trace_history_size=4096 ; rgw_torrent_sha_unit=524288
rocksdb_block_size=4096 ; rocksdb_cache_size=536870912
# size basic r-
client_cache_size=16384 ; mds_cache_memory_limit=4294967296 ; mon_memory_target=2147483648
osd_memory_target[939524096,]=4294967296 ; rbd_mirror_memory_target=4294967296
# size dev --
bluestore_block_size=107374182400 ; bluestore_block_wal_size=100663296
# size dev r-
bluestore_avl_alloc_ff_max_search_bytes=16777216 ; bluestore_bitmapallocator_blocks_per_zone=1024
bluestore_bitmapallocator_span_size=1024 ; bluestore_cache_size=0 ; bluestore_cache_size_hdd=1073741824
bluestore_cache_size_ssd=3221225472 ; bluestore_debug_prefragment_max=1048576
bluestore_extent_map_inline_shard_prealloc_size=256 ; bluestore_extent_map_shard_max_size=1200
bluestore_extent_map_shard_min_size=150 ; bluestore_extent_map_shard_target_size=500
bluestore_freelist_blocks_per_key=128 ; bluestore_max_blob_size=0 ; bluestore_max_blob_size_hdd=65536
bluestore_max_blob_size_ssd=65536 ; bluestore_spdk_mem=512 ; client_max_inline_size=4096
filestore_fiemap_threshold=4096 ; filestore_max_alloc_hint_size=1048576 ; filestore_max_inline_xattr_size=0
filestore_max_inline_xattr_size_btrfs=2048 ; filestore_max_inline_xattr_size_other=512
filestore_max_inline_xattr_size_xfs=65536 ; filestore_max_xattr_value_size=0
filestore_max_xattr_value_size_btrfs=65536 ; filestore_max_xattr_value_size_other=1024
filestore_max_xattr_value_size_xfs=65536 ; filestore_omap_header_cache_size=1024
filestore_sloppy_crc_block_size=65536 ; journal_align_min_size=65536 ; journal_block_size=4096
mds_dump_cache_threshold_file=0 ; mds_dump_cache_threshold_formatter=1073741824
mds_max_export_size=20971520 ; mgr_client_bytes=134217728 ; mgr_mds_bytes=134217728 ; mgr_mon_bytes=134217728
mgr_osd_bytes=536870912 ; ms_pq_min_cost=65536 ; osd_memory_base=805306368
osd_memory_cache_min[134217728,]=134217728 ; rbd_mirror_memory_base=805306368
rbd_mirror_memory_cache_min=134217728 ; rocksdb_metadata_block_size=4096
# str advanced --
admin_socket= ; admin_socket_mode= ; auth_client_required=cephx, none ; auth_cluster_required=cephx
auth_service_required=cephx ; auth_supported= ; bdev_type{aio|spdk|pmem|hm_smr}=
bluestore_allocator{bitmap|stupid|avl|hybrid|zoned}=hybrid
bluestore_rocksdb_options=compression=kNoCompression,max_write_buffer_number=4,min_write_buffer_number_to_merge=1,recycle_log_file_num=4,write_buffer_size=268435456,writable_file_max_buffer_size=0,compaction_readahead_size=2097152,max_background_compactions=2,max_total_wal_size=1073741824
bluestore_rocksdb_options_annex= ; cephadm_path=/usr/sbin/cephadm ; client_acl_type= ; client_fs=
client_metadata= ; client_mountpoint=/ ; client_snapdir=.snap ; cluster_network= ; cluster_network_interface=
crash_dir=/var/lib/ceph/crash ; crush_location= ; crush_location_hook=
erasure_code_dir=/usr/lib/x86_64-linux-gnu/ceph/erasure-code ; fio_dir=/tmp/fio
gss_ktab_client_file=/var/lib/ceph/$name/gss_client_$name.ktab ; gss_target_name=ceph ; heartbeat_file=
immutable_object_cache_path=/tmp/ceph_immutable_object_cache
immutable_object_cache_sock=/var/run/ceph/immutable_object_cache_sock ; kstore_backend=rocksdb
kstore_rocksdb_options=compression=kNoCompression ; leveldb_log=/dev/null ; log_stderr_prefix=
mgr_disabled_modules=diskprediction_local ; mgr_module_path=/usr/share/ceph/mgr
mon_crush_min_required_version=hammer ; mon_dns_srv_name=ceph-mon ; mon_keyvaluedb{leveldb|rocksdb}=rocksdb
mon_rocksdb_options=write_buffer_size=33554432,compression=kNoCompression,level_compaction_dynamic_level_bytes=true
ms_async_rdma_device_name= ; ms_async_rdma_local_gid= ; ms_async_rdma_type=ib ; ms_cluster_type=
ms_dpdk_coremask=0xF ; ms_dpdk_gateway_ipv4_addr= ; ms_dpdk_host_ipv4_addr= ; ms_dpdk_hugepages=
ms_dpdk_memory_channel=4 ; ms_dpdk_netmask_ipv4_addr= ; ms_dpdk_pmd= ; ms_public_type= ; ms_type=async+posix
openssl_engine_opts=
osd_class_default_list=cephfs hello journal lock log numops otp rbd refcount rgw rgw_gc timeindex user version cas cmpomap queue 2pc_queue fifo
osd_class_dir=/usr/lib/x86_64-linux-gnu/rados-classes
osd_class_load_list=cephfs hello journal lock log numops otp rbd refcount rgw rgw_gc timeindex user version cas cmpomap queue 2pc_queue fifo
osd_erasure_code_plugins=jerasure lrc isa ; osd_hit_set_namespace=.ceph-internal
osd_objectstore{bluestore|filestore|memstore|kstore}=bluestore
osd_op_queue{wpq|mclock_scheduler|debug_random}=wpq ; osd_op_queue_cut_off{low|high|debug_random}=high
osd_rollback_to_cluster_snap= ; pid_file= ; plugin_crypto_accelerator=crypto_isal
plugin_dir=/usr/lib/x86_64-linux-gnu/ceph ; public_network= ; public_network_interface=
rbd_cache_policy{writethrough|writeback|writearound}=writearound ; rbd_default_data_pool=
rbd_default_map_options= ; rbd_default_pool=rbd
rbd_default_snapshot_quiesce_mode{required|ignore-error|skip}=required ; rbd_io_scheduler{none|simple}=simple
rbd_journal_pool= ; rbd_mirror_image_policy_type{none|simple}=simple
rbd_persistent_cache_mode{disabled|rwl|ssd}=disabled ; rbd_persistent_cache_path=/tmp ; rbd_plugins=
restapi_base_url= ; restapi_log_level= ; rgw_admin_entry=admin ; rgw_barbican_url=
rgw_cross_domain_policy=<allow-access-from domain="*" secure="false" /> ; rgw_crypt_kmip_addr=
rgw_crypt_kmip_ca_path= ; rgw_crypt_kmip_client_cert= ; rgw_crypt_kmip_client_key=
rgw_crypt_kmip_kms_key_template= ; rgw_crypt_kmip_password= ; rgw_crypt_kmip_s3_key_template=$keyid
rgw_crypt_kmip_username= ; rgw_crypt_s3_kms_backend{barbican|vault|testing|kmip}=barbican
rgw_crypt_vault_addr= ; rgw_crypt_vault_auth{token|agent}=token ; rgw_crypt_vault_namespace=
rgw_crypt_vault_prefix= ; rgw_crypt_vault_secret_engine=transit ; rgw_crypt_vault_ssl_cacert=
rgw_crypt_vault_ssl_clientcert= ; rgw_crypt_vault_ssl_clientkey= ; rgw_crypt_vault_token_file=
rgw_default_data_log_backing{fifo|omap}=fifo ; rgw_default_realm_info_oid=default.realm
rgw_default_region_info_oid=default.region ; rgw_default_zone_info_oid=default.zone
rgw_default_zonegroup_info_oid=default.zonegroup ; rgw_defer_to_bucket_acls= ; rgw_dns_name=
rgw_dns_s3website_name= ; rgw_enable_apis=s3, s3website, swift, swift_auth, admin, sts, iam, notifications
rgw_extended_http_attrs=
rgw_frontend_defaults=beast ssl_certificate=config://rgw/cert/$realm/$zone.crt ssl_private_key=config://rgw/cert/$realm/$zone.key
rgw_host= ; rgw_keystone_accepted_admin_roles= ; rgw_keystone_accepted_roles=Member, admin
rgw_keystone_admin_domain= ; rgw_keystone_admin_password= ; rgw_keystone_admin_password_path=
rgw_keystone_admin_project= ; rgw_keystone_admin_tenant= ; rgw_keystone_admin_token=
rgw_keystone_admin_token_path= ; rgw_keystone_admin_user= ; rgw_keystone_barbican_domain=
rgw_keystone_barbican_password= ; rgw_keystone_barbican_project= ; rgw_keystone_barbican_tenant=
rgw_keystone_barbican_user= ; rgw_keystone_implicit_tenants{false|true|swift|s3|both|0|1|none}=false
rgw_ldap_binddn=uid=admin,cn=users,dc=example,dc=com ; rgw_ldap_dnattr=uid
rgw_ldap_searchdn=cn=users,cn=accounts,dc=example,dc=com ; rgw_ldap_searchfilter=
rgw_ldap_secret=/etc/openldap/secret ; rgw_ldap_uri=ldaps://<ldap.your.domain>
rgw_lifecycle_work_time=00:00-06:00 ; rgw_log_object_name=%Y-%m-%d-%H-%i-%n
rgw_luarocks_location=/tmp/luarocks ; rgw_opa_token= ; rgw_opa_url= ; rgw_ops_log_file_path=
rgw_ops_log_socket_path= ; rgw_period_root_pool=.rgw.root ; rgw_realm= ; rgw_realm_root_pool=.rgw.root
rgw_region= ; rgw_region_root_pool=.rgw.root ; rgw_remote_addr_param=REMOTE_ADDR
rgw_s3_auth_order=sts, external, local ; rgw_scheduler_type=throttler ; rgw_service_provider_name=
rgw_socket_path= ; rgw_sts_client_id= ; rgw_sts_client_secret= ; rgw_sts_entry=sts ; rgw_sts_key=sts
rgw_sts_token_introspection_url= ; rgw_swift_auth_entry=auth ; rgw_swift_auth_url= ; rgw_swift_custom_header=
rgw_swift_tenant_name= ; rgw_swift_url= ; rgw_swift_url_prefix=swift ; rgw_torrent_comment=
rgw_torrent_createby= ; rgw_torrent_encoding= ; rgw_torrent_origin= ; rgw_torrent_tracker= ; rgw_zone=
rgw_zone_root_pool=.rgw.root ; rgw_zonegroup= ; rgw_zonegroup_root_pool=.rgw.root
rocksdb_cache_type=binned_lru ; run_dir=/var/run/ceph ; setgroup= ; setuser= ; setuser_match_path=
# str advanced -n
chdir= ; key= ; keyfile=
keyring=/etc/ceph/$cluster.$name.keyring,/etc/ceph/$cluster.keyring,/etc/ceph/keyring,/etc/ceph/keyring.bin,
mds_data=/var/lib/ceph/mds/$cluster-$id ; mgr_data=/var/lib/ceph/mgr/$cluster-$id
mon_data=/var/lib/ceph/mon/$cluster-$id ; mon_host_override= ; mon_initial_members=
mon_osd_initial_require_min_compat_client=luminous ; monmap= ; osd_data=/var/lib/ceph/osd/$cluster-$id
osd_journal=/var/lib/ceph/osd/$cluster-$id/journal ; rgw_data=/var/lib/ceph/radosgw/$cluster-$id
# str advanced r-
bluestore_compression_algorithm{|snappy|zlib|zstd|lz4}=snappy
bluestore_compression_mode{none|passive|aggressive|force}=none
bluestore_csum_type{none|crc32c|crc32c_16|crc32c_8|xxhash32|xxhash64}=crc32c ; clog_to_graylog=false
clog_to_graylog_host=127.0.0.1 ; clog_to_graylog_port=12201 ; clog_to_monitors=default=true
clog_to_syslog=false ; clog_to_syslog_facility=default=daemon audit=local0 ; clog_to_syslog_level=info
enable_experimental_unrecoverable_data_corrupting_features=
mon_cluster_log_file=default=/var/log/ceph/$cluster.$channel.log cluster=/var/log/ceph/$cluster.log
mon_cluster_log_file_level=debug ; mon_cluster_log_to_graylog=false
mon_cluster_log_to_graylog_host=127.0.0.1 ; mon_cluster_log_to_graylog_port=12201
mon_cluster_log_to_syslog=default=false ; mon_cluster_log_to_syslog_facility=daemon
mon_cluster_log_to_syslog_level=info ; mon_osd_down_out_subtree_limit=rack
mon_osd_reporter_subtree_level=host
osd_mclock_profile{balanced|high_recovery_ops|high_client_ops|custom}=high_client_ops
osd_pool_default_erasure_code_profile=plugin=jerasure technique=reed_sol_van k=2 m=2
osd_pool_default_pg_autoscale_mode{off|warn|on}=on ; osd_pool_default_type{replicated|erasure}=replicated
osd_tier_default_cache_hit_set_type{bloom|explicit_hash|explicit_object}=bloom
osd_tier_default_cache_mode{none|writeback|forward|readonly|readforward|readproxy|proxy}=writeback
rbd_default_clone_format{1|2|auto}=auto
rbd_default_features=layering,exclusive-lock,object-map,fast-diff,deep-flatten
# str basic --
container_image=docker.io/ceph/daemon-base:latest-pacific-devel ; log_file= ; log_graylog_host=127.0.0.1
ms_client_mode=crc secure ; ms_cluster_mode=crc secure ; ms_mon_client_mode=secure crc
ms_mon_cluster_mode=secure crc ; ms_mon_service_mode=secure crc ; ms_service_mode=crc secure
rgw_frontends=beast port=7480 ; rgw_keystone_url= ; rgw_log_http_headers=
rgw_mime_types_file=/etc/mime.types ; rgw_port=
# str basic -n
host= ; mgr_initial_modules=restful iostat nfs ; mon_host=
# str basic r-
device_failure_prediction_mode{none|local|cloud}=none ; mds_join_fs=
rbd_compression_hint{none|compressible|incompressible}=none
rbd_read_from_replica_policy{default|balance|localize}=default
# str dev --
bluefs_allocator{bitmap|stupid|avl|hybrid}=hybrid ; bluestore_block_db_path= ; bluestore_block_path=
bluestore_block_wal_path= ; bluestore_cache_type{2q|lru}=2q
bluestore_debug_enforce_settings{default|hdd|ssd}=default ; bluestore_kvbackend=rocksdb
bluestore_rocksdb_cfs=m(3) p(3,0-12) O(3,0-13)=block_cache={type=binned_lru} L P
bluestore_spdk_coremask=0x1
bluestore_volume_selection_policy{rocksdb_original|use_some_extra|fit_to_fast}=use_some_extra
client_mds_namespace= ; client_trace= ; filestore_dump_file=
filestore_omap_backend{leveldb|rocksdb}=rocksdb ; filestore_omap_backend_path=
filestore_rocksdb_options=max_background_jobs=10,compaction_readahead_size=2097152,compression=kNoCompression
mon_debug_dump_location=/var/log/ceph/$cluster-$name.tdump ; rgw_crypt_default_encryption_key=
rgw_crypt_s3_kms_encryption_keys= ; rgw_data_log_obj_prefix=data_log ; rgw_healthcheck_disabling_path=
rgw_period_latest_epoch_info_oid=.latest_epoch ; rgw_request_uri= ; rgw_script_uri=
rocksdb_index_type=binary_search
# str dev r-
ms_inject_delay_type=
# uint advanced --
bluestore_min_alloc_size=0
# uint advanced r-
bdev_flock_retry=3 ; bluestore_deferred_batch_ops[0,65535]=0 ; bluestore_deferred_batch_ops_hdd[0,65535]=64
bluestore_deferred_batch_ops_ssd[0,65535]=16 ; bluestore_max_deferred_txc=32
bluestore_retry_disk_reads[0,255]=3 ; bluestore_throttle_cost_per_io_hdd=670000
bluestore_throttle_cost_per_io_ssd=4000 ; cephfs_mirror_directory_scan_interval[1,]=10
cephfs_mirror_max_concurrent_directory_syncs[1,]=3
cephfs_mirror_max_consecutive_failures_per_directory[0,]=10 ; cephfs_mirror_max_snapshot_sync_per_cycle[1,]=3
cephfs_mirror_retry_failed_directories_interval[1,]=60 ; client_asio_thread_count[1,]=2
client_max_retries_on_remount_failure=5 ; crimson_osd_obc_lru_size=10 ; crimson_osd_scheduler_concurrency=0
filer_max_purge_ops=10 ; filer_max_truncate_ops=128 ; filestore_queue_max_ops=50
filestore_wbthrottle_btrfs_inodes_hard_limit=5000 ; filestore_wbthrottle_btrfs_inodes_start_flusher=500
filestore_wbthrottle_btrfs_ios_hard_limit=5000 ; filestore_wbthrottle_btrfs_ios_start_flusher=500
filestore_wbthrottle_xfs_inodes_hard_limit=5000 ; filestore_wbthrottle_xfs_inodes_start_flusher=500
filestore_wbthrottle_xfs_ios_hard_limit=5000 ; filestore_wbthrottle_xfs_ios_start_flusher=500
immutable_object_cache_client_dedicated_thread_num=2 ; immutable_object_cache_max_inflight_ops=128
immutable_object_cache_qos_bps_burst=0 ; immutable_object_cache_qos_bps_limit=0
immutable_object_cache_qos_iops_burst=0 ; immutable_object_cache_qos_iops_limit=0
journaler_prefetch_periods[2,]=10 ; journaler_prezero_periods[2,]=5 ; kstore_max_ops=512
kstore_nid_prealloc=1024 ; kstore_onode_map_size=1024 ; librados_thread_count[1,]=2
mds_action_on_write_error=1 ; mds_asio_thread_count[1,]=2 ; mds_client_delegate_inos_pct=50
mds_client_writeable_range_max_inc_objs=1024 ; mds_dir_max_entries=0 ; mds_heartbeat_reset_grace=1000
mds_log_max_segments=128 ; mds_max_caps_per_client=1048576 ; mds_max_file_recover=32 ; mds_max_purge_files=64
mds_max_purge_ops=8192 ; mds_max_snaps_per_dir[0,4096]=100 ; mds_min_caps_per_client=100
mds_min_caps_working_set=10000 ; mds_op_history_duration=600 ; mds_op_history_size=20
mds_session_cap_acquisition_throttle=100000 ; mds_sessionmap_keys_per_op=1024 ; mds_snap_max_uid=4294967294
mds_snap_min_uid=0 ; mon_client_hunt_parallel=3 ; mon_con_tracker_persist_interval[1,100000]=10
mon_con_tracker_score_halflife[60,]=43200 ; mon_election_default_strategy[1,3]=1 ; mon_elector_ping_divisor=2
mon_globalid_prealloc=10000 ; mon_health_max_detail=50 ; mon_log_max_summary=50 ; mon_max_pg_per_osd[1,]=250
mon_max_pool_pg_num=65536 ; mon_max_snap_prune_per_epoch=100 ; mon_op_history_size=20
mon_op_history_slow_op_size=20 ; mon_osd_min_down_reporters=2 ; mon_osd_warn_num_repaired=10
mon_osdmap_full_prune_interval=10 ; mon_osdmap_full_prune_min=10000 ; mon_osdmap_full_prune_txsize=100
mon_pg_warn_min_per_osd=0 ; mon_reweight_min_pgs_per_osd=10 ; mon_smart_report_timeout=5
mon_stat_smooth_intervals[1,]=6 ; mon_target_pg_per_osd[1,]=100 ; ms_async_op_threads[1,24]=3
ms_async_rdma_polling_us=1000 ; ms_async_rdma_port_num=1 ; ms_async_rdma_receive_buffers=32768
ms_async_rdma_receive_queue_len=4096 ; ms_async_rdma_send_buffers=1024 ; ms_connection_idle_timeout=900
ms_connection_ready_timeout=10 ; objecter_inflight_ops=1024 ; osd_asio_thread_count[1,]=2
osd_async_recovery_min_cost=100 ; osd_bench_duration=30 ; osd_bench_small_size_max_iops=100
osd_calc_pg_upmaps_local_fallback_retries=100 ; osd_client_message_cap=256 ; osd_client_op_priority=63
osd_deep_scrub_large_omap_object_key_threshold=200000 ; osd_default_notify_timeout=30
osd_force_auth_primary_missing_objects=100 ; osd_loop_before_reset_tphandle=64 ; osd_max_attr_name_len=100
osd_max_attr_size=0 ; osd_max_backfills=1 ; osd_max_object_name_len=2048 ; osd_max_object_namespace_len=256
osd_max_omap_entries_per_request=1024 ; osd_max_pg_blocked_by=16 ; osd_max_pgls=1024
osd_max_push_objects=10 ; osd_max_trimming_pgs=2 ; osd_mclock_scheduler_background_best_effort_lim=999999
osd_mclock_scheduler_background_best_effort_res=1 ; osd_mclock_scheduler_background_best_effort_wgt=1
osd_mclock_scheduler_background_recovery_lim=999999 ; osd_mclock_scheduler_background_recovery_res=1
osd_mclock_scheduler_background_recovery_wgt=1 ; osd_mclock_scheduler_client_lim=999999
osd_mclock_scheduler_client_res=1 ; osd_mclock_scheduler_client_wgt=1 ; osd_num_op_tracker_shard=32
osd_op_history_duration=600 ; osd_op_history_size=20 ; osd_op_history_slow_op_size=20
osd_op_pq_max_tokens_per_priority=4194304 ; osd_pg_delete_priority=5 ; osd_pg_epoch_persisted_max_stale=40
osd_pg_log_trim_max=10000 ; osd_pg_max_concurrent_snap_trims[1,]=2 ; osd_pool_default_min_size[0,255]=0
osd_pool_default_pg_num=32 ; osd_pool_default_pgp_num=0 ; osd_pool_default_size[0,10]=3
osd_recover_clone_overlap_limit=10 ; osd_recovery_max_active=0 ; osd_recovery_max_active_hdd=3
osd_recovery_max_active_ssd=10 ; osd_recovery_max_omap_entries_per_chunk=8096
osd_recovery_max_single_start=1 ; osd_recovery_op_priority=3 ; osd_recovery_op_warn_multiple=16
osd_recovery_priority=5 ; osd_requested_scrub_priority=120 ; osd_scrub_auto_repair_num_errors=5
osd_scrub_max_preemptions[0,30]=5 ; osd_scrub_priority=5 ; osd_smart_report_timeout=5
osd_snap_trim_priority=5 ; osd_tier_default_cache_hit_set_count=4
osd_tier_default_cache_hit_set_grade_decay_rate=20 ; osd_tier_default_cache_hit_set_period=1200
osd_tier_default_cache_hit_set_search_last_n=1 ; osd_tier_default_cache_min_read_recency_for_promote=1
osd_tier_default_cache_min_write_recency_for_promote=1 ; osd_tier_promote_max_objects_sec=25
paxos_service_trim_max=500 ; paxos_service_trim_max_multiplier[0,]=20 ; paxos_service_trim_min=250
rbd_atime_update_interval[0,]=60 ; rbd_blocklist_expire_seconds=0 ; rbd_cache_max_dirty_object=0
rbd_concurrent_management_ops[1,]=10 ; rbd_default_format=2 ; rbd_default_order=22
rbd_default_stripe_count=0 ; rbd_discard_granularity_bytes[4096,33554432]=65536
rbd_io_scheduler_simple_max_delay[0,]=0 ; rbd_journal_max_concurrent_object_sets=0
rbd_journal_object_flush_interval=0 ; rbd_journal_object_max_in_flight_appends=0
rbd_journal_order[12,26]=24 ; rbd_journal_splay_width=4 ; rbd_mirror_concurrent_image_deletions[1,]=1
rbd_mirror_concurrent_image_syncs=5 ; rbd_mirror_image_policy_migration_throttle=300
rbd_mirror_image_state_check_interval[1,]=30 ; rbd_mirror_leader_heartbeat_interval[1,]=5
rbd_mirror_leader_max_acquire_attempts_before_break=3 ; rbd_mirror_leader_max_missed_heartbeats=2
rbd_mirror_pool_replayers_refresh_interval=30 ; rbd_mirroring_delete_delay=0
rbd_mirroring_max_mirroring_snapshots[3,]=5 ; rbd_mirroring_replay_delay=0 ; rbd_mtime_update_interval[0,]=60
rbd_op_thread_timeout=60 ; rbd_op_threads=1 ; rbd_persistent_cache_size[1073741824,]=1073741824
rbd_qos_bps_burst=0 ; rbd_qos_bps_burst_seconds[1,]=1 ; rbd_qos_bps_limit=0 ; rbd_qos_iops_burst=0
rbd_qos_iops_burst_seconds[1,]=1 ; rbd_qos_iops_limit=0 ; rbd_qos_read_bps_burst=0
rbd_qos_read_bps_burst_seconds[1,]=1 ; rbd_qos_read_bps_limit=0 ; rbd_qos_read_iops_burst=0
rbd_qos_read_iops_burst_seconds[1,]=1 ; rbd_qos_read_iops_limit=0 ; rbd_qos_schedule_tick_min[1,]=50
rbd_qos_write_bps_burst=0 ; rbd_qos_write_bps_burst_seconds[1,]=1 ; rbd_qos_write_bps_limit=0
rbd_qos_write_iops_burst=0 ; rbd_qos_write_iops_burst_seconds[1,]=1 ; rbd_qos_write_iops_limit=0
rbd_readahead_trigger_requests=10 ; rbd_request_timed_out_seconds=30 ; rgw_bucket_index_max_aio=128
rgw_cache_expiry_interval=900 ; rgw_gc_max_deferred=50 ; rgw_gc_max_deferred_entries_size=3072
rgw_gc_max_queue_size=134213632 ; rgw_lc_max_rules=1000 ; rgw_max_attrs_num_in_req=0
rgw_max_dynamic_shards[1,]=1999 ; rgw_max_listing_results[1,100000]=1000 ; rgw_max_notify_retries=10
rgw_multi_obj_del_max_aio=16 ; rgw_num_rados_handles=1 ; rgw_objexp_gc_interval=600
rgw_objexp_hints_num_shards=127 ; rgw_rados_pool_recovery_priority[18446744073709551606,10]=5
rgw_reshard_batch_size[8,]=64 ; rgw_reshard_bucket_lock_duration[30,]=360 ; rgw_reshard_max_aio[16,]=128
rgw_reshard_num_logs[1,]=16 ; rgw_reshard_thread_interval[10,]=600 ; rgw_sts_max_session_duration=43200
rgw_sts_min_session_duration=900 ; rocksdb_bloom_bits_per_key=20 ; rocksdb_delete_range_threshold=1048576
# uint basic r-
rbd_move_to_trash_on_remove_expire_seconds=0 ; rgw_max_objs_per_shard=100000
# uint dev --
bluestore_block_db_size=0 ; mgr_ttl_cache_expire_seconds=0
# uint dev r-
bluestore_avl_alloc_bf_free_pct=4 ; bluestore_avl_alloc_bf_threshold=131072
bluestore_avl_alloc_ff_max_search_count=100 ; bluestore_blobid_prealloc=10240
bluestore_cache_trim_max_skip_pinned=1000 ; bluestore_hybrid_alloc_mem_cap=67108864
bluestore_spdk_io_sleep=5 ; bluestore_spdk_max_io_completion=0 ; filestore_max_inline_xattrs=0
filestore_max_inline_xattrs_btrfs=10 ; filestore_max_inline_xattrs_other=2
filestore_max_inline_xattrs_xfs=10 ; filestore_split_rand_factor=20 ; journal_write_header_frequency=0
mds_journal_format=1 ; mds_max_completed_flushes=100000 ; mds_max_completed_requests=100000
mds_verify_backtrace=1 ; mgr_client_messages=512 ; mgr_mds_messages=128 ; mgr_mon_messages=128
mgr_osd_messages=8192 ; mon_clean_pg_upmaps_per_chunk=256 ; mon_stretch_pool_min_size[2,4]=2
mon_stretch_pool_size[3,6]=4 ; ms_async_reap_threshold[1,]=5 ; ms_inject_socket_failures=0
ms_pq_max_tokens_per_priority=16777216 ; objecter_completion_locks_per_session=32
osd_max_pg_log_entries=10000 ; osd_max_snap_prune_intervals_per_epoch=512 ; osd_min_pg_log_entries=250
osd_os_flags=0 ; osd_peering_op_priority=255 ; osd_pg_log_dups_tracked=3000 ; osd_pg_log_trim_min=100
osd_target_pg_log_entries_per_osd=300000 ; rbd_config_pool_override_update_timestamp=0
rbd_quiesce_notification_attempts[1,]=10 ; rgw_debug_inject_set_olh_err=0 ; rgw_objexp_chunk_size=100
rgw_override_bucket_index_max_shards=0
# uuid advanced --
osd_uuid=00000000-0000-0000-0000-000000000000
# uuid basic -n
fsid=00000000-0000-0000-0000-000000000000
# log advanced r-
debug_asok=1/5 ; debug_auth=1/5 ; debug_bdev=1/3 ; debug_bluefs=1/5 ; debug_bluestore=1/5 ; debug_buffer=0/1
debug_cephfs_mirror=0/5 ; debug_cephsqlite=0/5 ; debug_civetweb=1/10 ; debug_client=0/5
debug_compressor=1/5 ; debug_context=0/1 ; debug_crush=1/1 ; debug_crypto=1/5 ; debug_dpdk=1/5
debug_eventtrace=1/5 ; debug_filer=0/1 ; debug_filestore=1/3 ; debug_finisher=1/1 ; debug_fuse=1/5
debug_heartbeat_testing_span=0 ; debug_heartbeatmap=1/5 ; debug_immutable_obj_cache=0/5
debug_javaclient=1/5 ; debug_journal=1/3 ; debug_journaler=0/5 ; debug_kstore=1/5 ; debug_leveldb=4/5
debug_lockdep=0/1 ; debug_mds=1/5 ; debug_mds_balancer=1/5 ; debug_mds_locker=1/5 ; debug_mds_log=1/5
debug_mds_log_expire=1/5 ; debug_mds_migrator=1/5 ; debug_memdb=4/5 ; debug_mgr=2/5 ; debug_mgrc=1/5
debug_mon=1/1 ; debug_monc=0/10 ; debug_ms=0/0 ; debug_none=0/5 ; debug_objclass=0/5
debug_objectcacher=0/5 ; debug_objecter=0/1 ; debug_optracker=0/5 ; debug_osd=1/5 ; debug_paxos=1/5
debug_perfcounter=1/5 ; debug_prioritycache=1/5 ; debug_rados=0/5 ; debug_rbd=0/5 ; debug_rbd_mirror=0/5
debug_rbd_pwl=0/5 ; debug_rbd_replay=0/5 ; debug_refs=0/0 ; debug_reserver=1/1 ; debug_rgw=1/5
debug_rgw_sync=1/5 ; debug_rocksdb=4/5 ; debug_striper=0/1 ; debug_test=0/5 ; debug_throttle=1/1
debug_timer=0/1 ; debug_tp=0/5
`;
