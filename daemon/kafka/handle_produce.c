// SPDX-License-Identifier: Apache-2.0
/*
 * Produce: one batch for each partition goes from the request's own bytes into
 * the log, and a receipt says where it landed. acks=0 asks for none and gets no
 * answer; acks=all waits until it is durable, as the topic's setting says.
 */
#include <string.h>
#include <linux/sluice_netlink.h>

#include "daemon/kafka/dispatch.h"
#include "daemon/kafka/produce_check.h"
#include "daemon/kafka/request_quota.h"
#include "daemon/worker.h"

#define ACKS_ALL  (-1)
#define ACKS_NONE 0

/* Of the module's sentences, kept beside the answer. */
#define MESSAGE_MAX 160

/**
 * struct produce - a produce request at work; in its arena
 * @partitions: element of the answer for each batch, in the order of the request
 * @appended: "appended" receipts that were asked for: they are there at once
 * @failed: whether a batch was refused
 */
struct produce {
	struct parked_produce parked;
	struct request *request;
	struct kafka_produce_request m;
	struct kafka_produce_response answer;
	struct kafka_produce_response_partition **partitions;
	uint32_t n_partitions;
	uint32_t appended;
	bool failed;
};

static void set_error(struct produce *p, struct kafka_produce_response_partition *part,
		      int16_t error_code, const char *message)
{
	p->failed = true;
	part->error_code = error_code;
	part->base_offset = -1;
	part->error_message = kafka_str_from(message);
}

static int16_t error_code_of(int err)
{
	switch (err) {
	case -ENODEV: return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION; /* deleted meanwhile */
	case -ENOBUFS:
	case -ENOMEM: return KAFKA_ERROR_REQUEST_TIMED_OUT; /* one that clients try again after */
	default: return kafka_error_from_errno(err);
	}
}

/* That its records went is no word about the producer, as -ESTALE of an append is. */
static void receipt_failed(struct produce *p, struct kafka_produce_response_partition *part,
			   int err)
{
	if (err == -ESTALE)
		set_error(p, part, KAFKA_ERROR_NOT_LEADER_OR_FOLLOWER,
			  "the log was truncated before the batch was durable");
	else
		set_error(p, part, error_code_of(err), "the batch could not be made durable");
}

static void on_receipt(struct parked_produce *parked, uint32_t index, const struct sluice_event *ev)
{
	struct produce *p = list_entry(parked, struct produce, parked);
	struct kafka_produce_response_partition *part;

	if (index >= p->n_partitions)
		return;
	part = p->partitions[index];
	if (ev->error) {
		receipt_failed(p, part, ev->error);
		return;
	}
	part->error_code = KAFKA_ERROR_NONE;
	part->base_offset = ev->offset;
	part->log_append_time_ms = ev->timestamp;
	part->log_start_offset = ev->log_start_offset;
}

static uint32_t receipt_for(const struct produce *p, const struct image_topic *topic)
{
	if (p->m.acks == ACKS_NONE)
		return SLUICE_RECEIPT_NONE;
	switch (topic->config.durability) {
	case SLUICE_DURABILITY_ALWAYS: return SLUICE_RECEIPT_DURABLE;
	case SLUICE_DURABILITY_CACHE: return SLUICE_RECEIPT_APPENDED;
	default: return p->m.acks == ACKS_ALL ? SLUICE_RECEIPT_DURABLE : SLUICE_RECEIPT_APPENDED;
	}
}

static void append_refused(struct produce *p, struct kafka_produce_response_partition *part,
			   int err)
{
	char *text = request_alloc(p->request, 1, MESSAGE_MAX);

	if (text)
		data_socket_error_text(p->request->worker->data, text, MESSAGE_MAX);
	set_error(p, part, error_code_of(err), text && text[0] ? text : NULL);
}

static void append(struct produce *p, const struct image_topic *topic, struct kafka_bytes batch,
		   uint32_t index)
{
	struct kafka_produce_response_partition *part = p->partitions[index];
	struct worker *w = p->request->worker;
	uint32_t when = receipt_for(p, topic);
	int err;

	/* Until the receipt is there: what is answered if it does not come in time. */
	part->error_code =
		when == SLUICE_RECEIPT_NONE ? KAFKA_ERROR_NONE : KAFKA_ERROR_REQUEST_TIMED_OUT;
	part->base_offset = -1;
	for (int tries = 0; tries < 2; tries++) {
		err = data_socket_append(w->data, topic->id, part->index, batch.p,
					 (size_t)batch.len, when,
					 produce_cookie(&p->parked, index));
		if (err != -ENOBUFS)
			break;
		worker_read_events(w);
	}
	if (err) {
		append_refused(p, part, err);
		return;
	}
	p->parked.outstanding += when != SLUICE_RECEIPT_NONE;
	p->appended += when == SLUICE_RECEIPT_APPENDED;
}

