/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in the topic __consumer_offsets: keys and values of its records, in
 * the formats of Apache Kafka's group coordinator. All that is written is what
 * Kafka 4.3 writes; all versions are read. Pure: no I/O.
 */
#ifndef SLUICE_GROUP_GROUP_RECORD_H
#define SLUICE_GROUP_GROUP_RECORD_H

#include "daemon/core/arena.h"
#include "daemon/core/wire.h"

/**
 * enum group_record_kind - what a record is about
 * @GROUP_RECORD_OTHER: of a kind of group that this broker does not have: left alone
 */
enum group_record_kind {
	GROUP_RECORD_OFFSET,
	GROUP_RECORD_GROUP,
	GROUP_RECORD_OTHER,
};

/** struct group_key - @topic and @partition: of GROUP_RECORD_OFFSET only */
struct group_key {
	enum group_record_kind kind;
	struct kafka_str group;
	struct kafka_str topic;
	int32_t partition;
};

/**
 * struct offset_value - a committed offset
 * @leader_epoch: of the record before it, -1 if unknown
 * @metadata: not null
 * @commit_ms: when, on the wall clock
 * @expire_ms: when it may go, if the client said so (versions of OffsetCommit
 *	below 5), or -1
 * @topic_id: zero if it was not known
 */
struct offset_value {
	int64_t offset;
	int32_t leader_epoch;
	struct kafka_str metadata;
	int64_t commit_ms;
	int64_t expire_ms;
	struct kafka_uuid topic_id;
};

/** struct group_value_member - @instance_id: null for a dynamic member */
struct group_value_member {
	struct kafka_str id;
	struct kafka_str instance_id;
	struct kafka_str client_id;
	struct kafka_str client_host;
	int32_t rebalance_ms;
	int32_t session_ms;
	struct kafka_bytes subscription;
	struct kafka_bytes assignment;
};

/**
 * struct group_value - a group as it was at the end of a rebalance
 * @protocol, @leader: null if the group has no members
 * @state_ms: since when it is in its state, on the wall clock, or -1
 */
struct group_value {
	struct kafka_str protocol_type;
	int32_t generation;
	struct kafka_str protocol;
	struct kafka_str leader;
	int64_t state_ms;
	struct group_value_member *members;
	int32_t n_members;
};

/** group_key_decode - 0, or -EBADMSG if it is malformed; strings point into @p */
int group_key_decode(const void *p, size_t len, struct group_key *ret);
void group_key_encode(struct wire_writer *w, const struct group_key *key);

/** offset_value_decode - 0; -EBADMSG malformed; -EOPNOTSUPP a later version */
int offset_value_decode(const void *p, size_t len, struct offset_value *ret);
void offset_value_encode(struct wire_writer *w, const struct offset_value *v);

/** group_value_decode - likewise, and -ENOMEM; the members lie in @a */
int group_value_decode(const void *p, size_t len, struct arena *a, struct group_value *ret);
void group_value_encode(struct wire_writer *w, const struct group_value *v);

#endif /* SLUICE_GROUP_GROUP_RECORD_H */
