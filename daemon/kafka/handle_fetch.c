// SPDX-License-Identifier: Apache-2.0
/*
 * Fetch: one look-up finds the ranges of all partitions; the answer has gaps
 * where the log's bytes go, and the connection fills them with sendfile(2). If
 * there is too little, the request is parked until there is more. Of a fetch
 * session (fetch_session.h) the request has all partitions in the meantime, and
 * the answer those with news.
 */
#include <string.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/fetch_cache.h"
#include "daemon/kafka/fetch_files.h"
#include "daemon/kafka/fetch_lookup.h"
#include "daemon/kafka/request_quota.h"

/**
 * struct fetch - a fetch request at work; in its arena
 * @session: that it is part of
 * @n_partitions: of the request
 * @parts: those that were looked up the last time, @n_parts; the look-ups are
 *	in @lookups, because the kernel wants them in an array
 * @interests, @watches: room for parking it; NULL until it is
 * @limit: bytes of records in the answer, but for a single larger batch
 * @bytes: found the last time
 * @has_error: at least one partition has an error, which is told at once
 */
struct fetch {
	struct parked_fetch parked;
	struct request *request;
	struct kafka_fetch_request m;
	struct kafka_fetch_response answer;
	struct fetch_session_ref session;
	uint32_t n_partitions;
	struct fetch_part *parts;
	struct sluice_fetch *lookups;
	uint32_t n_parts;
	struct fetch_interest *interests;
	struct sluice_watch *watches;
	int64_t deadline_ms;
	uint32_t limit;
	uint64_t bytes;
	bool has_error;
};

static uint32_t clamp(int32_t v, uint32_t max)
{
	if (v < 0)
		return 0;
	return (uint32_t)v < max ? (uint32_t)v : max;
}

static uint32_t answer_limit(const struct fetch *f)
{
	const struct request *r = f->request;

	return request_quota_fetch_max(
		r, clamp(f->m.max_bytes, r->worker->broker->config->fetch_max_bytes));
}

/* Lay out the answer in the shape of the request. */
static int prepare(struct fetch *f)
{
	struct request *r = f->request;
	int32_t n_topics = f->m.topics.n;

	f->limit = answer_limit(f);
	kafka_fetch_response_init(&f->answer);
	f->answer.responses.v = request_alloc(r, (size_t)n_topics, sizeof(*f->answer.responses.v));
	if (!f->answer.responses.v)
		return -ENOMEM;
	f->answer.responses.n = n_topics;
	for (int32_t i = 0; i < n_topics; i++) {
		const struct kafka_fetch_request_topic *in = &f->m.topics.v[i];
		struct kafka_fetch_response_topic *out = &f->answer.responses.v[i];

		out->topic = in->topic;
		out->topic_id = in->topic_id;
		out->partitions.n = in->partitions.n;
		out->partitions.v =
			request_alloc(r, (size_t)in->partitions.n, sizeof(*out->partitions.v));
		if (!out->partitions.v)
			return -ENOMEM;
		f->n_partitions += (uint32_t)in->partitions.n;
	}
	f->parts = request_alloc(r, f->n_partitions, sizeof(*f->parts));
	f->lookups = request_alloc(r, f->n_partitions, sizeof(*f->lookups));
	return f->parts && f->lookups ? 0 : -ENOMEM;
}

static void part_error(struct fetch *f, struct kafka_fetch_response_partition *out, int16_t code)
{
	out->error_code = code;
	out->high_watermark = -1;
	f->has_error = true;
}

static void begin_part(struct fetch *f, const struct image_topic *topic, int16_t no_topic_error,
		       const struct kafka_fetch_request_partition *in,
		       struct kafka_fetch_response_partition *out)
{
	struct sluice_fetch *lookup = &f->lookups[f->n_parts];

	kafka_fetch_response_partition_init(out);
	out->partition_index = in->partition;
	out->aborted_transactions.n = f->m.isolation_level ? 0 : -1;
	if (!topic || in->partition < 0 || in->partition >= topic->partition_count) {
		/* No log was asked: Kafka says none of them then, instead of null. */
		out->aborted_transactions.n = 0;
		part_error(f, out, topic ? KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION : no_topic_error);
		return;
	}
	*lookup = (struct sluice_fetch){
		.partition = in->partition,
		.max_bytes = clamp(in->partition_max_bytes, f->limit),
		.offset = in->fetch_offset,
		.flags = SLUICE_FETCH_MIN_ONE | (f->m.isolation_level ? SLUICE_FETCH_COMMITTED : 0),
	};
	memcpy(lookup->topic_id, topic->id, sizeof(lookup->topic_id));
	f->parts[f->n_parts++] = (struct fetch_part){
		.topic = topic,
		.out = out,
		.lookup = lookup,
		.leader_epoch = in->current_leader_epoch,
	};
}

static void begin_parts(struct fetch *f)
{
	const struct image *image = f->request->worker->image;
	bool by_id = request_version(f->request) >= 13;

	f->n_parts = 0;
	f->has_error = false;
	for (int32_t i = 0; i < f->m.topics.n; i++) {
		const struct kafka_fetch_request_topic *in = &f->m.topics.v[i];
		const struct image_topic *topic =
			by_id ? image_by_id(image, in->topic_id.b)
			      : image_by_name(image, in->topic.p, (size_t)in->topic.len);

		for (int32_t j = 0; j < in->partitions.n; j++)
			begin_part(f, topic,
				   by_id ? KAFKA_ERROR_UNKNOWN_TOPIC_ID
					 : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION,
				   &in->partitions.v[j], &f->answer.responses.v[i].partitions.v[j]);
	}
}

