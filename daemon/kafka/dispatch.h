/* SPDX-License-Identifier: Apache-2.0 */
/* From an API key to its handler. */
#ifndef SLUICE_KAFKA_DISPATCH_H
#define SLUICE_KAFKA_DISPATCH_H

#include "daemon/kafka/request.h"

/** dispatch - read the header of the frame at @data and call the handler of its API */
enum handled dispatch(struct request *r, const uint8_t *data, size_t len);

/* The handlers, one file each. They get a request whose version is served. */
enum handled handle_add_offsets_to_txn(struct request *r);
enum handled handle_add_partitions_to_txn(struct request *r);
enum handled handle_alter_client_quotas(struct request *r);
enum handled handle_alter_configs(struct request *r);
enum handled handle_alter_partition_reassignments(struct request *r);
enum handled handle_alter_replica_log_dirs(struct request *r);
enum handled handle_api_versions(struct request *r);
enum handled handle_create_partitions(struct request *r);
enum handled handle_create_topics(struct request *r);
enum handled handle_delete_groups(struct request *r);
enum handled handle_delete_records(struct request *r);
enum handled handle_delete_topics(struct request *r);
enum handled handle_describe_client_quotas(struct request *r);
enum handled handle_describe_cluster(struct request *r);
enum handled handle_describe_configs(struct request *r);
enum handled handle_describe_groups(struct request *r);
enum handled handle_describe_log_dirs(struct request *r);
enum handled handle_describe_producers(struct request *r);
enum handled handle_describe_topic_partitions(struct request *r);
enum handled handle_describe_transactions(struct request *r);
enum handled handle_elect_leaders(struct request *r);
enum handled handle_end_txn(struct request *r);
enum handled handle_fetch(struct request *r);
enum handled handle_find_coordinator(struct request *r);
enum handled handle_get_telemetry_subscriptions(struct request *r);
enum handled handle_heartbeat(struct request *r);
enum handled handle_incremental_alter_configs(struct request *r);
enum handled handle_init_producer_id(struct request *r);
enum handled handle_join_group(struct request *r);
enum handled handle_leave_group(struct request *r);
enum handled handle_list_config_resources(struct request *r);
enum handled handle_list_groups(struct request *r);
enum handled handle_list_offsets(struct request *r);
enum handled handle_list_partition_reassignments(struct request *r);
enum handled handle_list_transactions(struct request *r);
enum handled handle_metadata(struct request *r);
enum handled handle_offset_commit(struct request *r);
enum handled handle_offset_delete(struct request *r);
enum handled handle_offset_fetch(struct request *r);
enum handled handle_offset_for_leader_epoch(struct request *r);
enum handled handle_produce(struct request *r);
enum handled handle_push_telemetry(struct request *r);
enum handled handle_sync_group(struct request *r);
enum handled handle_txn_offset_commit(struct request *r);
enum handled handle_write_txn_markers(struct request *r);
enum handled handle_update_features(struct request *r);

/** answer_unknown_api_version - ApiVersions in a version that is not served: error 35 in version 0 */
enum handled answer_unknown_api_version(struct request *r);

#endif /* SLUICE_KAFKA_DISPATCH_H */
