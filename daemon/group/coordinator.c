// SPDX-License-Identifier: Apache-2.0
#include "daemon/group/coordinator.h"
#include "daemon/core/owned.h"
#include "daemon/group/rebalance.h"

void coordinator_init(struct coordinator *c, struct coordinator_env *env,
		      const struct group_settings *settings, struct timer_heap *timers)
{
	*c = (struct coordinator){
		.env = env,
		.settings = *settings,
		.timers = timers,
		.next_number = 1,
	};
	htable_init(&c->groups);
	list_init(&c->list);
}

void coordinator_free(struct coordinator *c)
{
	htable_free(&c->groups);
	topic_partitions_free(&c->partitions);
}

int coordinator_open(struct coordinator *c, int32_t n)
{
	return topic_partitions_open(&c->partitions, n);
}

static uint64_t hash_id(struct kafka_str id)
{
	return hash_bytes(0, id.p, (size_t)id.len);
}

static struct group *find(const struct coordinator *c, struct kafka_str id)
{
	struct hnode *n = htable_first(&c->groups, hash_id(id));

	for (; n; n = htable_next(n)) {
		struct group *g = hnode_entry(n, struct group, node);

		if (kafka_str_equal(g->id, id))
			return g;
	}
	return NULL;
}

struct group *coordinator_find(const struct coordinator *c, struct kafka_str id, int16_t *ret_error)
{
	*ret_error = topic_partitions_error(&c->partitions, id);
	return *ret_error ? NULL : find(c, id);
}

int16_t coordinator_error(const struct coordinator *c)
{
	return topic_partitions_all_error(&c->partitions);
}

struct group *coordinator_make(struct coordinator *c, struct kafka_str id)
{
	struct group *g = group_new(c, id, key_partition(id, c->partitions.n));

	if (!g)
		return NULL;
	if (htable_insert(&c->groups, &g->node, hash_id(id))) {
		group_free(g);
		return NULL;
	}
	list_append(&c->list, &g->link);
	return g;
}

/* Nobody finds it any more; it goes when nothing of it is on the way. */
static void drop(struct coordinator *c, struct group *g)
{
	htable_remove(&c->groups, &g->node);
	list_remove(&g->link);
	g->closed = true;
	timer_cancel(c->timers, &g->rebalance);
	if (!g->writes)
		group_free(g);
}

void coordinator_put(struct coordinator *c, struct group *g)
{
	if (!g->closed && !g->writes && !g->n_members && list_empty(&g->pending) &&
	    !g->offsets.n_present && !g->offsets.n_pending &&
	    (g->state == GROUP_DEAD || (g->state == GROUP_EMPTY && g->protocol_type.len < 0)))
		drop(c, g);
}

int16_t coordinator_write(struct coordinator *c, struct group *g,
			  const struct topic_record *records, size_t n, struct topic_write *w)
{
	int16_t code;

	w->number = c->next_number++;
	w->owner = g;
	code = c->env->append(c->env, g->partition, records, n, w);
	if (!code)
		g->writes++;
	return code;
}

bool coordinator_written(struct topic_write *w)
{
	struct group *g = w->owner;

	g->writes--;
	if (!g->closed)
		return true;
	if (!g->writes)
		group_free(g);
	return false;
}

static int load_offset(struct coordinator *c, const struct group_key *key,
		       const struct topic_load *record)
{
	struct group *g = find(c, key->group);
	struct offset_entry *e = NULL;
	struct kafka_str metadata;
	struct offset_value v;
	int err = 0;

	if (!record->value && !g)
		return 0;
	if (record->value && offset_value_decode(record->value, record->value_len, &v))
		return -EBADMSG;
	if (!g)
		g = coordinator_make(c, key->group);
	if (g)
		e = offset_claim(&g->offsets, key->topic, key->partition);
	if (!e)
		return -ENOMEM;
	if (record->value)
		err = str_copy(&metadata, v.metadata);
	if (err)
		offset_release(&g->offsets, e);
	else if (!record->value)
		offset_remove(&g->offsets, e, c->next_number++);
	else if (record->producer_id >= 0)
		err = offset_pend(&g->offsets, e, c->next_number++, record->producer_id, &v,
				  metadata);
	else
		offset_set(&g->offsets, e, c->next_number++, &v, metadata);
	return err;
}

