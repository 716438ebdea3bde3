// SPDX-License-Identifier: Apache-2.0
/*
 * OffsetFetch. Old versions ask for one group, new ones for several: inside
 * there are always several. The coordinator says the offsets; ids of topics are
 * looked up by the worker, before and after.
 */
#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/coordinator_request.h"
#include "daemon/worker.h"

/* First versions that can say that the whole failed, name several groups, name topics by ids. */
#define ERROR_FROM_VERSION  2
#define GROUPS_FROM_VERSION 8
#define IDS_FROM_VERSION    10

typedef struct kafka_offset_fetch_request_group group_in;
typedef struct kafka_offset_fetch_response_group group_out;
typedef struct kafka_offset_fetch_request_group_topic topic_in;
typedef struct kafka_offset_fetch_response_group_topic topic_out;
typedef struct kafka_offset_fetch_response_group_partition partition_out;

/** struct offset_fetch - a request at work; in its arena. @in and @out: @n groups */
struct offset_fetch {
	struct coordinator_request cr;
	struct kafka_offset_fetch_request m;
	group_in *in;
	group_out *out;
	int32_t n;
	int err;
};

static int16_t unstable_code(const struct offset_fetch *f, const struct group *g,
			     struct kafka_str topic, int32_t index)
{
	return f->m.require_stable && g && offset_is_unstable(&g->offsets, topic, index)
		       ? KAFKA_ERROR_UNSTABLE_OFFSET_COMMIT
		       : KAFKA_ERROR_NONE;
}

static int fill_partition(struct request *r, partition_out *out, int32_t index,
			  const struct offset_entry *e)
{
	*out = (partition_out){
		.partition_index = index,
		.committed_offset = e ? e->value.offset : -1,
		.committed_leader_epoch = e ? e->value.leader_epoch : -1,
		.metadata = kafka_str_from(""),
	};
	return e ? coordinator_request_copy(r, e->value.metadata, &out->metadata) : 0;
}

static int fill_named(struct offset_fetch *f, const struct group *g, const topic_in *in,
		      int16_t code, topic_out *out)
{
	struct request *r = f->cr.request;
	int32_t n = in->partition_indexes.n;

	out->name = in->name;
	out->topic_id = in->topic_id;
	out->partitions.v = request_alloc(r, (size_t)n, sizeof(*out->partitions.v));
	if (!out->partitions.v)
		return -ENOMEM;
	out->partitions.n = n;
	for (int32_t i = 0; i < n; i++) {
		int32_t index = in->partition_indexes.v[i];
		/* The worker could not find a name for the id. */
		bool unknown = in->name.len < 0;
		int16_t unstable =
			unknown ? KAFKA_ERROR_NONE : unstable_code(f, g, in->name, index);
		const struct offset_entry *e = g && !unknown && !unstable
						       ? offset_find(&g->offsets, in->name, index)
						       : NULL;

		if (fill_partition(r, &out->partitions.v[i], index, e))
			return -ENOMEM;
		out->partitions.v[i].error_code = unknown ? KAFKA_ERROR_UNKNOWN_TOPIC_ID : code;
		if (unstable)
			out->partitions.v[i].error_code = unstable;
	}
	return 0;
}

static size_t count_of_topic(const struct group *g, struct kafka_str topic)
{
	size_t n = 0;

	for (struct list *at = g->offsets.entries.next; at != &g->offsets.entries; at = at->next)
		n += kafka_str_equal(list_entry(at, struct offset_entry, link)->topic, topic);
	return n;
}

/* The answer's topic of that name, looked for from the newest on, or a new one. */
static topic_out *get_topic(struct request *r, const struct group *g, group_out *out,
			    const struct offset_entry *e)
{
	topic_out *t;

	for (int32_t i = out->topics.n; i-- > 0;) {
		if (kafka_str_equal(out->topics.v[i].name, e->topic))
			return &out->topics.v[i];
	}
	t = &out->topics.v[out->topics.n];
	t->partitions.v = request_alloc(r, count_of_topic(g, e->topic), sizeof(*t->partitions.v));
	if (!t->partitions.v || coordinator_request_copy(r, e->topic, &t->name))
		return NULL;
	out->topics.n++;
	return t;
}

