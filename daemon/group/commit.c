// SPDX-License-Identifier: Apache-2.0
/* OffsetCommit and TxnOffsetCommit. */
#include "daemon/core/owned.h"
#include "daemon/group/rebalance.h"

static void answer_all(struct commit_call *call, int16_t code)
{
	for (int32_t i = 0; i < call->a->topics.n; i++) {
		struct kafka_offset_commit_response_topic *t = &call->a->topics.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++) {
			if (!t->partitions.v[j].error_code)
				t->partitions.v[j].error_code = code;
		}
	}
	call->answer(call);
}

/* Whether the sender may commit for the group as it is now. */
static int16_t check(struct group *g, const struct kafka_offset_commit_request *m,
		     bool transactional)
{
	int32_t generation = m->generation_id_or_member_epoch;
	struct member *member;
	int16_t code;

	if (g->state == GROUP_DEAD)
		return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	/* Somebody who is no member, such as a tool, may do it while nobody else is. */
	if (generation < 0 && g->state == GROUP_EMPTY)
		return KAFKA_ERROR_NONE;
	/* Of a transaction old producers do not say who they are; their epoch fences them. */
	if (generation < 0 && !m->member_id.len && m->group_instance_id.len < 0)
		return transactional ? KAFKA_ERROR_NONE : KAFKA_ERROR_UNKNOWN_MEMBER_ID;
	code = rebalance_check_member(g, m->member_id, m->group_instance_id, &member);
	if (code)
		return code;
	if (generation != g->generation)
		return KAFKA_ERROR_ILLEGAL_GENERATION;
	if (g->state == GROUP_COMPLETING_REBALANCE && !transactional)
		return KAFKA_ERROR_REBALANCE_IN_PROGRESS;
	rebalance_heard_of(member);
	return KAFKA_ERROR_NONE;
}

static struct offset_value value_of(const struct commit_call *call, int32_t topic,
				    const struct kafka_offset_commit_request_partition *in)
{
	return (struct offset_value){
		.offset = in->committed_offset,
		.leader_epoch = in->committed_leader_epoch,
		.metadata = in->committed_metadata.len < 0 ? kafka_str_from("")
							   : in->committed_metadata,
		.commit_ms = call->commit_ms,
		.expire_ms = call->m->retention_time_ms < 0
				     ? -1
				     : call->commit_ms + call->m->retention_time_ms,
		.topic_id = call->topic_ids[topic],
	};
}

/**
 * struct batch - the records of a commit while it is encoded
 * @ends: of key and value of each, in @w
 */
struct batch {
	struct buf buf;
	struct wire_writer w;
	struct topic_record *records;
	size_t *ends;
	size_t n;
};

static void add_record(struct batch *b, struct group *g, struct kafka_str topic, int32_t partition,
		       const struct offset_value *v)
{
	const struct group_key key = {
		.kind = GROUP_RECORD_OFFSET,
		.group = g->id,
		.topic = topic,
		.partition = partition,
	};

	group_key_encode(&b->w, &key);
	b->ends[2 * b->n] = b->buf.len;
	offset_value_encode(&b->w, v);
	b->ends[2 * b->n + 1] = b->buf.len;
	b->n++;
}

/* Their places are known when the buffer does not move any more. */
static void place_records(struct batch *b)
{
	size_t at = 0;

	for (size_t i = 0; i < b->n; i++) {
		size_t mid = b->ends[2 * i];
		size_t end = b->ends[2 * i + 1];

		b->records[i].key = (struct kafka_bytes){b->buf.data + at, (int32_t)(mid - at)};
		b->records[i].value = (struct kafka_bytes){b->buf.data + mid, (int32_t)(end - mid)};
		at = end;
	}
}

/* Claim and encode what is to be written. Returns the error code. */
static int16_t fill(struct group *g, struct commit_call *call, struct batch *b)
{
	for (int32_t i = 0; i < call->m->topics.n; i++) {
		const struct kafka_offset_commit_request_topic *t = &call->m->topics.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++) {
			const struct kafka_offset_commit_request_partition *in =
				&t->partitions.v[j];
			struct offset_value v = value_of(call, i, in);

			if (call->a->topics.v[i].partitions.v[j].error_code)
				continue;
			call->entries[b->n] =
				offset_claim(&g->offsets, t->name, in->partition_index);
			if (!call->entries[b->n])
				return KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
			call->entries[b->n]->n_unstable += call->write.transactional;
			add_record(b, g, t->name, in->partition_index, &v);
		}
	}
	return b->w.err ? KAFKA_ERROR_INVALID_COMMIT_OFFSET_SIZE : KAFKA_ERROR_NONE;
}

