// SPDX-License-Identifier: Apache-2.0
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/request_quota.h"

static const struct {
	int16_t api_key;
	enum handled (*handle)(struct request *r);
} handlers[] = {
	{KAFKA_API_PRODUCE, handle_produce},
	{KAFKA_API_FETCH, handle_fetch},
	{KAFKA_API_LIST_OFFSETS, handle_list_offsets},
	{KAFKA_API_METADATA, handle_metadata},
	{KAFKA_API_OFFSET_COMMIT, handle_offset_commit},
	{KAFKA_API_OFFSET_FETCH, handle_offset_fetch},
	{KAFKA_API_FIND_COORDINATOR, handle_find_coordinator},
	{KAFKA_API_JOIN_GROUP, handle_join_group},
	{KAFKA_API_HEARTBEAT, handle_heartbeat},
	{KAFKA_API_LEAVE_GROUP, handle_leave_group},
	{KAFKA_API_SYNC_GROUP, handle_sync_group},
	{KAFKA_API_DESCRIBE_GROUPS, handle_describe_groups},
	{KAFKA_API_LIST_GROUPS, handle_list_groups},
	{KAFKA_API_API_VERSIONS, handle_api_versions},
	{KAFKA_API_CREATE_TOPICS, handle_create_topics},
	{KAFKA_API_DELETE_TOPICS, handle_delete_topics},
	{KAFKA_API_DELETE_RECORDS, handle_delete_records},
	{KAFKA_API_INIT_PRODUCER_ID, handle_init_producer_id},
	{KAFKA_API_OFFSET_FOR_LEADER_EPOCH, handle_offset_for_leader_epoch},
	{KAFKA_API_ADD_PARTITIONS_TO_TXN, handle_add_partitions_to_txn},
	{KAFKA_API_ADD_OFFSETS_TO_TXN, handle_add_offsets_to_txn},
	{KAFKA_API_END_TXN, handle_end_txn},
	{KAFKA_API_WRITE_TXN_MARKERS, handle_write_txn_markers},
	{KAFKA_API_TXN_OFFSET_COMMIT, handle_txn_offset_commit},
	{KAFKA_API_DESCRIBE_CONFIGS, handle_describe_configs},
	{KAFKA_API_ALTER_CONFIGS, handle_alter_configs},
	{KAFKA_API_ALTER_REPLICA_LOG_DIRS, handle_alter_replica_log_dirs},
	{KAFKA_API_CREATE_PARTITIONS, handle_create_partitions},
	{KAFKA_API_DESCRIBE_LOG_DIRS, handle_describe_log_dirs},
	{KAFKA_API_ELECT_LEADERS, handle_elect_leaders},
	{KAFKA_API_INCREMENTAL_ALTER_CONFIGS, handle_incremental_alter_configs},
	{KAFKA_API_ALTER_PARTITION_REASSIGNMENTS, handle_alter_partition_reassignments},
	{KAFKA_API_LIST_PARTITION_REASSIGNMENTS, handle_list_partition_reassignments},
	{KAFKA_API_DESCRIBE_CLUSTER, handle_describe_cluster},
	{KAFKA_API_DELETE_GROUPS, handle_delete_groups},
	{KAFKA_API_OFFSET_DELETE, handle_offset_delete},
	{KAFKA_API_DESCRIBE_CLIENT_QUOTAS, handle_describe_client_quotas},
	{KAFKA_API_ALTER_CLIENT_QUOTAS, handle_alter_client_quotas},
	{KAFKA_API_DESCRIBE_PRODUCERS, handle_describe_producers},
	{KAFKA_API_DESCRIBE_TRANSACTIONS, handle_describe_transactions},
	{KAFKA_API_LIST_TRANSACTIONS, handle_list_transactions},
	{KAFKA_API_UPDATE_FEATURES, handle_update_features},
	{KAFKA_API_GET_TELEMETRY_SUBSCRIPTIONS, handle_get_telemetry_subscriptions},
	{KAFKA_API_PUSH_TELEMETRY, handle_push_telemetry},
	{KAFKA_API_LIST_CONFIG_RESOURCES, handle_list_config_resources},
	{KAFKA_API_DESCRIBE_TOPIC_PARTITIONS, handle_describe_topic_partitions},
};

_Static_assert(sizeof(handlers) / sizeof(handlers[0]) == KAFKA_API_COUNT,
	       "every API of the schemas has a handler");

/*
 * Whether it is ApiVersions in a version that is not served: the one request
 * that is answered all the same. Only what all versions of the header have in
 * common is looked at, for a header of the future may look different behind it.
 */
static bool asks_unknown_api_version(struct request *r)
{
	struct wire_reader ahead = r->body;
	const struct kafka_api *api = kafka_api_find(KAFKA_API_API_VERSIONS);
	int16_t key = wire_read_int16(&ahead);
	int16_t version = wire_read_int16(&ahead);
	int32_t correlation_id = wire_read_int32(&ahead);

	if (ahead.err || key != api->key || (version >= api->min && version <= api->max))
		return false;
	kafka_request_header_init(&r->header);
	r->header.correlation_id = correlation_id;
	r->api = api;
	return true;
}

enum handled dispatch(struct request *r, const uint8_t *data, size_t len)
{
	int16_t version;
	int err;

	r->size_bytes = len;
	wire_reader_init(&r->body, data, len);
	if (asks_unknown_api_version(r))
		return answer_unknown_api_version(r);
	err = kafka_request_header_decode(&r->body, &r->header, &r->api);
	version = request_version(r);
	/* A broker that does not know the API cannot know how to say so: Kafka closes, too. */
	if (err == -EOPNOTSUPP)
		return request_refuse(r, "it sent API key %d, which is not served",
				      r->header.request_api_key);
	if (err)
		return request_refuse(r, "its request header is malformed");
	if (version < r->api->min || version > r->api->max)
		return request_refuse(r, "it sent %s v%d; v%d to v%d are served", r->api->name,
				      version, r->api->min, r->api->max);
	request_quota_begin(r);
	for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
		if (handlers[i].api_key == r->api->key)
			return handlers[i].handle(r);
	}
	return request_refuse(r, "%s has no handler", r->api->name);
}