static int fill_all(struct offset_fetch *f, const struct group *g, group_out *out)
{
	struct request *r = f->cr.request;

	if (!g)
		return 0;
	out->topics.v = request_alloc(r, g->offsets.n_present, sizeof(*out->topics.v));
	if (!out->topics.v)
		return -ENOMEM;
	for (struct list *at = g->offsets.entries.next; at != &g->offsets.entries; at = at->next) {
		const struct offset_entry *e = list_entry(at, struct offset_entry, link);
		int16_t unstable = unstable_code(f, g, e->topic, e->partition);
		partition_out *p;
		topic_out *t;

		if (!e->present)
			continue;
		t = get_topic(r, g, out, e);
		if (!t)
			return -ENOMEM;
		p = &t->partitions.v[t->partitions.n++];
		if (fill_partition(r, p, e->partition, unstable ? NULL : e))
			return -ENOMEM;
		p->error_code = unstable;
	}
	return 0;
}

static int fill_group(struct offset_fetch *f, struct coordinator *c, const group_in *in,
		      group_out *out)
{
	struct request *r = f->cr.request;
	bool tell_each = request_version(r) < ERROR_FROM_VERSION;
	struct group *g = coordinator_find(c, in->group_id, &out->error_code);
	int err = 0;

	out->group_id = in->group_id;
	if (out->error_code && !tell_each)
		return 0;
	if (in->topics.n < 0)
		return fill_all(f, g, out);
	out->topics.v = request_alloc(r, (size_t)in->topics.n, sizeof(*out->topics.v));
	if (!out->topics.v)
		return -ENOMEM;
	out->topics.n = in->topics.n;
	for (int32_t i = 0; i < in->topics.n && !err; i++)
		err = fill_named(f, g, &in->topics.v[i], out->error_code, &out->topics.v[i]);
	return err;
}

static void work(struct coordinators *cs, struct coordinator_call *call)
{
	struct coordinator *c = &cs->groups;
	struct offset_fetch *f = list_entry(call, struct offset_fetch, cr.call);

	for (int32_t i = 0; i < f->n && !f->err; i++)
		f->err = fill_group(f, c, &f->in[i], &f->out[i]);
	coordinators_reply(call);
}

/* Topics that were deleted have no id to be called by: they are left out. */
static void set_ids(struct request *r, group_out *g)
{
	int32_t kept = 0;

	for (int32_t i = 0; i < g->topics.n; i++) {
		topic_out *t = &g->topics.v[i];
		const struct image_topic *topic =
			t->name.len < 0
				? NULL
				: image_by_name(r->worker->image, t->name.p, (size_t)t->name.len);

		if (topic)
			memcpy(t->topic_id.b, topic->id, sizeof(t->topic_id.b));
		else if (kafka_uuid_is_zero(&t->topic_id))
			continue;
		g->topics.v[kept++] = *t;
	}
	g->topics.n = kept;
}

/* The form of versions before 8: the only group is the answer. */
static int flatten(struct request *r, const group_out *g, struct kafka_offset_fetch_response *a)
{
	a->error_code = g->error_code;
	a->topics.v = request_alloc(r, (size_t)g->topics.n, sizeof(*a->topics.v));
	if (!a->topics.v)
		return -ENOMEM;
	a->topics.n = g->topics.n;
	for (int32_t i = 0; i < g->topics.n; i++) {
		const topic_out *t = &g->topics.v[i];
		struct kafka_offset_fetch_response_topic *to = &a->topics.v[i];

		to->name = t->name;
		to->partitions.v =
			request_alloc(r, (size_t)t->partitions.n, sizeof(*to->partitions.v));
		if (!to->partitions.v)
			return -ENOMEM;
		to->partitions.n = t->partitions.n;
		for (int32_t j = 0; j < t->partitions.n; j++) {
			const partition_out *p = &t->partitions.v[j];

			to->partitions.v[j] = (struct kafka_offset_fetch_response_partition){
				.partition_index = p->partition_index,
				.committed_offset = p->committed_offset,
				.committed_leader_epoch = p->committed_leader_epoch,
				.metadata = p->metadata,
				.error_code = p->error_code,
			};
		}
	}
	return 0;
}

