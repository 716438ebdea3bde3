// SPDX-License-Identifier: Apache-2.0
/*
 * Partitions: state, offsets, counters.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/msg.h>
#include "daemon/kern/netlink.h"

static int read_partition(struct nlmsghdr *h, struct kern_partition *p)
{
	struct nlattr *attrs[SLUICE_A_PARTITION_MAX + 1];
	int err = kern_attrs(h, attrs, SLUICE_A_PARTITION_MAX);

	if (err)
		return err;
	memset(p, 0, sizeof(*p));
	kern_attr_string(attrs[SLUICE_A_PARTITION_TOPIC], p->topic, sizeof(p->topic));
	kern_attr_id(attrs[SLUICE_A_PARTITION_TOPIC_ID], p->topic_id);
	kern_attr_string(attrs[SLUICE_A_PARTITION_REASON], p->reason, sizeof(p->reason));
	p->index = kern_attr_u32(attrs[SLUICE_A_PARTITION_INDEX]);
	p->state = kern_attr_u32(attrs[SLUICE_A_PARTITION_STATE]);
	p->error = (int)kern_attr_u32(attrs[SLUICE_A_PARTITION_ERROR]);
	p->leader_epoch = (int32_t)kern_attr_u32(attrs[SLUICE_A_PARTITION_LEADER_EPOCH]);
	p->segments = kern_attr_u32(attrs[SLUICE_A_PARTITION_SEGMENTS]);
#define READ(NAME, field) p->field = kern_attr_u64(attrs[SLUICE_A_PARTITION_##NAME])
	READ(LOG_START_OFFSET, log_start_offset);
	READ(LAST_STABLE_OFFSET, last_stable_offset);
	READ(HIGH_WATERMARK, high_watermark);
	READ(LOG_END_OFFSET, log_end_offset);
	READ(RECOVERY_POINT, recovery_point);
	READ(SIZE_BYTES, size_bytes);
	READ(APPEND_BATCHES, append_batches);
	READ(APPEND_RECORDS, append_records);
	READ(APPEND_BYTES, append_bytes);
	READ(FETCHES, fetches);
	READ(FETCH_BYTES, fetch_bytes);
	READ(FLUSHES, flushes);
	READ(ROLLS, rolls);
	READ(REFUSED_BATCHES, refused_batches);
	READ(TRUNCATIONS, truncations);
	READ(REPLACEMENTS, replacements);
	READ(GENERATION, generation);
#undef READ
	return 0;
}

static int partition_reply(struct kern *k, void *ctx, struct nlmsghdr *h)
{
	(void)k;
	return read_partition(h, ctx);
}

int kern_partition_get(struct kern *k, const char *topic, uint32_t index,
		       struct kern_partition *ret)
{
	struct nl_msg *msg = kern_message(k, SLUICE_CMD_PARTITION_GET, 0);
	struct kern_partition p = {0};
	int err = 0;

	if (msg) {
		err = nla_put_string(msg, SLUICE_A_PARTITION_TOPIC, topic);
		if (!err)
			err = nla_put_u32(msg, SLUICE_A_PARTITION_INDEX, index);
	}
	err = kern_request(k, msg, err, partition_reply, &p);
	if (!err)
		*ret = p;
	return err;
}

/* The attributes behind the partition's name are u64, @n of them. */
static int change_partition(struct kern *k, uint8_t cmd, const char *topic, uint32_t index,
			    const int *attrs, const uint64_t *values, int n)
{
	struct nl_msg *msg = kern_message(k, cmd, 0);
	int err = 0;

	if (msg) {
		err = nla_put_string(msg, SLUICE_A_PARTITION_TOPIC, topic);
		if (!err)
			err = nla_put_u32(msg, SLUICE_A_PARTITION_INDEX, index);
		for (int i = 0; i < n && !err; i++)
			err = nla_put_u64(msg, attrs[i], values[i]);
	}
	return kern_request(k, msg, err, NULL, NULL);
}

int kern_partition_set_log_start(struct kern *k, const char *topic, uint32_t index, int64_t offset)
{
	return change_partition(k, SLUICE_CMD_PARTITION_SET, topic, index,
				(const int[]){SLUICE_A_PARTITION_LOG_START_OFFSET},
				(const uint64_t[]){(uint64_t)offset}, 1);
}

int kern_partition_truncate(struct kern *k, const char *topic, uint32_t index, int64_t offset)
{
	return change_partition(k, SLUICE_CMD_PARTITION_TRUNCATE, topic, index,
				(const int[]){SLUICE_A_PARTITION_LOG_END_OFFSET},
				(const uint64_t[]){(uint64_t)offset}, 1);
}

int kern_partition_replace(struct kern *k, const char *topic, uint32_t index, uint64_t generation,
			   int64_t first_base, int64_t last_base)
{
	return change_partition(
		k, SLUICE_CMD_PARTITION_REPLACE, topic, index,
		(const int[]){SLUICE_A_PARTITION_GENERATION, SLUICE_A_PARTITION_FIRST_BASE_OFFSET,
			      SLUICE_A_PARTITION_LAST_BASE_OFFSET},
		(const uint64_t[]){generation, (uint64_t)first_base, (uint64_t)last_base}, 3);
}

struct partition_list {
	const char *topic;
	struct kern_partition *partitions;
	size_t n, room;
};

static int fill_topic(struct nl_msg *msg, void *ctx)
{
	struct partition_list *list = ctx;

	return list->topic ? nla_put_string(msg, SLUICE_A_PARTITION_TOPIC, list->topic) : 0;
}

static void partitions_reset(void *ctx)
{
	struct partition_list *list = ctx;

	kern_partitions_free(list->partitions);
	list->partitions = NULL;
	list->n = 0;
	list->room = 0;
}

static int partitions_reply(struct kern *k, void *ctx, struct nlmsghdr *h)
{
	struct partition_list *list = ctx;
	struct kern_partition *grown;
	int err;

	(void)k;
	if (list->n == list->room) {
		grown = reallocarray(list->partitions, list->room * 2 + 16, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->partitions = grown;
		list->room = list->room * 2 + 16;
	}
	err = read_partition(h, &list->partitions[list->n]);
	if (!err)
		list->n++;
	return err;
}

int kern_partitions(struct kern *k, const char *topic, struct kern_partition **ret_partitions,
		    size_t *ret_n)
{
	struct partition_list list = {.topic = topic};
	int err;

	err = kern_dump(k, SLUICE_CMD_PARTITION_GET, fill_topic, partitions_reply, partitions_reset,
			&list);
	if (err)
		return err;
	*ret_partitions = list.partitions;
	*ret_n = list.n;
	return 0;
}

void kern_partitions_free(struct kern_partition *partitions)
{
	free(partitions);
}