static void end_part(struct fetch *f, struct fetch_part *part)
{
	struct kafka_fetch_response_partition *out = part->out;
	const struct sluice_fetch *found = part->lookup;
	int16_t code = found->error ? fetch_error_code(found->error)
				    : fetch_check_epoch(part->leader_epoch, found->leader_epoch);

	if (code) {
		part_error(f, out, code);
		return;
	}
	out->high_watermark = found->high_watermark;
	out->last_stable_offset = found->last_stable_offset;
	out->log_start_offset = found->log_start_offset;
	part->bytes = found->bytes;
}

/*
 * Keep to the limits. Each look-up was for the first batch whole, since nobody
 * knew which partition would be the first with data; only that one may be
 * larger than allowed.
 */
static void share_limit(struct fetch *f)
{
	uint64_t left = f->limit;
	bool first = true;

	f->bytes = 0;
	for (uint32_t i = 0; i < f->n_parts; i++) {
		struct fetch_part *part = &f->parts[i];
		uint64_t most = part->lookup->max_bytes < left ? part->lookup->max_bytes : left;

		if (!part->bytes)
			continue;
		if (!first && part->bytes > most) {
			part->bytes = (uint32_t)most;
			part->cut = true;
		}
		first = false;
		left -= part->bytes < left ? part->bytes : left;
		f->bytes += part->bytes;
	}
}

/* Ask the log what there is. */
static void look_up(struct fetch *f)
{
	int err;

	begin_parts(f);
	err = data_socket_fetch(f->request->worker->data, f->lookups, f->n_parts);
	for (uint32_t i = 0; i < f->n_parts; i++) {
		if (err)
			part_error(f, f->parts[i].out, fetch_error_code(err));
		else
			end_part(f, &f->parts[i]);
	}
	share_limit(f);
}

static enum handled answer(struct fetch *f)
{
	struct request *r = f->request;
	int err;

	if (!request_quota_fetched(r, f->bytes)) {
		f->n_parts = 0;
		f->answer.responses.n = 0;
	}
	err = fetch_files_open(r, f->parts, f->n_parts);
	if (err)
		return request_malformed(r, err);
	fetch_cache_end(r->worker->broker->fetches, &f->session, &f->m, &f->answer,
			r->worker->reactor.now_ms);
	kafka_fetch_response_encode(response_begin(r), request_version(r), &f->answer);
	return response_end(r);
}

static bool enough(const struct fetch *f)
{
	return f->has_error || !f->n_partitions || f->parked.timed_out || f->m.max_wait_ms <= 0 ||
	       f->m.min_bytes <= 0 || f->bytes >= (uint64_t)f->m.min_bytes;
}

static int park(struct fetch *f)
{
	struct request *r = f->request;

	if (!f->watches) {
		f->watches = request_alloc(r, f->n_partitions, sizeof(*f->watches));
		f->interests = request_alloc(r, f->n_partitions, sizeof(*f->interests));
		if (!f->watches || !f->interests)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < f->n_parts; i++) {
		const struct sluice_fetch *found = f->parts[i].lookup;

		f->watches[i] = (struct sluice_watch){
			.partition = found->partition,
			.offset = found->high_watermark,
		};
		memcpy(f->watches[i].topic_id, found->topic_id, sizeof(found->topic_id));
	}
	return fetch_park(&r->worker->fetches, &f->parked, f->interests, f->watches, f->n_parts,
			  f->deadline_ms);
}

static void wake(struct parked_fetch *parked)
{
	struct fetch *f = list_entry(parked, struct fetch, parked);

	look_up(f);
	if (enough(f) || park(f))
		request_finish(f->request, answer(f));
}

static void abandon(struct request *r)
{
	struct fetch *f = r->state;

	fetch_unpark(&f->parked);
}

enum handled handle_fetch(struct request *r)
{
	struct fetch *f = request_alloc(r, 1, sizeof(*f));
	int err = f ? 0 : -ENOMEM;
	int16_t code;

	if (!err)
		err = kafka_fetch_request_decode(&r->body, &r->arena, request_version(r), &f->m);
	if (err)
		return request_malformed(r, err);
	f->request = r;
	f->parked.wake = wake;
	code = fetch_cache_begin(r->worker->broker->fetches, &f->m, request_version(r),
				 r->worker->reactor.now_ms, &r->arena, &f->session);
	if (code == KAFKA_ERROR_UNKNOWN_SERVER_ERROR)
		return request_malformed(r, -ENOMEM);
	if (code) {
		kafka_fetch_response_init(&f->answer);
		f->answer.error_code = code;
		return answer(f);
	}
	err = prepare(f);
	if (err)
		return request_malformed(r, err);
	look_up(f);
	if (enough(f))
		return answer(f);
	f->deadline_ms = r->worker->reactor.now_ms + f->m.max_wait_ms;
	if (park(f))
		return answer(f);
	r->state = f;
	r->abandon = abandon;
	return REQUEST_PARKED;
}