static void release_one(struct group *g, const struct commit_call *call, struct offset_entry *e)
{
	e->n_unstable -= call->write.transactional;
	offset_release(&g->offsets, e);
}

static void release(struct group *g, struct commit_call *call, size_t n)
{
	for (size_t i = 0; i < n; i++)
		release_one(g, call, call->entries[i]);
}

static int apply_one(struct group *g, const struct commit_call *call, struct offset_entry *e,
		     const struct offset_value *v)
{
	struct kafka_str metadata;

	if (str_copy(&metadata, v->metadata)) {
		release_one(g, call, e);
		return -ENOMEM;
	}
	e->n_unstable -= call->write.transactional;
	if (call->write.transactional)
		return offset_pend(&g->offsets, e, call->write.number, call->write.producer_id, v,
				   metadata);
	offset_set(&g->offsets, e, call->write.number, v, metadata);
	return 0;
}

/* The log has it: now everybody may see it. */
static int16_t apply(struct group *g, struct commit_call *call)
{
	int16_t code = KAFKA_ERROR_NONE;
	size_t n = 0;

	for (int32_t i = 0; i < call->m->topics.n; i++) {
		const struct kafka_offset_commit_request_topic *t = &call->m->topics.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++) {
			struct offset_value v = value_of(call, i, &t->partitions.v[j]);

			if (call->a->topics.v[i].partitions.v[j].error_code)
				continue;
			if (apply_one(g, call, call->entries[n++], &v))
				code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
		}
	}
	return code;
}

static size_t count(const struct commit_call *call)
{
	size_t n = 0;

	for (int32_t i = 0; i < call->a->topics.n; i++) {
		const struct kafka_offset_commit_response_topic *t = &call->a->topics.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++)
			n += !t->partitions.v[j].error_code;
	}
	return n;
}

static void written(struct topic_write *w, int16_t code)
{
	struct commit_call *call = list_entry(w, struct commit_call, write);
	struct group *g = w->owner;
	struct coordinator *c = g->coordinator;

	if (!coordinator_written(w)) {
		answer_all(call, KAFKA_ERROR_NOT_COORDINATOR);
		return;
	}
	if (code)
		release(g, call, count(call));
	else
		code = apply(g, call);
	coordinator_put(c, g);
	answer_all(call, code);
}

static int16_t write_batch(struct coordinator *c, struct group *g, struct commit_call *call)
{
	size_t n = count(call);
	struct batch b = {
		.records = calloc(n + 1, sizeof(*b.records)),
		.ends = calloc(2 * n + 1, sizeof(*b.ends)),
	};
	int16_t code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;

	buf_init(&b.buf, INT32_MAX);
	wire_writer_init(&b.w, &b.buf);
	if (b.records && b.ends)
		code = fill(g, call, &b);
	if (!code) {
		place_records(&b);
		call->write.done = written;
		code = coordinator_write(c, g, b.records, b.n, &call->write);
	}
	if (code)
		release(g, call, b.n);
	wire_writer_free(&b.w);
	buf_free(&b.buf);
	free(b.records);
	free(b.ends);
	return code;
}

/* Metadata that is too long keeps only its own partition out. */
static void check_metadata(const struct coordinator *c, struct commit_call *call)
{
	for (int32_t i = 0; i < call->m->topics.n; i++) {
		const struct kafka_offset_commit_request_topic *t = &call->m->topics.v[i];

		for (int32_t j = 0; j < t->partitions.n; j++) {
			if (t->partitions.v[j].committed_metadata.len > c->settings.metadata_max)
				call->a->topics.v[i].partitions.v[j].error_code =
					KAFKA_ERROR_OFFSET_METADATA_TOO_LARGE;
		}
	}
}

void coordinator_commit(struct coordinator *c, struct commit_call *call)
{
	int16_t code;
	struct group *g = coordinator_find(c, call->m->group_id, &code);

	call->commit_ms = wall_ms(c);
	if (!code && !g) {
		if (call->m->generation_id_or_member_epoch >= 0)
			code = KAFKA_ERROR_ILLEGAL_GENERATION;
		else if (!(g = coordinator_make(c, call->m->group_id)))
			code = KAFKA_ERROR_COORDINATOR_NOT_AVAILABLE;
	}
	if (!code)
		code = check(g, call->m, call->write.transactional);
	if (!code) {
		check_metadata(c, call);
		if (count(call))
			code = write_batch(c, g, call);
		if (!code && count(call))
			return;
	}
	if (g)
		coordinator_put(c, g);
	answer_all(call, code);
}
