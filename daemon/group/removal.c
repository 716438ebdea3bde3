// SPDX-License-Identifier: Apache-2.0
/* OffsetDelete, DeleteGroups, and what is removed because its time has come. */
#include "daemon/core/owned.h"
#include "daemon/group/rebalance.h"

/* Tombstones in one batch: far below the largest batch a topic takes. */
#define TOMBSTONES_MAX 1000

/**
 * struct removal - a batch of tombstones on the way
 * @group: call answer_group when it is there, or NULL; likewise @offsets
 * @whole: the group's own is among them
 * @entries: @n of them, claimed
 */
struct removal {
	struct topic_write write;
	struct group_delete_call *group;
	struct offset_delete_call *offsets;
	bool whole;
	size_t n;
	struct offset_entry *entries[];
};

static void answer_offsets(struct offset_delete_call *call, int16_t code)
{
	call->a->error_code = code;
	if (code)
		call->a->topics.n = 0;
	call->answer(call);
}

static void answer(struct removal *r, int16_t code)
{
	if (r->group) {
		r->group->error_code = code;
		r->group->answer(r->group);
	}
	if (r->offsets)
		answer_offsets(r->offsets, code);
}

static void end(struct group *g, struct removal *r, int16_t code)
{
	for (size_t i = 0; i < r->n; i++) {
		if (code)
			offset_release(&g->offsets, r->entries[i]);
		else
			offset_remove(&g->offsets, r->entries[i], r->write.number);
	}
	/* An older batch of its tombstones may have failed: the group is still there then. */
	if (r->whole && (code || g->offsets.n_present))
		g->state = GROUP_EMPTY;
}

static void written(struct topic_write *w, int16_t code)
{
	struct removal *r = list_entry(w, struct removal, write);
	struct group *g = w->owner;
	struct coordinator *c = g->coordinator;

	if (coordinator_written(w)) {
		end(g, r, code);
		coordinator_put(c, g);
	} else {
		code = KAFKA_ERROR_NOT_COORDINATOR;
	}
	answer(r, code);
	free(r);
}

static struct removal *new_removal(size_t room)
{
	struct removal *r = calloc(1, sizeof(*r) + room * sizeof(struct offset_entry *));

	if (r)
		r->write.done = written;
	return r;
}

static int16_t write_tombstones(struct coordinator *c, struct group *g, struct removal *r)
{
	int16_t code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	size_t n = r->n + r->whole;
	struct topic_record *records = calloc(n + 1, sizeof(*records));
	size_t *ends = calloc(n + 1, sizeof(*ends));
	struct wire_writer w;
	struct buf buf;

	buf_init(&buf, INT32_MAX);
	wire_writer_init(&w, &buf);
	for (size_t i = 0; records && ends && i < n; i++) {
		struct group_key key = {.kind = GROUP_RECORD_GROUP, .group = g->id};

		if (i < r->n) {
			key.kind = GROUP_RECORD_OFFSET;
			key.topic = r->entries[i]->topic;
			key.partition = r->entries[i]->partition;
		}
		group_key_encode(&w, &key);
		ends[i + 1] = buf.len;
	}
	if (records && ends && !w.err) {
		for (size_t i = 0; i < n; i++) {
			records[i].key = (struct kafka_bytes){buf.data + ends[i],
							      (int32_t)(ends[i + 1] - ends[i])};
			records[i].value.len = -1;
		}
		code = coordinator_write(c, g, records, n, &r->write);
	}
	wire_writer_free(&w);
	buf_free(&buf);
	free(records);
	free(ends);
	return code;
}

/* Write it; answer at once if that fails. */
static void begin(struct coordinator *c, struct group *g, struct removal *r)
{
	int16_t code;

	if (r->whole)
		g->state = GROUP_DEAD;
	code = write_tombstones(c, g, r);
	if (!code)
		return;
	end(g, r, code);
	answer(r, code);
	free(r);
}

/*
 * Remove the offsets that @due says, and the group itself when it has nothing
 * else, if @whole. @call, if there is one, is answered with the last batch:
 * the others are there by then.
 */
static void remove_due(struct coordinator *c, struct group *g, bool whole,
		       bool (*due)(const struct group *g, const struct offset_entry *e,
				   const void *arg),
		       const void *arg, struct group_delete_call *call)
{
	struct removal *r = new_removal(TOMBSTONES_MAX);
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &g->offsets.entries)
	{
		struct offset_entry *e = list_entry(at, struct offset_entry, link);

		if (!r || !due(g, e, arg))
			continue;
		e->claims++;
		r->entries[r->n++] = e;
		if (r->n < TOMBSTONES_MAX)
			continue;
		begin(c, g, r);
		r = new_removal(TOMBSTONES_MAX);
	}
	if (!r) {
		if (call) {
			call->error_code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
			call->answer(call);
		}
		return;
	}
	r->group = call;
	r->whole = whole;
	if (r->n || r->whole)
		begin(c, g, r);
	else
		free(r);
}

static bool always(const struct group *g, const struct offset_entry *e, const void *arg)
{
	(void)g, (void)e, (void)arg;
	return true;
}

