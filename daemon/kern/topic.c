// SPDX-License-Identifier: Apache-2.0
/*
 * Topics, as the kernel knows them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/msg.h>
#include "daemon/kern/netlink.h"

static int put_config(struct nl_msg *msg, const struct kern_topic_config *c)
{
	struct nlattr *nest;

	if (!c->set)
		return 0;
	nest = nla_nest_start(msg, SLUICE_A_TOPIC_CONFIG);
	if (!nest)
		return -NLE_MSGSIZE;
#define PUT(NAME, field)                                              \
	if (c->set & KERN_CONFIG_##NAME &&                            \
	    nla_put_u32(msg, SLUICE_A_TOPIC_CONFIG_##NAME, c->field)) \
		return -NLE_MSGSIZE;
	KERN_CONFIG_U32(PUT)
#undef PUT
#define PUT(NAME, field)                                                        \
	if (c->set & KERN_CONFIG_##NAME &&                                      \
	    nla_put_u64(msg, SLUICE_A_TOPIC_CONFIG_##NAME, (uint64_t)c->field)) \
		return -NLE_MSGSIZE;
	KERN_CONFIG_S64(PUT)
#undef PUT
	nla_nest_end(msg, nest);
	return 0;
}

static void read_config(const struct nlattr *nest, struct kern_topic_config *c)
{
	struct nlattr *attrs[SLUICE_A_TOPIC_CONFIG_MAX + 1];

	if (!nest ||
	    nla_parse_nested(attrs, SLUICE_A_TOPIC_CONFIG_MAX, (struct nlattr *)nest, NULL))
		return;
#define READ(NAME, field)                                                      \
	if (attrs[SLUICE_A_TOPIC_CONFIG_##NAME]) {                             \
		c->field = kern_attr_u32(attrs[SLUICE_A_TOPIC_CONFIG_##NAME]); \
		c->set |= KERN_CONFIG_##NAME;                                  \
	}
	KERN_CONFIG_U32(READ)
#undef READ
#define READ(NAME, field)                                                               \
	if (attrs[SLUICE_A_TOPIC_CONFIG_##NAME]) {                                      \
		c->field = (int64_t)kern_attr_u64(attrs[SLUICE_A_TOPIC_CONFIG_##NAME]); \
		c->set |= KERN_CONFIG_##NAME;                                           \
	}
	KERN_CONFIG_S64(READ)
#undef READ
}

static int put_topic(struct nl_msg *msg, const struct kern_topic *t)
{
	int err = nla_put(msg, SLUICE_A_TOPIC_ID, SLUICE_TOPIC_ID_LEN, t->id);

	if (!err && t->leader_epoch >= 0)
		err = nla_put_u32(msg, SLUICE_A_TOPIC_LEADER_EPOCH, t->leader_epoch);
	return err ? err : put_config(msg, &t->config);
}

static int put_offsets(struct nl_msg *msg, int type, const int64_t *offsets, uint32_t from,
		       uint32_t to)
{
	return offsets ? nla_put(msg, type, (int)((to - from) * sizeof(*offsets)), offsets + from)
		       : 0;
}

/* Opens those of the partitions that the kernel does not have: from @from to @to. */
static int create_some(struct kern *k, const struct kern_topic *t, uint32_t from, uint32_t to)
{
	struct nl_msg *msg = kern_message(k, SLUICE_CMD_TOPIC_CREATE, 0);
	int err = 0;

	if (msg) {
		err = nla_put_string(msg, SLUICE_A_TOPIC_NAME, t->name);
		if (!err)
			err = nla_put_string(msg, SLUICE_A_TOPIC_DATA_DIR, t->data_dir);
		if (!err)
			err = nla_put_u32(msg, SLUICE_A_TOPIC_PARTITION_COUNT, to);
		if (!err)
			err = put_offsets(msg, SLUICE_A_TOPIC_LOG_START_OFFSETS,
					  t->log_start_offsets, from, to);
		if (!err)
			err = put_offsets(msg, SLUICE_A_TOPIC_RECOVERY_POINTS, t->recovery_points,
					  from, to);
		if (!err)
			err = put_topic(msg, t);
	}
	return kern_request(k, msg, err, NULL, NULL);
}

/* The sentence stays that of what went wrong. */
static void take_back(struct kern *k, const struct kern_topic *t)
{
	char error[sizeof(k->error)];

	memcpy(error, k->error, sizeof(error));
	kern_topic_delete(k, t->id);
	memcpy(k->error, error, sizeof(error));
}