static void produce_partition(struct produce *p, const struct image_topic *topic,
			      int16_t no_topic_error,
			      const struct kafka_produce_request_partition *in, uint32_t index)
{
	struct kafka_produce_response_partition *part = p->partitions[index];
	const char *why = NULL;
	int16_t code;

	if (p->m.acks != ACKS_ALL && p->m.acks != ACKS_NONE && p->m.acks != 1) {
		set_error(p, part, KAFKA_ERROR_INVALID_REQUIRED_ACKS, NULL);
		return;
	}
	if (p->m.transactional_id.len >= 0) {
		set_error(p, part, KAFKA_ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
			  "this broker has no transactions yet");
		return;
	}
	if (!topic) {
		set_error(p, part, no_topic_error, NULL);
		return;
	}
	if (in->index < 0 || in->index >= topic->partition_count) {
		set_error(p, part, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, NULL);
		return;
	}
	if (image_topic_internal(topic)) {
		set_error(p, part, KAFKA_ERROR_INVALID_TOPIC_EXCEPTION,
			  "only the broker writes to this topic");
		return;
	}
	code = produce_check(in->records, request_version(p->request), &why);
	if (code) {
		set_error(p, part, code, why);
		return;
	}
	append(p, topic, in->records, index);
}

/* Lay out the answer in the shape of the request. */
static int prepare_answer(struct produce *p)
{
	struct request *r = p->request;
	int32_t n_topics = p->m.topic_data.n;
	uint32_t at = 0;

	kafka_produce_response_init(&p->answer);
	for (int32_t i = 0; i < n_topics; i++)
		p->n_partitions += (uint32_t)p->m.topic_data.v[i].partition_data.n;
	if (p->n_partitions > PRODUCE_BATCHES_MAX)
		return -ENOMEM;
	p->partitions = request_alloc(r, p->n_partitions,
				      sizeof(struct kafka_produce_response_partition *));
	p->answer.responses.v = request_alloc(r, (size_t)n_topics, sizeof(*p->answer.responses.v));
	if (!p->partitions || !p->answer.responses.v)
		return -ENOMEM;
	p->answer.responses.n = n_topics;
	for (int32_t i = 0; i < n_topics; i++) {
		const struct kafka_produce_request_topic *in = &p->m.topic_data.v[i];
		struct kafka_produce_response_topic *out = &p->answer.responses.v[i];
		int32_t n = in->partition_data.n;

		out->name = in->name;
		out->topic_id = in->topic_id;
		out->partition_responses.v =
			request_alloc(r, (size_t)n, sizeof(*out->partition_responses.v));
		if (!out->partition_responses.v)
			return -ENOMEM;
		out->partition_responses.n = n;
		for (int32_t j = 0; j < n; j++) {
			struct kafka_produce_response_partition *part =
				&out->partition_responses.v[j];

			kafka_produce_response_partition_init(part);
			part->index = in->partition_data.v[j].index;
			p->partitions[at++] = part;
		}
	}
	return 0;
}

static void append_all(struct produce *p)
{
	const struct image *image = p->request->worker->image;
	bool by_id = request_version(p->request) >= 13;
	uint32_t at = 0;

	for (int32_t i = 0; i < p->m.topic_data.n; i++) {
		const struct kafka_produce_request_topic *in = &p->m.topic_data.v[i];
		const struct image_topic *topic =
			by_id ? image_by_id(image, in->topic_id.b)
			      : image_by_name(image, in->name.p, (size_t)in->name.len);
		int16_t no_topic_error = by_id ? KAFKA_ERROR_UNKNOWN_TOPIC_ID
					       : KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;

		for (int32_t j = 0; j < in->partition_data.n; j++)
			produce_partition(p, topic, no_topic_error, &in->partition_data.v[j], at++);
	}
}

static enum handled answer(struct produce *p)
{
	struct request *r = p->request;

	request_quota_produced(r, r->size_bytes);
	if (p->m.acks == ACKS_NONE) {
		/* The only way left to tell the producer that something is wrong. */
		if (p->failed)
			return request_refuse(r, "a batch that it sent with acks=0 was refused");
		return REQUEST_SILENT;
	}
	kafka_produce_response_encode(response_begin(r), request_version(r), &p->answer);
	return response_end(r);
}

static void wake(struct parked_produce *parked)
{
	struct produce *p = list_entry(parked, struct produce, parked);

	request_finish(p->request, answer(p));
}

static void abandon(struct request *r)
{
	struct produce *p = r->state;

	produce_end(&p->parked);
}

enum handled handle_produce(struct request *r)
{
	struct produce *p = request_alloc(r, 1, sizeof(*p));
	struct worker *w = r->worker;
	int err = p ? 0 : -ENOMEM;

	if (!err)
		err = kafka_produce_request_decode(&r->body, &r->arena, request_version(r), &p->m);
	if (err)
		return request_malformed(r, err);
	p->request = r;
	p->parked.receipt = on_receipt;
	p->parked.wake = wake;
	err = prepare_answer(p);
	if (!err)
		err = produce_begin(&w->produces, &p->parked);
	if (err)
		return request_malformed(r, err);

	append_all(p);
	if (p->appended)
		worker_read_events(w);
	if (!p->parked.outstanding) {
		produce_end(&p->parked);
		return answer(p);
	}
	r->state = p;
	r->abandon = abandon;
	produce_park(&p->parked, w->reactor.now_ms + (p->m.timeout_ms > 0 ? p->m.timeout_ms : 0));
	return REQUEST_PARKED;
}