void coordinator_delete_group(struct coordinator *c, struct group_delete_call *call)
{
	struct group *g = coordinator_find(c, call->group, &call->error_code);

	if (!call->error_code) {
		if (!g || g->state == GROUP_DEAD)
			call->error_code = KAFKA_ERROR_GROUP_ID_NOT_FOUND;
		else if (g->state != GROUP_EMPTY)
			call->error_code = KAFKA_ERROR_NON_EMPTY_GROUP;
	}
	if (call->error_code)
		call->answer(call);
	else
		remove_due(c, g, true, always, NULL, call);
}

static int16_t check_delete(const struct group *g)
{
	if (!g || g->state == GROUP_DEAD)
		return KAFKA_ERROR_GROUP_ID_NOT_FOUND;
	/* Members of other protocols may read anything. */
	if (g->state != GROUP_EMPTY && !group_is_consumer(g))
		return KAFKA_ERROR_NON_EMPTY_GROUP;
	return KAFKA_ERROR_NONE;
}

static void claim_topic(struct group *g, struct removal *r,
			const struct kafka_offset_delete_request_topic *t,
			struct kafka_offset_delete_response_topic *out)
{
	bool in_use = g->state != GROUP_EMPTY && group_reads_topic(g, t->name);

	for (int32_t i = 0; i < t->partitions.n; i++) {
		struct offset_entry *e =
			offset_find(&g->offsets, t->name, t->partitions.v[i].partition_index);

		if (out->partitions.v[i].error_code)
			continue;
		if (in_use)
			out->partitions.v[i].error_code = KAFKA_ERROR_GROUP_SUBSCRIBED_TO_TOPIC;
		if (!e || in_use)
			continue;
		e->claims++;
		r->entries[r->n++] = e;
	}
}

void coordinator_delete_offsets(struct coordinator *c, struct offset_delete_call *call)
{
	struct removal *r;
	int16_t code;
	size_t n = 0;
	struct group *g = coordinator_find(c, call->m->group_id, &code);

	/* One may commit under no name, but not take that back. */
	if (!call->m->group_id.len)
		code = KAFKA_ERROR_INVALID_GROUP_ID;
	if (!code)
		code = check_delete(g);
	if (code) {
		answer_offsets(call, code);
		return;
	}
	for (int32_t i = 0; i < call->m->topics.n; i++)
		n += (size_t)call->m->topics.v[i].partitions.n;
	r = new_removal(n);
	if (!r) {
		answer_offsets(call, KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE);
		return;
	}
	r->offsets = call;
	for (int32_t i = 0; i < call->m->topics.n; i++)
		claim_topic(g, r, &call->m->topics.v[i], &call->a->topics.v[i]);
	if (r->n) {
		begin(c, g, r);
		return;
	}
	free(r);
	answer_offsets(call, KAFKA_ERROR_NONE);
}

/* Kafka's rules: what a group still uses stays, whatever its age. */
static bool is_expired(const struct group *g, const struct offset_entry *e, const void *arg)
{
	const struct coordinator *c = arg;
	int64_t since = e->value.commit_ms;

	if (!e->present || e->n_unstable || !list_empty(&e->pending))
		return false;
	if (g->protocol_type.len >= 0 && g->state != GROUP_EMPTY &&
	    (g->state != GROUP_STABLE || !group_is_consumer(g) || group_reads_topic(g, e->topic)))
		return false;
	if (e->value.expire_ms >= 0)
		return wall_ms(c) >= e->value.expire_ms;
	if (g->protocol_type.len >= 0 && g->state == GROUP_EMPTY && g->state_ms >= 0)
		since = g->state_ms;
	return wall_ms(c) - since >= c->settings.offsets_retention_ms;
}

/* Whether nothing but the group itself would be left. */
static bool all_expire(const struct coordinator *c, const struct group *g)
{
	if (g->state != GROUP_EMPTY || !list_empty(&g->pending))
		return false;
	for (struct list *at = g->offsets.entries.next; at != &g->offsets.entries; at = at->next) {
		const struct offset_entry *e = list_entry(at, struct offset_entry, link);

		if (e->claims || !is_expired(g, e, c))
			return false;
	}
	return true;
}

void coordinator_expire(struct coordinator *c)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &c->list)
	{
		struct group *g = list_entry(at, struct group, link);

		if (g->state != GROUP_DEAD && c->partitions.state[g->partition] == PARTITION_ACTIVE)
			remove_due(c, g, all_expire(c, g), is_expired, c, NULL);
	}
}

static bool is_of_topic(const struct group *g, const struct offset_entry *e, const void *arg)
{
	(void)g;
	return kafka_str_equal(e->topic, *(const struct kafka_str *)arg);
}

void coordinator_topic_gone(struct coordinator *c, struct kafka_str topic)
{
	struct list *at;
	struct list *after;

	list_for_each_safe(at, after, &c->list)
	{
		struct group *g = list_entry(at, struct group, link);

		if (g->state != GROUP_DEAD && c->partitions.state[g->partition] == PARTITION_ACTIVE)
			remove_due(c, g, false, is_of_topic, &topic, NULL);
	}
}
