/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's generic netlink family, for sluiced and sluicectl: the only
 * code that speaks it. Documentation/netlink/specs/sluice.yaml defines it.
 *
 * A struct kern is used by one thread at a time. Calls block until the kernel
 * has answered. They return 0 or -errno; kern_error() then has the sentence
 * that came with it (the kernel's extended ack, or what the client found).
 */
#ifndef KERN_KERN_H
#define KERN_KERN_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/sluice.h>

struct kern;

/**
 * kern_open() - connect to the module in the caller's network namespace
 * Returns 0; -ENOENT: the module is not loaded.
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
 * A field is sent only if its bit is set in @set (KERN_CONFIG_*).
 */
struct kern_topic_config {
	uint32_t set;
	uint32_t segment_bytes;
	uint32_t max_message_bytes;
	uint32_t index_interval_bytes;
	uint32_t segment_index_bytes;
	uint32_t message_timestamp_type; /* 0 CreateTime, 1 LogAppendTime */
	uint32_t durability;		 /* SLUICE_DURABILITY_* */
};
#define KERN_CONFIG_SEGMENT_BYTES	   (1u << 0)
#define KERN_CONFIG_MAX_MESSAGE_BYTES	   (1u << 1)
#define KERN_CONFIG_INDEX_INTERVAL_BYTES   (1u << 2)
#define KERN_CONFIG_SEGMENT_INDEX_BYTES	   (1u << 3)
#define KERN_CONFIG_MESSAGE_TIMESTAMP_TYPE (1u << 4)
#define KERN_CONFIG_DURABILITY		   (1u << 5)

struct kern_topic {
	char name[SLUICE_TOPIC_NAME_MAX + 1];
	uint8_t id[SLUICE_TOPIC_ID_LEN];
	char *data_dir; /* owned by the array it came in; borrowed when given */
	uint32_t partition_count;
	int32_t leader_epoch;
	struct kern_topic_config config;
};
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
	int64_t high_watermark;
	int64_t log_end_offset;
	int64_t recovery_point;
	int32_t leader_epoch;
	uint32_t segments;
	uint64_t size_bytes;
	uint64_t append_batches, append_records, append_bytes;
	uint64_t fetches, fetch_bytes;
	uint64_t flushes, rolls, refused_batches;
};
int kern_partition_get(struct kern *k, const char *topic, uint32_t index,
		       struct kern_partition *ret);
/** kern_partitions() - of one topic, or of all if @topic is NULL. */
int kern_partitions(struct kern *k, const char *topic, struct kern_partition **ret_partitions,
		    size_t *ret_n);
void kern_partitions_free(struct kern_partition *partitions);

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