int kern_topic_create(struct kern *k, const struct kern_topic *t)
{
	bool offsets = t->log_start_offsets || t->recovery_points;
	uint32_t from = 0, to;
	int err;

	do {
		to = t->partition_count;
		if (offsets && to - from > KERN_OFFSETS_MAX)
			to = from + KERN_OFFSETS_MAX;
		err = create_some(k, t, from, to);
		if (err && from)
			take_back(k, t);
		from = to;
	} while (!err && from < t->partition_count);
	return err;
}

int kern_topic_set(struct kern *k, const struct kern_topic *t)
{
	struct nl_msg *msg = kern_message(k, SLUICE_CMD_TOPIC_SET, 0);

	return kern_request(k, msg, msg ? put_topic(msg, t) : 0, NULL, NULL);
}

int kern_topic_delete(struct kern *k, const uint8_t id[SLUICE_TOPIC_ID_LEN])
{
	struct nl_msg *msg = kern_message(k, SLUICE_CMD_TOPIC_DELETE, 0);
	int err = msg ? nla_put(msg, SLUICE_A_TOPIC_ID, SLUICE_TOPIC_ID_LEN, id) : 0;

	return kern_request(k, msg, err, NULL, NULL);
}

static int read_topic(struct nlmsghdr *h, struct kern_topic *t)
{
	struct nlattr *attrs[SLUICE_A_TOPIC_MAX + 1];
	char path[SLUICE_PATH_MAX + 1];
	int err = kern_attrs(h, attrs, SLUICE_A_TOPIC_MAX);

	if (err)
		return err;
	memset(t, 0, sizeof(*t));
	kern_attr_string(attrs[SLUICE_A_TOPIC_NAME], t->name, sizeof(t->name));
	kern_attr_id(attrs[SLUICE_A_TOPIC_ID], t->id);
	t->partition_count = kern_attr_u32(attrs[SLUICE_A_TOPIC_PARTITION_COUNT]);
	t->leader_epoch = (int32_t)kern_attr_u32(attrs[SLUICE_A_TOPIC_LEADER_EPOCH]);
	read_config(attrs[SLUICE_A_TOPIC_CONFIG], &t->config);
	kern_attr_string(attrs[SLUICE_A_TOPIC_DATA_DIR], path, sizeof(path));
	t->data_dir = strdup(path);
	return t->data_dir ? 0 : -ENOMEM;
}

static int topic_reply(struct kern *k, void *ctx, struct nlmsghdr *h)
{
	struct kern_topic *t = ctx;

	(void)k;
	free(t->data_dir);
	return read_topic(h, t);
}

int kern_topic_get(struct kern *k, const char *name, struct kern_topic *ret)
{
	struct nl_msg *msg = kern_message(k, SLUICE_CMD_TOPIC_GET, 0);
	struct kern_topic t = {0};
	int err = msg ? nla_put_string(msg, SLUICE_A_TOPIC_NAME, name) : 0;

	err = kern_request(k, msg, err, topic_reply, &t);
	if (err) {
		free(t.data_dir);
		return err;
	}
	*ret = t;
	return 0;
}

struct topic_list {
	struct kern_topic *topics;
	size_t n, room;
};

static void topics_reset(void *ctx)
{
	struct topic_list *list = ctx;

	kern_topics_free(list->topics, list->n);
	*list = (struct topic_list){0};
}

static int topics_reply(struct kern *k, void *ctx, struct nlmsghdr *h)
{
	struct topic_list *list = ctx;
	struct kern_topic *grown;
	int err;

	(void)k;
	if (list->n == list->room) {
		grown = reallocarray(list->topics, list->room * 2 + 16, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->topics = grown;
		list->room = list->room * 2 + 16;
	}
	err = read_topic(h, &list->topics[list->n]);
	if (!err)
		list->n++;
	return err;
}

int kern_topics(struct kern *k, struct kern_topic **ret_topics, size_t *ret_n)
{
	struct topic_list list = {0};
	int err = kern_dump(k, SLUICE_CMD_TOPIC_GET, NULL, topics_reply, topics_reset, &list);

	if (err)
		return err;
	*ret_topics = list.topics;
	*ret_n = list.n;
	return 0;
}

void kern_topics_free(struct kern_topic *topics, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(topics[i].data_dir);
	free(topics);
}