static enum handled answer(struct offset_fetch *f)
{
	struct request *r = f->cr.request;
	struct kafka_offset_fetch_response a;
	int err = f->err;

	kafka_offset_fetch_response_init(&a);
	if (request_version(r) >= IDS_FROM_VERSION) {
		for (int32_t i = 0; i < f->n; i++)
			set_ids(r, &f->out[i]);
	}
	if (request_version(r) >= GROUPS_FROM_VERSION) {
		a.groups.v = f->out;
		a.groups.n = f->n;
	} else if (!err) {
		err = flatten(r, &f->out[0], &a);
	}
	if (err)
		return request_malformed(r, err);
	kafka_offset_fetch_response_encode(response_begin(r), request_version(r), &a);
	return response_end(r);
}

static void reply(struct coordinator_call *call)
{
	struct offset_fetch *f = list_entry(call, struct offset_fetch, cr.call);

	request_finish(f->cr.request, answer(f));
}

/* The only group of an old version, in the form of the new ones. */
static int lift(struct request *r, struct offset_fetch *f)
{
	int32_t n = f->m.topics.n;

	f->in = request_alloc(r, 1, sizeof(*f->in));
	f->n = 1;
	if (!f->in)
		return -ENOMEM;
	f->in->group_id = f->m.group_id;
	f->in->topics.n = n;
	if (n < 0)
		return 0;
	f->in->topics.v = request_alloc(r, (size_t)n, sizeof(*f->in->topics.v));
	if (!f->in->topics.v)
		return -ENOMEM;
	for (int32_t i = 0; i < n; i++) {
		f->in->topics.v[i].name = f->m.topics.v[i].name;
		f->in->topics.v[i].partition_indexes = f->m.topics.v[i].partition_indexes;
	}
	return 0;
}

/* Names for the ids, copied because the image may be replaced meanwhile; null: unknown. */
static int set_names(struct request *r, group_in *g)
{
	for (int32_t i = 0; i < g->topics.n; i++) {
		const struct image_topic *topic =
			image_by_id(r->worker->image, g->topics.v[i].topic_id.b);

		g->topics.v[i].name = kafka_str_from(NULL);
		if (topic &&
		    coordinator_request_copy(r, kafka_str_from(topic->name), &g->topics.v[i].name))
			return -ENOMEM;
	}
	return 0;
}

static int prepare(struct request *r, struct offset_fetch *f)
{
	int err = 0;

	f->in = f->m.groups.v;
	f->n = f->m.groups.n;
	if (request_version(r) < GROUPS_FROM_VERSION)
		err = lift(r, f);
	for (int32_t i = 0; i < f->n && !err && request_version(r) >= IDS_FROM_VERSION; i++)
		err = set_names(r, &f->in[i]);
	f->out = request_alloc(r, (size_t)f->n, sizeof(*f->out));
	return err || !f->out ? -ENOMEM : 0;
}

enum handled handle_offset_fetch(struct request *r)
{
	struct offset_fetch *f = request_alloc(r, 1, sizeof(*f));
	int err = f ? 0 : -ENOMEM;

	if (!err)
		err = kafka_offset_fetch_request_decode(&r->body, &r->arena, request_version(r),
							&f->m);
	if (!err)
		err = prepare(r, f);
	if (err)
		return request_malformed(r, err);
	return coordinator_request_park(r, &f->cr, work, reply);
}
