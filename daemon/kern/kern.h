/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's generic netlink family, for sluiced and sluicectl: the only
 * code that speaks it. Documentation/netlink/specs/sluice.yaml defines it.
 *
 * A struct kern is used by one thread at a time. Calls block until the kernel
 * has answered. They return 0 or -errno; kern_error() then has the sentence
 * that came with it (the kernel's extended ack, or what the client found).
 * -EAFNOSUPPORT of any call: the module is not loaded, or was unloaded after
 * kern_open().
 */
#ifndef KERN_KERN_H
#define KERN_KERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/sluice.h>

struct kern;

/**
 * kern_open() - connect to the module in the caller's network namespace
 * Returns 0; -EAFNOSUPPORT: the module is not loaded.
 */
int kern_open(struct kern **ret_k);
void kern_close(struct kern *k);

/** kern_error() - a sentence about the last failed call; valid until the next. */
const char *kern_error(const struct kern *k);

struct kern_info {
	char version[32];
	uint32_t family; /* of sockets */
	uint32_t sockets;
	uint32_t topics;
	uint32_t partitions;
};
int kern_info_get(struct kern *k, struct kern_info *ret);

/** kern_data_dir_attach() - @path absolute; see the spec. */
int kern_data_dir_attach(struct kern *k, const char *path);
int kern_data_dir_detach(struct kern *k, const char *path);

struct kern_data_dir {
	char *path;
	uint32_t topics;
};
/** kern_data_dirs() - all attached; free with kern_data_dirs_free(). */
int kern_data_dirs(struct kern *k, struct kern_data_dir **ret_dirs, size_t *ret_n);
void kern_data_dirs_free(struct kern_data_dir *dirs, size_t n);

/**
 * struct kern_topic_config - what the log itself acts on
 * A field is sent only if its bit is set in @set (KERN_CONFIG_*). Named as in
 * struct sluice_log_config, which says what they mean.
 * @message_timestamp_type: 0 CreateTime, 1 LogAppendTime
 * @durability: SLUICE_DURABILITY_*
 * @cleanup_policy: KERN_CLEANUP_*
 */
struct kern_topic_config {
	uint32_t set;
	uint32_t segment_bytes;
	uint32_t max_message_bytes;
	uint32_t index_interval_bytes;
	uint32_t segment_index_bytes;
	uint32_t message_timestamp_type;
	uint32_t durability;
	uint32_t cleanup_policy;
	uint32_t batch_bytes;
	uint32_t linger_ms;
	int64_t segment_ms;
	int64_t segment_jitter_ms;
	int64_t timestamp_before_max_ms;
	int64_t timestamp_after_max_ms;
	int64_t retention_ms;
	int64_t retention_bytes;
	int64_t file_delete_delay_ms;
	int64_t flush_messages;
	int64_t flush_ms;
	int64_t producer_expiration_ms;
};
#define KERN_CLEANUP_DELETE  (1u << 0)
#define KERN_CLEANUP_COMPACT (1u << 1)

#define KERN_CONFIG_SEGMENT_BYTES		    (1u << 0)
#define KERN_CONFIG_MAX_MESSAGE_BYTES		    (1u << 1)
#define KERN_CONFIG_INDEX_INTERVAL_BYTES	    (1u << 2)
#define KERN_CONFIG_SEGMENT_INDEX_BYTES		    (1u << 3)
#define KERN_CONFIG_MESSAGE_TIMESTAMP_TYPE	    (1u << 4)
#define KERN_CONFIG_DURABILITY			    (1u << 5)
#define KERN_CONFIG_CLEANUP_POLICY		    (1u << 6)
#define KERN_CONFIG_BATCH_BYTES			    (1u << 7)
#define KERN_CONFIG_LINGER_MS			    (1u << 8)
#define KERN_CONFIG_SEGMENT_MS			    (1u << 9)
#define KERN_CONFIG_SEGMENT_JITTER_MS		    (1u << 10)
#define KERN_CONFIG_MESSAGE_TIMESTAMP_BEFORE_MAX_MS (1u << 11)
#define KERN_CONFIG_MESSAGE_TIMESTAMP_AFTER_MAX_MS  (1u << 12)
#define KERN_CONFIG_RETENTION_MS		    (1u << 13)
#define KERN_CONFIG_RETENTION_BYTES		    (1u << 14)
#define KERN_CONFIG_FILE_DELETE_DELAY_MS	    (1u << 15)
#define KERN_CONFIG_FLUSH_MESSAGES		    (1u << 16)
#define KERN_CONFIG_FLUSH_MS			    (1u << 17)
#define KERN_CONFIG_PRODUCER_ID_EXPIRATION_MS	    (1u << 18)

/* Its fields by the width of their attributes, each as f(NAME, field). */
#define KERN_CONFIG_U32(f)                                                                    \
	f(SEGMENT_BYTES, segment_bytes) f(MAX_MESSAGE_BYTES, max_message_bytes)               \
		f(INDEX_INTERVAL_BYTES, index_interval_bytes)                                 \
			f(SEGMENT_INDEX_BYTES, segment_index_bytes) f(MESSAGE_TIMESTAMP_TYPE, \
								      message_timestamp_type) \
				f(DURABILITY, durability) f(CLEANUP_POLICY, cleanup_policy)   \
					f(BATCH_BYTES, batch_bytes) f(LINGER_MS, linger_ms)
#define KERN_CONFIG_S64(f)                                                                        \
	f(SEGMENT_MS, segment_ms) f(SEGMENT_JITTER_MS, segment_jitter_ms)                         \
		f(MESSAGE_TIMESTAMP_BEFORE_MAX_MS, timestamp_before_max_ms)                       \
			f(MESSAGE_TIMESTAMP_AFTER_MAX_MS, timestamp_after_max_ms)                 \
				f(RETENTION_MS, retention_ms) f(RETENTION_BYTES, retention_bytes) \
					f(FILE_DELETE_DELAY_MS, file_delete_delay_ms)             \
						f(FLUSH_MESSAGES, flush_messages)                 \
							f(FLUSH_MS, flush_ms)                     \
								f(PRODUCER_ID_EXPIRATION_MS,      \
								  producer_expiration_ms)

/** kern_config_merge() - take over what is set in @from. */
static inline void kern_config_merge(struct kern_topic_config *to,
				     const struct kern_topic_config *from)
{
#define MERGE(NAME, field)                  \
	if (from->set & KERN_CONFIG_##NAME) \
		to->field = from->field;
	KERN_CONFIG_U32(MERGE)
	KERN_CONFIG_S64(MERGE)
#undef MERGE
	to->set |= from->set;
}

/** kern_config_has() - does @c have the values that are set in @wanted. */
static inline bool kern_config_has(const struct kern_topic_config *c,
				   const struct kern_topic_config *wanted)
{
#define DIFFERS(NAME, field) ((wanted->set & KERN_CONFIG_##NAME) && c->field != wanted->field) ||
	return !(KERN_CONFIG_U32(DIFFERS) KERN_CONFIG_S64(DIFFERS) false);
#undef DIFFERS
}

/**
 * struct kern_topic - a topic
 * @data_dir: owned by the array it came in; borrowed when given
 * @log_start_offsets: to create: where the log of each partition begins. Borrowed;
 *	NULL: not known
 * @recovery_points: the same: all below is on stable storage
 */
struct kern_topic {
	char name[SLUICE_TOPIC_NAME_MAX + 1];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	char *data_dir;
	uint32_t partition_count;
	int32_t leader_epoch;
	struct kern_topic_config config;
	const int64_t *log_start_offsets;
	const int64_t *recovery_points;
};
/**
 * kern_topic_create() - open all logs of a topic
 * With offsets a large topic is created in steps, and others see it grow. On
 * failure the kernel has none of it, unless it had the topic before.
 */
int kern_topic_create(struct kern *k, const struct kern_topic *t);
/** kern_topic_set() - @t->id, leader_epoch if not -1, config as far as set. */
int kern_topic_set(struct kern *k, const struct kern_topic *t);
int kern_topic_delete(struct kern *k, const uint8_t id[SLUICE_TOPIC_ID_LEN]);
/** kern_topic_get() - by name; free ret->data_dir. -ENOENT */
int kern_topic_get(struct kern *k, const char *name, struct kern_topic *ret);
int kern_topics(struct kern *k, struct kern_topic **ret_topics, size_t *ret_n);
void kern_topics_free(struct kern_topic *topics, size_t n);

struct kern_partition {
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	uint8_t topic_id[SLUICE_TOPIC_ID_LEN];
	uint32_t index;
	uint32_t state; /* SLUICE_PARTITION_STATE_* */
	int error;	/* errno that took it offline, positive */
	char reason[128];
	int64_t log_start_offset;
	int64_t last_stable_offset;
	int64_t high_watermark;
	int64_t log_end_offset;
	int64_t recovery_point;
	int32_t leader_epoch;
	uint32_t segments;
	uint64_t size_bytes;
	uint64_t append_batches, append_records, append_bytes;
	uint64_t fetches, fetch_bytes;
	uint64_t flushes, rolls, refused_batches;
	uint64_t truncations, replacements;
	uint64_t generation; /* another one after each opening and each truncation */
};
int kern_partition_get(struct kern *k, const char *topic, uint32_t index,
		       struct kern_partition *ret);
/** kern_partitions() - of one topic, or of all if @topic is NULL. */
int kern_partitions(struct kern *k, const char *topic, struct kern_partition **ret_partitions,
		    size_t *ret_n);
void kern_partitions_free(struct kern_partition *partitions);
/**
 * kern_partition_set_log_start() - records below @offset may no longer be read
 * The files go soon after. An offset below the start changes nothing. -ERANGE:
 * it is above the high watermark.
 */
int kern_partition_set_log_start(struct kern *k, const char *topic, uint32_t index, int64_t offset);
/**
 * kern_partition_truncate() - end the log at @offset
 * The checkpoints are to be lowered before. From the log end on nothing happens.
 */
int kern_partition_truncate(struct kern *k, const char *topic, uint32_t index, int64_t offset);
/**
 * kern_partition_replace() - swap in a compacted segment
 * @generation: of the partition, read before the first of its segments was
 * @first_base: base offset of the first segment that goes; the new one's files
 *	have its name with .cleaned behind, are complete and on stable storage
 * @last_base: of the last that goes
 * -ESTALE: the log was truncated since; -EINVAL: those segments are gone;
 * -EUCLEAN: the new files are not right. Nothing has changed then.
 */
int kern_partition_replace(struct kern *k, const char *topic, uint32_t index, uint64_t generation,
			   int64_t first_base, int64_t last_base);

/* Events. A struct kern that subscribed is used for nothing else. */
struct kern_event {
	uint32_t type; /* SLUICE_EVENT_TYPE_* */
	char data_dir[4096];
	char topic[SLUICE_TOPIC_NAME_MAX + 1];
	uint8_t topic_id[SLUICE_TOPIC_ID_LEN];
	int32_t partition; /* -1: not about one */
	int64_t base_offset;
	int error; /* errno, positive */
	char reason[128];
};
int kern_subscribe(struct kern *k);
/** kern_event_fd() - readable when kern_event_next() has something. */
int kern_event_fd(const struct kern *k);
/** kern_event_next() - 0; -EAGAIN none; -ENOBUFS some were lost: look anew. */
int kern_event_next(struct kern *k, struct kern_event *ret);

#endif /* KERN_KERN_H */