/* As it was before any record of it, but for its offsets. */
static void forget_members(struct group *g)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &g->members)
		group_remove_member(g, list_entry(at, struct member, link));
	str_free(&g->protocol_type);
	str_free(&g->protocol);
	g->state = GROUP_EMPTY;
	g->state_ms = -1;
	g->generation = 0;
}

static int load_member(struct group *g, const struct group_value *v,
		       const struct group_value_member *from)
{
	struct member_protocol *protocol = calloc(1, sizeof(*protocol));
	struct member *m;

	if (!protocol)
		return -ENOMEM;
	if (str_copy(&protocol->name, v->protocol) ||
	    bytes_copy(&protocol->metadata, from->subscription) ||
	    group_add_member(g, from, protocol, 1, &m)) {
		member_protocols_free(protocol, 1);
		return -ENOMEM;
	}
	if (kafka_str_equal(m->id, v->leader))
		g->leader = m;
	return 0;
}

static int load_group(struct coordinator *c, const struct group_key *key, const void *value,
		      size_t len)
{
	struct group *g = find(c, key->group);
	struct group_value v = {0};
	struct arena a;
	int err = 0;

	arena_init(&a, SIZE_MAX);
	if (value)
		err = group_value_decode(value, len, &a, &v);
	if (!err && value && v.n_members && v.protocol.len < 0)
		err = -EBADMSG;
	if (err) {
		arena_free(&a);
		return err == -ENOMEM ? err : -EBADMSG;
	}
	if (g)
		forget_members(g);
	else if (value)
		g = coordinator_make(c, key->group);
	if (value && !g)
		err = -ENOMEM;
	if (value && !err) {
		/* An empty type is written for a group that never had members. */
		if (v.protocol_type.len)
			err = str_copy(&g->protocol_type, v.protocol_type);
		if (!err)
			err = str_copy(&g->protocol, v.protocol);
		g->generation = v.generation;
		g->state_ms = v.state_ms;
		g->state = v.n_members ? GROUP_STABLE : GROUP_EMPTY;
		for (int32_t i = 0; i < v.n_members && !err; i++)
			err = load_member(g, &v, &v.members[i]);
	}
	arena_free(&a);
	return err;
}

int coordinator_load(struct coordinator *c, int32_t partition, const struct topic_load *record)
{
	struct group_key k;

	if (group_key_decode(record->key, record->key_len, &k))
		return -EBADMSG;
	if (k.kind == GROUP_RECORD_OTHER)
		return 0;
	/* One that is in the wrong partition would never be found, or never be unloaded. */
	if (key_partition(k.group, c->partitions.n) != partition)
		return -EBADMSG;
	if (k.kind == GROUP_RECORD_OFFSET)
		return load_offset(c, &k, record);
	return load_group(c, &k, record->value, record->value_len);
}

void coordinator_ended(struct coordinator *c, int32_t partition, int64_t producer_id, bool commit)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &c->list)
	{
		struct group *g = list_entry(at, struct group, link);

		if (g->partition != partition || !g->offsets.n_pending)
			continue;
		offset_end(&g->offsets, producer_id, commit);
		/* While it is loaded more may come. */
		if (c->partitions.state[partition] == PARTITION_ACTIVE)
			coordinator_put(c, g);
	}
}

void coordinator_loaded(struct coordinator *c, int32_t partition)
{
	struct list *at;
	struct list *after;

	c->partitions.state[partition] = PARTITION_ACTIVE;
	list_for_each_safe(at, after, &c->list)
	{
		struct group *g = list_entry(at, struct group, link);

		if (g->partition != partition)
			continue;
		rebalance_loaded(g);
		coordinator_put(c, g);
	}
}

void coordinator_close(struct coordinator *c, int32_t partition)
{
	struct list *at;
	struct list *after;

	c->partitions.state[partition] = PARTITION_ABSENT;
	list_for_each_safe(at, after, &c->list)
	{
		struct group *g = list_entry(at, struct group, link);

		if (g->partition != partition)
			continue;
		rebalance_close(g);
		drop(c, g);
	}
}

void coordinator_reopen(struct coordinator *c, int32_t partition)
{
	c->partitions.state[partition] = PARTITION_LOADING;
}

void coordinator_stop(struct coordinator *c)
{
	for (int32_t i = 0; i < c->partitions.n; i++)
		coordinator_close(c, i);
}
